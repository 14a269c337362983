use std::time::Duration;

use aws_lc_rs::digest::{SHA384, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use dev_provider::{Config, DevProvider};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{
    API, Answer, BILLING, NONCE, ORGANIZATIONS, REDIRECT_URI, Visitor, client, code_form, config, exchange, post,
    post_as, refresh, start, tokens, user_info, verified,
};

#[tokio::test]
async fn an_id_token_is_signed_for_the_client_and_tied_to_the_access_token() {
    let provider = start().await;

    let tokens = tokens(&provider, "Alice", &[]).await;

    assert_eq!(tokens.get("token_type"), "Bearer");
    assert_eq!(tokens.body["expires_in"], 3600);
    assert_eq!(tokens.response_headers["cache-control"], "no-store");
    let (header, claims) = verified(&provider, tokens.get("id_token"), "dev-client").await;
    assert_eq!(header.typ.as_deref(), Some("JWT"));
    let hash = digest(&SHA384, tokens.get("access_token").as_bytes());
    assert_eq!(claims["at_hash"], BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..24]));
    assert_eq!((&claims["nonce"], &claims["aud"]), (&json!(NONCE), &json!("dev-client")));
    assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 3600);
}

#[tokio::test]
async fn an_id_token_tells_what_was_asked_for() {
    let provider = start().await;
    let about = |claims: &Value| {
        let mut claims = claims.as_object().unwrap().clone();
        claims.retain(|name, _| !["iss", "aud", "exp", "iat", "nonce", "at_hash", "sub"].contains(&&**name));
        claims
    };

    let bare = tokens(&provider, "Alice", &[("scope", "openid"), ("nonce", "")]).await;
    let (_, claims) = verified(&provider, bare.get("id_token"), "dev-client").await;
    assert_eq!(claims["sub"], config().users[0].id);
    assert_eq!(claims.get("nonce"), None, "none is made up");
    assert_eq!(Value::Object(about(&claims)), json!({}));

    let scope = "openid profile email phone roles custom_data identities urn:logto:scope:organizations \
                 urn:logto:scope:organization_roles";
    let full = tokens(&provider, "Alice", &[("scope", scope)]).await;
    let (_, claims) = verified(&provider, full.get("id_token"), "dev-client").await;
    let mut claims = about(&claims);
    for time in ["created_at", "updated_at"] {
        assert!(claims.remove(time).unwrap().as_u64().unwrap() > 1_000_000_000_000, "milliseconds");
    }
    let expected = json!({
        "name": "Alice", "username": "alice", "picture": null,
        "email": "alice@example.com", "email_verified": true,
        "phone_number": "15550100", "phone_number_verified": true,
        "roles": ["admin"],
        "organizations": ["acme", "globex"],
        "organization_roles": ["acme:admin", "acme:member", "globex:member"],
    });
    assert_eq!(Value::Object(claims), expected);
}

