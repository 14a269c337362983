//! Tokens of every size: each web server has a limit of its own, and the API one of 16 KiB.

use fake_provider::FakeProvider;
use fake_provider::keys::base64url;
use reqwest::Method;
use serde_json::json;

use crate::frameworks::FRAMEWORKS;
use crate::requests::{api, bearer, send, try_send};

const LIMIT: usize = 16 * 1024;

/// Returns a valid token of exactly this length.
fn token_of(provider: &FakeProvider, length: usize) -> String {
    let with = |padding: usize| provider.access_token(|token| token.claims["padding"] = json!("a".repeat(padding)));
    let empty = with(0).len();
    let near = (length - empty) * 3 / 4;
    let found = (near.saturating_sub(8)..near + 8).map(with).find(|token| token.len() == length);
    found.unwrap_or_else(|| panic!("no token of {length} bytes"))
}

#[tokio::test]
async fn a_token_of_up_to_16_kib_is_read_and_a_longer_one_refused() {
    let provider = FakeProvider::start().await;
    // Not every length is one of base64url.
    let (longest, too_long) = (bearer(&token_of(&provider, LIMIT - 1)), bearer(&token_of(&provider, LIMIT + 1)));
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;

        let read = send(&app, Method::GET, "/things", &longest).await;
        let refused = send(&app, Method::GET, "/things", &too_long).await;

        assert_eq!(read.status, 200, "{}", framework.name);
        assert_eq!((refused.status, refused.error()), (401, Some("invalid_token")), "{}", framework.name);
        assert!(refused.body.contains("too long"), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_token_of_any_size_ends_no_server() {
    let provider = FakeProvider::start().await;
    let good = bearer(&provider.access_token(|_| ()));
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;
        for size in [60_000, 300_000, 3_000_000] {
            let huge = bearer(&format!("{}.e30.AAAA", base64url(vec![b'['; size])));

            // A server that refuses to read on may close the connection.
            let answer = try_send(&app, Method::GET, "/things", &huge).await;

            if let Some(answer) = answer {
                assert!([400, 401, 413, 431].contains(&answer.status), "{}: {size}: {}", framework.name, answer.status);
            }
            assert_eq!(send(&app, Method::GET, "/things", &good).await.status, 200, "{}: {size}", framework.name);
        }
    }
}
