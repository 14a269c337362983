//! Where the provider's endpoints are (OpenID Connect Discovery 1.0).

use serde::Deserialize;
use url::Url;

use crate::config::LogtoConfig;
use crate::error::{Endpoint, RequestError, RequestErrorKind, quotable};
use crate::http::Http;

/// What is used of the discovery document.
pub(crate) struct Discovery {
    pub(crate) issuer: String,
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    pub(crate) userinfo_endpoint: Option<Url>,
    pub(crate) revocation_endpoint: Option<Url>,
    pub(crate) end_session_endpoint: Option<Url>,
    /// Whether every callback has an `iss` (RFC 9207).
    pub(crate) sends_issuer: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    userinfo_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Discovery {
    pub(crate) async fn fetch(http: &Http, config: &LogtoConfig) -> Result<Self, RequestError> {
        let expected = config.issuer().to_owned();
        let request = http.get(format!("{expected}/.well-known/openid-configuration"));
        let document: Document = http.send(Endpoint::Discovery, request).await?.json()?;
        tracing::debug!(issuer = expected, "discovery document fetched");
        Self::check(document, expected)
    }

    fn check(document: Document, expected: String) -> Result<Self, RequestError> {
        // Section 4.3: exactly the issuer whose document was asked for.
        if document.issuer != expected {
            let found = quotable(&document.issuer);
            return Err(RequestError::new(Endpoint::Discovery, RequestErrorKind::WrongIssuer { expected, found }));
        }
        let encrypted = expected.starts_with("https:");
        let optional = |name: &'static str, url: Option<String>| {
            let unusable = || no_usable(name);
            let Some(url) = url else { return Ok(None) };
            let url = Url::parse(&url).map_err(|_| unusable())?;
            let plain = url.scheme() == "http" && !encrypted;
            let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
            if (url.scheme() == "https" || plain) && bare { Ok(Some(url)) } else { Err(unusable()) }
        };
        let required = |name: &'static str, url: Option<String>| needed(name, optional(name, url)?);
        Ok(Self {
            authorization_endpoint: required("authorization_endpoint", document.authorization_endpoint)?,
            token_endpoint: required("token_endpoint", document.token_endpoint)?,
            jwks_uri: required("jwks_uri", document.jwks_uri)?,
            userinfo_endpoint: optional("userinfo_endpoint", document.userinfo_endpoint)?,
            revocation_endpoint: optional("revocation_endpoint", document.revocation_endpoint)?,
            end_session_endpoint: optional("end_session_endpoint", document.end_session_endpoint)?,
            sends_issuer: document.authorization_response_iss_parameter_supported,
            issuer: expected,
        })
    }

    pub(crate) fn userinfo_endpoint(&self) -> Result<Url, RequestError> {
        needed("userinfo_endpoint", self.userinfo_endpoint.clone())
    }

    pub(crate) fn end_session_endpoint(&self) -> Result<Url, RequestError> {
        needed("end_session_endpoint", self.end_session_endpoint.clone())
    }
}

fn needed(name: &'static str, url: Option<Url>) -> Result<Url, RequestError> {
    url.ok_or_else(|| no_usable(name))
}

fn no_usable(name: &'static str) -> RequestError {
    RequestError::new(Endpoint::Discovery, RequestErrorKind::Endpoint(name))
}
