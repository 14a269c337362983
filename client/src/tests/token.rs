use std::time::Duration;

use base64::Engine as _;
use fake_provider::keys::base64url as encode;
use serde_json::{Value, json};

use super::provider::Provider;
use crate::TokenTarget;
use crate::error::{Endpoint, Error, RequestErrorKind};
use crate::oidc::token::{TokenResponse, Tokens};
use crate::tokens::MARGIN;

const NOW: u64 = 1_700_000_000;
const REFRESH_TOKEN: &str = "rt-secret";

/// What a refresh makes of this answer.
async fn refresh(status: u16, body: impl Into<String>) -> Result<TokenResponse, Error> {
    let body = body.into();
    let provider = Provider::start(json!({}), move |_| (status, body.clone())).await;
    provider.client().shared().provider().refresh(REFRESH_TOKEN, &TokenTarget::provider()).await
}

fn answer() -> Value {
    json!({
        "access_token": "at",
        "refresh_token": "rt-2",
        "id_token": "it",
        "token_type": "Bearer",
        "scope": "openid email",
        "expires_in": 3600,
    })
}

/// The tokens of the answer, with one part another. `null` stays `null`.
async fn tokens_with(part: &str, value: Value) -> Result<Tokens, &'static str> {
    let mut answer = answer();
    answer[part] = value;
    tokens(&answer).await
}

async fn tokens(answer: &Value) -> Result<Tokens, &'static str> {
    refresh(200, answer.to_string()).await.unwrap().tokens(NOW).map_err(|error| {
        assert_eq!(error.endpoint(), Endpoint::Token);
        match error.kind() {
            RequestErrorKind::Invalid(problem) => *problem,
            other => panic!("{other:?}"),
        }
    })
}

#[tokio::test]
async fn a_good_answer_is_read_whole() {
    let response = refresh(200, answer().to_string()).await.unwrap();
    assert_eq!(response.refresh_token.as_deref(), Some("rt-2"));
    let Tokens { access_token, id_token } = response.tokens(NOW).unwrap();
    assert_eq!((&*access_token.token, &*access_token.scope), ("at", "openid email"));
    assert_eq!(access_token.expires_at, NOW + 3600);
    assert_eq!(id_token.as_deref(), Some("it"));
}

