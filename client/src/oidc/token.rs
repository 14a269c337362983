//! The token endpoint (RFC 6749), the revocation endpoint (RFC 7009) and the introspection endpoint (RFC 7662).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::error::{Endpoint, Error, RequestError, Result, sanitized};
use crate::oidc::jwt;
use crate::oidc::metadata::ProviderMetadata;
use crate::tokens::{AccessToken, MARGIN};
use crate::util::http::Http;

/// The code or refresh token is invalid, expired or revoked (RFC 6749, section 5.2).
pub(crate) const INVALID_GRANT: &str = "invalid_grant";

/// The assumed lifetime in seconds of an access token without an expiry in the response or the token.
const DEFAULT_LIFETIME: u64 = 60;

/// A successful response of the token endpoint. Only the refresh token is parsed at once: after a rotation it must be
/// stored even if the rest of the response is invalid.
pub(crate) struct TokenResponse {
    pub(crate) refresh_token: Option<String>,
    rest: Map<String, Value>,
}

/// The remaining tokens of a valid response.
pub(crate) struct Tokens {
    pub(crate) access_token: AccessToken,
    pub(crate) id_token: Option<String>,
}

/// An error in the format of RFC 6749, section 5.2, or of Logto (`code`, `message`).
#[derive(Deserialize)]
struct ErrorResponse {
    #[serde(default)]
    error: Value,
    #[serde(default)]
    error_description: Value,
    #[serde(default)]
    code: Value,
    #[serde(default)]
    message: Value,
}

/// The endpoints at which the app authenticates as a client.
pub(crate) struct TokenEndpoint<'a> {
    pub(crate) http: &'a Http,
    pub(crate) metadata: &'a ProviderMetadata,
    pub(crate) client_id: &'a str,
    pub(crate) client_secret: Option<&'a str>,
}

impl TokenEndpoint<'_> {
    pub(crate) async fn exchange_code(
        &self,
        code: &str,
        redirect_uri: &str,
        code_verifier: &str,
    ) -> Result<TokenResponse> {
        self.request(&[
            ("grant_type", "authorization_code"),
            ("client_id", self.client_id),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", code_verifier),
        ])
        .await
    }

    pub(crate) async fn refresh(
        &self,
        refresh_token: &str,
        resource: Option<&str>,
        organization: Option<&str>,
    ) -> Result<TokenResponse> {
        let mut params =
            vec![("grant_type", "refresh_token"), ("client_id", self.client_id), ("refresh_token", refresh_token)];
        params.extend(resource.map(|resource| ("resource", resource)));
        params.extend(organization.map(|organization| ("organization_id", organization)));
        self.request(&params).await
    }

    /// Revokes the refresh token and its grant. Succeeds if the provider has no revocation endpoint.
    pub(crate) async fn revoke(&self, refresh_token: &str) -> Result<()> {
        let Some(endpoint) = &self.metadata.revocation_endpoint else { return Ok(()) };
        let request = self.authenticated_post(endpoint).form(&[
            ("token", refresh_token),
            ("token_type_hint", "refresh_token"),
            ("client_id", self.client_id),
        ]);
        let answer = self.http.send(Endpoint::Revocation, request).await?;
        if answer.status == StatusCode::OK { Ok(()) } else { Err(answer.unexpected_status().into()) }
    }

    /// Returns what the provider knows about an opaque token, as JSON.
    pub(crate) async fn introspect(&self, token: &str) -> Result<Map<String, Value>, RequestError> {
        let endpoint = self.metadata.introspection_endpoint()?;
        let request = self.authenticated_post(endpoint).form(&[("token", token), ("client_id", self.client_id)]);
        self.http.send(Endpoint::Introspection, request).await?.json()
    }

    async fn request(&self, params: &[(&str, &str)]) -> Result<TokenResponse> {
        let request = self.authenticated_post(&self.metadata.token_endpoint).form(params);
        let answer = self.http.send(Endpoint::Token, request).await?;
        // OAuth errors have a 4xx status (RFC 6749, section 5.2). A 5xx is from a gateway or a provider that is down.
        if answer.status.is_server_error() {
            return Err(answer.unexpected_status().into());
        }
        if !answer.status.is_success() {
            let error = answer.error_json().and_then(|error| token_error(&error, &self.secrets(params)));
            return Err(error.unwrap_or_else(|| answer.unexpected_status().into()));
        }
        let mut rest: Map<String, Value> = answer.json()?;
        let refresh_token = match rest.remove("refresh_token") {
            Some(Value::String(token)) if !token.is_empty() => Some(token),
            _ => None,
        };
        Ok(TokenResponse { refresh_token, rest })
    }

    /// Returns the secrets of a request, plain and encoded, which no error may repeat.
    fn secrets(&self, params: &[(&str, &str)]) -> Vec<String> {
        let is_secret = |name: &str| matches!(name, "code" | "code_verifier" | "refresh_token");
        let mut secrets = Vec::new();
        for (_, secret) in params.iter().filter(|(name, _)| is_secret(name)) {
            secrets.extend([(*secret).to_owned(), form_encode(secret)]);
        }
        if let Some(secret) = self.client_secret {
            let encoded = form_encode(secret);
            let credentials = STANDARD.encode(format!("{}:{encoded}", form_encode(self.client_id)));
            secrets.extend([secret.to_owned(), encoded, credentials]);
        }
        secrets
    }

    /// Authenticates by `client_secret_basic`: id and secret are form-encoded first (RFC 6749, section 2.3.1).
    fn authenticated_post(&self, url: &Url) -> RequestBuilder {
        let request = self.http.post(url.clone());
        match self.client_secret {
            Some(secret) => request.basic_auth(form_encode(self.client_id), Some(form_encode(secret))),
            None => request,
        }
    }
}

