//! What becomes of errors.

use ::axum::http::{HeaderValue, StatusCode, header};
use ::axum::response::{Html, IntoResponse, Response};

use crate::error::{Error, RequestErrorKind, WithCauses};

/// An error, and what a response to it takes. See [`LogtoAuthBuilder::on_error`](super::LogtoAuthBuilder::on_error).
#[derive(Debug)]
#[non_exhaustive]
pub struct Failure {
    /// What went wrong. For the log; a user is better served by what `is_*` it is.
    pub error: Error,
    /// The status that goes with it.
    pub status: StatusCode,
    /// Whether a person is to read the response: the request is for a page.
    pub wants_page: bool,
    /// Where to sign in (again), and come back to the same page.
    pub sign_in_url: String,
}

impl Failure {
    pub(crate) fn new(error: Error, wants_page: bool, sign_in_url: String) -> Self {
        Self { status: status(&error), error, wants_page, sign_in_url }
    }

    /// For people, in words that say what to do.
    pub fn advice(&self) -> &'static str {
        if self.error.is_access_denied() {
            "You did not sign in, because you, or the sign-in service, said no."
        } else if self.error.is_stale_callback() {
            "This sign-in is too old, was used before, or was begun in another browser. Please sign in again."
        } else if self.error.is_sign_in_required() {
            "Please sign in."
        } else if self.error.is_retryable() {
            "The sign-in service does not answer. Please try again in a moment."
        } else {
            "Something went wrong while signing you in or out. Please try again, and tell the people who run this site if it happens again."
        }
    }

    /// The response of apps that shape none.
    pub(super) fn into_plain_response(self) -> Response {
        tracing::warn!(error = %WithCauses(&self.error), status = self.status.as_u16(), "answered with an error");
        let mut response = if self.wants_page {
            // The URL is of the configuration, and of paths that are percent-encoded: no character of HTML's is in it.
            let page = format!(
                "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
                 <title>Sign-in</title><main><h1>Sign-in</h1><p>{}</p><p><a href=\"{}\">Sign in</a></p></main></html>",
                self.advice(),
                self.sign_in_url.replace('&', "&amp;"),
            );
            (self.status, Html(page)).into_response()
        } else {
            let json = serde_json::json!({ "error": self.advice(), "sign_in_url": self.sign_in_url });
            (self.status, [(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::AccessDenied { .. } => StatusCode::FORBIDDEN,
        _ if error.is_sign_in_required() => StatusCode::UNAUTHORIZED,
        Error::NoPendingSignIn
        | Error::UnknownState
        | Error::InvalidCallback { .. }
        | Error::WrongRedirectUri { .. }
        | Error::WrongIssuer { .. } => StatusCode::BAD_REQUEST,
        Error::Request(error) if matches!(error.kind(), RequestErrorKind::RateLimited { .. }) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Error::Request(_)
        | Error::TokenEndpoint { .. }
        | Error::AuthorizationFailed { .. }
        | Error::InvalidIdToken(_)
        | Error::ClockSkew { .. }
        | Error::WrongSubject => StatusCode::BAD_GATEWAY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