#[tokio::test]
async fn an_answer_may_lack_what_is_optional() {
    let response = refresh(200, r#"{"access_token":"at","token_type":"bearer"}"#).await.unwrap();
    assert_eq!(response.refresh_token, None);
    let Tokens { access_token, id_token } = response.tokens(NOW).unwrap();
    assert_eq!((&*access_token.scope, access_token.expires_at, id_token), ("", NOW + 60, None));

    for part in ["id_token", "scope", "expires_in"] {
        assert!(tokens_with(part, Value::Null).await.is_ok(), "{part}");
    }
}

#[tokio::test]
async fn a_part_that_is_missing_or_of_another_type_is_told() {
    let no_text = "a member that should be a string is not";
    let no_bearer = "`token_type` is not `Bearer`";
    for (part, value, problem) in [
        ("access_token", Value::Null, "missing `access_token`"),
        ("access_token", json!(""), no_text),
        ("access_token", json!(7), no_text),
        ("access_token", json!(["at"]), no_text),
        ("id_token", json!({}), no_text),
        ("id_token", json!(""), no_text),
        ("scope", json!(["openid"]), no_text),
        ("token_type", Value::Null, no_bearer),
        ("token_type", json!("DPoP"), no_bearer),
        ("token_type", json!("Bearer "), no_bearer),
        ("token_type", json!(true), no_text),
    ] {
        assert_eq!(tokens_with(part, value.clone()).await.err(), Some(problem), "{part} {value}");
    }
}

#[tokio::test]
async fn the_token_type_may_be_of_either_case() {
    for kind in ["Bearer", "bearer", "BEARER"] {
        assert!(tokens_with("token_type", json!(kind)).await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn a_life_is_a_number_of_seconds_and_has_no_overflow() {
    for (expires_in, expires_at) in [
        (json!(0), Some(NOW + 60)),
        (json!(1), Some(NOW + 1)),
        (json!(u64::MAX), Some(u64::MAX)),
        (json!(-1), None),
        (json!(3600.5), None),
        (json!(1e300), None),
        (json!("3600"), None),
        (json!(true), None),
        (json!([3600]), None),
    ] {
        let found = tokens_with("expires_in", expires_in.clone()).await.map(|tokens| tokens.access_token.expires_at);
        match expires_at {
            Some(expires_at) => assert_eq!(found, Ok(expires_at), "{expires_in}"),
            None => assert_eq!(found, Err("`expires_in` is not a number of seconds"), "{expires_in}"),
        }
    }
}

#[tokio::test]
async fn a_scope_may_be_empty() {
    // What Logto sends to a user without permissions.
    let tokens = tokens_with("scope", json!("")).await.unwrap();
    assert_eq!(tokens.access_token.scope, "");
}

#[tokio::test]
async fn without_a_life_the_tokens_own_expiry_counts_else_a_minute() {
    let jwt = |claims: Value| format!("e30.{}.c2ln", encode(claims.to_string()));
    for (access_token, expires_at) in [
        (jwt(json!({ "exp": NOW + 600 })), NOW + 600),
        (jwt(json!({ "exp": 1_700_000_600.5 })), NOW + 600),
        (jwt(json!({ "exp": NOW + MARGIN + 1 })), NOW + MARGIN + 1),
        (jwt(json!({ "exp": NOW + MARGIN })), NOW + 60),
        (jwt(json!({ "exp": NOW })), NOW + 60),
        (jwt(json!({ "exp": NOW - 600 })), NOW + 60),
        (jwt(json!({ "exp": "soon" })), NOW + 60),
        (jwt(json!({})), NOW + 60),
        ("opaque".to_owned(), NOW + 60),
    ] {
        for expires_in in [Value::Null, json!(0)] {
            let mut answer = answer();
            answer["access_token"] = json!(access_token);
            answer["expires_in"] = expires_in;
            assert_eq!(tokens(&answer).await.unwrap().access_token.expires_at, expires_at, "{answer}");
        }
    }
}

#[tokio::test]
async fn a_new_refresh_token_is_kept_whatever_is_wrong_with_the_rest() {
    let response = refresh(200, r#"{"refresh_token":"rt-2","access_token":7}"#).await.unwrap();
    assert_eq!(response.refresh_token.as_deref(), Some("rt-2"));
    assert!(response.tokens(NOW).is_err());
}

#[tokio::test]
async fn a_refresh_token_that_is_none_means_that_the_old_one_goes_on() {
    for value in [json!(null), json!(""), json!(7), json!({ "a": 1 })] {
        let mut answer = answer();
        answer["refresh_token"] = value;
        let response = refresh(200, answer.to_string()).await.unwrap();
        assert_eq!(response.refresh_token, None, "{answer}");
        assert!(response.tokens(NOW).is_ok());
    }
}

#[tokio::test]
async fn a_success_that_is_no_json_object_is_told_without_its_words() {
    for body in ["", "<html>at-secret</html>", "[]", "null", "\"at-secret\"", "{\"access_token\":\"at-secret\""] {
        match refresh(200, body).await.map(|_| ()) {
            Err(error @ Error::Request(_)) => {
                assert_eq!(
                    error.to_string(),
                    "the provider's token endpoint gave an invalid response: not the expected JSON"
                );
                assert!(!format!("{error:?}").contains("at-secret"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_error_is_read_as_oauth_has_it_or_as_logto_has_it() {
    for (body, code, words) in [
        (json!({ "error": "invalid_grant" }), "invalid_grant", None),
        (json!({ "error": "invalid_client", "error_description": "who?" }), "invalid_client", Some("who?")),
        (json!({ "code": "oidc.invalid_grant", "message": "Grant is gone." }), "invalid_grant", Some("Grant is gone.")),
        (json!({ "code": "session.not_found" }), "session.not_found", None),
        (json!({ "error": "invalid_grant", "code": 400, "message": null }), "invalid_grant", None),
        (
            json!({ "code": "oidc.x", "error": "invalid_target", "message": "m", "error_description": "d" }),
            "invalid_target",
            Some("d"),
        ),
        (json!({ "error": "a\r\nb\u{1b}", "message": "é\u{7}".repeat(300) }), "ab", Some(&*"é".repeat(200))),
    ] {
        match refresh(400, body.to_string()).await.map(|_| ()) {
            Err(Error::TokenEndpoint { error, description }) => {
                assert_eq!((&*error, description.as_deref()), (code, words), "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_failure_that_is_no_such_json_is_its_status() {
    for (status, body, retryable) in [
        (400, "", false),
        (400, "{}", false),
        (400, "[]", false),
        (404, "<html>", false),
        (418, r#"{"message":"no code"}"#, false),
        (500, "<html>", true),
        (502, "", true),
        (503, "{}", true),
        (503, r#"{"error":"Service Unavailable"}"#, true),
        (500, r#"{"error":"invalid_grant"}"#, true),
    ] {
        let error = refresh(status, body).await.map(|_| ()).unwrap_err();
        match &error {
            Error::Request(request) => {
                assert!(matches!(request.kind(), RequestErrorKind::Status(found) if *found == status), "{error:?}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(error.is_retryable(), retryable, "{status}");
    }
}

#[tokio::test]
async fn too_many_requests_are_told_whatever_the_body() {
    let error = refresh(429, r#"{"error":"invalid_grant"}"#).await.map(|_| ()).unwrap_err();
    assert!(error.is_retryable() && !error.is_sign_in_required());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert!(matches!(error, Error::Request(request) if matches!(request.kind(), RequestErrorKind::RateLimited { .. })));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let provider = Provider::start(json!({}), move |_| (status, answer().to_string())).await;
        let error = provider
            .client()
            .shared()
            .provider()
            .refresh(REFRESH_TOKEN, &TokenTarget::provider())
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, Error::Request(error) if matches!(error.kind(), RequestErrorKind::Redirected)));
        assert_eq!(provider.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_one_mebibyte() {
    let body = |length: usize| {
        let start = r#"{"access_token":""#;
        format!("{start}{}\"}}", "a".repeat(length - start.len() - 2))
    };
    assert!(refresh(200, body(1 << 20)).await.is_ok());
    let error = refresh(200, body((1 << 20) + 1)).await.map(|_| ()).unwrap_err();
    assert!(
        matches!(error, Error::Request(error) if matches!(error.kind(), RequestErrorKind::TooLarge { limit } if *limit == 1 << 20))
    );
}

#[tokio::test]
async fn what_quotes_a_secret_in_an_error_is_left_out() {
    // As they are, form-encoded, and as the header has them.
    let header = base64::engine::general_purpose::STANDARD.encode("app:hunter+2%26");
    for secret in ["rt secret+", "rt+secret%2B", "hunter 2&", "hunter+2%26", &header] {
        for (error, description, told, words) in [
            ("invalid_grant".to_owned(), format!("<{secret}> is revoked"), "invalid_grant", None),
            (secret.to_owned(), "is revoked".to_owned(), "unknown error", Some("is revoked")),
            (format!("a{secret}b"), secret.to_owned(), "unknown error", None),
        ] {
            let body = json!({ "error": error, "error_description": description }).to_string();
            let provider = Provider::start(json!({}), move |_| (400, body.clone())).await;
            let client = provider.client_as("app", Some("hunter 2&"));
            match client.shared().provider().refresh("rt secret+", &TokenTarget::provider()).await.map(|_| ()) {
                Err(Error::TokenEndpoint { error, description }) => {
                    assert_eq!((&*error, description.as_deref()), (told, words), "{secret}");
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn an_error_that_quotes_the_code_or_the_verifier_is_told_without_its_words() {
    for secret in ["code-secret", "verifier-secret"] {
        let body = json!({ "error": "invalid_grant", "message": format!("bad {secret}") }).to_string();
        let provider = Provider::start(json!({}), move |_| (400, body.clone())).await;
        let found = provider
            .client_as("app", None)
            .shared()
            .provider()
            .exchange_code("code-secret", "https://app.example.com/callback", "verifier-secret")
            .await
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(found, Error::TokenEndpoint { error, description: None } if error == "invalid_grant"));
    }
}

#[tokio::test]
async fn id_and_secret_are_form_encoded_before_they_are_in_the_header() {
    for (id, secret, header) in [
        ("app", "secret", "app:secret"),
        ("a:b c%&é", "s:+/=\u{20ac} \"", "a%3Ab+c%25%26%C3%A9:s%3A%2B%2F%3D%E2%82%AC+%22"),
    ] {
        let provider = Provider::start(json!({}), |_| (200, answer().to_string())).await;
        let client = provider.client_as(id, Some(secret));
        client.shared().provider().refresh(REFRESH_TOKEN, &TokenTarget::provider()).await.unwrap();
        client.shared().provider().revoke(REFRESH_TOKEN).await.unwrap();
        for request in provider.requests() {
            assert_eq!(request.basic().as_deref(), Some(header));
            assert!(request.form.contains(&("client_id".to_owned(), id.to_owned())));
            assert!(!request.path.contains('?'));
            assert!(!request.form.iter().any(|(name, value)| name == "client_secret" || value == secret));
        }
    }
}

#[tokio::test]
async fn an_app_without_a_secret_names_itself_in_the_body_alone() {
    let provider = Provider::start(json!({}), |_| (200, answer().to_string())).await;
    provider.client_as("app", None).shared().provider().refresh(REFRESH_TOKEN, &TokenTarget::provider()).await.unwrap();
    let request = &provider.requests()[0];
    assert_eq!(request.basic(), None);
    assert!(request.form.contains(&("client_id".to_owned(), "app".to_owned())));
}

#[tokio::test]
async fn a_refresh_asks_for_the_resource_and_the_organization_that_are_wanted() {
    let provider = Provider::start(json!({}), |_| (200, answer().to_string())).await;
    let client = provider.client();
    let api = "https://api.example.com/?a&b";
    let cases = [
        (TokenTarget::provider(), None, None),
        (TokenTarget::resource(api), Some(api), None),
        (TokenTarget::organization("org-1"), None, Some("org-1")),
        (TokenTarget::resource("urn:x").in_organization("o"), Some("urn:x"), Some("o")),
    ];
    for (target, ..) in &cases {
        client.shared().provider().refresh(REFRESH_TOKEN, target).await.unwrap();
    }
    for (request, (_, resource, organization)) in provider.requests().iter().zip(cases) {
        let mut expected =
            vec![("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", REFRESH_TOKEN)];
        expected.extend(resource.map(|resource| ("resource", resource)));
        expected.extend(organization.map(|organization| ("organization_id", organization)));
        let form = &request.form;
        let form: Vec<_> = form.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!((&*request.path, form), ("/oidc/token", expected));
    }
}

#[tokio::test]
async fn a_revocation_names_the_token_and_its_kind() {
    let provider = Provider::start(json!({}), |_| (200, String::new())).await;
    provider.client().shared().provider().revoke(REFRESH_TOKEN).await.unwrap();
    let requests = provider.requests();
    assert_eq!(requests[0].path, "/oidc/token/revocation");
    assert_eq!(requests[0].body, "token=rt-secret&token_type_hint=refresh_token&client_id=app");
}

#[tokio::test]
async fn a_provider_that_revokes_nothing_is_not_asked_to() {
    let provider = Provider::start(json!({ "revocation_endpoint": null }), |_| (500, String::new())).await;
    provider.client().shared().provider().revoke(REFRESH_TOKEN).await.unwrap();
    assert!(provider.requests().is_empty());
}
