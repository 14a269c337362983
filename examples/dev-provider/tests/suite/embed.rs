//! The provider within a test's own process.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use dev_provider::AuthorizeError;
use tower::ServiceExt as _;
use url::Url;

use crate::app::{Callback, STATE, authorization_url, exchange, start, user_info};

#[tokio::test]
async fn the_router_serves_what_the_port_serves() {
    let provider = start().await;
    let request = Request::get("/oidc/.well-known/openid-configuration").body(Body::empty()).unwrap();

    let response = provider.router().oneshot(request).await.unwrap();

    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn a_user_signs_in_without_a_browser() {
    let provider = start().await;

    for name in ["Alice", "Somebody New"] {
        let callback = Callback(provider.authorize(&authorization_url(&provider, &[]), name).await.unwrap());

        assert_eq!(callback.get("state").as_deref(), Some(STATE));
        assert_eq!(callback.get("iss").as_deref(), Some(provider.issuer()));
        let tokens = exchange(&provider, &callback.code()).await;
        assert_eq!(user_info(&provider, tokens.get("access_token")).await.body["name"], name);
    }
}

#[tokio::test]
async fn a_mistake_that_is_reported_to_the_app_is_in_the_url() {
    let provider = start().await;
    let url = authorization_url(&provider, &[("prompt", "select_account")]);

    let callback = Callback(provider.authorize(&url, "Alice").await.unwrap());

    assert_eq!(callback.get("error").as_deref(), Some("invalid_request"));
    assert_eq!(callback.get("code"), None);
}

#[tokio::test]
async fn a_browser_that_would_be_sent_nowhere_is_an_error() {
    let provider = start().await;

    let url = authorization_url(&provider, &[("client_id", "another")]);
    let error = provider.authorize(&url, "Alice").await.unwrap_err();
    assert!(matches!(error, AuthorizeError::Client { error: "invalid_client", .. }), "{error:?}");

    let error = provider.authorize(&authorization_url(&provider, &[]), "").await.unwrap_err();
    assert!(matches!(error, AuthorizeError::User(_)), "{error:?}");

    let other = Url::parse("http://127.0.0.1:1/oidc/auth").unwrap();
    assert_eq!(provider.authorize(&other, "Alice").await, Err(AuthorizeError::OtherEndpoint));
}
