//! Machine-to-machine apps: the grant `client_credentials`.

use dev_provider::{Config, DevProvider, MachineClient, Membership};
use reqwest::StatusCode;
use serde_json::json;

use crate::app::{API, Answer, BILLING, Fields, config, post, post_as, start, verified};

const BASIC: Option<&str> = Some("dev-machine:dev-machine-secret");

async fn client_credentials(provider: &DevProvider, fields: Fields<'_>) -> Answer {
    let form = [&[("grant_type", "client_credentials")], fields].concat();
    post_as(provider, "/token", BASIC, &form).await
}

#[tokio::test]
async fn a_token_for_an_api_is_for_the_app_itself() {
    let provider = start().await;

    let answer = client_credentials(&provider, &[("resource", API), ("scope", "read:items write:items")]).await;

    assert_eq!((answer.status, &answer.body["token_type"]), (StatusCode::OK, &json!("Bearer")));
    assert_eq!(answer.get("scope"), "read:items", "its role allows no more");
    assert_eq!((answer.body.get("refresh_token"), answer.body.get("id_token")), (None, None));
    let (header, claims) = verified(&provider, answer.get("access_token"), API).await;
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(
        (&claims["sub"], &claims["client_id"], &claims["scope"]),
        (&json!("dev-machine"), &json!("dev-machine"), &json!("read:items"))
    );
}

#[tokio::test]
async fn without_a_scope_that_is_asked_for_and_allowed_there_is_none() {
    let provider = start().await;
    for fields in [
        &[("resource", API)][..],
        &[("resource", BILLING), ("scope", "read:invoices")],
        &[("resource", API), ("scope", "read:invoices")],
        &[("organization_id", "acme")],
    ] {
        let answer = client_credentials(&provider, fields).await;
        assert_eq!((answer.status, answer.body.get("scope")), (StatusCode::OK, None), "{fields:?}");
    }
    let answer = client_credentials(&provider, &[("resource", API)]).await;
    let (_, claims) = verified(&provider, answer.get("access_token"), API).await;
    assert_eq!(claims.get("scope"), None);
}

#[tokio::test]
async fn a_token_for_an_organization_has_the_scopes_of_the_apps_roles_there() {
    let provider = start().await;

    let fields = [("organization_id", "acme"), ("scope", "read:members invite:members")];
    let answer = client_credentials(&provider, &fields).await;

    assert_eq!(answer.get("scope"), "read:members");
    let (_, claims) = verified(&provider, answer.get("access_token"), "urn:logto:organization:acme").await;
    assert_eq!(claims["sub"], "dev-machine");
}

#[tokio::test]
async fn at_an_api_in_an_organization_only_the_roles_there_count() {
    let provider = start().await;

    let fields = [("organization_id", "acme"), ("resource", API), ("scope", "read:items")];
    let answer = client_credentials(&provider, &fields).await;

    assert_eq!(answer.body.get("scope"), None);
    let (_, claims) = verified(&provider, answer.get("access_token"), API).await;
    assert_eq!(claims["organization_id"], "acme");
}

#[tokio::test]
async fn a_target_is_needed_and_has_to_be_known() {
    let provider = start().await;
    for fields in [
        &[][..],
        &[("scope", "read:items")],
        &[("resource", "https://unknown.example.com")],
        &[("resource", "urn:logto:resource:organizations")],
    ] {
        let answer = client_credentials(&provider, fields).await;
        answer.assert_error(StatusCode::BAD_REQUEST, "invalid_target");
        assert_eq!(answer.get("error_description"), "resource indicator is missing, or unknown");
    }
}

#[tokio::test]
async fn an_organization_has_to_be_one_that_the_app_is_a_member_of() {
    let provider = start().await;
    for fields in [&[("organization_id", "globex")][..], &[("organization_id", "globex"), ("resource", API)]] {
        let answer = client_credentials(&provider, fields).await;
        answer.assert_error(StatusCode::FORBIDDEN, "access_denied");
        assert_eq!(answer.get("error_description"), "app has not associated with the organization");
    }
}

#[tokio::test]
async fn scopes_about_a_user_are_refused() {
    let provider = start().await;
    let answer = client_credentials(&provider, &[("resource", API), ("scope", "openid read:items")]).await;
    answer.assert_error(StatusCode::BAD_REQUEST, "invalid_scope");
    assert_eq!(answer.get("error_description"), "requested scope is not allowed");
}

#[tokio::test]
async fn an_app_has_either_users_or_client_credentials() {
    let provider = start().await;
    let own = post(&provider, "/token", &[("grant_type", "client_credentials"), ("resource", API)]).await;
    own.assert_error(StatusCode::BAD_REQUEST, "unauthorized_client");
    let form = [("grant_type", "refresh_token"), ("refresh_token", "any")];
    let machine = post_as(&provider, "/token", BASIC, &form).await;
    machine.assert_error(StatusCode::BAD_REQUEST, "unauthorized_client");
}

#[tokio::test]
async fn the_secret_has_to_be_right() {
    let provider = start().await;
    let form = [("grant_type", "client_credentials"), ("resource", API), ("client_id", "dev-machine")];
    for basic in [None, Some("dev-machine:wrong"), Some("dev-machine:dev-secret"), Some("dev-machine:")] {
        let answer = post_as(&provider, "/token", basic, &form).await;
        answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }
}

#[tokio::test]
async fn apps_are_configured() {
    let machine = MachineClient {
        id: "worker".to_owned(),
        secret: "worker-secret".to_owned(),
        roles: vec!["admin".to_owned()],
        memberships: vec![Membership::new("globex", &["admin"])],
    };
    let provider = DevProvider::start(Config { machine_clients: vec![machine], ..config() }).await.unwrap();
    let basic = Some("worker:worker-secret");
    for (fields, scope) in [
        ([("resource", BILLING), ("scope", "read:invoices")], "read:invoices"),
        ([("organization_id", "globex"), ("scope", "invite:members")], "invite:members"),
    ] {
        let form = [&[("grant_type", "client_credentials")], &fields[..]].concat();
        assert_eq!(post_as(&provider, "/token", basic, &form).await.get("scope"), scope);
    }
}

#[tokio::test]
async fn in_the_same_program_a_token_needs_no_request() {
    let provider = start().await;

    for (app, scope) in [("dev-machine", "read:items"), ("dev-admin-machine", "read:items write:items")] {
        let token = provider.machine_token(app, API).expect("a token");

        let (_, claims) = verified(&provider, &token, API).await;
        assert_eq!((&claims["sub"], &claims["scope"]), (&json!(app), &json!(scope)));
    }
    assert_eq!(provider.machine_token("dev-client", API), None, "it is no machine's");
    assert_eq!(provider.machine_token("dev-machine", "https://other.example.com"), None);
    assert_eq!(provider.token_requests().len(), 0);
}
