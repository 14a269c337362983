use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::advance;

use super::provider::Provider;
use crate::error::{Endpoint, RequestError, RequestErrorKind};
use crate::util::http::{self, Http};
use crate::util::probe::Probe;
use crate::{Error, LogtoClient, LogtoConfig, SignInOptions};

#[tokio::test(start_paused = true)]
async fn an_http_client_without_a_time_out_cannot_hang_the_app() {
    // It accepts connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = LogtoConfig::builder(format!("http://{}", silent.local_addr().unwrap()), "app").build().unwrap();
    let client = LogtoClient::with_http_client(config, reqwest::Client::new());
    let session = client.session(super::storage::Items::default());
    let error = session.sign_in(SignInOptions::new("https://app.example.com/callback")).await.unwrap_err();
    match &error {
        Error::Request(error) => assert!(matches!(error.kind(), RequestErrorKind::TimedOut), "{error:?}"),
        other => panic!("{other:?}"),
    }
    assert!(error.is_retryable());
    assert!(error.to_string().ends_with("did not answer in time"), "{error}");
}

/// Has a port that nobody else listens on, and does not listen itself.
fn refusing_socket() -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket
}

fn url_of(socket: &TcpSocket) -> String {
    format!("http://{}/", socket.local_addr().unwrap())
}

#[tokio::test]
async fn a_time_out_and_a_refused_connection_are_worded_differently() {
    // It accepts connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = refusing_socket();
    let impatient = reqwest::Client::builder().timeout(Duration::from_millis(50)).build().unwrap();
    let http = Http::new(impatient);

    let timed_out = http.send(Endpoint::Token, http.get(format!("http://{}/", silent.local_addr().unwrap()))).await;
    let refused = Http::new(http::default_client().unwrap());
    let refused = refused.send(Endpoint::Token, refused.get(url_of(&refusing))).await;

    for (error, text) in [
        (timed_out.map(drop).unwrap_err(), "the provider's token endpoint did not answer in time"),
        (refused.map(drop).unwrap_err(), "the provider's token endpoint cannot be reached"),
    ] {
        assert!(matches!(error.kind(), RequestErrorKind::Transport(_)), "{error:?}");
        assert_eq!(error.to_string(), text);
    }
}

fn failure() -> RequestError {
    RequestError::new(Endpoint::Metadata, RequestErrorKind::Status(503))
}

/// After a request that nothing answered.
async fn failing_http() -> Http {
    let http = Http::new(http::default_client().unwrap());
    let refusing = refusing_socket();
    let error = http.send(Endpoint::Token, http.get(url_of(&refusing))).await.map(drop).unwrap_err();
    assert!(matches!(error.kind(), RequestErrorKind::Transport(_)), "{error:?}");
    assert!(http.is_failing());
    http
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_probed_once_every_ten_seconds() {
    let (http, probe) = (failing_http().await, Probe::new());
    let probes = AtomicUsize::new(0);
    let check = async || {
        let ask = || async {
            probes.fetch_add(1, SeqCst);
            Err::<(), _>(failure())
        };
        probe.check(&http, ask).await.unwrap_err()
    };
    for _ in 0..5 {
        let error = check().await;
        assert!(matches!(error.kind(), RequestErrorKind::Status(503)), "{error:?}");
    }
    assert_eq!(probes.load(SeqCst), 1);
    advance(Duration::from_secs(9)).await;
    check().await;
    assert_eq!(probes.load(SeqCst), 1);
    advance(Duration::from_secs(1)).await;
    check().await;
    assert_eq!(probes.load(SeqCst), 2);
}

#[tokio::test]
async fn callers_that_come_at_once_share_one_probe() {
    let (http, probe) = (failing_http().await, Probe::new());
    let probes = AtomicUsize::new(0);
    let check = || {
        probe.check(&http, || async {
            probes.fetch_add(1, SeqCst);
            tokio::task::yield_now().await;
            Err::<(), _>(failure())
        })
    };
    let (a, b, c) = tokio::join!(check(), check(), check());
    assert!(a.is_err() && b.is_err() && c.is_err());
    assert_eq!(probes.load(SeqCst), 1);
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_an_answer_all_the_same() {
    for status in [302, 404, 429, 500] {
        let provider = Provider::start(json!({}), move |_| (status, String::new())).await;
        let (http, probe) = (failing_http().await, Probe::new());
        let ask = || async {
            let answer = http.send(Endpoint::Metadata, http.get(&provider.endpoint)).await?;
            answer.json::<serde_json::Value>()
        };
        probe.check(&http, ask).await.unwrap_or_else(|error| panic!("{status}: {error}"));
    }
}

#[tokio::test]
async fn a_provider_that_answers_again_is_not_down() {
    let provider = Provider::start(json!({}), |_| (200, String::new())).await;
    let (http, probe) = (failing_http().await, Probe::new());
    let ask = || http.send(Endpoint::Metadata, http.get(&provider.endpoint));
    probe.check(&http, ask).await.expect("an answer");
    assert!(!http.is_failing());
    assert_eq!(provider.requests().len(), 1);
    probe.check(&http, ask).await.expect("no request");
    assert_eq!(provider.requests().len(), 1, "nothing is asked of a provider that answers");
}

#[tokio::test]
async fn a_gateway_before_a_provider_that_is_down_is_no_answer() {
    for (status, is_failing) in
        [(200, false), (400, false), (404, false), (500, false), (502, true), (503, true), (504, true)]
    {
        let provider = Provider::start(json!({}), move |_| (status, String::new())).await;
        let http = Http::new(http::default_client().unwrap());
        http.send(Endpoint::Token, http.get(&provider.endpoint)).await.map(drop).unwrap();
        assert_eq!(http.is_failing(), is_failing, "{status}");
    }
}
