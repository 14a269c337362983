use reqwest::StatusCode;

use crate::app::{API, post, post_as, refresh, start, tokens, user_info};

#[tokio::test]
async fn a_refresh_token_takes_its_grant_along() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;

    let fields = [("token", tokens.get("refresh_token")), ("token_type_hint", "refresh_token")];
    let answer = post(&provider, "/token/revocation", &fields).await;

    assert_eq!(answer.status, StatusCode::OK);
    refresh(&provider, tokens.get("refresh_token"), &[]).await.assert_invalid_grant();
    assert_eq!(user_info(&provider, tokens.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_access_token_goes_alone() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;

    let answer = post(&provider, "/token/revocation", &[("token", tokens.get("access_token"))]).await;

    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(user_info(&provider, tokens.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(&provider, tokens.get("refresh_token"), &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_unknown_token_is_as_good_as_revoked() {
    let provider = start().await;
    assert_eq!(post(&provider, "/token/revocation", &[("token", "unknown")]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_jwt_cannot_be_revoked() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[("resource", API)]).await;
    let jwt = refresh(&provider, tokens.get("refresh_token"), &[("resource", API)]).await;
    let answer = post(&provider, "/token/revocation", &[("token", jwt.get("access_token"))]).await;
    answer.assert_error(StatusCode::BAD_REQUEST, "unsupported_token_type");
}

#[tokio::test]
async fn only_the_client_can_revoke() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;
    for basic in [None, Some("dev-client:wrong")] {
        let fields = [("token", tokens.get("refresh_token")), ("client_id", "dev-client")];
        let answer = post_as(&provider, "/token/revocation", basic, &fields).await;
        answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    post(&provider, "/token/revocation", &[]).await.assert_error(StatusCode::BAD_REQUEST, "invalid_request");
    assert_eq!(refresh(&provider, tokens.get("refresh_token"), &[]).await.status, StatusCode::OK);
}
