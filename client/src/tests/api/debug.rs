//! What `Debug` prints: the token's claims, and not the token.

use fake_provider::API;

use super::World;
use super::permissions::Read;
use crate::api::{Allowed, ApiError, Bearer, LogtoApi, OptionalBearer};

fn assert_has(printed: &str, name: &str, part: &str) {
    assert!(printed.starts_with(name) && printed.contains(part), "{printed}");
}

#[tokio::test]
async fn a_caller_shows_who_it_is_and_not_the_token() {
    let world = World::start().await;
    let token = world.token(|token| token.claims["scope"] = "read".into());
    let header = format!("Bearer {token}");
    let bearer = Bearer::from_request(world.api.clone(), [header.as_bytes()], None).await.unwrap();
    let sub = format!("sub: {:?}", bearer.sub());
    let printed = [
        ("VerifiedToken", format!("{:?}", bearer.token())),
        ("Bearer", format!("{bearer:?}")),
        ("OptionalBearer", format!("{:?}", OptionalBearer(Some(bearer.clone())))),
        ("Allowed", format!("{:?}", Allowed::<Read>::check(bearer).await.unwrap())),
    ];
    for (name, printed) in printed {
        assert_has(&printed, name, &sub);
        for part in token.split('.') {
            assert!(!printed.contains(part), "{printed}");
        }
    }
}

#[test]
fn an_api_shows_its_issuer_and_audiences_and_not_the_secret() {
    let builder = LogtoApi::builder("https://tenant.logto.app").audience(API).introspection("app", "s3cr3t");
    let builder_printed = format!("{builder:?}");
    let api = builder.build().unwrap();
    let printed = format!("{api:?}");
    for (name, printed) in [("LogtoApiBuilder", &builder_printed), ("LogtoApi", &printed)] {
        assert_has(printed, name, "https://tenant.logto.app");
        assert_has(printed, name, API);
        assert!(!printed.contains("s3cr3t"), "{printed}");
    }
    assert_eq!(api.respond(&ApiError::MissingToken).to_string(), "401 Unauthorized");
}
