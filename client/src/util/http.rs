//! Requests to the provider: limited in time and size, without redirects.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{IntoUrl, RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::error::{Endpoint, RequestError, RequestErrorKind};

/// The time limit of the default HTTP client for a request and its response, body included.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The time limit for every HTTP client.
const MAX_TIMEOUT: Duration = Duration::from_secs(30);

/// The maximum size of a response body in bytes. Real responses, even user info with all claims, stay far below.
const MAX_BODY: usize = 1 << 20;

/// An HTTP client, and whether the provider answered its last request.
pub(crate) struct Http {
    client: reqwest::Client,
    failing: AtomicBool,
}

/// A response with its whole body.
pub(crate) struct Answer {
    endpoint: Endpoint,
    pub(crate) status: StatusCode,
    body: Vec<u8>,
}

/// Creates the HTTP client for apps that do not bring their own.
pub(crate) fn default_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .redirect(Policy::none())
        .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
        .build()
}

impl Http {
    pub(crate) fn new(client: reqwest::Client) -> Self {
        Self { client, failing: AtomicBool::new(false) }
    }

    pub(crate) fn get(&self, url: impl IntoUrl) -> RequestBuilder {
        self.client.get(url)
    }

    pub(crate) fn post(&self, url: impl IntoUrl) -> RequestBuilder {
        self.client.post(url)
    }

    /// Whether the last request got no response, or a gateway's response for a provider that is down.
    pub(crate) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Sends the request and reads the response. Fails if it is a redirect, a 429 or too large.
    pub(crate) async fn send(&self, endpoint: Endpoint, request: RequestBuilder) -> Result<Answer, RequestError> {
        let answer = match timeout(MAX_TIMEOUT, self.exchange(endpoint, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(RequestError::new(endpoint, RequestErrorKind::TimedOut)),
        };
        let is_failing = match &answer {
            Ok(answer) => matches!(answer.status.as_u16(), 502..=504),
            Err(error) => matches!(error.kind(), RequestErrorKind::Transport(_) | RequestErrorKind::TimedOut),
        };
        self.failing.store(is_failing, Ordering::Relaxed);
        answer
    }

    async fn exchange(&self, endpoint: Endpoint, request: RequestBuilder) -> Result<Answer, RequestError> {
        let transport = |error: reqwest::Error| {
            RequestError::new(endpoint, RequestErrorKind::Transport(Arc::new(error.without_url())))
        };
        let request = request.build().map_err(transport)?;
        let url = request.url().clone();
        let mut response = self.client.execute(request).await.map_err(transport)?;

        let status = response.status();
        // The app's own HTTP client may have followed a redirect.
        if status.is_redirection() || *response.url() != url {
            return Err(RequestError::new(endpoint, RequestErrorKind::Redirected));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            let retry_after = retry_after(&response);
            return Err(RequestError::new(endpoint, RequestErrorKind::RateLimited { retry_after }));
        }
        let too_large = || RequestError::new(endpoint, RequestErrorKind::TooLarge { limit: MAX_BODY });
        if response.content_length().is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { endpoint, status, body })
    }
}

impl Answer {
    /// Parses the body of a successful response.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, RequestError> {
        if !self.status.is_success() {
            return Err(self.unexpected_status());
        }
        // Without serde's error, which may quote a token.
        self.error_json().ok_or_else(|| RequestError::invalid(self.endpoint, "not the expected JSON"))
    }

    /// Parses the body, whatever the status. Returns `None` if it is not such JSON.
    pub(crate) fn error_json<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.body).ok()
    }

    pub(crate) fn unexpected_status(&self) -> RequestError {
        RequestError::new(self.endpoint, RequestErrorKind::Status(self.status.as_u16()))
    }
}

/// Parses `Retry-After` in seconds (RFC 9110, section 10.2.3). Dates are not supported.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
