//! Errors as OAuth 2.0 names them, in the JSON that Logto sends.

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

    pub(crate) fn status(&self) -> StatusCode {
        match self.error {
            "invalid_client" | "invalid_token" => StatusCode::UNAUTHORIZED,
            "access_denied" | "insufficient_scope" => StatusCode::FORBIDDEN,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl From<jsonwebtoken::errors::Error> for OAuthError {
    fn from(_: jsonwebtoken::errors::Error) -> Self {
        Self::new("server_error", "the token could not be signed")
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({
            "code": format!("oidc.{}", self.error),
            "error": self.error,
            "error_description": self.description,
            "message": self.description,
        });
        let mut response = (self.status(), Json(body)).into_response();
        let challenge = match self.error {
            "invalid_client" => r#"Basic realm="dev-provider", charset="UTF-8""#,
            "invalid_token" => r#"Bearer realm="dev-provider", error="invalid_token""#,
            _ => return response,
        };
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }
}
