use std::collections::HashSet;
use std::error::Error as _;
use std::time::Duration;

use crate::error::{Endpoint, Error, ErrorChain, IdTokenError, RequestError, RequestErrorKind, sanitized};
use crate::storage;

fn words(text: &str) -> String {
    text.to_owned()
}

fn storage_error() -> storage::Error {
    storage::Error::session("the store is down")
}

fn request(kind: RequestErrorKind) -> Error {
    RequestError::new(Endpoint::Token, kind).into()
}

/// An error of a transport, made without a network.
async fn transport() -> Error {
    let refused = reqwest::Client::new().get("no-scheme:").send().await.unwrap_err();
    request(RequestErrorKind::Transport(std::sync::Arc::new(refused)))
}

/// One of each, and by what helpers it is known: sign in, denied, stale, clock, retry, operator.
async fn all() -> Vec<(Error, &'static str)> {
    let rate_limited = |retry_after| request(RequestErrorKind::RateLimited { retry_after });
    vec![
        (Error::Config { field: "endpoint", problem: words("is empty") }, "operator"),
        (Error::InvalidOption { name: "redirect_uri", problem: words("is empty") }, "operator"),
        (Error::Storage(storage_error()), ""),
        (Error::RenewalUnsupported(storage_error()), "operator"),
        (Error::NotAuthenticated, "sign in"),
        (Error::MissingRefreshToken, "operator"),
        (Error::SessionEnded, "sign in"),
        (Error::UnlistedResource { resource: words("urn:x") }, "operator"),
        (Error::MissingOrganizationScope, "operator"),
        (Error::MissingRoleScope { scope: "roles" }, "operator"),
        (Error::InsufficientScope { missing: vec!["write:things", "admin"] }, "denied"),
        (Error::NotAMember, "denied"),
        (Error::NoPendingSignIn, "stale"),
        (Error::UnknownState, "stale"),
        (Error::InvalidCallback { problem: "has no `state`" }, ""),
        (Error::WrongRedirectUri { expected: words("https://a/"), found: words("https://b/") }, "operator"),
        (Error::WrongIssuer { missing: true }, ""),
        (Error::WrongIssuer { missing: false }, ""),
        (Error::SignInCancelled, "denied"),
        (Error::AccessDenied { description: None }, "denied"),
        (Error::AccessDenied { description: Some(words("no thanks")) }, "denied"),
        (Error::AuthorizationFailed { error: words("login_required"), description: None }, "sign in"),
        (Error::AuthorizationFailed { error: words("consent_required"), description: None }, "sign in"),
        (Error::AuthorizationFailed { error: words("interaction_required"), description: None }, "sign in"),
        (Error::TokenEndpoint { error: words("login_required"), description: None }, "sign in"),
        (Error::TokenEndpoint { error: words("access_denied"), description: None }, "denied"),
        (Error::TokenEndpoint { error: words("insufficient_scope"), description: None }, "denied"),
        (Error::EndSession(RequestError::new(Endpoint::Metadata, RequestErrorKind::TimedOut)), "retry"),
        (request(RequestErrorKind::TimedOut), "retry"),
        (Error::AuthorizationFailed { error: words("invalid_scope"), description: None }, "operator"),
        (Error::AuthorizationFailed { error: words("server_error"), description: None }, "retry"),
        (Error::AuthorizationFailed { error: words("temporarily_unavailable"), description: None }, "retry"),
        (Error::InvalidIdToken(IdTokenError::Nonce), ""),
        (Error::ClockSkew { claim: "iat", seconds: 301 }, "clock"),
        (Error::WrongSubject, ""),
        (Error::TokenEndpoint { error: words("invalid_client"), description: None }, "operator"),
        (Error::TokenEndpoint { error: words("server_error"), description: None }, "retry"),
        (Error::Interrupted, "retry"),
        (transport().await, "retry"),
        (rate_limited(None), "retry"),
        (rate_limited(Some(Duration::from_secs(7))), "retry"),
        (request(RequestErrorKind::Status(500)), "retry"),
        (request(RequestErrorKind::Status(503)), "retry"),
        (request(RequestErrorKind::Status(404)), ""),
        (request(RequestErrorKind::Status(499)), ""),
        (request(RequestErrorKind::Redirected), ""),
        (request(RequestErrorKind::TooLarge { limit: 9 }), ""),
        (request(RequestErrorKind::Invalid("is no JWT")), ""),
        (request(RequestErrorKind::WrongIssuer { expected: words("https://a"), found: words("https://b") }), ""),
        (request(RequestErrorKind::Endpoint("jwks_uri")), ""),
    ]
}

#[tokio::test]
async fn each_error_is_known_by_the_helpers_that_say_what_to_do() {
    for (error, expected) in all().await {
        let mut found = Vec::new();
        for (name, is) in [
            ("sign in", error.is_sign_in_required()),
            ("denied", error.is_access_denied()),
            ("stale", error.is_stale_callback()),
            ("clock", error.is_clock_skew()),
            ("retry", error.is_retryable()),
            ("operator", error.is_misconfiguration()),
        ] {
            found.extend(is.then_some(name));
        }
        assert_eq!(found.join(" "), expected, "{error:?}");
    }
}

