//! OAuth 2.0 errors in Logto's JSON format.

use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

#[derive(Debug)]
pub(crate) struct OAuthError {
    pub(crate) error: &'static str,
    pub(crate) description: String,
}

pub(crate) type Result<T> = std::result::Result<T, OAuthError>;

impl OAuthError {
    pub(crate) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { error, description: description.into() }
    }

    pub(crate) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    pub(crate) fn invalid_grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(crate) fn invalid_scope() -> Self {
        Self::new("invalid_scope", "requested scope is not allowed")
    }

    pub(crate) fn invalid_target() -> Self {
        Self::new("invalid_target", "resource indicator is missing, or unknown")
    }

    pub(crate) fn access_denied(description: &str) -> Self {
        Self::new("access_denied", description)
    }

    /// Returns the response for a browser if the error must not be sent to the app. Like Logto, it shows raw JSON.
    pub(crate) fn into_page(self) -> Response {
        (StatusCode::BAD_REQUEST, self.body()).into_response()
    }

    fn status(&self) -> StatusCode {
        match self.error {
            "invalid_client" | "invalid_token" => StatusCode::UNAUTHORIZED,
            "access_denied" | "insufficient_scope" => StatusCode::FORBIDDEN,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn body(&self) -> Json<serde_json::Value> {
        Json(json!({
            "code": format!("oidc.{}", self.error),
            "message": self.message(),
            "error": self.error,
            "error_description": self.description,
        }))
    }

    /// Returns Logto's message for the `error`. Details are in the description only.
    fn message(&self) -> String {
        let message = match self.error {
            "access_denied" => "Access denied.",
            "insufficient_scope" => "Token missing scope.",
            "invalid_grant" => "Grant request is invalid.",
            "invalid_redirect_uri" => "`redirect_uri` did not match any of the client's registered `redirect_uris`.",
            "invalid_request" => "Request is invalid.",
            "invalid_scope" => return format!("Invalid scope: {}.", self.description),
            "invalid_target" => "Invalid resource indicator.",
            "invalid_token" => "Invalid token provided.",
            "server_error" => "An unknown OIDC error occurred. Please try again later.",
            "unsupported_grant_type" => "Unsupported `grant_type` requested.",
            other => return format!("An OIDC error occurred: {other}."),
        };
        message.to_owned()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.body()).into_response();
        let challenge = match self.error {
            "invalid_client" => r#"Basic realm="dev-provider", charset="UTF-8""#,
            "invalid_token" => r#"Bearer realm="dev-provider", error="invalid_token""#,
            _ => return response,
        };
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }
}
