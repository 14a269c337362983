//! Error pages.

use std::error::Error;
use std::iter::successors;

use askama::Template;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use logto_client::axum::AuthRejection;
use serde_json::json;

use crate::pages::{Frame, User, page};

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem {
    frame: Frame,
    title: &'static str,
    advice: &'static str,
    /// Whether a screen reader announces it at once.
    is_alert: bool,
    retry_url: Option<String>,
    sign_in_url: Option<String>,
    home_url: String,
    /// The error and its causes.
    details: Vec<String>,
}

impl Problem {
    /// Creates a page whose only link leads home.
    fn new(frame: Frame, title: &'static str, advice: &'static str) -> Self {
        Self {
            frame,
            title,
            advice,
            is_alert: false,
            retry_url: None,
            sign_in_url: None,
            home_url: "/".to_owned(),
            details: Vec::new(),
        }
    }
}

pub(crate) async fn not_found(user: Option<User>) -> Response {
    let problem = Problem::new(Frame::new("", user.as_ref()), "Page not found", "Use the links above.");
    (StatusCode::NOT_FOUND, page(&problem)).into_response()
}

pub(crate) fn unknown_api(user: &User) -> Response {
    let advice = "This app is not configured for this API. The page “Access token” lists the APIs that it can use.";
    let problem = Problem::new(Frame::new("/access-token", Some(user)), "Unknown API", advice);
    (StatusCode::NOT_FOUND, page(&problem)).into_response()
}

/// Responds to an error of a ready route, an extractor or a page.
pub(crate) fn failed(rejection: AuthRejection) -> Response {
    let is_cancelled = matches!(rejection.error, logto_client::Error::SignInCancelled);
    if is_cancelled {
        tracing::info!("sign-in cancelled");
    } else {
        // Logs the causes, too. None of them contains a secret.
        tracing::warn!(error = &rejection.error as &dyn Error, operation = ?rejection.operation, "request failed");
    }
    if !rejection.wants_page {
        let body = json!({ "error": rejection.advice(), "sign_in_url": rejection.sign_in_url });
        return (rejection.status, Json(body)).into_response();
    }
    let problem = Problem {
        frame: Frame::of_claims("", rejection.claims.as_ref()),
        title: rejection.title(),
        advice: rejection.advice(),
        is_alert: !is_cancelled,
        // Shown because this is an example. In production, only log them.
        details: with_causes(&rejection.error),
        retry_url: rejection.retry_url,
        sign_in_url: rejection.sign_in_url,
        home_url: rejection.home_url,
    };
    (rejection.status, page(&problem)).into_response()
}

pub(crate) fn with_causes(error: &dyn Error) -> Vec<String> {
    successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect()
}
