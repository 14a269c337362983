//! The frame of all pages, and their headers.

use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

use crate::state::Provider;

/// Without `form-action`, which Chromium also applies to the redirect after a form, and so to the app's URL.
const CONTENT_SECURITY: &str =
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem<'a> {
    root: &'a str,
    title: &'a str,
    text: &'a str,
}

/// Returns an error page, for errors that must not be sent to the app.
pub(crate) fn problem(provider: &Provider, title: &str, text: &str) -> Response {
    (StatusCode::BAD_REQUEST, html(&Problem { root: &provider.root, title, text })).into_response()
}

pub(crate) fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(page) => Html(page).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

pub(crate) async fn stylesheet() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../templates/style.css"))
}

/// Forbids caching of every response, and referrers: URLs of pages contain the app's parameters.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, CONTENT_SECURITY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