impl TokenResponse {
    /// Parses the rest of the response (RFC 6749, section 5.1).
    pub(crate) fn tokens(&self, now: u64) -> Result<Tokens, RequestError> {
        let invalid = |problem| RequestError::invalid(Endpoint::Token, problem);
        let text = |name| match self.rest.get(name) {
            Some(Value::String(text)) => Ok(Some(&**text)),
            None | Some(Value::Null) => Ok(None),
            Some(_) => Err(invalid("a member that should be a string is not")),
        };
        let token = |name| match text(name)? {
            Some("") => Err(invalid("a member that should be a string is not")),
            token => Ok(token),
        };
        let access_token = token("access_token")?.ok_or_else(|| invalid("missing `access_token`"))?;
        if !text("token_type")?.is_some_and(|kind| kind.eq_ignore_ascii_case("bearer")) {
            return Err(invalid("`token_type` is not `Bearer`"));
        }
        let expires_in = match self.rest.get("expires_in") {
            None | Some(Value::Null) => None,
            Some(seconds) => Some(seconds.as_u64().ok_or_else(|| invalid("`expires_in` is not a number of seconds"))?),
        };
        Ok(Tokens {
            access_token: AccessToken {
                token: access_token.to_owned(),
                // Logto sends an empty scope for a user without permissions.
                scope: text("scope")?.unwrap_or_default().to_owned(),
                expires_at: match expires_in {
                    None | Some(0) => expiry_of(access_token, now),
                    Some(seconds) => now.saturating_add(seconds),
                },
            },
            id_token: token("id_token")?.map(str::to_owned),
        })
    }
}

/// Returns the expiry of a token whose response has no `expires_in`, which is only recommended (RFC 6749, section 5.1).
fn expiry_of(access_token: &str, now: u64) -> u64 {
    #[derive(Deserialize)]
    struct Expiry {
        #[serde(deserialize_with = "jwt::numeric_date")]
        exp: u64,
    }
    match jwt::decode_claims(access_token) {
        Some(Expiry { exp }) if exp > now.saturating_add(MARGIN) => exp,
        // Even if `exp` has passed: otherwise every call would request a new token.
        _ => now.saturating_add(DEFAULT_LIFETIME),
    }
}

/// Omits texts that contain one of the `secrets`.
fn token_error(response: &ErrorResponse, secrets: &[String]) -> Option<Error> {
    // A member that is not a string counts as missing: the response may still be `invalid_grant`.
    let error = response.error.as_str().or_else(|| Some(response.code.as_str()?.trim_start_matches("oidc.")))?;
    let description = response.error_description.as_str().or_else(|| response.message.as_str());
    let without_secrets = |text: &str| (!secrets.iter().any(|secret| text.contains(secret))).then(|| sanitized(text));
    // The session depends on this code, even if a secret happens to be a part of it.
    let code = if error == INVALID_GRANT { Some(error.to_owned()) } else { without_secrets(error) };
    Some(Error::TokenEndpoint {
        error: code.unwrap_or_else(|| "unknown error".to_owned()),
        description: description.and_then(without_secrets),
    })
}

fn form_encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
