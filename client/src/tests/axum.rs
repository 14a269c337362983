//! What the ready routes may lead to. That they do is tested by the example that uses them.

use std::collections::HashSet;
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use fake_provider::keys::base64url;
use serde_json::json;
use url::Url;

use super::storage::Items;
use crate::axum::{
    AuthRejection, InSession, LogtoAuth, LogtoAuthBuilder, RejectedOperation, ReturnTo, User, status as status_of,
};
use crate::session::items::{self, StoredToken};
use crate::{Endpoint, Error, LogtoClient, LogtoConfig, LogtoStorage as _, RequestError, RequestErrorKind};

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
        "blob:https://app.example.com/7f1d",
        "ftp://app.example.com/",
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
        ("blob:https://admin.example.com/7f1d", false),
        ("ftp://admin.example.com/", false),
        ("https://ada@admin.example.com/", false),
    ] {
        assert_eq!(return_to.check(url).is_some(), allowed, "{url}");
        assert_eq!(return_to.check_stored(url).is_some(), allowed, "{url}");
    }
    let long = format!("https://admin.example.com/{}", "a".repeat(2048));
    assert!(return_to.check(&long).is_none());
}

#[test]
fn what_is_stored_for_the_callback_is_followed_to_this_app_and_the_allowed_origins_only() {
    let return_to = return_to("https://app.example.com/app", &["https://admin.example.com"]);
    for (stored, is_followed) in [
        ("https://app.example.com/app/orders?id=7#top", true),
        ("https://app.example.com/", true),
        ("https://admin.example.com/users", true),
        ("https://evil.example/", false),
        ("http://app.example.com/", false),
        ("https://app.example.com:8443/", false),
        ("https://ada@app.example.com/", false),
        ("blob:https://app.example.com/7f1d", false),
        ("blob:https://admin.example.com/7f1d", false),
        ("ftp://app.example.com/", false),
        ("//app.example.com/", false),
        ("/orders", false),
        ("", false),
    ] {
        let found = return_to.check_stored(stored).map(String::from);
        assert_eq!(found.as_deref(), is_followed.then_some(stored), "{stored}");
    }
}

#[test]
fn a_url_that_was_checked_is_written_as_it_is_checked_again() {
    let return_to = return_to("https://app.example.com/app", &["https://admin.example.com"]);
    for url in ["/app/orders?id=7#top", "https://admin.example.com/users?page=2"] {
        let checked = return_to.check(url).unwrap();
        assert_eq!(return_to.relative(&checked), url);
    }
}

#[test]
fn a_page_of_this_app_is_known_by_its_url() {
    let return_to = return_to("https://app.example.com/app", &["https://admin.example.com"]);
    for (referer, page) in [
        ("https://app.example.com/app/orders?id=7", Some("/app/orders?id=7")),
        ("https://app.example.com/app/orders#top", Some("/app/orders")),
        ("https://app.example.com", Some("/")),
        ("https://admin.example.com/users", None),
        ("http://app.example.com/", None),
        ("https://ada@app.example.com/", None),
        ("blob:https://app.example.com/7f1d", None),
        ("ftp://app.example.com/", None),
        ("/app/orders", None),
        ("", None),
    ] {
        assert_eq!(return_to.own_page(referer).as_deref(), page, "{referer}");
    }
    assert_eq!(return_to.own_page(&format!("https://app.example.com/{}", "a".repeat(2048))), None);
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
    for path in
        ["orders", "", "?a", "//evil.example", "/\\evil.example", "https://evil.example", "https://example.com/"]
    {
        assert_eq!(field_in_error(builder("https://example.com").after_sign_in(path)), "after_sign_in", "{path}");
        assert_eq!(field_in_error(builder("https://example.com").after_sign_out(path)), "after_sign_out", "{path}");
    }
    for origin in [
        "example.org",
        "https://example.org/path",
        "https://example.org/?a",
        "null",
        "blob:https://example.org",
        "ftp://example.org",
        "https://ada@example.org",
    ] {
        let builder = builder("https://example.com").allowed_origins([origin]);
        assert_eq!(field_in_error(builder), "allowed_origins", "{origin}");
    }
}

fn rejection(operation: RejectedOperation, error: Error) -> AuthRejection {
    AuthRejection {
        status: status_of(&error),
        error,
        operation,
        wants_page: true,
        claims: None,
        retry_url: None,
        sign_in_url: None,
        home_url: "https://app.example.com/".to_owned(),
    }
}

