//! Requests for tokens (RFC 6749), and their revocation (RFC 7009).

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

/// RFC 6749, section 5.2: the refresh token, or the code, is worth nothing any more.
pub(crate) const INVALID_GRANT: &str = "invalid_grant";

/// How long an access token is used if neither the response nor the token says when it expires, in seconds.
const DEFAULT_LIFETIME: u64 = 60;

/// What the token endpoint answered with status 200. Of a refresh token nothing else is believed before it is stored,
/// so the rest is read from it later.
pub(crate) struct TokenResponse {
    pub(crate) refresh_token: Option<String>,
    rest: Map<String, Value>,
}

/// The parts of it that a good answer has.
pub(crate) struct Tokens {
    pub(crate) access_token: AccessToken,
    pub(crate) id_token: Option<String>,
}

/// RFC 6749, section 5.2, and Logto's own.
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

/// The endpoints of the provider that an app authenticates at.
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

    /// Revokes the refresh token, and with it every token of its grant.
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

    async fn request(&self, params: &[(&str, &str)]) -> Result<TokenResponse> {
        let request = self.authenticated_post(&self.metadata.token_endpoint).form(params);
        let answer = self.http.send(Endpoint::Token, request).await?;
        // RFC 6749, section 5.2: errors have a 4xx. A 5xx comes from a gateway, or a provider that is down.
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

    /// What of a request may not be in an error, as it is and as it was sent.
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

    /// `client_secret_basic` (RFC 6749, section 2.3.1): id and secret are form-encoded first.
    fn authenticated_post(&self, url: &Url) -> RequestBuilder {
        let request = self.http.post(url.clone());
        match self.client_secret {
            Some(secret) => request.basic_auth(form_encode(self.client_id), Some(form_encode(secret))),
            None => request,
        }
    }
}

impl TokenResponse {
    /// The rest, which may lack what it has to have (RFC 6749, section 5.1).
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
                // Empty for a user without permissions there, as Logto sends it.
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

/// When a token expires whose response does not say so (RFC 6749, section 5.1: `expires_in` is only recommended).
fn expiry_of(access_token: &str, now: u64) -> u64 {
    #[derive(Deserialize)]
    struct Expiry {
        #[serde(deserialize_with = "jwt::numeric_date")]
        exp: u64,
    }
    match jwt::decode_claims(access_token) {
        Some(Expiry { exp }) if exp > now.saturating_add(MARGIN) => exp,
        // Otherwise every call would ask for another token.
        _ => now.saturating_add(DEFAULT_LIFETIME),
    }
}

/// Words that quote one of the `secrets` are left out.
fn token_error(response: &ErrorResponse, secrets: &[String]) -> Option<Error> {
    // Whatever is not text counts as missing: what matters is whether it is `invalid_grant`.
    let error = response.error.as_str().or_else(|| Some(response.code.as_str()?.trim_start_matches("oidc.")))?;
    let description = response.error_description.as_str().or_else(|| response.message.as_str());
    let told = |text: &str| (!secrets.iter().any(|secret| text.contains(secret))).then(|| sanitized(text));
    // The session depends on this one: it is told even if a secret should be part of it.
    let told_error = if error == INVALID_GRANT { Some(error.to_owned()) } else { told(error) };
    Some(Error::TokenEndpoint {
        error: told_error.unwrap_or_else(|| "unknown error".to_owned()),
        description: description.and_then(told),
    })
}

fn form_encode(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}
