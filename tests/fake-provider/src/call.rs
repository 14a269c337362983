//! A request, and what an honest provider answers.

use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::Inner;
use crate::reply::Reply;

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Endpoint {
    Discovery,
    Jwks,
    Token,
    UserInfo,
    Revocation,
    Introspection,
    /// A path that a client only reaches by a redirect or a changed document.
    Elsewhere,
}

impl Endpoint {
    pub const ALL: [Self; 7] = [
        Self::Discovery,
        Self::Jwks,
        Self::Token,
        Self::UserInfo,
        Self::Revocation,
        Self::Introspection,
        Self::Elsewhere,
    ];

    pub(crate) fn at(path: &str) -> Self {
        match path {
            "/oidc/.well-known/openid-configuration" => Self::Discovery,
            "/oidc/jwks" => Self::Jwks,
            "/oidc/token" => Self::Token,
            "/oidc/me" => Self::UserInfo,
            "/oidc/token/revocation" => Self::Revocation,
            "/oidc/token/introspection" => Self::Introspection,
            _ => Self::Elsewhere,
        }
    }
}

/// A request as it came in.
#[derive(Clone)]
pub struct Call {
    pub endpoint: Endpoint,
    pub method: Method,
    /// With the query, if there is one.
    pub path: String,
    pub headers: HeaderMap,
    pub body: String,
    /// The parameters of the body, in their order.
    pub form: Vec<(String, String)>,
    provider: Arc<Inner>,
}

/// Without the provider.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, method, path, headers, body, form: _, provider: _ } = self;
        write!(f, "{endpoint:?}: {method} {path} {headers:?} {body}")
    }
}

impl Call {
    pub(crate) fn new(provider: Arc<Inner>, request: Request<String>) -> Self {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or_else(String::new, ToString::to_string);
        let form = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let endpoint = Endpoint::at(head.uri.path());
        Self { endpoint, method: head.method, path, headers: head.headers, body, form, provider }
    }

    /// Returns a parameter of the form; empty if it was not sent.
    pub fn param(&self, name: &str) -> &str {
        self.form.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value)
    }

    pub fn is_refresh(&self) -> bool {
        self.param("grant_type") == "refresh_token"
    }

    /// Returns what `Authorization: Basic` carries, decoded.
    pub fn basic(&self) -> Option<String> {
        let encoded = self.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
        String::from_utf8(STANDARD.decode(encoded).ok()?).ok()
    }

    /// As [`FakeProvider::answer`](crate::FakeProvider::answer).
    pub fn answer(&self, endpoint: Endpoint, reply: impl Fn(&Self) -> Reply + Send + Sync + 'static) {
        self.provider.answer(endpoint, reply);
    }

    /// Does what an honest provider does, and returns its status and its JSON (`null` if it is none).
    pub fn honest(&self) -> (u16, Value) {
        let (status, _, body) = self.honest_parts();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub fn honest_reply(&self) -> Reply {
        let (status, headers, body) = self.honest_parts();
        Reply::from_parts(status, headers, body)
    }

    /// Returns the honest answer with its JSON changed.
    pub fn changed(&self, change: impl FnOnce(&mut Value)) -> Reply {
        let (status, mut body) = self.honest();
        change(&mut body);
        Reply::json(status, &body)
    }

    fn honest_parts(&self) -> (u16, HeaderMap, Vec<u8>) {
        let (status, mut headers, body) = self.provider.honest.answer(self.request());
        let tokens = (self.endpoint, status, serde_json::from_slice(&body));
        let body = match tokens {
            (Endpoint::Jwks, ..) => json!({"keys": self.provider.jwks()}).to_string().into_bytes(),
            (Endpoint::Token, 200, Ok(tokens)) => self.provider.issued(tokens).to_string().into_bytes(),
            _ => body,
        };
        headers.remove(header::CONTENT_LENGTH);
        (status, headers, body)
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.path.parse().expect("the request's own path");
        *request.headers_mut() = self.headers.clone();
        request
    }
}