#[tokio::test]
async fn a_code_works_once_and_a_second_use_ends_the_grant() {
    let provider = start().await;
    let code = Visitor::new().sign_in(&provider, "Alice", &[]).await.code();
    let tokens = exchange(&provider, &code).await;
    assert_eq!(user_info(&provider, tokens.get("access_token")).await.status, StatusCode::OK);

    exchange(&provider, &code).await.assert_invalid_grant();

    refresh(&provider, tokens.get("refresh_token"), &[]).await.assert_invalid_grant();
    assert_eq!(user_info(&provider, tokens.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_code_is_for_whoever_asked_for_it() {
    let provider = start().await;
    let code = Visitor::new().sign_in(&provider, "Alice", &[]).await.code();
    for (field, value, error) in [
        ("code", "another", "invalid_grant"),
        ("redirect_uri", "http://localhost:3000/", "invalid_grant"),
        ("redirect_uri", "", "invalid_request"),
        ("code_verifier", "another-verifier-of-43-characters-or-more-01234", "invalid_grant"),
        ("code_verifier", "", "invalid_request"),
    ] {
        let answer = post(&provider, "/token", &code_form(&code, &[(field, value)])).await;
        answer.assert_error(StatusCode::BAD_REQUEST, error);
    }
    assert_eq!(exchange(&provider, &code).await.status, StatusCode::OK, "a wrong attempt does not use it up");
}

#[tokio::test]
async fn a_code_expires() {
    let provider = DevProvider::start(Config { code_lifetime: Duration::ZERO, ..config() }).await.unwrap();
    let code = Visitor::new().sign_in(&provider, "Alice", &[]).await.code();
    exchange(&provider, &code).await.assert_invalid_grant();
}

#[tokio::test]
async fn a_client_with_a_secret_has_to_send_it_by_basic_authentication() {
    let provider = start().await;
    let code = Visitor::new().sign_in(&provider, "Alice", &[]).await.code();
    let id = ("client_id", "dev-client");
    for (basic, fields) in [
        (None, &[][..]),
        (None, &[id][..]),
        (None, &[id, ("client_secret", "dev-secret")]),
        (Some("dev-client:dev-secret"), &[("client_secret", "dev-secret")]),
        (Some("dev-client:wrong"), &[]),
        (Some("dev-client:"), &[]),
        (Some("dev-client"), &[]),
        (Some("another:dev-secret"), &[]),
    ] {
        let answer = post_as(&provider, "/token", basic, &code_form(&code, fields)).await;
        answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_client");
        assert!(answer.response_headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    }
    let basic = Some("dev-client:dev-secret");
    let two_ids = post_as(&provider, "/token", basic, &code_form(&code, &[("client_id", "another")])).await;
    two_ids.assert_error(StatusCode::BAD_REQUEST, "invalid_request");

    let right = post_as(&provider, "/token", basic, &code_form(&code, &[id])).await;
    assert_eq!(right.status, StatusCode::OK, "{}", right.body);
}

#[tokio::test]
async fn an_id_and_a_secret_have_to_be_form_encoded() {
    let (client_id, client_secret) = ("an:id".to_owned(), Some("a+b c%21".to_owned()));
    let provider = DevProvider::start(Config { client_id, client_secret, ..config() }).await.unwrap();
    let code = Visitor::new().sign_in(&provider, "Alice", &[]).await.code();

    let raw = post_as(&provider, "/token", Some("an:id:a+b c%21"), &code_form(&code, &[])).await;
    raw.assert_error(StatusCode::UNAUTHORIZED, "invalid_client");

    let encoded = post_as(&provider, "/token", Some("an%3Aid:a%2Bb+c%2521"), &code_form(&code, &[])).await;
    assert_eq!(encoded.status, StatusCode::OK, "{}", encoded.body);
}

#[tokio::test]
async fn a_public_client_tells_its_id_and_has_its_refresh_token_replaced_at_every_use() {
    let provider = DevProvider::start(Config { client_secret: None, ..config() }).await.unwrap();
    let code = Visitor::new().sign_in(&provider, "Alice", &[]).await.code();
    let id = ("client_id", "dev-client");
    for (basic, fields) in [(None, &[][..]), (None, &[("client_id", "another")]), (Some("dev-client:"), &[id])] {
        let answer = post_as(&provider, "/token", basic, &code_form(&code, fields)).await;
        answer.assert_error(StatusCode::UNAUTHORIZED, "invalid_client");
    }

    let tokens = post_as(&provider, "/token", None, &code_form(&code, &[id])).await;
    let old = tokens.get("refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", old), id];
    assert_ne!(post_as(&provider, "/token", None, &form).await.get("refresh_token"), old);
}

#[tokio::test]
async fn errors_have_logtos_shape() {
    let provider = start().await;

    let answer = refresh(&provider, "unknown", &[]).await;

    answer.assert_invalid_grant();
    assert_eq!(answer.get("code"), "oidc.invalid_grant");
    assert_eq!(answer.get("message"), "Grant request is invalid.");
    assert_eq!(answer.get("error_description"), "the refresh token is unknown, has expired or was revoked");
    assert_eq!(answer.response_headers["content-type"], "application/json");
    assert_eq!(answer.response_headers["cache-control"], "no-store");
}

#[tokio::test]
async fn what_is_not_supported_is_a_proper_error() {
    let provider = start().await;
    for (fields, error) in [
        (&[("grant_type", "password")][..], "unsupported_grant_type"),
        (&[("grant_type", "")], "invalid_request"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (&[("grant_type", "authorization_code"), ("grant_type", "refresh_token")], "invalid_request"),
    ] {
        post(&provider, "/token", fields).await.assert_error(StatusCode::BAD_REQUEST, error);
    }
    let json = client().post(format!("{}/token", provider.issuer()));
    let json = json.header("content-type", "application/json").body("{}").send().await.unwrap();
    Answer::of(json).await.assert_error(StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn a_form_has_a_size() {
    let provider = start().await;
    assert_eq!(refresh(&provider, &"x".repeat(65_536), &[]).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    refresh(&provider, &"x".repeat(60_000), &[]).await.assert_invalid_grant();
}

#[tokio::test]
async fn a_token_for_a_resource_is_a_jwt_for_it_alone() {
    let provider = start().await;
    let scope = "openid offline_access read:items read:invoices";
    let fields = [("scope", scope), ("resource", API), ("resource", BILLING)];
    let tokens = tokens(&provider, "Alice", &fields).await;
    assert!(!tokens.get("access_token").contains('.'), "opaque without a resource");
    let refresh_token = tokens.get("refresh_token");

    for (resource, scope) in [(API, "read:items"), (BILLING, "read:invoices")] {
        let answer = refresh(&provider, refresh_token, &[("resource", resource)]).await;
        assert_eq!(answer.get("scope"), scope);
        let (header, claims) = verified(&provider, answer.get("access_token"), resource).await;
        assert_eq!(header.typ.as_deref(), Some("at+jwt"));
        assert_eq!(
            (&claims["scope"], &claims["client_id"], &claims["sub"], claims.get("organization_id")),
            (&json!(scope), &json!("dev-client"), &json!(config().users[0].id), None)
        );
        assert_eq!(user_info(&provider, answer.get("access_token")).await.status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn a_resource_that_was_not_asked_for_at_sign_in_is_refused_and_costs_nothing() {
    let provider =
        DevProvider::start(Config { rotate_refresh_token_at: 0.0, refresh_token_grace: Duration::ZERO, ..config() });
    let provider = provider.await.unwrap();
    let tokens = tokens(&provider, "Alice", &[("resource", API)]).await;
    let refresh_token = tokens.get("refresh_token");

    for resource in [BILLING, "https://unknown.example.com", "urn:logto:resource:organizations"] {
        let answer = refresh(&provider, refresh_token, &[("resource", resource)]).await;
        answer.assert_error(StatusCode::BAD_REQUEST, "invalid_target");
    }

    let answer = refresh(&provider, refresh_token, &[("resource", API)]).await;
    assert_eq!(answer.status, StatusCode::OK, "the refresh token was not used up: {}", answer.body);
    assert_eq!(answer.get("scope"), "", "no scope of this resource was asked for");
}

#[tokio::test]
async fn a_code_can_be_exchanged_for_a_token_for_a_resource() {
    let provider = start().await;
    let code = Visitor::new().sign_in(&provider, "Alice", &[("resource", API)]).await.code();
    let answer = post(&provider, "/token", &code_form(&code, &[("resource", API)])).await;
    verified(&provider, answer.get("access_token"), API).await;
}

#[tokio::test]
async fn an_organization_token_has_the_scopes_of_the_users_roles_there() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &ORGANIZATIONS).await;
    for (organization, scope) in [("acme", "read:members invite:members"), ("globex", "read:members")] {
        let fields = [("organization_id", organization)];
        let answer = refresh(&provider, tokens.get("refresh_token"), &fields).await;
        assert_eq!(answer.get("scope"), scope);
        let audience = format!("urn:logto:organization:{organization}");
        let (header, claims) = verified(&provider, answer.get("access_token"), &audience).await;
        assert_eq!((header.typ.as_deref(), &claims["scope"]), (Some("at+jwt"), &json!(scope)));
    }
}

#[tokio::test]
async fn a_token_can_be_for_a_resource_on_behalf_of_an_organization() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &ORGANIZATIONS).await;

    let fields = [("organization_id", "acme"), ("resource", API)];
    let answer = refresh(&provider, tokens.get("refresh_token"), &fields).await;

    let (_, claims) = verified(&provider, answer.get("access_token"), API).await;
    assert_eq!((&claims["organization_id"], &claims["scope"]), (&json!("acme"), &json!("read:items")));
}

#[tokio::test]
async fn an_organization_is_for_members_with_the_scope() {
    let provider = start().await;
    let bob = tokens(&provider, "Bob", &ORGANIZATIONS).await;
    let without_scope = tokens(&provider, "Bob", &[]).await;
    let code = Visitor::new().sign_in(&provider, "Bob", &ORGANIZATIONS).await.code();
    for organization in ["globex", "unknown"] {
        let answer = refresh(&provider, bob.get("refresh_token"), &[("organization_id", organization)]).await;
        answer.assert_error(StatusCode::FORBIDDEN, "access_denied");
    }
    let answer = refresh(&provider, without_scope.get("refresh_token"), &[("organization_id", "acme")]).await;
    answer.assert_error(StatusCode::FORBIDDEN, "insufficient_scope");
    let at_exchange = post(&provider, "/token", &code_form(&code, &[("organization_id", "acme")])).await;
    assert!(!at_exchange.get("access_token").contains('.'), "only a refresh token gets tokens for organizations");
}

#[tokio::test]
async fn the_resource_of_organizations_is_no_api() {
    let provider = start().await;
    let tokens = tokens(&provider, "Alice", &ORGANIZATIONS).await;
    let fields = [("resource", "urn:logto:resource:organizations")];
    let answer = refresh(&provider, tokens.get("refresh_token"), &fields).await;
    answer.assert_error(StatusCode::BAD_REQUEST, "invalid_target");
}

#[tokio::test]
async fn scopes_of_organizations_are_granted_with_their_resource_only() {
    let provider = start().await;
    let fields = [("scope", "openid offline_access urn:logto:scope:organizations read:members")];
    let tokens = tokens(&provider, "Alice", &fields).await;
    let answer = refresh(&provider, tokens.get("refresh_token"), &[("organization_id", "acme")]).await;
    assert_eq!((answer.status, answer.get("scope")), (StatusCode::OK, ""));
}

#[tokio::test]
async fn token_requests_are_recorded() {
    let provider = start().await;
    let code = Visitor::new().sign_in(&provider, "Alice", &ORGANIZATIONS).await.code();
    let tokens = exchange(&provider, &code).await;
    let fields = [("resource", API), ("organization_id", "acme")];
    refresh(&provider, tokens.get("refresh_token"), &fields).await;
    post(&provider, "/token", &code_form(&code, &[])).await;

    let requests = provider.token_requests();

    let what: Vec<_> = requests.iter().map(|request| (&*request.grant_type, request.error)).collect();
    let expected =
        [("authorization_code", None), ("refresh_token", None), ("authorization_code", Some("invalid_grant"))];
    assert_eq!(what, expected);
    assert_eq!(requests[1].resource.as_deref(), Some(API));
    assert_eq!(requests[1].organization_id.as_deref(), Some("acme"));
    assert!(requests[0].credential == requests[2].credential && requests[0].credential != requests[1].credential);
    assert!(!format!("{requests:?}").contains(&code) && !format!("{requests:?}").contains(REDIRECT_URI));
}
