//! The provider that tests share, with as little in its discovery document as a client needs, and a client of it.

use std::sync::{Arc, LazyLock};

use fake_provider::{Call, Endpoint, FakeProvider, Gate, Reply};
use reqwest::header::{CONNECTION, LOCATION, RETRY_AFTER};
use serde_json::{Value, json};

use crate::util::http;
use crate::{LogtoClient, LogtoConfig};

/// The one that apps are given, made once: reading the system's roots takes its time. Every answer closes its
/// connection, so that none is left over from another test's runtime.
static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| http::default_client().unwrap());

pub(super) struct Provider {
    pub(super) endpoint: String,
    provider: FakeProvider,
}

impl Provider {
    /// `discovered` goes over what the discovery document usually says; `answer` is the status and the body for
    /// everything else.
    pub(super) async fn start(
        discovered: Value,
        answer: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let provider = FakeProvider::start().await;
        let issuer = provider.issuer();
        let mut document = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "revocation_endpoint": format!("{issuer}/token/revocation"),
            "end_session_endpoint": format!("{issuer}/session/end"),
            "userinfo_endpoint": format!("{issuer}/me"),
        });
        for (name, value) in discovered.as_object().unwrap() {
            document[name] = value.clone();
        }
        provider.answer(Endpoint::Discovery, move |_| reply(200, document.to_string()));
        let answer = Arc::new(answer);
        for endpoint in Endpoint::ALL.into_iter().filter(|endpoint| *endpoint != Endpoint::Discovery) {
            let answer = Arc::clone(&answer);
            provider.answer(endpoint, move |call| {
                let (status, body) = answer(call);
                reply(status, body)
            });
        }
        Self { endpoint: provider.origin().to_owned(), provider }
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

    /// Answers this endpoint's requests with an empty success, but not before the gate is opened.
    pub(super) fn hold(&self, endpoint: Endpoint) -> Gate {
        self.hold_answer(endpoint, |_| (200, String::new()))
    }

    /// As [`hold`](Self::hold), with this answer.
    pub(super) fn hold_answer(
        &self,
        endpoint: Endpoint,
        answer: impl Fn(&Call) -> (u16, String) + Send + Sync + 'static,
    ) -> Gate {
        self.provider.hold_answer(endpoint, move |call| {
            let (status, body) = answer(call);
            reply(status, body)
        })
    }

    /// All requests but those for the discovery document.
    pub(super) fn requests(&self) -> Vec<Call> {
        self.provider.all_calls().into_iter().filter(|call| call.endpoint != Endpoint::Discovery).collect()
    }
}

/// Its headers have something for every status.
fn reply(status: u16, body: String) -> Reply {
    let reply = Reply::text_json(status, body);
    reply.with_header(LOCATION, "/elsewhere").with_header(RETRY_AFTER, "7").with_header(CONNECTION, "close")
}
