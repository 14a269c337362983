//! Discovery documents that lead nowhere, or to somebody else.

use std::time::{Duration, Instant};

use fake_provider::{Call, Endpoint, FakeProvider, Gate, Reply, Sent};
use logto_client::{Endpoint as At, Error, LogtoClient, RequestErrorKind, SignInOptions};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::site::{REDIRECT_URI, Site, builder, soon};

/// Begins to sign in, which has to fail and to leave no session behind.
async fn refused(site: &Site) -> RequestErrorKind {
    let visitor = site.visitor();
    let error = site.refused(&visitor, async |logto| logto.sign_in(SignInOptions::new(REDIRECT_URI)).await).await;
    assert_eq!(visitor.id(), None, "a session was stored");
    match error {
        Error::Request(error) if error.endpoint() == At::Metadata => error.kind().clone(),
        error => panic!("{error:?}"),
    }
}

async fn problem(bend: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> RequestErrorKind {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Discovery, bend);
    refused(&site).await
}

fn with(field: &'static str, value: Value) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
    move |call| call.changed(|document| document[field] = value.clone())
}

#[tokio::test]
async fn another_issuer_is_refused() {
    let site = Site::start().await;
    let honest = site.provider.issuer();
    for issuer in [
        "https://evil.example/oidc".to_owned(),
        format!("{honest}/"),
        site.provider.origin().to_owned(),
        honest.replace("127.0.0.1", "localhost"),
        String::new(),
    ] {
        site.provider.answer(Endpoint::Discovery, with("issuer", json!(issuer)));
        let problem = refused(&site).await;
        assert!(matches!(&problem, RequestErrorKind::WrongIssuer { found, .. } if *found == issuer), "{problem:?}");
    }
}

#[tokio::test]
async fn a_missing_issuer_is_refused() {
    assert!(matches!(problem(with("issuer", json!(null))).await, RequestErrorKind::Invalid(_)));
}

#[tokio::test]
async fn a_missing_endpoint_is_told_by_its_name() {
    for field in ["authorization_endpoint", "token_endpoint", "jwks_uri"] {
        let problem = problem(with(field, json!(null))).await;
        assert!(matches!(problem, RequestErrorKind::Endpoint(name) if name == field), "{problem:?}");
    }
}

#[tokio::test]
async fn an_endpoint_that_no_secret_may_be_sent_to_is_refused() {
    let fields = [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
    ];
    let urls = [
        "",
        "/token",
        "token",
        "ftp://127.0.0.1/token",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:application/json,{}",
        "http://user:password@127.0.0.1/token",
        "http://user@127.0.0.1/token",
        "http://",
        "http://[::1/token",
    ];
    let site = Site::start().await;
    for field in fields {
        for url in urls {
            site.provider.answer(Endpoint::Discovery, with(field, json!(url)));
            let problem = refused(&site).await;
            assert!(matches!(problem, RequestErrorKind::Endpoint(name) if name == field), "{field} {url}: {problem:?}");
        }
    }
}

#[tokio::test]
async fn fields_of_the_wrong_type_are_refused() {
    for (field, value) in [
        ("issuer", json!(["a"])),
        ("token_endpoint", json!(1)),
        ("jwks_uri", json!({"url": "a"})),
        ("authorization_response_iss_parameter_supported", json!("true")),
    ] {
        let problem = problem(with(field, value)).await;
        assert!(matches!(problem, RequestErrorKind::Invalid(_)), "{field}: {problem:?}");
    }
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    for body in ["", "null", "[]", "{", "<html>", "\u{feff}{}"] {
        let problem = problem(move |_| Reply::text_json(200, body)).await;
        assert!(matches!(problem, RequestErrorKind::Invalid(_)), "{body}: {problem:?}");
    }
}

