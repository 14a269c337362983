//! The responses to requests that are refused (RFC 6750, section 3; RFC 9457), without a web framework.

use std::fmt;

use serde_json::json;

use crate::api::{ApiError, LogtoApi};
use crate::error::ErrorChain;

/// A response, for a web framework to send. Created by [`LogtoApi::respond`], and by [`ResourceMetadata::response`].
///
/// [`ResourceMetadata::response`]: super::ResourceMetadata::response
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiResponse {
    /// The status.
    pub status: u16,
    /// The headers, in lower case, each once.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// The body of a response to an error. Returned by the function that
/// [`on_error`](super::LogtoApiBuilder::on_error) sets.
///
/// ```
/// # use logto_client::api::ApiBody;
/// let body = ApiBody::new("text/plain; charset=utf-8", "Please sign in.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiBody {
    content_type: &'static str,
    text: String,
}

impl ApiBody {
    /// Creates a body. See the [example](Self).
    pub fn new(content_type: &'static str, text: impl Into<String>) -> Self {
        Self { content_type, text: text.into() }
    }

    /// Creates the default body: problem details in JSON (RFC 9457) with the member `error`, the error code of RFC 6750.
    ///
    /// ```
    /// # use logto_client::api::{ApiBody, ApiError};
    /// fn body(error: &ApiError) -> ApiBody {
    ///     if error.status() == 403 { ApiBody::new("text/plain", "Ask an administrator.") } else { ApiBody::problem(error) }
    /// }
    /// ```
    pub fn problem(error: &ApiError) -> Self {
        let status = error.status();
        let mut problem = json!({ "title": title(status), "status": status, "detail": detail(error) });
        if let Some(code) = error.code() {
            problem["error"] = json!(code);
        }
        if let ApiError::InsufficientScope { required } = error {
            problem["scope"] = json!(required.join(" "));
        }
        Self::new("application/problem+json", problem.to_string())
    }
}

/// The status and what it stands for.
impl fmt::Display for ApiResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            200 => f.write_str("200 OK"),
            status => write!(f, "{status} {}", title(status)),
        }
    }
}

/// So that handlers can return it as an error.
impl std::error::Error for ApiResponse {}

impl LogtoApi {
    /// Returns the response to an error, and logs the error.
    ///
    /// The extractors do this themselves. Use it for errors of [`require`](super::VerifiedToken::require) in a handler.
    ///
    /// ```
    /// use logto_client::api::{ApiError, LogtoApi};
    ///
    /// # fn main() -> Result<(), logto_client::Error> {
    /// let api = LogtoApi::builder("https://tenant.logto.app").audience("https://api.example.com").build()?;
    /// let response = api.respond(&ApiError::MissingToken);
    /// assert_eq!(response.status, 401);
    /// assert!(response.headers.contains(&("www-authenticate", r#"Bearer realm="https://api.example.com""#.to_owned())));
    /// # Ok(())
    /// # }
    /// ```
    pub fn respond(&self, error: &ApiError) -> ApiResponse {
        log(error);
        let ApiBody { content_type, text } = self.error_body(error);
        let mut headers = vec![("content-type", content_type.to_owned()), ("cache-control", "no-store".to_owned())];
        // Section 3: for requests without a token, and for tokens that do not do.
        if matches!(error.status(), 400..=403) {
            headers.push(("www-authenticate", self.challenge(error)));
        }
        if let Some(after) = error.retry_after() {
            headers.push(("retry-after", after.as_secs().max(1).to_string()));
        }
        ApiResponse { status: error.status(), headers, body: text }
    }

    fn challenge(&self, error: &ApiError) -> String {
        let mut params = vec![("realm", self.realm().to_owned())];
        if let Some(code) = error.code() {
            params.extend([("error", code.to_owned()), ("error_description", detail(error))]);
        }
        if let ApiError::InsufficientScope { required } = error {
            params.push(("scope", required.join(" ")));
        }
        if let Some(metadata) = self.metadata() {
            params.push(("resource_metadata", metadata.url().to_owned()));
        }
        let params: Vec<_> = params.into_iter().map(|(name, value)| format!("{name}={}", quoted(&value))).collect();
        format!("Bearer {}", params.join(", "))
    }
}

/// Returns a quoted string (RFC 9110, section 5.6.4) of the characters that RFC 6750 allows.
fn quoted(text: &str) -> String {
    let is_allowed = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    format!("\"{}\"", text.chars().filter(is_allowed).collect::<String>())
}

/// What a client may read. An operator finds the rest in the log.
fn detail(error: &ApiError) -> String {
    match error {
        ApiError::UnknownResource { .. } => "the API is not configured correctly".to_owned(),
        error => error.to_string(),
    }
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

fn log(error: &ApiError) {
    let (status, chain) = (error.status(), ErrorChain(error));
    match error {
        ApiError::UnknownResource { .. } => tracing::error!(error = %chain, status, "request refused"),
        ApiError::Unavailable(_) => tracing::warn!(error = %chain, status, "request refused"),
        _ => tracing::debug!(error = %chain, status, "request refused"),
    }
}