#[tokio::test]
async fn each_error_has_words_of_its_own_and_shows_what_it_holds() {
    let mut seen = HashSet::new();
    for (error, _) in all().await {
        let text = error.to_string();
        assert!(!text.contains(['{', '}']) && !text.contains("  ") && !text.contains('\n'), "{text}");
        assert!(!text.ends_with('.') && text.len() > 10, "{text}");
        assert!(seen.insert(text.clone()), "{text}");
    }
    for (error, part) in [
        (Error::Config { field: "endpoint", problem: words("is bad") }, "`endpoint` is bad"),
        (Error::InvalidOption { name: "prompt", problem: words("is bad") }, "`prompt` is bad"),
        (Error::UnlistedResource { resource: words("urn:x") }, "`urn:x`"),
        (Error::MissingOrganizationScope, "`urn:logto:scope:organizations`"),
        (Error::MissingRoleScope { scope: "roles" }, "add `roles`"),
        (Error::InsufficientScope { missing: vec!["write:things", "admin"] }, ": write:things admin"),
        (Error::InvalidCallback { problem: "has no `state`" }, "URL has no `state`"),
        (Error::WrongRedirectUri { expected: words("https://a/"), found: words("https://b/") }, "at https://b/, but"),
        (Error::WrongIssuer { missing: true }, "is missing"),
        (Error::WrongIssuer { missing: false }, "is another issuer"),
        (Error::AuthorizationFailed { error: words("invalid_scope"), description: None }, ": invalid_scope"),
        (Error::InvalidIdToken(IdTokenError::Algorithm), "ES512"),
        (Error::ClockSkew { claim: "iat", seconds: 301 }, "`iat` is 301 s off"),
        (
            Error::TokenEndpoint { error: words("invalid_client"), description: None },
            ": invalid_client (check the configuration's `app_id` and `app_secret`)",
        ),
        (
            Error::TokenEndpoint { error: words("access_denied"), description: Some(words("not a member")) },
            ": access_denied: not a member",
        ),
        (
            Error::AuthorizationFailed { error: words("invalid_scope"), description: Some(words("which")) },
            ": invalid_scope: which",
        ),
        (Error::AccessDenied { description: Some(words("no thanks")) }, "denied: no thanks"),
        (request(RequestErrorKind::Status(502)), "the provider's token endpoint answered with status 502"),
        (request(RequestErrorKind::RateLimited { retry_after: Some(Duration::from_secs(7)) }), "retry after 7 s"),
        (request(RequestErrorKind::TooLarge { limit: 9 }), "more than 9 bytes"),
        (request(RequestErrorKind::Endpoint("jwks_uri")), "`jwks_uri`"),
    ] {
        let text = error.to_string();
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn each_problem_of_an_id_token_has_words_of_its_own() {
    use IdTokenError::{
        AccessTokenHash, Algorithm, Audience, AuthorizedParty, Issuer, Malformed, Nonce, Signature, Subject, UnknownKey,
    };
    let all = [
        Malformed("it is no JWT"),
        Algorithm,
        UnknownKey,
        Signature,
        Issuer,
        Audience,
        AuthorizedParty,
        Nonce,
        AccessTokenHash,
        Subject,
    ];
    let texts: HashSet<_> = all.iter().map(|problem| Error::InvalidIdToken(problem.clone()).to_string()).collect();
    assert_eq!(texts.len(), all.len());
    assert!(texts.contains("invalid ID token: it is no JWT"));
}

#[test]
fn each_endpoint_is_named() {
    use Endpoint::{Jwks, Metadata, Revocation, Token, UserInfo};
    let texts: HashSet<_> = [Metadata, Jwks, Token, Revocation, UserInfo].map(|one| one.to_string()).into();
    assert_eq!(texts.len(), 5);
}

#[tokio::test]
async fn what_caused_an_error_is_its_source_and_not_said_twice() {
    for error in [Error::Storage(storage_error()), Error::RenewalUnsupported(storage_error()), transport().await] {
        let source = error.source().expect("a source").to_string();
        assert!(!error.to_string().contains(&source), "{error}: {source}");
        let logged = ErrorChain(&error).to_string();
        assert!(logged.starts_with(&format!("{error}: {source}")), "{logged}");
    }
    assert!(Error::NotAuthenticated.source().is_none());
    assert_eq!(ErrorChain(&Error::NotAuthenticated).to_string(), Error::NotAuthenticated.to_string());
    assert!(request(RequestErrorKind::Status(500)).source().is_none());
}

#[test]
fn the_time_to_wait_is_told_only_where_the_provider_said_it() {
    let after = Duration::from_secs(7);
    assert_eq!(request(RequestErrorKind::RateLimited { retry_after: Some(after) }).retry_after(), Some(after));
    assert_eq!(request(RequestErrorKind::RateLimited { retry_after: None }).retry_after(), None);
    assert_eq!(request(RequestErrorKind::Status(503)).retry_after(), None);
}

#[test]
fn foreign_words_are_cut_by_characters_and_have_no_control_characters() {
    assert_eq!(sanitized(""), "");
    assert_eq!(sanitized("a\0\t\r\n\u{1b}\u{7f}\u{85}b"), "ab");
    assert_eq!(sanitized(&"€".repeat(201)), "€".repeat(200));
    assert_eq!(sanitized(&format!("{}{}", "\n".repeat(500), "x".repeat(200))), "x".repeat(200));
}
