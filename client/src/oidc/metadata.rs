//! The provider's metadata (OpenID Connect Discovery 1.0, section 3).

use serde::Deserialize;
use url::Url;

use crate::error::{Endpoint, RequestError, RequestErrorKind, sanitized};
use crate::util::http::Http;
use crate::util::web_url::WebUrl;

/// The members of the metadata that the client uses.
pub(crate) struct ProviderMetadata {
    pub(crate) authorization_endpoint: Url,
    pub(crate) token_endpoint: Url,
    pub(crate) jwks_uri: Url,
    userinfo_endpoint: Option<Url>,
    pub(crate) revocation_endpoint: Option<Url>,
    introspection_endpoint: Option<Url>,
    end_session_endpoint: Option<Url>,
    /// Whether every callback has an `iss` (RFC 9207).
    pub(crate) iss_parameter_supported: bool,
}

#[derive(Deserialize)]
pub(crate) struct Document {
    issuer: String,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    userinfo_endpoint: Option<String>,
    revocation_endpoint: Option<String>,
    introspection_endpoint: Option<String>,
    end_session_endpoint: Option<String>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl ProviderMetadata {
    pub(crate) async fn fetch(http: &Http, issuer: &str) -> Result<Self, RequestError> {
        let request = http.get(format!("{issuer}/.well-known/openid-configuration"));
        let document: Document = http.send(Endpoint::Metadata, request).await?.json()?;
        tracing::debug!(issuer, "provider metadata fetched");
        document.check(issuer)
    }

    pub(crate) fn userinfo_endpoint(&self) -> Result<&Url, RequestError> {
        self.userinfo_endpoint.as_ref().ok_or_else(|| unusable("userinfo_endpoint"))
    }

    pub(crate) fn introspection_endpoint(&self) -> Result<&Url, RequestError> {
        self.introspection_endpoint.as_ref().ok_or_else(|| unusable("introspection_endpoint"))
    }

    pub(crate) fn end_session_endpoint(&self) -> Result<&Url, RequestError> {
        self.end_session_endpoint.as_ref().ok_or_else(|| unusable("end_session_endpoint"))
    }
}

impl Document {
    pub(crate) fn check(self, issuer: &str) -> Result<ProviderMetadata, RequestError> {
        // Section 4.3: the issuer must match exactly.
        if self.issuer != issuer {
            let (expected, found) = (issuer.to_owned(), sanitized(&self.issuer));
            return Err(RequestError::new(Endpoint::Metadata, RequestErrorKind::WrongIssuer { expected, found }));
        }
        // If the issuer is https, no secret may be sent over http.
        let allow_http = issuer.starts_with("http:");
        let optional = |name, url: Option<String>| url.map(|url| endpoint(name, &url, allow_http)).transpose();
        let required = |name, url| optional(name, url)?.ok_or_else(|| unusable(name));
        Ok(ProviderMetadata {
            authorization_endpoint: required("authorization_endpoint", self.authorization_endpoint)?,
            token_endpoint: required("token_endpoint", self.token_endpoint)?,
            jwks_uri: required("jwks_uri", self.jwks_uri)?,
            userinfo_endpoint: optional("userinfo_endpoint", self.userinfo_endpoint)?,
            revocation_endpoint: optional("revocation_endpoint", self.revocation_endpoint)?,
            introspection_endpoint: optional("introspection_endpoint", self.introspection_endpoint)?,
            end_session_endpoint: optional("end_session_endpoint", self.end_session_endpoint)?,
            iss_parameter_supported: self.authorization_response_iss_parameter_supported,
        })
    }
}

fn endpoint(name: &'static str, url: &str, allow_http: bool) -> Result<Url, RequestError> {
    let url = WebUrl::parse(url).and_then(WebUrl::without_fragment).map_err(|_| unusable(name))?.into_url();
    if url.scheme() == "https" || allow_http { Ok(url) } else { Err(unusable(name)) }
}

fn unusable(name: &'static str) -> RequestError {
    RequestError::new(Endpoint::Metadata, RequestErrorKind::Endpoint(name))
}
