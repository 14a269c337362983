//! Errors as responses.

use ::axum::http::{HeaderValue, StatusCode, header};
use ::axum::response::{Html, IntoResponse, Response};

use crate::claims::IdTokenClaims;
use crate::error::{Error, ErrorChain, RequestErrorKind};

/// An error, with everything that a response to it needs.
///
/// Passed to [`LogtoAuthBuilder::on_error`](super::LogtoAuthBuilder::on_error).
///
/// # Example
///
/// ```
/// use axum::response::{Html, IntoResponse, Response};
/// use logto_client::axum::AuthRejection;
///
/// fn error_page(rejection: AuthRejection) -> Response {
///     let (url, label) = match (rejection.retry_url.as_deref(), rejection.sign_in_url.as_deref()) {
///         (Some(url), _) => (url, "Try again"),
///         (None, Some(url)) => (url, "Sign in"),
///         (None, None) => (rejection.home_url.as_str(), "Home"),
///     };
///     // A template engine would escape the URL.
///     let url = url.replace('&', "&amp;").replace('"', "&quot;");
///     let link = format!(r#"<a href="{url}">{label}</a>"#);
///     let page = format!("<h1>{}</h1><p>{}</p>{link}", rejection.title(), rejection.advice());
///     (rejection.status, Html(page)).into_response()
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct AuthRejection {
    /// The error, for logs and developers. Show users the [`advice`](Self::advice).
    pub error: Error,
    /// The operation that failed.
    pub operation: RejectedOperation,
    /// The status for the response.
    pub status: StatusCode,
    /// Whether the request is [for a page](super#pages-and-other-requests), which a person will read.
    pub wants_page: bool,
    /// The claims of the user, if one is still signed in.
    pub claims: Option<IdTokenClaims>,
    /// The URL to try again at, if trying again may help: the same page, or a sign-in with the same destination.
    pub retry_url: Option<String>,
    /// The URL to sign in at, with the same destination, if signing in may help.
    pub sign_in_url: Option<String>,
    /// The URL of the app's home page.
    pub home_url: String,
}

/// The operation that failed with an [`AuthRejection`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RejectedOperation {
    /// The start or the callback of a sign-in.
    SignIn,
    /// A sign-out.
    SignOut,
    /// A request to one of the app's own handlers.
    Page,
}

impl AuthRejection {
    /// Returns a short title to show users, as plain text. See the [example](Self#example).
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

    /// Returns a sentence or two to show users, as plain text: what happened and what to do. See the
    /// [example](Self#example).
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
            SignIn => "You could not be signed in. If this happens again, please contact the site's support.",
            SignOut if matches!(error, Error::EndSession(_)) => {
                "You are signed out of this app. The sign-in service is not available, so you may still be signed in there."
            }
            SignOut => "You could not be signed out. Please try again.",
            Page if error.is_access_denied() => "You do not have access to this page.",
            Page if error.is_retryable() => {
                "This page needs the sign-in service, which is not available. Please try again in a moment."
            }
            Page => "Something went wrong on this page. If this happens again, please contact the site's support.",
        }
    }

    /// The default of [`on_error`](super::LogtoAuthBuilder::on_error).
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
            // The failed sign-in was already logged.
            _ if self.operation == RejectedOperation::SignIn => tracing::debug!(%error, status, "sign-in rejected"),
            Error::NotAuthenticated => tracing::debug!(%error, status, "sign-in required"),
            cause if cause.is_misconfiguration() => tracing::error!(%error, status, "request failed"),
            _ => tracing::warn!(%error, status, "request failed"),
        }
    }
}

/// A page without style. `content` is HTML.
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
