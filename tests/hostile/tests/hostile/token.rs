//! Answers of the token endpoint, at a sign-in, that sign nobody in.

use std::time::{Duration, Instant};

use axum::http::header;
use fake_provider::{Call, Endpoint, Reply, Sent};
use logto_client::{Endpoint as At, Error, RequestErrorKind, TokenTarget};
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::site::{API, REFRESH_TOKEN, Site};

/// What a body may take: the client's limit of 1 MiB, and what fits into the buffers of two sockets.
const MOST_SENT: u64 = 16 << 20;

async fn refused(bend: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Error {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Token, bend);
    site.refused_sign_in().await
}

async fn problem(bend: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> RequestErrorKind {
    kind(refused(bend).await)
}

fn kind(error: Error) -> RequestErrorKind {
    match error {
        Error::Request(error) if error.endpoint() == At::Token => error.kind().clone(),
        error => panic!("{error:?}"),
    }
}

fn without(part: &'static str) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
    move |call| {
        call.changed(|body| {
            body.as_object_mut().expect("an object").remove(part).expect("a part");
        })
    }
}

fn with(part: &'static str, value: Value) -> impl Fn(&Call) -> Reply + Send + Sync + 'static {
    move |call| call.changed(|body| body[part] = value.clone())
}

#[tokio::test]
async fn no_access_token_is_refused() {
    assert!(matches!(problem(without("access_token")).await, RequestErrorKind::Invalid(_)));
    assert!(matches!(problem(with("access_token", json!(""))).await, RequestErrorKind::Invalid(_)));
}

#[tokio::test]
async fn no_id_token_is_refused() {
    let error = refused(without("id_token")).await;
    assert!(matches!(error, Error::Request(_) | Error::InvalidIdToken(_)), "{error:?}");
}

#[tokio::test]
async fn parts_of_the_wrong_type_are_refused() {
    for (part, value) in [
        ("access_token", json!(1)),
        ("access_token", json!(["a"])),
        ("access_token", json!({"token": "a"})),
        ("id_token", json!(true)),
        ("id_token", json!("")),
        ("token_type", json!(7)),
        ("scope", json!({"openid": true})),
        ("expires_in", json!("soon")),
        ("expires_in", json!([3600])),
        ("expires_in", json!(-1)),
        ("expires_in", json!(1e300)),
    ] {
        let problem = problem(with(part, value.clone())).await;
        assert!(matches!(problem, RequestErrorKind::Invalid(_)), "{part} {value}: {problem:?}");
    }
}

#[tokio::test]
async fn a_token_that_is_no_bearer_token_is_refused() {
    assert!(matches!(problem(with("token_type", json!("mac"))).await, RequestErrorKind::Invalid(_)));
    assert!(matches!(problem(with("token_type", json!("DPoP"))).await, RequestErrorKind::Invalid(_)));
    assert!(matches!(problem(without("token_type")).await, RequestErrorKind::Invalid(_)));
}

#[tokio::test]
async fn without_a_refresh_token_the_sign_in_lasts_and_a_refresh_is_refused() {
    let site = Site::start().await;
    for refresh_token in [json!(null), json!(""), json!(0)] {
        site.provider.answer(Endpoint::Token, with("refresh_token", refresh_token.clone()));
        let visitor = site.signed_in().await;
        assert!(!visitor.items().await.contains_key(REFRESH_TOKEN), "{refresh_token}");

        let error = site.refused(&visitor, async |logto| logto.access_token(TokenTarget::resource(API)).await).await;

        assert!(matches!(error, Error::MissingRefreshToken), "{error:?}");
        assert!(site.is_authenticated(&visitor).await);
    }
}

#[tokio::test]
async fn a_token_whose_lifetime_is_unknown_is_not_refreshed_at_every_use() {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Token, without("expires_in"));
    let visitor = site.signed_in().await;
    site.provider.answer_honestly();

    site.request(&visitor).access_token(TokenTarget::provider()).await.expect("a token");

    assert_eq!(site.provider.refreshes().len(), 0);
}

#[tokio::test]
async fn a_token_that_never_ends_breaks_no_sum() {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Token, with("expires_in", json!(u64::MAX)));
    let visitor = site.signed_in().await;
    site.request(&visitor).access_token(TokenTarget::provider()).await.expect("a token");
    assert_eq!(site.provider.refreshes().len(), 0);
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let bodies = [
        String::new(),
        "null".into(),
        "[]".into(),
        "\"access_token\"".into(),
        "42".into(),
        "{".into(),
        "{}}".into(),
        "{\"access_token\":\"a\",}".into(),
        "access_token=a&token_type=bearer".into(),
        "\u{0}".repeat(1000),
        // Deeper than a stack.
        "[".repeat(500_000),
        "{\"a\":".repeat(150_000),
    ];
    for body in bodies {
        let told: String = body.chars().take(40).collect();
        let problem = problem(move |_| Reply::text_json(200, body.clone())).await;
        assert!(matches!(problem, RequestErrorKind::Invalid(_)), "{told}: {problem:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_are_refused() {
    let problem = problem(|_| Reply::new(200, "application/json", vec![b'"', 0xff, 0xfe, b'"'])).await;
    assert!(matches!(problem, RequestErrorKind::Invalid(_)), "{problem:?}");
}

#[tokio::test]
async fn html_with_status_200_is_refused() {
    assert!(matches!(problem(|_| Reply::html(200)).await, RequestErrorKind::Invalid(_)));
}

#[tokio::test]
async fn a_second_access_token_under_the_same_name_is_not_the_one_that_the_id_token_vouches_for() {
    let error = refused(|call| {
        let (_, body) = call.honest();
        let body = body.to_string();
        let rest = body.strip_suffix('}').expect("an object");
        Reply::text_json(200, format!(r#"{rest},"access_token":"another"}}"#))
    })
    .await;
    assert!(matches!(error, Error::InvalidIdToken(_) | Error::Request(_)), "{error:?}");
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_refused() {
    let problem = problem(|call| Reply::truncated(&call.honest().1.to_string())).await;
    assert!(matches!(problem, RequestErrorKind::Transport(_)), "{problem:?}");
}

#[tokio::test]
async fn a_body_that_calls_itself_huge_is_not_read() {
    let sent = Sent::default();
    let counted = sent.clone();
    let problem = problem(move |_| Reply::oversized(1 << 30, &counted)).await;
    assert!(matches!(problem, RequestErrorKind::TooLarge { .. }), "{problem:?}");
    let sent = sent.bytes_at_end().await;
    assert!(sent < MOST_SENT, "{sent}");
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_the_end() {
    let sent = Sent::default();
    let counted = sent.clone();
    let problem = problem(move |_| Reply::endless(&counted)).await;
    assert!(matches!(problem, RequestErrorKind::TooLarge { .. }), "{problem:?}");
    let sent = sent.bytes_at_end().await;
    assert!(sent < MOST_SENT, "{sent}");
}

#[tokio::test]
async fn an_error_with_a_body_without_end_is_not_read_to_the_end() {
    let sent = Sent::default();
    let counted = sent.clone();
    let error = refused(move |_| {
        let mut reply = Reply::endless(&counted);
        *reply.response.status_mut() = axum::http::StatusCode::BAD_REQUEST;
        reply
    })
    .await;
    assert!(matches!(error, Error::Request(_)), "{error:?}");
    let sent = sent.bytes_at_end().await;
    assert!(sent < MOST_SENT, "{sent}");
}

#[tokio::test]
async fn too_many_requests_are_told_with_the_time_to_wait() {
    for (header, seconds) in [
        ("7", Some(7)),
        ("0", Some(0)),
        (" 7 ", Some(7)),
        ("Fri, 31 Dec 2199 23:59:59 GMT", None),
        ("soon", None),
        ("-1", None),
        ("7.5", None),
        ("99999999999999999999999999", None),
    ] {
        let error = refused(move |_| Reply::html(429).with_header(header::RETRY_AFTER, header)).await;
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(error.retry_after(), seconds.map(Duration::from_secs), "{header}");
    }
    let error = refused(|_| Reply::html(429)).await;
    assert_eq!(error.retry_after(), None);
}

#[tokio::test]
async fn statuses_without_an_oauth_error_are_told_as_they_are() {
    for (status, retryable) in [(500, true), (502, true), (503, true), (400, false), (403, false), (404, false)] {
        let error = refused(move |_| Reply::html(status)).await;
        assert_eq!(error.is_retryable(), retryable, "{status}");
        let kind = kind(error);
        assert!(matches!(kind, RequestErrorKind::Status(told) if told == status), "{status}: {kind:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let site = Site::start().await;
        let place = format!("{}/elsewhere", site.provider.origin());
        site.provider.answer(Endpoint::Token, move |_| Reply::redirect(status, &place));

        let kind = kind(site.refused_sign_in().await);

        assert!(matches!(kind, RequestErrorKind::Redirected), "{status}: {kind:?}");
        assert_eq!(site.provider.count(Endpoint::Elsewhere), 0, "{status}");
    }
}

#[tokio::test]
async fn an_answer_by_way_of_a_redirect_is_refused_though_the_apps_own_http_client_has_followed_it() {
    let http = reqwest::Client::new();
    let site = Site::with_http_client(http).await;
    let place = format!("{}/elsewhere", site.provider.origin());
    site.provider.answer(Endpoint::Token, move |call| {
        let good = call.honest().1;
        call.answer(Endpoint::Elsewhere, move |_| Reply::json(200, &good));
        Reply::redirect(302, &place)
    });

    let kind = kind(site.refused_sign_in().await);

    assert!(matches!(kind, RequestErrorKind::Redirected), "{kind:?}");
    let followed = &site.provider.calls(Endpoint::Elsewhere)[0];
    assert!(followed.form.is_empty(), "the form was sent on");
}

#[tokio::test]
async fn an_endpoint_that_never_answers_does_not_hold_the_sign_in_up() {
    for reply in [Reply::never, Reply::silent_body, Reply::dripping] {
        let site = Site::impatient().await;
        site.provider.answer(Endpoint::Token, move |_| reply());
        let begun = Instant::now();

        let error = site.refused_sign_in().await;

        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(error.is_retryable(), "{error:?}");
        assert!(matches!(kind(error), RequestErrorKind::Transport(error) if error.is_timeout()));
    }
}

#[tokio::test]
async fn an_endpoint_that_refuses_connections_is_told() {
    let site = Site::start().await;
    // Bound, so that nobody else gets the port, and not listening.
    let closed = TcpSocket::new_v4().expect("a socket");
    closed.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let endpoint = format!("http://{}/token", closed.local_addr().expect("an address"));
    site.provider
        .answer(Endpoint::Discovery, move |call| call.changed(|document| document["token_endpoint"] = json!(endpoint)));

    let error = site.refused_sign_in().await;

    assert!(error.is_retryable(), "{error:?}");
    assert!(matches!(kind(error), RequestErrorKind::Transport(error) if error.is_connect()));
}

#[tokio::test]
async fn an_oauth_error_is_told_with_its_code() {
    for error in ["invalid_grant", "invalid_client", "unauthorized_client", "an_error_of_its_own"] {
        let told = refused(move |_| Reply::error(400, error, "because")).await;
        let Error::TokenEndpoint { error: code, description, .. } = told else { panic!("{told:?}") };
        assert_eq!((code.as_str(), description.as_deref()), (error, Some("because")));
    }
}

#[tokio::test]
async fn an_error_that_quotes_the_request_is_told_without_it() {
    let quotes: [fn(&Call) -> String; 7] = [
        |call| call.param("code").into(),
        |call| call.param("code_verifier").into(),
        |_| fake_provider::APP_SECRET.into(),
        |call| call.headers[header::AUTHORIZATION].to_str().expect("ASCII").into(),
        |call| format!("{:?}", call.headers),
        |call| format!("{:?}", call.form),
        |call| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.form).finish(),
    ];
    for quote in quotes {
        let error =
            refused(move |call| Reply::error(400, "invalid_grant", &format!("not this: {}", quote(call)))).await;
        assert!(matches!(&error, Error::TokenEndpoint { error, .. } if error == "invalid_grant"), "{error:?}");
        let error = refused(move |call| Reply::error(400, &quote(call), "because")).await;
        assert!(matches!(error, Error::TokenEndpoint { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_of_tokens_that_is_refused_is_told_without_them() {
    // The tokens in places and types where a parser's message would quote them.
    let error = refused(|call| call.changed(|body| body["expires_in"] = body["access_token"].clone())).await;
    assert!(matches!(kind(error), RequestErrorKind::Invalid(_)));
    let error = refused(|call| call.changed(|body| body["token_type"] = body["refresh_token"].clone())).await;
    assert!(matches!(kind(error), RequestErrorKind::Invalid(_)));
    let error = refused(|call| {
        let status = 400;
        Reply::json(status, &call.honest().1)
    })
    .await;
    assert!(matches!(kind(error), RequestErrorKind::Status(400)));
}

#[tokio::test]
async fn a_long_error_is_cut_and_has_no_control_characters() {
    let long = format!("\u{1b}[2J\r\n{}", "x".repeat(100_000));
    let error = refused(move |_| Reply::error(400, &long, &long)).await;
    let Error::TokenEndpoint { error: code, description, .. } = error else { panic!("{error:?}") };
    for told in [code, description.expect("a description")] {
        assert!(told.len() < 1000 && !told.contains(char::is_control), "{told:?}");
    }
}
