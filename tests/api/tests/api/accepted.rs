//! Tokens and requests that are accepted, so that nothing is refused for a wrong reason.

use fake_provider::keys::{Jwt, Key, one_per_algorithm};
use fake_provider::{API, APP_ID, FakeProvider, SUBJECT, now};
use logto_client::api::LogtoApi;
use reqwest::Method;
use serde_json::json;

use crate::frameworks::{FRAMEWORKS, Framework, Partners};
use crate::requests::{api, bearer, send};

#[tokio::test]
async fn each_kind_of_token_is_accepted_where_it_may_be() {
    type Change = fn(&mut Jwt);
    let organization: Change = |token| token.claims["aud"] = json!("urn:logto:organization:acme");
    let within: Change = |token| token.claims["organization_id"] = json!("acme");
    let tokens: [(&str, Change, &str); 14] = [
        ("a user's", |_| (), SUBJECT),
        ("a machine's", |token| token.claims["sub"] = json!(APP_ID), APP_ID),
        ("an organization's", organization, SUBJECT),
        ("one for the API within an organization", within, SUBJECT),
        ("a whole media type", |token| token.header["typ"] = json!("application/at+jwt"), SUBJECT),
        ("a type in capitals", |token| token.header["typ"] = json!("AT+JWT"), SUBJECT),
        ("one of several audiences", |token| token.claims["aud"] = json!(["https://a.example", API]), SUBJECT),
        ("without a scope", |token| token.claims["scope"] = json!(null), SUBJECT),
        ("within the leeway after its expiry", |token| token.claims["exp"] = json!(now() - 1), SUBJECT),
        ("within the leeway before its start", |token| token.claims["nbf"] = json!(now() + 50), SUBJECT),
        ("an expiry with a fraction", |token| token.claims["exp"] = json!(4_000_000_000.5), SUBJECT),
        ("an expiry at the end of time", |token| token.claims["exp"] = json!(u64::MAX), SUBJECT),
        ("unknown parameters and claims", as_unknown, SUBJECT),
        ("the URL of a JWK set, which is not fetched", |token| token.header["jku"] = json!("http://[::]/"), SUBJECT),
    ];
    let provider = FakeProvider::start().await;
    for framework in FRAMEWORKS {
        let api = LogtoApi::builder(provider.origin()).audience(API).in_organizations().organization_tokens();
        let app = framework.start(api.build().expect("an API")).await;
        for (name, change, subject) in tokens {
            let token = bearer(&provider.access_token(change));
            // Once verified, and once remembered.
            for _ in 0..2 {
                let answer = send(&app, Method::GET, "/things", &token).await;
                assert_eq!((answer.status, &*answer.body), (200, subject), "{}: {name}", framework.name);
            }
        }
    }
}

fn as_unknown(token: &mut Jwt) {
    token.header["zip"] = json!("none");
    token.claims["https://example.com/claim"] = json!({"deep": [[[]]]});
}

#[tokio::test]
async fn each_algorithm_is_accepted_with_its_own_key() {
    let provider = FakeProvider::start().await;
    provider.set_keys(one_per_algorithm().map(Key::clone).into());
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;
        for key in one_per_algorithm() {
            let token = bearer(&provider.access_token(|token| token.sign_with(key)));
            let answer = send(&app, Method::GET, "/things", &token).await;
            assert_eq!(answer.status, 200, "{}: {}", framework.name, key.algorithm);
        }
    }
}

#[tokio::test]
async fn the_scheme_may_be_in_any_case_and_have_several_spaces() {
    let provider = FakeProvider::start().await;
    let token = provider.access_token(|_| ());
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;
        for scheme in ["bearer", "BEARER", "bEaReR", "Bearer  "] {
            let answer = send(&app, Method::GET, "/things?access_tokens=x", &[format!("{scheme} {token}")]).await;
            assert_eq!((answer.status, &*answer.body), (200, SUBJECT), "{}: {scheme}", framework.name);
        }
    }
}

#[tokio::test]
async fn each_issuers_tokens_open_its_own_routes_only() {
    let (ours, theirs) = (FakeProvider::start().await, FakeProvider::start().await);
    // Even with the same keys and the same API.
    theirs.set_keys(vec![ours.key()]);
    let writer =
        |provider: &FakeProvider| bearer(&provider.access_token(|token| token.claims["scope"] = json!("read write")));
    let reader = |provider: &FakeProvider| bearer(&provider.access_token(|_| ()));
    for framework in FRAMEWORKS {
        let app = framework.start_with(api(&ours), Partners(api(&theirs))).await;
        for (method, path, token, status) in [
            (Method::GET, "/things", reader(&ours), 200),
            (Method::GET, "/things", reader(&theirs), 401),
            (Method::GET, "/partners", reader(&ours), 401),
            (Method::GET, "/partners", reader(&theirs), 200),
            (Method::POST, "/things", writer(&theirs), 401),
            (Method::POST, "/partners", writer(&ours), 401),
            (Method::POST, "/partners", reader(&theirs), 403),
            (Method::POST, "/partners", writer(&theirs), 200),
        ] {
            let answer = send(&app, method.clone(), path, &token).await;
            assert_eq!(answer.status, status, "{}: {method} {path}", framework.name);
            let error = match status {
                401 => Some("invalid_token"),
                403 => Some("insufficient_scope"),
                _ => None,
            };
            assert_eq!(answer.error(), error, "{}: {method} {path}", framework.name);
        }
    }
}

#[tokio::test]
async fn an_app_without_the_api_answers_500_and_lives_on() {
    let provider = FakeProvider::start().await;
    let good = bearer(&provider.access_token(|_| ()));
    for framework in FRAMEWORKS.into_iter().filter(Framework::can_lack_an_api) {
        let app = framework.start(api(&provider)).await;
        for token in [&good[..], &[]] {
            let answer = send(&app, Method::GET, "/missing", token).await;
            assert_eq!((answer.status, &answer.challenge), (500, &None), "{}", framework.name);
            assert_eq!(answer.problem()["detail"], "the API is not configured correctly", "{}", framework.name);
        }
        assert_eq!(send(&app, Method::GET, "/things", &good).await.status, 200, "{}", framework.name);
    }
}