#[test]
fn people_are_told_what_happened_and_what_to_do() {
    use RejectedOperation::{Page, SignIn, SignOut};
    let down = || RequestError { endpoint: Endpoint::Metadata, kind: RequestErrorKind::TimedOut };
    let denied = || Error::AccessDenied { description: None };
    let mut seen = HashSet::new();
    for (operation, error, title, advice) in [
        (SignIn, Error::SignInCancelled, "Sign-in cancelled", "cancelled the sign-in"),
        (SignIn, denied(), "Sign-in failed", "access was denied"),
        (SignIn, Error::UnknownState, "Sign-in failed", "too old"),
        (SignIn, Error::SessionEnded, "Sign-in failed", "Please sign in."),
        (SignIn, down().into(), "Sign-in failed", "sign-in service is not available"),
        (SignIn, Error::WrongSubject, "Sign-in failed", "could not be signed in"),
        (SignOut, Error::EndSession(down()), "Signed out of this app", "signed out of this app"),
        (SignOut, Error::WrongSubject, "Sign-out failed", "could not be signed out"),
        (Page, Error::SignInCancelled, "Access denied", "do not have access"),
        (Page, down().into(), "This page is not available", "needs the sign-in service"),
        (Page, Error::WrongSubject, "This page is not available", "Something went wrong"),
    ] {
        let rejection = rejection(operation, error);
        assert_eq!(rejection.title(), title, "{rejection:?}");
        assert!(rejection.advice().contains(advice), "{}: {rejection:?}", rejection.advice());
        assert!(seen.insert(rejection.advice()), "{}", rejection.advice());
    }
    for (operation, error, title) in [
        (Page, Error::NotAuthenticated, "Sign-in required"),
        (SignIn, Error::NoPendingSignIn, "Sign-in failed"),
        (Page, denied(), "Access denied"),
    ] {
        let rejection = rejection(operation, error);
        assert_eq!(rejection.title(), title, "{rejection:?}");
        assert!(seen.contains(rejection.advice()), "{}", rejection.advice());
    }
}

/// A session that Ada is signed in to.
impl FromRequestParts<LogtoAuth> for Items {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, auth: &LogtoAuth) -> Result<Self, Infallible> {
        let config = auth.client().config();
        let claims = json!({ "iss": config.issuer(), "sub": "ada", "aud": config.app_id(), "exp": 1, "iat": 1 });
        let token = format!("e30.{}.s3cr3t", base64url(claims.to_string()));
        let items = Self::default();
        items.set_item(items::ID_TOKEN, &items::encode(StoredToken { token })).await.unwrap();
        Ok(items)
    }
}

#[tokio::test]
async fn debug_output_shows_what_it_is_about_and_no_secret() {
    let builder = builder("https://app.example.com");
    let built = format!("{builder:?}");
    let auth = builder.build().unwrap();
    let (mut parts, ()) = Request::new(()).into_parts();
    let user = <User<Items> as FromRequestParts<_>>::from_request_parts(&mut parts, &auth).await.unwrap();
    let rejected = format!("{:?}", rejection(RejectedOperation::Page, Error::NotAuthenticated));

    assert_eq!(built, r#"LogtoAuthBuilder { base_url: "https://app.example.com", .. }"#);
    assert_eq!(
        format!("{auth:?}"),
        r#"LogtoAuth { redirect_uri: "https://app.example.com/logto/sign-in-callback", .. }"#
    );
    assert_eq!(format!("{user:?}"), r#"User { sub: "ada", .. }"#);
    assert_eq!(format!("{:?}", InSession("s3cr3t")), "InSession(..)");
    for part in ["NotAuthenticated", "Page", "401", "https://app.example.com/"] {
        assert!(rejected.contains(part), "{part} is not in {rejected}");
    }
}

#[test]
fn a_failure_has_the_status_that_goes_with_it() {
    let request = |kind| Error::Request(RequestError { endpoint: Endpoint::Token, kind });
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
            Error::EndSession(RequestError { endpoint: Endpoint::Metadata, kind: RequestErrorKind::TimedOut }),
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

#[cfg(feature = "vault")]
#[test]
fn the_vault_layer_is_ready_when_the_router_is() {
    use std::future::Ready;
    use std::task::{Context, Poll, Waker};

    use axum::extract::Request;
    use axum::response::Response;
    use tower_layer::Layer as _;
    use tower_service::Service;

    #[derive(Clone)]
    struct Busy;

    impl Service<Request> for Busy {
        type Response = Response;
        type Error = Infallible;
        type Future = Ready<Result<Response, Infallible>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Pending
        }

        fn call(&mut self, _: Request) -> Self::Future {
            panic!("it was not ready")
        }
    }

    let auth = builder("https://app.example.com").build().unwrap();
    let vault = crate::vault::Vault::new(crate::vault::MemoryVault::default());

    let mut service = auth.vault_layer(vault).layer(Busy);

    assert!(service.poll_ready(&mut Context::from_waker(Waker::noop())).is_pending());
}
