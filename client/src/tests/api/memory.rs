use fake_provider::keys::Jwt;
use fake_provider::{API, Endpoint, now};
use serde_json::json;

use super::{World, refusal};
use crate::api::{ApiError, LogtoApi};
use crate::error::AccessTokenError;

/// A token of the same issuer that the API has verified, with another signature: only the memory accepts it.
async fn remembered(world: &World, change: impl FnOnce(&mut Jwt)) -> String {
    let token = world.token(change);
    world.api.verify(&token).await.unwrap();
    token
}

#[tokio::test]
async fn a_token_is_verified_once() {
    let world = World::start().await;
    let token = remembered(&world, |_| ()).await;
    let first = world.api.verify(&token).await.unwrap();
    let second = world.api.verify(&token).await.unwrap();
    assert!(std::ptr::eq(first.sub(), second.sub()), "a clone of the same");
    assert_eq!(world.api.remembered(), 1);
    assert_eq!((world.provider.count(Endpoint::Jwks), world.provider.count_all()), (1, 2));
}

#[tokio::test]
async fn a_remembered_token_is_forgotten_when_it_expires() {
    let world = World::start().await;
    let now = now();
    let token = remembered(&world, |token| token.claims["exp"] = json!(now + 100)).await;
    assert!(world.api.verify_at(&token, now + 159).await.is_ok());
    assert_eq!(refusal(world.api.verify_at(&token, now + 160).await), AccessTokenError::Expired);
    assert_eq!(world.api.remembered(), 0);
}

#[tokio::test]
async fn a_remembered_token_is_not_valid_before_its_time() {
    let world = World::start().await;
    let now = now();
    let token = remembered(&world, |token| token.claims["nbf"] = json!(now)).await;
    assert_eq!(refusal(world.api.verify_at(&token, now - 61).await), AccessTokenError::NotYetValid);
}

#[tokio::test]
async fn a_remembered_token_is_verified_again_after_an_hour() {
    let world = World::start().await;
    let now = now();
    let token = remembered(&world, |token| token.claims["exp"] = json!(now + 100_000)).await;
    let first = world.api.verify_at(&token, now + 3599).await.unwrap();
    let second = world.api.verify_at(&token, now + 3700).await.unwrap();
    assert!(!std::ptr::eq(first.sub(), second.sub()));
}

#[tokio::test]
async fn a_remembered_token_is_forgotten_when_its_key_is_withdrawn() {
    let world = World::start().await;
    let token = remembered(&world, |_| ()).await;
    let other = fake_provider::keys::Key::es384("key-2");
    world.provider.set_keys(vec![other]);
    // Makes the API fetch the set again.
    world.api.verify(&world.token(|_| ())).await.unwrap();

    let error = world.api.verify(&token).await.unwrap_err();

    assert!(matches!(error, ApiError::InvalidToken(AccessTokenError::UnknownKey)), "{error:?}");
    assert_eq!(world.api.remembered(), 1);
}

#[tokio::test]
async fn a_remembered_token_stays_when_another_key_joins() {
    let world = World::start().await;
    let token = remembered(&world, |_| ()).await;
    let first = world.api.verify(&token).await.unwrap();
    world.provider.set_keys(vec![fake_provider::keys::Key::es384("key-2"), world.provider.key()]);
    world.api.verify(&world.token(|_| ())).await.unwrap();

    let second = world.api.verify(&token).await.unwrap();

    assert!(std::ptr::eq(first.sub(), second.sub()));
}

#[tokio::test]
async fn the_number_of_remembered_tokens_is_bounded() {
    let world = World::start_with(|builder| builder.audience(API).max_remembered_tokens(32)).await;
    let mut last = String::new();
    for n in 0..200 {
        last = remembered(&world, |token| token.claims["exp"] = json!(now() + 100 + n)).await;
        assert!(world.api.remembered() <= 32);
    }
    assert!(world.api.remembered() >= 16);
    let first = world.api.verify(&last).await.unwrap();
    assert!(std::ptr::eq(first.sub(), world.api.verify(&last).await.unwrap().sub()), "the last one has found room");
}

#[tokio::test]
async fn tokens_that_have_expired_make_room_without_a_request_for_them() {
    let world = World::start().await;
    let now = now();
    for _ in 0..200 {
        remembered(&world, |token| token.claims["exp"] = json!(now + 100)).await;
    }
    for _ in 0..200 {
        let token = world.token(|token| token.claims["exp"] = json!(now + 10_000));
        world.api.verify_at(&token, now + 200).await.unwrap();
    }
    assert_eq!(world.api.remembered(), 200);
}

#[tokio::test]
async fn tokens_that_have_expired_leave_without_a_lack_of_room() {
    let world = World::start().await;
    let now = now();
    let token = |exp: u64| world.token(|token| token.claims["exp"] = json!(exp));
    for _ in 0..50 {
        world.api.verify_at(&token(now + 100), now).await.unwrap();
        world.api.verify_at(&token(now + 10_000), now).await.unwrap();
    }

    // The next sweep is due, in each part that one of these enters.
    for _ in 0..200 {
        world.api.verify_at(&token(now + 10_000), now + 200).await.unwrap();
    }

    assert_eq!(world.api.remembered(), 250, "no token that is valid has left");
}

#[tokio::test]
async fn the_last_token_is_remembered_where_there_is_room_for_one() {
    let world = World::start_with(|builder| builder.audience(API).max_remembered_tokens(1)).await;
    for _ in 0..50 {
        remembered(&world, |_| ()).await;
    }
    assert!((1..=16).contains(&world.api.remembered()));
}

#[tokio::test]
async fn nothing_is_remembered_if_so_configured() {
    let world = World::start_with(|builder| builder.audience(API).max_remembered_tokens(0)).await;
    remembered(&world, |_| ()).await;
    assert_eq!(world.api.remembered(), 0);
}

#[tokio::test]
async fn clones_share_the_memory() {
    let world = World::start().await;
    let clone: LogtoApi = world.api.clone();
    remembered(&world, |_| ()).await;
    assert_eq!(clone.remembered(), 1);
}
