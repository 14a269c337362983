use dev_provider::{Config, DevProvider};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{API, Answer, config, post, post_as, refresh, start, tokens, verified};

async fn introspect(provider: &DevProvider, token: &str) -> Answer {
    let answer = post(provider, "/token/introspection", &[("token", token)]).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer
}

#[tokio::test]
async fn an_opaque_access_token_is_active() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;

    let mut answer = introspect(&provider, tokens.get("access_token")).await.body;

    let (exp, iat) = (answer["exp"].as_u64().unwrap(), answer["iat"].as_u64().unwrap());
    assert_eq!(exp - iat, 3600);
    assert!(!answer["sid"].as_str().unwrap().is_empty());
    for name in ["exp", "iat", "sid"] {
        answer.as_object_mut().unwrap().remove(name);
    }
    let (_, claims) = verified(&provider, tokens.get("id_token"), "dev-client").await;
    let expected = json!({
        "active": true, "sub": claims["sub"], "client_id": "dev-client", "iss": provider.issuer(),
        "scope": "openid offline_access profile", "token_type": "Bearer",
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_refresh_token_is_active() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;

    let answer = introspect(&provider, tokens.get("refresh_token")).await.body;

    assert_eq!((&answer["active"], answer.get("token_type")), (&json!(true), None));
    assert_eq!(answer["exp"].as_u64().unwrap() - answer["iat"].as_u64().unwrap(), 14 * 24 * 3600);
}

#[tokio::test]
async fn a_jwt_is_not() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[("resource", API)]).await;
    let jwt = refresh(&provider, tokens.get("refresh_token"), &[("resource", API)]).await;
    for token in [jwt.get("access_token"), tokens.get("id_token"), "unknown"] {
        assert_eq!(introspect(&provider, token).await.body, json!({ "active": false }));
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_or_replaced_is_not() {
    let provider = DevProvider::start(Config { rotate_refresh_token_at: 0.0, ..config() }).await.unwrap();
    let old = tokens(&provider, "Alice", &[]).await;
    let new = refresh(&provider, old.get("refresh_token"), &[]).await;
    assert_eq!(introspect(&provider, old.get("refresh_token")).await.body["active"], false);

    post(&provider, "/token/revocation", &[("token", new.get("refresh_token"))]).await;

    for token in [new.get("refresh_token"), new.get("access_token"), old.get("access_token")] {
        assert_eq!(introspect(&provider, token).await.body["active"], false);
    }
}

#[tokio::test]
async fn only_an_app_may_ask() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;
    for basic in [None, Some("dev-client:wrong")] {
        let fields = [("token", tokens.get("access_token")), ("client_id", "dev-client")];
        let answer = post_as(&provider, "/token/introspection", basic, &fields).await;
        answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_client");
        assert_eq!(answer.body["active"], Value::Null);
    }
    post(&provider, "/token/introspection", &[]).await.assert_error(StatusCode::BAD_REQUEST, "invalid_request");
}
