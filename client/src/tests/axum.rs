//! What the ready routes may lead to. That they do is tested by the example that uses them.

use axum::http::StatusCode;
use url::Url;

use crate::axum::{LogtoAuth, LogtoAuthBuilder, ReturnTo, status as status_of};
use crate::{Error, LogtoClient, LogtoConfig, RequestError, RequestErrorKind};

fn builder(base_url: &str) -> LogtoAuthBuilder {
    let config = LogtoConfig::builder("https://logto.example.com", "app").app_secret("hunter2").build().unwrap();
    LogtoAuth::builder(LogtoClient::new(config).unwrap(), base_url)
}

fn field_in_error(builder: LogtoAuthBuilder) -> &'static str {
    match builder.build() {
        Err(Error::Config { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

fn return_to(base_url: &str, allowed: &[&str]) -> ReturnTo {
    let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
    ReturnTo::new(&Url::parse(base_url).unwrap(), &allowed).unwrap()
}

#[test]
fn paths_of_the_app_may_be_returned_to() {
    let return_to = return_to("https://app.example.com", &[]);
    for (path, url) in [
        ("/", "https://app.example.com/"),
        ("/orders?id=7&x=%2F#top", "https://app.example.com/orders?id=7&x=%2F#top"),
        ("/ação", "https://app.example.com/a%C3%A7%C3%A3o"),
        ("/a//b", "https://app.example.com/a//b"),
        ("/go?to=//evil.example", "https://app.example.com/go?to=//evil.example"),
        ("/..//evil.example", "https://app.example.com//evil.example"),
    ] {
        assert_eq!(return_to.check(path).map(String::from).as_deref(), Some(url), "{path}");
    }
}

#[test]
fn nothing_that_a_browser_may_take_for_another_host_is_returned_to() {
    let return_to = return_to("https://app.example.com", &[]);
    for path in [
        "",
        "orders",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\u{0}b",
        "https://evil.example/",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://app.example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        " /orders",
    ] {
        assert_eq!(return_to.check(path), None, "{path:?}");
    }
}

#[test]
fn a_path_that_is_too_long_as_it_will_be_kept_is_not_returned_to() {
    let return_to = return_to("https://app.example.com", &[]);
    assert!(return_to.check(&format!("/{}", "a".repeat(1900))).is_some());
    assert!(return_to.check(&format!("/{}", "a".repeat(2048))).is_none());
    assert!(return_to.check(&format!("/{}", "ã".repeat(600))).is_none(), "percent-encoded");
}

#[test]
fn allowed_origins_may_be_returned_to_and_no_others() {
    let return_to = return_to("https://app.example.com", &["https://admin.example.com", "http://localhost:8080/"]);
    for (url, allowed) in [
        ("https://admin.example.com/users?page=2", true),
        ("http://localhost:8080/", true),
        ("http://admin.example.com/", false),
        ("https://admin.example.com:8443/", false),
        ("https://evil.example/https://admin.example.com/", false),
        ("//admin.example.com/", false),
    ] {
        assert_eq!(return_to.check(url).is_some(), allowed, "{url}");
    }
}

#[test]
fn a_path_is_completed_where_a_proxy_took_the_base_urls_from_it() {
    let nested = return_to("https://example.com/app", &[]);
    assert_eq!(nested.outside("/orders?x=1"), "/app/orders?x=1");
    assert_eq!(nested.outside("/app/orders"), "/app/orders");
    assert_eq!(nested.outside("/app?x=1"), "/app?x=1");
    assert_eq!(nested.outside("/apple"), "/app/apple");
    assert_eq!(return_to("https://example.com", &[]).outside("/orders"), "/orders");
}

#[test]
fn urls_are_made_of_the_configuration() {
    let auth = builder("https://example.com/app/").prefix("/auth/logto").after_sign_out("/app/bye").build().unwrap();
    assert_eq!(auth.sign_in_url(), "https://example.com/app/auth/logto/sign-in");
    assert_eq!(auth.sign_up_url(), "https://example.com/app/auth/logto/sign-up");
    assert_eq!(auth.sign_out_url(), "https://example.com/app/auth/logto/sign-out");
    assert_eq!(auth.redirect_uri(), "https://example.com/app/auth/logto/sign-in-callback");
    assert_eq!(auth.post_sign_out_redirect_uri(), "https://example.com/app/bye");
    for (base_url, own) in [
        ("https://example.com", "https://example.com/"),
        ("https://example.com/app", "https://example.com/app/"),
        ("https://example.com/app/", "https://example.com/app/"),
    ] {
        assert_eq!(builder(base_url).build().unwrap().post_sign_out_redirect_uri(), own);
    }
    assert!(!format!("{auth:?} {:?}", auth.client()).contains("hunter2"));
}

#[test]
fn there_is_no_coming_back_to_the_routes_themselves_but_to_everything_beside_them() {
    let auth = builder("https://example.com/app").prefix("").build().unwrap();
    for own in ["/sign-in", "/sign-up?return_to=/x", "/sign-in-callback?code=c&state=s", "/sign-out", "/app/sign-in"] {
        assert!(auth.is_own(own), "{own}");
    }
    for other in ["/", "/sign-in-history", "/sign-ups", "/sign-in/help", "/a/sign-in", "/x?/sign-in"] {
        assert!(!auth.is_own(other), "{other}");
    }
}

#[test]
fn a_wrong_field_is_named() {
    for base_url in ["", "example.com", "ftp://example.com", "https://:pw@example.com", "https://example.com/?a=b"] {
        assert_eq!(field_in_error(builder(base_url)), "base_url", "{base_url}");
    }
    for prefix in ["logto", "/", "/logto/", "//evil.example", "/{x}", "/a b", "/a?b"] {
        assert_eq!(field_in_error(builder("https://example.com").prefix(prefix)), "prefix", "{prefix}");
    }
    assert!(builder("https://example.com").prefix("").build().is_ok());
    assert_eq!(field_in_error(builder("https://example.com").after_sign_in("//evil.example")), "after_sign_in");
    assert_eq!(field_in_error(builder("https://example.com").after_sign_out("https://evil.example")), "after_sign_out");
    for origin in ["example.org", "https://example.org/path", "https://example.org/?a", "null"] {
        let builder = builder("https://example.com").allowed_origins([origin]);
        assert_eq!(field_in_error(builder), "allowed_origins", "{origin}");
    }
}

#[test]
fn a_failure_has_the_status_that_goes_with_it() {
    let request = |kind| Error::Request(RequestError { endpoint: crate::Endpoint::Token, kind });
    let refused = |error: &str| Error::TokenEndpoint { error: error.to_owned(), description: None };
    for (error, status) in [
        (Error::NotAuthenticated, StatusCode::UNAUTHORIZED),
        (Error::SessionEnded, StatusCode::UNAUTHORIZED),
        (Error::AccessDenied { description: None }, StatusCode::FORBIDDEN),
        (Error::SignInCancelled, StatusCode::FORBIDDEN),
        (refused("access_denied"), StatusCode::FORBIDDEN),
        (refused("insufficient_scope"), StatusCode::FORBIDDEN),
        (refused("login_required"), StatusCode::UNAUTHORIZED),
        (refused("invalid_client"), StatusCode::BAD_GATEWAY),
        (
            Error::EndSession(RequestError { endpoint: crate::Endpoint::Metadata, kind: RequestErrorKind::TimedOut }),
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (Error::UnknownState, StatusCode::BAD_REQUEST),
        (Error::NoPendingSignIn, StatusCode::BAD_REQUEST),
        (Error::InvalidCallback { problem: "x" }, StatusCode::BAD_REQUEST),
        (request(RequestErrorKind::Status(500)), StatusCode::BAD_GATEWAY),
        (request(RequestErrorKind::RateLimited { retry_after: None }), StatusCode::SERVICE_UNAVAILABLE),
        (Error::MissingRefreshToken, StatusCode::INTERNAL_SERVER_ERROR),
        (Error::UnlistedResource { resource: "r".to_owned() }, StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        assert_eq!(status_of(&error), status, "{error:?}");
    }
}
