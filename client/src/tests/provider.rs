//! A provider that says what a test wants it to, over HTTP on a free port.

use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::form_urlencoded;

use crate::{LogtoClient, LogtoConfig, http};

/// The one that apps are given, made once: reading the system's roots takes its time. Every answer closes its
/// connection, so that none is left over from another test's runtime.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| http::default_client().unwrap());

/// Its tasks end with it, or with the test's runtime.
pub(super) struct Provider {
    pub(super) endpoint: String,
    requests: Arc<Mutex<Vec<Request>>>,
    accepting: JoinHandle<()>,
}

/// A request that is not for the discovery document.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) path: String,
    /// What the header `Authorization: Basic` has, decoded.
    pub(super) basic: Option<String>,
    pub(super) body: String,
}

impl Provider {
    /// `discovered` goes over what the discovery document usually says; `answer` is the status and the body for
    /// everything else.
    pub(super) async fn start(
        discovered: Value,
        answer: impl Fn(&Request) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut document = json!({
            "issuer": format!("{endpoint}/oidc"),
            "authorization_endpoint": format!("{endpoint}/oidc/auth"),
            "token_endpoint": format!("{endpoint}/oidc/token"),
            "jwks_uri": format!("{endpoint}/oidc/jwks"),
            "revocation_endpoint": format!("{endpoint}/oidc/token/revocation"),
            "end_session_endpoint": format!("{endpoint}/oidc/session/end"),
            "userinfo_endpoint": format!("{endpoint}/oidc/me"),
        });
        for (name, value) in discovered.as_object().unwrap() {
            document[name] = value.clone();
        }
        let requests = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::new((document.to_string(), Arc::clone(&requests), answer));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let (document, requests, answer) = &*shared;
                    serve(stream, |request| {
                        if request.path == "/oidc/.well-known/openid-configuration" {
                            return (200, document.clone());
                        }
                        requests.lock().unwrap().push(request.clone());
                        answer(request)
                    })
                    .await;
                });
            }
        });
        Self { endpoint, requests, accepting }
    }

    pub(super) fn client(&self) -> LogtoClient {
        self.client_as("app", Some("secret"))
    }

    pub(super) fn client_as(&self, app_id: &str, app_secret: Option<&str>) -> LogtoClient {
        let mut config = LogtoConfig::builder(&self.endpoint, app_id);
        if let Some(secret) = app_secret {
            config = config.app_secret(secret);
        }
        LogtoClient::with_http_client(config.build().unwrap(), HTTP.clone())
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Request {
    pub(super) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// One request and its answer, whose headers have something for every status.
async fn serve(mut stream: TcpStream, answer: impl Fn(&Request) -> (u16, String)) {
    let mut received = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut received).await.unwrap_or(0) == 0 {
            return;
        }
        let text = String::from_utf8_lossy(&received);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                break (head.to_owned(), body.to_owned());
            }
        }
    };
    let path = head.split(' ').nth(1).unwrap().to_owned();
    let basic = header(&head, "authorization").and_then(|value| value.strip_prefix("Basic "));
    let basic = basic.map(|encoded| String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap());
    let (status, body) = answer(&Request { path, basic, body });
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} Whatever\r\ncontent-type: application/json\r\nlocation: /elsewhere\r\nretry-after: 7\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    // The client may have gone away.
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}
