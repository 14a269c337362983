//! What becomes of errors.

use ::axum::http::{HeaderValue, StatusCode, header};
use ::axum::response::{Html, IntoResponse, Response};

use crate::claims::IdTokenClaims;
use crate::error::{Error, ErrorChain, RequestErrorKind};

/// An error, and what a response to it needs. See [`LogtoAuthBuilder::on_error`](super::LogtoAuthBuilder::on_error).
#[derive(Debug)]
#[non_exhaustive]
pub struct AuthRejection {
    /// What went wrong. For the log, or a developer; [`advice`](Self::advice) is for users.
    pub error: Error,
    /// What was under way.
    pub operation: RejectedOperation,
    /// The status that goes with the error.
    pub status: StatusCode,
    /// Whether a person is to read the response: the request is for a page.
    pub wants_page: bool,
    /// The signed-in user, if there still is one: for the frame of a page.
    pub claims: Option<IdTokenClaims>,
    /// Where to try again, if that can help: the same page, or the sign-in with the same destination.
    pub retry_url: Option<String>,
    /// Where to sign in (again) with the same destination, if that can help.
    pub sign_in_url: Option<String>,
    /// The app's start page.
    pub home_url: String,
}

/// What a [`AuthRejection`] interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectedOperation {
    /// A sign-in: its start, or its callback.
    SignIn,
    /// A sign-out.
    SignOut,
    /// One of the app's own pages or calls.
    Page,
}

impl AuthRejection {
    /// A short title for people.
    pub fn title(&self) -> &'static str {
        match self.operation {
            RejectedOperation::SignIn if matches!(self.error, Error::SignInCancelled) => "Sign-in cancelled",
            RejectedOperation::SignIn => "Sign-in failed",
            RejectedOperation::SignOut if matches!(self.error, Error::EndSession(_)) => "Signed out of this app",
            RejectedOperation::SignOut => "Sign-out failed",
            RejectedOperation::Page if self.error.is_sign_in_required() => "Sign-in required",
            RejectedOperation::Page if self.error.is_access_denied() => "Access denied",
            RejectedOperation::Page => "This page is not available",
        }
    }

    /// For people, in words that say what to do.
    pub fn advice(&self) -> &'static str {
        use RejectedOperation::{Page, SignIn, SignOut};
        let error = &self.error;
        match self.operation {
            SignIn if matches!(error, Error::SignInCancelled) => "You cancelled the sign-in. Nothing has changed.",
            SignIn if error.is_access_denied() => "You were not signed in, because access was denied.",
            SignIn if error.is_stale_callback() => {
                "This sign-in is too old, was used before, or was started in another browser. Please sign in again."
            }
            SignIn | Page if error.is_sign_in_required() => "Please sign in.",
            SignIn if error.is_retryable() => "The sign-in service is not available. Please try again in a moment.",
            SignIn => "You could not be signed in. If this happens again, please tell the people who run this site.",
            SignOut if matches!(error, Error::EndSession(_)) => {
                "You are signed out of this app. The sign-in service is not available, so you may still be signed in there."
            }
            SignOut => "You could not be signed out. Please try again.",
            Page if error.is_access_denied() => "You do not have access to what this page shows.",
            Page if error.is_retryable() => {
                "This page needs the sign-in service, which is not available. Please try again in a moment."
            }
            Page => {
                "Something went wrong on this page. If this happens again, please tell the people who run this site."
            }
        }
    }

    /// The response of apps without [`on_error`](super::LogtoAuthBuilder::on_error).
    pub(super) fn into_plain_response(self) -> Response {
        self.log();
        let mut response = if self.wants_page {
            let links = [
                (self.retry_url.as_deref(), "Try again"),
                (self.sign_in_url.as_deref(), "Sign in"),
                (Some(&*self.home_url), "Home"),
            ];
            let links = links
                .into_iter()
                .filter_map(|(url, label)| Some(format!("<li><a href=\"{}\">{label}</a></li>", escaped(url?))));
            let content = format!("<p>{}</p><ul>{}</ul>", self.advice(), links.collect::<String>());
            (self.status, plain_page(self.title(), &content)).into_response()
        } else {
            let json = serde_json::json!({ "error": self.advice(), "sign_in_url": self.sign_in_url });
            (self.status, [(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response()
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    fn log(&self) {
        let (error, status) = (ErrorChain(&self.error), self.status.as_u16());
        match &self.error {
            // Logged where the sign-in failed.
            _ if self.operation == RejectedOperation::SignIn => tracing::debug!(%error, status, "sign-in rejected"),
            Error::NotAuthenticated => tracing::debug!(%error, status, "sign-in required"),
            cause if cause.is_misconfiguration() => tracing::error!(%error, status, "request failed"),
            _ => tracing::warn!(%error, status, "request failed"),
        }
    }
}

/// A page for apps that bring none. `content` is HTML.
pub(super) fn plain_page(title: &str, content: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\
         <meta name=color-scheme content=\"light dark\"><title>{title}</title><main><h1>{title}</h1>{content}</main></html>"
    ))
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

pub(crate) fn status(error: &Error) -> StatusCode {
    match error {
        _ if error.is_access_denied() => StatusCode::FORBIDDEN,
        _ if error.is_sign_in_required() => StatusCode::UNAUTHORIZED,
        Error::NoPendingSignIn
        | Error::UnknownState
        | Error::InvalidCallback { .. }
        | Error::WrongRedirectUri { .. }
        | Error::WrongIssuer { .. } => StatusCode::BAD_REQUEST,
        Error::EndSession(_) => StatusCode::SERVICE_UNAVAILABLE,
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
