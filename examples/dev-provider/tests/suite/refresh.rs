use std::time::Duration;

use dev_provider::{Config, DevProvider};
use reqwest::StatusCode;

use crate::app::{NONCE, Visitor, config, exchange, post, refresh, start, tokens, user_info, verified};

async fn rotating(grace: Duration) -> DevProvider {
    let config = Config { rotate_refresh_token_at: 0.0, refresh_token_grace: grace, ..config() };
    DevProvider::start(config).await.unwrap()
}

#[tokio::test]
async fn a_young_refresh_token_stays_the_same() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;

    for _ in 0..2 {
        let answer = refresh(&provider, tokens.get("refresh_token"), &[]).await;

        assert_eq!(answer.get("refresh_token"), tokens.get("refresh_token"));
        assert_eq!(answer.get("scope"), "openid offline_access profile");
        assert_ne!(answer.get("access_token"), tokens.get("access_token"));
        assert_eq!(user_info(&provider, answer.get("access_token")).await.body["name"], "Alice");
    }
}

#[tokio::test]
async fn a_refreshed_id_token_is_for_the_same_sign_in_and_has_no_at_hash() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;
    let (_, first) = verified(&provider, tokens.get("id_token"), "dev-client").await;

    let answer = refresh(&provider, tokens.get("refresh_token"), &[]).await;

    let (_, claims) = verified(&provider, answer.get("id_token"), "dev-client").await;
    assert_eq!((&claims["sub"], claims["nonce"].as_str()), (&first["sub"], Some(NONCE)));
    assert_eq!(claims.get("at_hash"), None);
}

#[tokio::test]
async fn a_replaced_refresh_token_still_works_in_the_grace_period() {
    let provider = rotating(Duration::from_hours(1)).await;
    let old = tokens(&provider, "Alice", &[]).await;

    let new = refresh(&provider, old.get("refresh_token"), &[]).await;
    let newer = refresh(&provider, old.get("refresh_token"), &[]).await;

    assert!(
        new.get("refresh_token") != old.get("refresh_token") && new.get("refresh_token") != newer.get("refresh_token")
    );
    for answer in [new, newer] {
        assert_eq!(refresh(&provider, answer.get("refresh_token"), &[]).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_replaced_refresh_token_that_comes_later_ends_the_grant() {
    let provider = rotating(Duration::ZERO).await;
    let old = tokens(&provider, "Alice", &[]).await;
    let other_grant = tokens(&provider, "Alice", &[]).await;
    let new = refresh(&provider, old.get("refresh_token"), &[]).await;

    refresh(&provider, old.get("refresh_token"), &[]).await.assert_invalid_grant();

    refresh(&provider, new.get("refresh_token"), &[]).await.assert_invalid_grant();
    for answer in [old, new] {
        assert_eq!(user_info(&provider, answer.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(refresh(&provider, other_grant.get("refresh_token"), &[]).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_expires() {
    let config = Config { refresh_token_lifetime: Duration::ZERO, ..config() };
    let provider = DevProvider::start(config).await.unwrap();
    let tokens = tokens(&provider, "Alice", &[]).await;
    refresh(&provider, tokens.get("refresh_token"), &[]).await.assert_invalid_grant();
}

#[tokio::test]
async fn other_tokens_are_no_refresh_tokens() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;
    for other in ["access_token", "id_token"] {
        refresh(&provider, tokens.get(other), &[]).await.assert_invalid_grant();
    }
}

#[tokio::test]
async fn scopes_can_be_narrowed_but_not_widened() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &[]).await;

    let wider = refresh(&provider, tokens.get("refresh_token"), &[("scope", "openid email")]).await;
    wider.assert_error(StatusCode::BAD_REQUEST, "invalid_scope");
    assert_eq!(wider.get("error_description"), "requested scope is not allowed");

    let narrower = refresh(&provider, tokens.get("refresh_token"), &[("scope", "profile")]).await;
    assert_eq!((narrower.get("scope"), narrower.body.get("id_token")), ("profile", None));
    let info = user_info(&provider, narrower.get("access_token")).await;
    assert_eq!(info.status, StatusCode::FORBIDDEN, "without openid there is no user info");
}

#[tokio::test]
async fn all_grants_can_be_ended_at_once() {
    let provider = start().await;
    let (alice, bob) = (tokens(&provider, "Alice", &[]).await, tokens(&provider, "Bob", &[]).await);
    post(&provider, "/token/revocation", &[("token", bob.get("access_token"))]).await;
    let code = Visitor::new().sign_in(&provider, "Carol", &[]).await.code();

    provider.revoke_all_grants();

    for tokens in [alice, bob] {
        refresh(&provider, tokens.get("refresh_token"), &[]).await.assert_invalid_grant();
        assert_eq!(user_info(&provider, tokens.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
    }
    exchange(&provider, &code).await.assert_invalid_grant();
}
