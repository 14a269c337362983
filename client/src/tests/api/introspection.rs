use std::time::Duration;

use fake_provider::{API, APP_ID, APP_SECRET, Endpoint, Reply, SUBJECT, now};
use serde_json::{Value, json};

use super::{World, refusal};
use crate::api::ApiError;
use crate::error::AccessTokenError;

type Change = fn(&mut Value);

const TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

async fn world() -> World {
    World::start_with(|builder| builder.audience(API).introspection(APP_ID, APP_SECRET)).await
}

/// Answers with an active token that has these changes.
fn answer(world: &World, change: impl FnOnce(&mut Value)) {
    let mut answer = json!({
        "active": true, "sub": SUBJECT, "client_id": APP_ID, "exp": now() + 3600, "iat": now(), "sid": "sid",
        "iss": world.provider.issuer(), "scope": "openid profile", "token_type": "Bearer",
    });
    change(&mut answer);
    world.provider.answer(Endpoint::Introspection, move |_| Reply::json(200, &answer));
}

#[tokio::test]
async fn the_issuer_is_asked_about_an_opaque_token_with_the_apps_credentials() {
    let world = world().await;
    answer(&world, |_| ());

    let verified = world.api.verify(TOKEN).await.unwrap();

    assert_eq!((verified.sub(), verified.scopes().count(), verified.audiences()), (SUBJECT, 2, &[][..]));
    let [call] = world.provider.calls(Endpoint::Introspection).try_into().unwrap();
    assert_eq!(call.param("token"), TOKEN);
    assert_eq!(call.basic().as_deref(), Some("app-1:app%3As3cr3t%2F%25"));
}

#[tokio::test]
async fn an_opaque_token_is_not_for_an_api() {
    let world = world().await;
    answer(&world, |answer| answer["scope"] = json!("read"));
    let verified = world.api.verify(TOKEN).await.unwrap();
    assert!(!verified.allows::<super::permissions::Read>());
}

#[tokio::test]
async fn an_answer_is_used_for_a_while() {
    let world = world().await;
    answer(&world, |_| ());
    let now = now();
    world.api.verify_at(TOKEN, now).await.unwrap();
    world.api.verify_at(TOKEN, now + 29).await.unwrap();
    assert_eq!(world.provider.count(Endpoint::Introspection), 1);
    world.api.verify_at(TOKEN, now + 30).await.unwrap();
    assert_eq!(world.provider.count(Endpoint::Introspection), 2);
}

#[tokio::test]
async fn with_a_time_of_zero_each_request_asks() {
    let world =
        World::start_with(|builder| builder.introspection(APP_ID, APP_SECRET).introspection_max_age(Duration::ZERO))
            .await;
    answer(&world, |_| ());
    for _ in 0..3 {
        world.api.verify(TOKEN).await.unwrap();
    }
    assert_eq!(world.provider.count(Endpoint::Introspection), 3);
}

#[tokio::test]
async fn concurrent_requests_with_one_token_ask_once() {
    let world = world().await;
    let body = json!({
        "active": true, "sub": SUBJECT, "client_id": APP_ID, "exp": now() + 3600, "iat": now(),
        "iss": world.provider.issuer(), "token_type": "Bearer",
    });
    let gate = world.provider.hold_answer(Endpoint::Introspection, move |_| Reply::json(200, &body));
    let requests: Vec<_> = (0..10)
        .map(|_| {
            let api = world.api.clone();
            tokio::spawn(async move { api.verify(TOKEN).await })
        })
        .collect();
    gate.open();
    for request in requests {
        request.await.unwrap().unwrap();
    }
    assert_eq!(world.provider.count(Endpoint::Introspection), 1);
}

#[tokio::test]
async fn tokens_that_are_not_active_access_tokens_are_refused() {
    let world = world().await;
    let cases: [(&str, Change, AccessTokenError); 6] = [
        ("not active", |answer| *answer = json!({ "active": false }), AccessTokenError::Inactive),
        (
            "a refresh token",
            |answer| drop(answer.as_object_mut().unwrap().remove("token_type")),
            AccessTokenError::Type,
        ),
        ("another type", |answer| answer["token_type"] = json!("refresh_token"), AccessTokenError::Type),
        ("another issuer", |answer| answer["iss"] = json!("https://evil.example"), AccessTokenError::Issuer),
        ("expired", |answer| answer["exp"] = json!(1), AccessTokenError::Expired),
        (
            "no subject",
            |answer| answer["sub"] = json!(null),
            AccessTokenError::Malformed("a claim is missing or has the wrong type"),
        ),
    ];
    for (case, change, expected) in cases {
        answer(&world, change);
        assert_eq!(refusal(world.api.verify(TOKEN).await), expected, "{case}");
    }
    assert_eq!(world.api.remembered(), 0);
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_properly_is_no_reason_to_refuse_a_token() {
    let world = world().await;
    for (status, body) in
        [(200, json!({})), (200, json!({ "active": "true" })), (401, json!({ "active": true })), (503, json!({}))]
    {
        world.provider.answer(Endpoint::Introspection, move |_| Reply::json(status, &body));
        let error = world.api.verify(TOKEN).await.unwrap_err();
        assert!(matches!(error, ApiError::Unavailable(_)), "{error:?}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains(TOKEN), "{text}");
        world.provider.assert_no_secret_in(&text);
    }
}

#[tokio::test]
async fn nobody_is_asked_about_jwts_and_long_texts_or_unless_so_configured() {
    let world = world().await;
    answer(&world, |_| ());
    world.api.verify(&world.token(|_| ())).await.unwrap();
    assert!(matches!(refusal(world.api.verify(&"a".repeat(513)).await), AccessTokenError::Malformed(_)));
    let strict = World::start().await;
    assert!(matches!(refusal(strict.api.verify(TOKEN).await), AccessTokenError::Malformed(_)));
    for world in [world, strict] {
        assert_eq!(world.provider.count(Endpoint::Introspection), 0);
    }
}
