use std::sync::{Arc, Mutex};

use fake_provider::API;
use serde_json::{Value, json};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use super::permissions::{Admin, Read, Write};
use crate::api::{AnyOf, ApiBody, ApiError, ApiResponse, LogtoApi, LogtoApiBuilder};
use crate::error::{AccessTokenError, Endpoint, RequestError, RequestErrorKind};

fn builder() -> LogtoApiBuilder {
    LogtoApi::builder("https://tenant.logto.app").audience(API)
}

fn respond(error: &ApiError) -> ApiResponse {
    builder().build().unwrap().respond(error)
}

fn header<'a>(response: &'a ApiResponse, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| &**value)
}

fn insufficient() -> ApiError {
    ApiError::InsufficientScope { required: vec!["read", "write"] }
}

#[test]
fn each_error_has_the_challenge_of_rfc_6750() {
    let realm = r#"Bearer realm="https://api.example.com""#;
    for (error, status, challenge) in [
        (ApiError::MissingToken, 401, realm.to_owned()),
        (
            AccessTokenError::Expired.into(),
            401,
            format!(r#"{realm}, error="invalid_token", error_description="invalid access token: it has expired""#),
        ),
        (
            ApiError::InvalidRequest("is odd"),
            400,
            format!(r#"{realm}, error="invalid_request", error_description="the request is odd""#),
        ),
        (
            insufficient(),
            403,
            format!(
                r#"{realm}, error="insufficient_scope", error_description="the access token lacks a permission: read write", scope="read write""#
            ),
        ),
        (
            ApiError::WrongOrganization,
            403,
            format!(
                r#"{realm}, error="insufficient_scope", error_description="the access token is not for this organization""#
            ),
        ),
    ] {
        let response = respond(&error);
        assert_eq!((response.status, header(&response, "www-authenticate")), (status, Some(&*challenge)));
        assert_eq!(header(&response, "cache-control"), Some("no-store"));
        assert_eq!(header(&response, "retry-after"), None);
    }
}

#[test]
fn what_cannot_be_found_out_now_may_be_tried_again() {
    let after = |seconds| {
        let retry_after = Some(std::time::Duration::from_secs(seconds));
        let kind = RequestErrorKind::RateLimited { retry_after };
        ApiError::Unavailable(RequestError::new(Endpoint::Jwks, kind))
    };
    let down = ApiError::Unavailable(RequestError::new(Endpoint::Jwks, RequestErrorKind::Status(500)));
    for (error, seconds) in [(after(7), "7"), (after(0), "1"), (down, "10"), (ApiError::TooManyUnknownKeys, "10")] {
        let response = respond(&error);
        assert_eq!((response.status, header(&response, "retry-after")), (503, Some(seconds)));
        assert_eq!(header(&response, "www-authenticate"), None);
    }
}

#[test]
fn the_body_is_problem_details() {
    let response = respond(&insufficient());
    assert_eq!(header(&response, "content-type"), Some("application/problem+json"));
    let body: Value = serde_json::from_str(&response.body).unwrap();
    let expected = json!({
        "title": "Forbidden", "status": 403, "error": "insufficient_scope", "scope": "read write",
        "detail": "the access token lacks a permission: read write",
    });
    assert_eq!(body, expected);

    let body: Value = serde_json::from_str(&respond(&ApiError::WrongOrganization).body).unwrap();
    let expected = json!({
        "title": "Forbidden", "status": 403, "error": "insufficient_scope",
        "detail": "the access token is not for this organization",
    });
    assert_eq!(body, expected);
}

#[test]
fn the_title_is_that_of_the_status() {
    let unknown = ApiError::UnknownResource { scope: "read", resource: None };
    for (error, title) in [
        (ApiError::InvalidRequest("is odd"), "Bad Request"),
        (ApiError::MissingToken, "Unauthorized"),
        (insufficient(), "Forbidden"),
        (unknown, "Internal Server Error"),
        (ApiError::TooManyUnknownKeys, "Service Unavailable"),
    ] {
        let body: Value = serde_json::from_str(&respond(&error).body).unwrap();
        assert_eq!(body["title"], title);
    }
}

#[test]
fn no_scope_ends_the_challenges_quoted_string() {
    let response = respond(&ApiError::InsufficientScope { required: vec!["re\"ad", "wri\\te", "del\nete"] });

    let challenge = header(&response, "www-authenticate").unwrap();

    assert!(challenge.ends_with(r#", scope="read write delete""#), "{challenge}");
}

#[test]
fn a_wrong_configuration_is_not_shown_to_clients() {
    let response = respond(&ApiError::UnknownResource { scope: "read", resource: Some("https://internal.example") });
    assert_eq!(response.status, 500);
    assert!(!response.body.contains("internal"), "{}", response.body);
}

/// The levels of the events that were logged.
#[derive(Clone, Default)]
struct Levels(Arc<Mutex<Vec<Level>>>);

impl Subscriber for Levels {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(*event.metadata().level());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn a_refusal_is_logged_at_the_level_of_who_has_to_act() {
    let down = ApiError::Unavailable(RequestError::new(Endpoint::Jwks, RequestErrorKind::TimedOut));
    let misconfigured = ApiError::UnknownResource { scope: "read", resource: None };
    for (error, level) in [
        (ApiError::MissingToken, Level::DEBUG),
        (AccessTokenError::Expired.into(), Level::DEBUG),
        (insufficient(), Level::DEBUG),
        (down, Level::WARN),
        (misconfigured, Level::ERROR),
    ] {
        let (api, levels) = (builder().build().unwrap(), Levels::default());

        tracing::subscriber::with_default(levels.clone(), || api.respond(&error));

        assert_eq!(*levels.0.lock().unwrap(), [level], "{error:?}");
    }
}

#[test]
fn the_body_can_be_the_apps_own() {
    let api = builder().on_error(|error| ApiBody::new("text/plain", error.status().to_string())).build().unwrap();
    let response = api.respond(&ApiError::MissingToken);
    assert_eq!((header(&response, "content-type"), &*response.body), (Some("text/plain"), "401"));
    assert!(header(&response, "www-authenticate").is_some());
}

#[test]
fn the_challenge_names_the_metadata_if_they_are_published() {
    let api = builder().publish_metadata().permissions::<Read>().build().unwrap();
    let response = api.respond(&ApiError::MissingToken);
    let url = "https://api.example.com/.well-known/oauth-protected-resource";
    let challenge = header(&response, "www-authenticate").unwrap();
    assert!(challenge.ends_with(&format!(r#", resource_metadata="{url}""#)), "{challenge}");

    let metadata = api.metadata().unwrap();
    assert_eq!((metadata.url(), metadata.path()), (url, "/.well-known/oauth-protected-resource"));
    let document: Value = serde_json::from_str(&metadata.response().body).unwrap();
    let expected = json!({
        "resource": API, "authorization_servers": ["https://tenant.logto.app/oidc"],
        "bearer_methods_supported": ["header"], "scopes_supported": ["read"],
    });
    assert_eq!(document, expected);
    assert_eq!(builder().build().unwrap().metadata(), None);
}

#[test]
fn the_metadata_name_the_scopes_of_every_alternative() {
    type Edit = AnyOf<((Read, Write), Admin)>;
    let api = builder().publish_metadata().permissions::<Edit>().build().unwrap();

    let document: Value = serde_json::from_str(&api.metadata().unwrap().response().body).unwrap();

    assert_eq!(document["scopes_supported"], json!(["admin", "read", "write"]));
}

#[test]
fn a_resource_with_a_path_has_its_metadata_below_the_well_known_path() {
    for (resource, path) in [
        ("https://api.example.com/", "/.well-known/oauth-protected-resource"),
        ("https://api.example.com/mcp", "/.well-known/oauth-protected-resource/mcp"),
        ("https://api.example.com/a/b/", "/.well-known/oauth-protected-resource/a/b"),
    ] {
        let api = LogtoApi::builder("https://tenant.logto.app").audience(resource).publish_metadata().build().unwrap();
        assert_eq!(api.metadata().unwrap().path(), path);
    }
}
