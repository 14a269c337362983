//! The token endpoint.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::authorize::words;
use crate::claims;
use crate::client_auth::authenticate;
use crate::error::{OAuthError, Result};
use crate::expiring::random;
use crate::grants::{AccessToken, Grant};
use crate::keys::at_hash;
use crate::params::{Form, Params};
use crate::state::{Provider, Shared, Tables};
use crate::target::Target;
use crate::users::User;

const ID_TOKEN_LIFETIME: Duration = Duration::from_hours(1);

/// What a client asked of the token endpoint, for tests of clients to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    pub grant_type: String,
    /// A hash of the code or refresh token: the same for the same one.
    pub credential: String,
    pub resource: Option<String>,
    pub organization_id: Option<String>,
    /// The error that it was answered with.
    pub error: Option<&'static str>,
}

pub(crate) async fn token(
    State(provider): State<Shared>,
    headers: HeaderMap,
    Form(params): Form,
) -> Result<Json<Response>> {
    // Locked to the end: of two requests with one code or refresh token, the second sees what the first has done.
    let mut tables = provider.tables();
    let answer = respond(&provider, &mut tables, &headers, &params);
    tables.record(TokenRequest::new(&params, answer.as_ref().err()));
    answer.map(Json)
}

fn respond(provider: &Provider, tables: &mut Tables, headers: &HeaderMap, params: &Params) -> Result<Response> {
    authenticate(&provider.config, headers, params)?;
    match params.require("grant_type")? {
        "authorization_code" => exchange_code(provider, tables, params),
        "refresh_token" => refresh(provider, tables, params),
        _ => Err(OAuthError::new("unsupported_grant_type", "it has to be authorization_code or refresh_token")),
    }
}

fn exchange_code(provider: &Provider, tables: &mut Tables, params: &Params) -> Result<Response> {
    let (code, redirect_uri) = (params.require("code")?, params.require("redirect_uri")?);
    let grant = tables.grants.redeem_code(code, redirect_uri, params.require("code_verifier")?)?;
    let user = user(tables, &grant)?;
    let target = Target::resolve(&grant, &user, params.get("resource")?, None)?;
    let mut response = Response::new(provider, tables, &grant, &user, &grant.scopes, &target)?;
    let hash = at_hash(&response.access_token);
    response.id_token = id_token(provider, &grant, &user, &grant.scopes, Some(hash))?;
    response.refresh_token = grant.has_scope("offline_access").then(|| tables.grants.issue_refresh_token(grant));
    Ok(response)
}

fn refresh(provider: &Provider, tables: &mut Tables, params: &Params) -> Result<Response> {
    let refresh_token = params.require("refresh_token")?;
    let grant = tables.grants.use_refresh_token(refresh_token, provider.config.refresh_token_grace)?;
    let user = user(tables, &grant)?;
    let scopes = params.get("scope")?.map_or_else(|| grant.scopes.clone(), |narrowed| words(Some(narrowed)));
    if !scopes.iter().all(|scope| grant.has_scope(scope)) {
        return Err(OAuthError::new("invalid_scope", "the refresh token lacks a requested scope"));
    }
    let organization = params.get("organization_id")?;
    let target = Target::resolve(&grant, &user, params.get("resource")?, organization)?;
    let mut response = Response::new(provider, tables, &grant, &user, &scopes, &target)?;
    response.id_token = id_token(provider, &grant, &user, &scopes, None)?;
    // Last, so that a request that is refused costs nobody the refresh token.
    response.refresh_token = Some(tables.grants.rotate_refresh_token(refresh_token, &provider.config));
    Ok(response)
}

fn user(tables: &Tables, grant: &Grant) -> Result<User> {
    tables.users.get(&grant.user).cloned().ok_or_else(|| OAuthError::invalid_grant("there is no such user"))
}

#[derive(Serialize)]
pub(crate) struct Response {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl Response {
    /// With an access token and nothing else so far.
    fn new(
        provider: &Provider,
        tables: &mut Tables,
        grant: &Arc<Grant>,
        user: &User,
        scopes: &[String],
        target: &Target<'_>,
    ) -> Result<Self> {
        let scopes = target.scopes(&provider.config, user, scopes);
        let scope = scopes.join(" ");
        let expires_in = provider.config.access_token_lifetime.as_secs();
        let access_token = match target.audience() {
            None => tables.grants.issue_access_token(AccessToken { grant: Arc::clone(grant), scopes }),
            Some(audience) => {
                let mut claims = lasting(provider, expires_in);
                claims.extend([
                    ("jti".to_owned(), json!(random())),
                    ("sub".to_owned(), json!(user.id)),
                    ("aud".to_owned(), json!(audience)),
                    ("client_id".to_owned(), json!(provider.config.client_id)),
                ]);
                if !scope.is_empty() {
                    claims.insert("scope".to_owned(), json!(scope));
                }
                if let Target::Resource { organization: Some(organization), .. } = target {
                    claims.insert("organization_id".to_owned(), json!(organization));
                }
                provider.key.sign("at+jwt", &claims)?
            }
        };
        Ok(Self { access_token, token_type: "Bearer", expires_in, scope, id_token: None, refresh_token: None })
    }
}

fn id_token(
    provider: &Provider,
    grant: &Grant,
    user: &User,
    scopes: &[String],
    at_hash: Option<String>,
) -> Result<Option<String>> {
    if !scopes.iter().any(|scope| scope == "openid") {
        return Ok(None);
    }
    let mut claims = lasting(provider, ID_TOKEN_LIFETIME.as_secs());
    claims.extend(claims::of_id_token(user, scopes));
    claims.insert("aud".to_owned(), json!(provider.config.client_id));
    claims.extend(grant.nonce.iter().map(|nonce| ("nonce".to_owned(), json!(nonce))));
    claims.extend(at_hash.map(|at_hash| ("at_hash".to_owned(), json!(at_hash))));
    provider.key.sign("JWT", &claims).map(Some)
}

/// The claims of a token that is good from now on for so many seconds.
fn lasting(provider: &Provider, seconds: u64) -> Map<String, Value> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    [("iss", json!(provider.issuer)), ("iat", json!(now)), ("exp", json!(now.saturating_add(seconds)))]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

impl TokenRequest {
    fn new(params: &Params, error: Option<&OAuthError>) -> Self {
        let value = |name| params.all(name).next().map(str::to_owned);
        let credential = value("code").or_else(|| value("refresh_token")).unwrap_or_default();
        Self {
            grant_type: value("grant_type").unwrap_or_default(),
            credential: BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, credential.as_bytes())),
            resource: value("resource"),
            organization_id: value("organization_id"),
            error: error.map(|error| error.error),
        }
    }
}