#[tokio::test]
async fn a_status_that_is_no_success_is_refused() {
    for status in [404, 401, 500, 503] {
        let problem = problem(move |call| Reply::json(status, &call.honest().1)).await;
        assert!(matches!(problem, RequestErrorKind::Status(told) if told == status), "{problem:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let site = Site::start().await;
    let place = format!("{}/elsewhere", site.provider.origin());
    site.provider.answer(Endpoint::Discovery, move |_| Reply::redirect(302, &place));
    assert!(matches!(refused(&site).await, RequestErrorKind::Redirected));
    assert_eq!(site.provider.count(Endpoint::Elsewhere), 0);
}

#[tokio::test]
async fn a_document_without_end_is_not_read_to_the_end() {
    let sent = Sent::default();
    let counted = sent.clone();
    let problem = problem(move |_| Reply::endless(&counted)).await;
    assert!(matches!(problem, RequestErrorKind::TooLarge { .. }), "{problem:?}");
    let sent = sent.bytes_at_end().await;
    assert!(sent < 16 << 20, "{sent}");
}

#[tokio::test]
async fn a_provider_that_never_answers_does_not_hold_the_sign_in_up() {
    for reply in [Reply::never, Reply::silent_body, Reply::dripping] {
        let site = Site::impatient().await;
        site.provider.answer(Endpoint::Discovery, move |_| reply());
        let begun = Instant::now();
        let problem = refused(&site).await;
        assert!(matches!(problem, RequestErrorKind::Transport(error) if error.is_timeout()));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_failure_is_not_remembered_once_the_provider_works() {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Discovery, |_| Reply::html(503));
    refused(&site).await;
    site.provider.answer_honestly();
    site.signed_in().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_of_a_cold_client_make_one_request() {
    let site = Site::start().await;
    let gate = site.provider.hold(Endpoint::Discovery);

    let results = begin_50(&site, &gate).await;

    assert!(results.iter().all(Result::is_ok));
    assert_eq!(site.provider.count(Endpoint::Discovery), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_of_a_cold_client_share_its_failure() {
    let site = Site::start().await;
    let gate = Gate::default();
    let held = gate.clone();
    site.provider.answer(Endpoint::Discovery, move |_| Reply::html(503).behind(&held));

    let results = begin_50(&site, &gate).await;

    assert!(results.iter().all(Result::is_err));
    assert_eq!(site.provider.count(Endpoint::Discovery), 1);
}

/// Begins 50 sign-ins that all wait for the document, and then lets the provider answer.
async fn begin_50(site: &Site, gate: &Gate) -> Vec<Result<(), Error>> {
    let mut sign_ins = JoinSet::new();
    for _ in 0..50 {
        let logto = site.request(&site.visitor());
        let mut sign_in = Box::pin(async move { logto.sign_in(SignInOptions::new(REDIRECT_URI)).await.map(drop) });
        // Polled once here, so that each of them is waiting before the answer.
        let polled = futures_util::poll!(&mut sign_in);
        assert!(polled.is_pending());
        sign_ins.spawn(sign_in);
    }
    soon(gate.arrival()).await;
    gate.open();
    soon(sign_ins.join_all()).await
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_take_the_others_answer_along() {
    let site = Site::start().await;
    let gate = site.provider.hold(Endpoint::Discovery);
    let first = site.request(&site.visitor());
    let first = tokio::spawn(async move { first.sign_in(SignInOptions::new(REDIRECT_URI)).await.map(drop) });
    soon(gate.arrival()).await;
    let second = site.request(&site.visitor());
    let mut second = Box::pin(second.sign_in(SignInOptions::new(REDIRECT_URI)));
    assert!(futures_util::poll!(&mut second).is_pending());

    first.abort();
    gate.open();

    soon(second).await.expect("the document");
}

#[tokio::test]
async fn a_provider_under_a_path_is_asked_there() {
    let provider = FakeProvider::start().await;
    let config = builder(&format!("{}/base", provider.origin())).build().expect("a configuration");
    let client = LogtoClient::new(config).expect("a client");
    let site = Site::of(provider, client).await;
    assert!(matches!(refused(&site).await, RequestErrorKind::Status(404)));
    assert_eq!(site.provider.count(Endpoint::Elsewhere), 1);
}
