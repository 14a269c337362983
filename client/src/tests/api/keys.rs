use std::time::Duration;

use fake_provider::keys::Key;
use fake_provider::{Endpoint, Reply};
use tokio::time::advance;

use super::{World, refusal};
use crate::api::ApiError;
use crate::error::AccessTokenError;

const HOUR: Duration = Duration::from_secs(3600);

fn down(world: &World) {
    for endpoint in [Endpoint::Jwks, Endpoint::Discovery] {
        world.provider.answer(endpoint, |_| Reply::json(503, &serde_json::json!({})));
    }
}

#[tokio::test]
async fn nothing_is_fetched_before_the_first_token() {
    let world = World::start().await;
    assert_eq!(world.provider.count_all(), 0);
    world.api.prefetch().await.unwrap();
    assert_eq!(world.provider.count(Endpoint::Jwks), 1);
    world.api.verify(&world.token(|_| ())).await.unwrap();
    assert_eq!(world.provider.count(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn concurrent_first_requests_fetch_the_keys_once() {
    let world = World::start().await;
    let tokens: Vec<_> = (0..20).map(|_| world.token(|_| ())).collect();
    let gate = world.provider.hold(Endpoint::Jwks);
    let verified = tokens.into_iter().map(|token| {
        let api = world.api.clone();
        tokio::spawn(async move { api.verify(&token).await })
    });
    let verified: Vec<_> = verified.collect();
    gate.open();
    for verified in verified {
        verified.await.unwrap().unwrap();
    }
    assert_eq!(world.provider.count(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn a_rotation_is_noticed_at_once() {
    let world = World::start().await;
    world.api.prefetch().await.unwrap();
    world.provider.set_keys(vec![Key::es384("key-2"), world.provider.key()]);
    world.api.verify(&world.token(|_| ())).await.unwrap();
    assert_eq!(world.provider.count(Endpoint::Jwks), 2);
}

#[tokio::test]
async fn unknown_keys_are_looked_for_at_a_bounded_rate() {
    let world = World::start().await;
    let known = world.token(|_| ());
    world.api.verify(&known).await.unwrap();
    let mut refused = 0;
    for n in 0..100 {
        match world
            .api
            .verify(&world.token(|token| token.sign_with(&Key::none(&format!("made-up-{n}"), "ES384"))))
            .await
        {
            Err(ApiError::InvalidToken(AccessTokenError::UnknownKey)) => refused += 1,
            Err(error @ ApiError::TooManyUnknownKeys) => assert_eq!(error.status(), 503),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((refused, world.provider.count(Endpoint::Jwks)), (5, 6));
    world.api.verify(&known).await.unwrap();
    world.api.verify(&world.token(|_| ())).await.unwrap();
    assert_eq!(world.api.remembered(), 2);
}

#[tokio::test]
async fn tokens_that_are_refused_anyway_make_nobody_look_for_their_key() {
    let world = World::start().await;
    world.api.prefetch().await.unwrap();
    let expired = world.refusal(|token| {
        token.claims["exp"] = serde_json::json!(1);
        token.sign_with(&Key::es384("old"));
    });
    assert_eq!(expired.await, AccessTokenError::Expired);
    assert_eq!(world.provider.count(Endpoint::Jwks), 1);
}

#[tokio::test]
async fn without_keys_tokens_cannot_be_verified_and_the_provider_is_left_alone() {
    let world = World::start().await;
    down(&world);
    for _ in 0..20 {
        let error = world.api.verify(&world.token(|_| ())).await.unwrap_err();
        assert!(matches!(error, ApiError::Unavailable(_)), "{error:?}");
        assert_eq!((error.status(), error.code()), (503, None));
        assert!(error.retry_after().is_some());
    }
    assert_eq!(world.provider.count_all(), 1, "one request within two seconds");
    assert!(world.api.prefetch().await.is_err());
}

#[tokio::test]
async fn while_the_provider_is_down_known_keys_stay_in_use() {
    let world = World::start().await;
    world.api.prefetch().await.unwrap();
    down(&world);
    world.api.verify(&world.token(|_| ())).await.unwrap();

    let unknown = world.token(|token| token.sign_with(&Key::es384("key-2")));
    let error = world.api.verify(&unknown).await.unwrap_err();

    assert!(matches!(error, ApiError::Unavailable(_)), "{error:?}");
    assert_eq!(error.status(), 503);
}

#[tokio::test(start_paused = true)]
async fn old_keys_are_renewed_in_the_background_and_used_for_a_day() {
    let world = World::start().await;
    let token = world.token(|token| token.claims["exp"] = serde_json::json!(4_000_000_000_u64));
    world.api.verify(&token).await.unwrap();
    advance(Duration::from_secs(3599)).await;
    world.api.verify(&token).await.unwrap();
    assert_eq!(world.provider.count(Endpoint::Jwks), 1);

    advance(Duration::from_secs(1)).await;
    let gate = world.provider.hold(Endpoint::Jwks);
    for _ in 0..10 {
        world.api.verify(&token).await.unwrap();
    }
    gate.open();
    wait_for(&world, 2).await;

    down(&world);
    advance(23 * HOUR).await;
    world.api.verify(&token).await.unwrap();
    world.api.verify(&world.token(|_| ())).await.unwrap();
    advance(2 * HOUR).await;
    for token in [token, world.token(|_| ())] {
        let error = world.api.verify(&token).await.unwrap_err();
        assert!(matches!(error, ApiError::Unavailable(_)), "{error:?}");
    }
}

async fn wait_for(world: &World, requests: usize) {
    while world.provider.count(Endpoint::Jwks) < requests {
        tokio::task::yield_now().await;
    }
    // Until the answer has arrived.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.provider.count(Endpoint::Jwks), requests);
}

#[tokio::test]
async fn a_key_of_another_issuer_does_not_help() {
    let (world, other) = (World::start().await, World::start().await);
    let token = other.token(|token| token.claims["iss"] = serde_json::json!(world.provider.issuer()));
    assert_eq!(refusal(world.api.verify(&token).await), AccessTokenError::Signature);
    assert_eq!(refusal(world.api.verify(&other.token(|_| ())).await), AccessTokenError::Issuer);
    assert!(other.api.verify(&other.token(|_| ())).await.is_ok());
}
