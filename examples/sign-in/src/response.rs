//! Security headers.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::map_response;
use axum::response::Response;
use logto_client::Url;

/// Adds headers that forbid scripts, framing and caching: after a sign-out the back button shows no private page.
pub(crate) fn layer(app: Router, endpoint: &str, secure: bool) -> Router {
    // The form that signs out is redirected to Logto, and browsers apply `form-action` to redirects.
    let logto = Url::parse(endpoint).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self' {logto}; base-uri 'none'; frame-ancestors 'none'"
    );
    let mut headers = vec![
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.push((CONTENT_SECURITY_POLICY, policy));
    }
    if secure {
        headers.push((STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000")));
    }
    app.layer(map_response(move |mut response: Response| {
        for (name, value) in headers.clone() {
            response.headers_mut().insert(name, value);
        }
        response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        async { response }
    }))
}
