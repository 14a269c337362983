//! What users may do, and what becomes of tokens when that changes.

use dev_provider::{Config, DevProvider, Membership, Role, User};
use reqwest::StatusCode;
use serde_json::json;

use crate::app::{
    API, BILLING, Callback, Fields, ORGANIZATIONS, Visitor, config, refresh, start, tokens, user_info, verified,
};

const ITEMS: Fields<'_> = &[("scope", "openid offline_access read:items write:items"), ("resource", API)];

#[tokio::test]
async fn a_token_for_an_api_has_the_scopes_of_the_users_roles() {
    let provider = start().await;
    for (name, scope) in [("Alice", "read:items write:items"), ("Bob", "read:items")] {
        let tokens = tokens(&provider, name, ITEMS).await;
        let answer = refresh(&provider, tokens.get("refresh_token"), &[("resource", API)]).await;
        assert_eq!(answer.get("scope"), scope);
    }
}

#[tokio::test]
async fn without_permission_the_scope_is_empty() {
    let provider = start().await;
    let (carol, bob) = (tokens(&provider, "Carol", ITEMS).await, tokens(&provider, "Bob", &ORGANIZATIONS).await);
    for (tokens, target, audience) in
        [(&carol, ("resource", API), API), (&bob, ("organization_id", "acme"), "urn:logto:organization:acme")]
    {
        let answer = refresh(&provider, tokens.get("refresh_token"), &[target]).await;

        assert_eq!((answer.status, answer.get("scope")), (StatusCode::OK, ""));
        let (_, claims) = verified(&provider, answer.get("access_token"), audience).await;
        assert_eq!(claims["scope"], "");
    }
}

#[tokio::test]
async fn a_role_in_an_organization_can_hold_permissions_at_an_api() {
    let config = Config {
        users: vec![User { memberships: vec![Membership::new("acme", &["clerk"])], ..User::named("Dan") }],
        organization_roles: vec![Role::new("clerk", &["read:members", "read:items"])],
        ..config()
    };
    let provider = DevProvider::start(config).await.unwrap();
    let tokens = tokens(&provider, "Dan", &ORGANIZATIONS).await;
    for (fields, scope) in
        [(&[("resource", API), ("organization_id", "acme")][..], "read:items"), (&[("resource", API)], "")]
    {
        assert_eq!(refresh(&provider, tokens.get("refresh_token"), fields).await.get("scope"), scope);
    }
}

#[tokio::test]
async fn a_change_counts_at_the_next_refresh() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &ORGANIZATIONS).await;
    let refresh = async |fields: Fields<'_>| refresh(&provider, tokens.get("refresh_token"), fields).await;
    assert_eq!(refresh(&[("organization_id", "acme")]).await.status, StatusCode::OK);

    assert!(provider.update_user("alice", |user| {
        user.roles.clear();
        user.memberships.retain(|membership| membership.organization != "acme");
    }));

    let left = refresh(&[("organization_id", "acme")]).await;
    left.assert_error(StatusCode::FORBIDDEN, "access_denied");
    assert_eq!(left.get("error_description"), "user is not a member of the organization");
    assert_eq!(refresh(&[("resource", API)]).await.get("scope"), "");
    assert!(!provider.update_user("nobody", |_| ()));
}

#[tokio::test]
async fn a_suspended_user_has_no_user_info_no_refresh_token_and_no_sign_in() {
    let provider = start().await;
    let (alice, bob) = (tokens(&provider, "Alice", &[]).await, tokens(&provider, "Bob", &[]).await);
    let visitor = Visitor::new();
    visitor.sign_in(&provider, "Alice", &[]).await.code();

    assert!(provider.suspend_user("Alice"));

    assert_eq!(user_info(&provider, alice.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
    refresh(&provider, alice.get("refresh_token"), &[]).await.assert_invalid_grant();
    let silent = Callback::of(&visitor.authorize(&provider, &[("prompt", "none")]).await);
    assert_eq!(silent.get("error").as_deref(), Some("login_required"));
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
    let refused = visitor.submit(&provider, &page, &[("name", "Alice")]).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().await.unwrap().contains("This account is suspended."));
    assert_eq!(refresh(&provider, bob.get("refresh_token"), &[]).await.status, StatusCode::OK);
    assert!(!provider.suspend_user("nobody"));
}

#[tokio::test]
async fn a_live_token_of_a_suspended_user_gets_no_user_info() {
    let provider = start().await;
    let alice = tokens(&provider, "Alice", &[]).await;

    provider.update_user("Alice", |user| user.is_suspended = true);
    let answer = user_info(&provider, alice.get("access_token")).await;
    answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_token");

    provider.update_user("Alice", |user| user.is_suspended = false);
    assert_eq!(user_info(&provider, alice.get("access_token")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_deleted_user_has_no_user_info_and_no_refresh_token() {
    let provider = start().await;
    let alice = tokens(&provider, "Alice", &[]).await;

    assert!(provider.delete_user("Alice"));

    assert_eq!(user_info(&provider, alice.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
    refresh(&provider, alice.get("refresh_token"), &[]).await.assert_invalid_grant();
    assert!(!provider.delete_user("Alice"));
}

#[tokio::test]
async fn an_api_that_is_unknown_is_an_error() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", ITEMS).await;
    let answer = refresh(&provider, tokens.get("refresh_token"), &[("resource", BILLING)]).await;
    answer.assert_error(StatusCode::BAD_REQUEST, "invalid_target");
    assert_eq!(
        (answer.get("code"), answer.get("message"), answer.get("error_description")),
        ("oidc.invalid_target", "Invalid resource indicator.", "resource indicator is missing, or unknown")
    );
}

#[tokio::test]
async fn a_tenant_can_have_more_claims_in_id_tokens() {
    let scope = "openid email custom_data identities urn:logto:scope:organizations";
    let github = json!({ "userId": "1", "details": {} });
    let user = User {
        email: None,
        memberships: vec![Membership::new("acme", &[])],
        custom_data: [("theme".to_owned(), json!("dark"))].into(),
        identities: [("github".to_owned(), github.clone())].into(),
        ..User::named("Dan")
    };
    for extended in [false, true] {
        let config = Config { users: vec![user.clone()], extended_id_token_claims: extended, ..config() };
        let provider = DevProvider::start(config).await.unwrap();

        let tokens = tokens(&provider, "Dan", &[("scope", scope)]).await;

        let (_, id_token) = verified(&provider, tokens.get("id_token"), "dev-client").await;
        let info = user_info(&provider, tokens.get("access_token")).await.body;
        assert_eq!(info["custom_data"], json!({ "theme": "dark" }));
        assert_eq!((&info["identities"], &info["sso_identities"]), (&json!({ "github": github }), &json!([])));
        assert_eq!((&info["email"], &info["email_verified"]), (&json!(null), &json!(false)));
        for name in ["custom_data", "identities", "sso_identities", "organization_data"] {
            assert_eq!(id_token.get(name), info.get(name).filter(|_| extended), "{name}");
        }
        assert!(id_token.as_object().unwrap().contains_key("email"), "{id_token}");
    }
}
