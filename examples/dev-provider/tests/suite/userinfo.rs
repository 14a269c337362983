use std::time::Duration;

use dev_provider::{Config, DevProvider};
use reqwest::StatusCode;
use serde_json::json;

use crate::app::{Answer, Visitor, config, start, tokens, user_info};

#[tokio::test]
async fn it_tells_what_was_asked_for_and_more_than_the_id_token() {
    let provider = start().await;
    let scope = "openid email custom_data identities urn:logto:scope:organizations";
    let tokens = tokens(&provider, "Bob", &[("scope", scope)]).await;

    let answer = user_info(&provider, tokens.get("access_token")).await;

    let expected = json!({
        "sub": config().users[1].id,
        "email": "bob@example.com", "email_verified": true,
        "custom_data": {}, "identities": {}, "sso_identities": [],
        "organizations": ["acme"],
        "organization_data": [{ "id": "acme", "name": "Acme", "description": null }],
    });
    assert_eq!((answer.status, answer.body), (StatusCode::OK, expected));
}

#[tokio::test]
async fn what_a_user_does_not_have_is_null() {
    let provider = start().await;
    let tokens = tokens(&provider, "Carol", &[("scope", "openid profile phone roles")]).await;
    let info = user_info(&provider, tokens.get("access_token")).await.body;
    assert_eq!((&info["picture"], &info["phone_number"]), (&json!(null), &json!(null)));
    assert_eq!((&info["phone_number_verified"], &info["roles"]), (&json!(false), &json!([])));
    assert!(info.as_object().unwrap().contains_key("picture"));
}

#[tokio::test]
async fn it_takes_a_live_access_token() {
    let config = Config { access_token_lifetime: Duration::ZERO, ..config() };
    let provider = DevProvider::start(config).await.unwrap();
    let tokens = tokens(&provider, "Alice", &[]).await;
    assert_eq!(tokens.body["expires_in"], 0);
    for token in [tokens.get("access_token"), tokens.get("id_token"), tokens.get("refresh_token"), "unknown"] {
        let answer = user_info(&provider, token).await;
        answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_token");
        assert!(answer.response_headers["www-authenticate"].to_str().unwrap().starts_with("Bearer "));
    }
    let answer = Answer::of(Visitor::new().get(&format!("{}/me", provider.issuer())).await).await;
    answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_token");
}
