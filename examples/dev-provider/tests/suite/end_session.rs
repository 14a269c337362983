use dev_provider::DevProvider;
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::app::{Answer, Callback, Fields, Visitor, exchange, refresh, start, user_info};

async fn end_session(visitor: &Visitor, provider: &DevProvider, fields: Fields<'_>) -> Response {
    let url = Url::parse_with_params(&format!("{}/session/end", provider.issuer()), fields).unwrap();
    visitor.get(url.as_str()).await
}

async fn signed_in(provider: &DevProvider) -> Visitor {
    let visitor = Visitor::new();
    visitor.sign_in(provider, "Alice", &[]).await;
    assert!(is_signed_in(&visitor, provider).await);
    visitor
}

async fn is_signed_in(visitor: &Visitor, provider: &DevProvider) -> bool {
    let callback = Callback::of(&visitor.authorize(provider, &[("prompt", "none")]).await);
    callback.get("code").is_some()
}

#[tokio::test]
async fn it_signs_out_here_and_goes_back_to_the_app() {
    let provider = start().await;
    for (state, location) in [("", "http://localhost:3000/"), ("a b&c", "http://localhost:3000/?state=a+b%26c")] {
        let visitor = signed_in(&provider).await;

        let fields =
            [("client_id", "dev-client"), ("post_logout_redirect_uri", "http://localhost:3000/"), ("state", state)];
        let response = end_session(&visitor, &provider, &fields).await;

        assert_eq!(
            (response.status(), &response.headers()[LOCATION]),
            (StatusCode::SEE_OTHER, &location.parse().unwrap())
        );
        assert!(response.headers()[SET_COOKIE].to_str().unwrap().ends_with("; Max-Age=0"));
        assert!(!is_signed_in(&visitor, &provider).await);
    }
}

#[tokio::test]
async fn without_a_way_back_the_user_is_told() {
    let provider = start().await;
    let visitor = signed_in(&provider).await;

    let response = end_session(&visitor, &provider, &[("client_id", "dev-client")]).await;

    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap().contains("You are signed out"));
    assert!(!is_signed_in(&visitor, &provider).await);
}

#[tokio::test]
async fn a_wrong_way_back_is_not_taken_and_signs_nobody_out() {
    let provider = start().await;
    let visitor = signed_in(&provider).await;
    let (id, home) = (("client_id", "dev-client"), ("post_logout_redirect_uri", "http://localhost:3000/"));
    for fields in [
        &[home][..],
        &[("client_id", "another"), home],
        &[id, home, home],
        &[id, ("post_logout_redirect_uri", "http://localhost:3000")],
        &[id, ("post_logout_redirect_uri", "http://localhost:3000/callback")],
        &[id, ("post_logout_redirect_uri", "https://evil.example/")],
    ] {
        let response = end_session(&visitor, &provider, fields).await;
        assert_eq!(
            (response.status(), response.headers().get(LOCATION)),
            (StatusCode::BAD_REQUEST, None),
            "{fields:?}"
        );
        let answer = Answer::of(response).await;
        assert!(answer.get("code").starts_with("oidc.") && !answer.get("error_description").is_empty(), "{fields:?}");
        assert!(is_signed_in(&visitor, &provider).await, "{fields:?}");
    }
}

#[tokio::test]
async fn only_tokens_with_offline_access_survive() {
    let provider = start().await;
    for (prompt, status) in [("consent", StatusCode::OK), ("login", StatusCode::UNAUTHORIZED)] {
        let visitor = Visitor::new();
        let code = visitor.sign_in(&provider, "Alice", &[("prompt", prompt)]).await.code();
        let tokens = exchange(&provider, &code).await;

        end_session(&visitor, &provider, &[]).await;

        assert_eq!(user_info(&provider, tokens.get("access_token")).await.status, status);
        if prompt == "consent" {
            assert_eq!(refresh(&provider, tokens.get("refresh_token"), &[]).await.status, StatusCode::OK);
        }
    }
}
