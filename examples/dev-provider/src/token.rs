//! The token endpoint.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::authorize::words;
use crate::claims::{self, SCOPES};
use crate::client_auth::{Client, authenticate};
use crate::config::{MachineClient, Resource};
use crate::error::{OAuthError, Result};
use crate::expiring::random;
use crate::grants::{Authorization, epoch_seconds};
use crate::params::{Form, Params};
use crate::state::{Provider, Shared, Tables};
use crate::target::{Subject, Target};
use crate::users::User;

const ID_TOKEN_LIFETIME: Duration = Duration::from_hours(1);

/// A recorded request to the token endpoint, for tests of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    pub grant_type: String,
    /// A hash of the code or refresh token.
    pub credential: String,
    pub resource: Option<String>,
    pub organization_id: Option<String>,
    /// The error in the response.
    pub error: Option<&'static str>,
}

pub(crate) async fn token(
    State(provider): State<Shared>,
    headers: HeaderMap,
    Form(params): Form,
) -> Result<Json<Response>> {
    // Locked until the end, so that concurrent requests with one code or refresh token run one after another.
    let mut tables = provider.tables();
    let answer = respond(&provider, &mut tables, &headers, &params);
    tables.record(TokenRequest::new(&params, answer.as_ref().err()));
    answer.map(Json)
}

fn respond(provider: &Provider, tables: &mut Tables, headers: &HeaderMap, params: &Params) -> Result<Response> {
    let client = authenticate(&provider.config, headers, params)?;
    match (params.require("grant_type")?, client) {
        ("authorization_code", Client::App) => exchange_code(provider, tables, params),
        ("refresh_token", Client::App) => refresh(provider, tables, params),
        ("client_credentials", Client::Machine(client)) => client_credentials(provider, client, params),
        ("authorization_code" | "refresh_token" | "client_credentials", _) => {
            Err(OAuthError::new("unauthorized_client", "requested grant type is not allowed for this client"))
        }
        _ => Err(OAuthError::new("unsupported_grant_type", "unsupported grant_type requested")),
    }
}

fn exchange_code(provider: &Provider, tables: &mut Tables, params: &Params) -> Result<Response> {
    let (code, redirect_uri) = (params.require("code")?, params.require("redirect_uri")?);
    let authorization = tables.grants.redeem_code(code, redirect_uri, params.require("code_verifier")?)?;
    let user = user(tables, &authorization)?;
    let target = Target::of_user(&authorization, &user, params.get("resource")?, None)?;
    let mut response = Response::of_user(provider, tables, &authorization, &user, &authorization.scopes, &target)?;
    let at_hash = provider.config.signing_algorithm.at_hash(&response.access_token);
    response.id_token = id_token(provider, &authorization, &user, &authorization.scopes, Some(at_hash))?;
    response.refresh_token =
        authorization.has_scope("offline_access").then(|| tables.grants.issue_refresh_token(authorization));
    Ok(response)
}

fn refresh(provider: &Provider, tables: &mut Tables, params: &Params) -> Result<Response> {
    let refresh_token = params.require("refresh_token")?;
    let authorization = tables.grants.use_refresh_token(refresh_token, provider.config.refresh_token_grace)?;
    let user = user(tables, &authorization)?;
    let scopes = params.get("scope")?.map_or_else(|| authorization.scopes.clone(), |narrowed| words(Some(narrowed)));
    if !scopes.iter().all(|scope| authorization.has_scope(scope)) {
        return Err(OAuthError::invalid_scope());
    }
    let organization = params.get("organization_id")?;
    let target = Target::of_user(&authorization, &user, params.get("resource")?, organization)?;
    let mut response = Response::of_user(provider, tables, &authorization, &user, &scopes, &target)?;
    response.id_token = id_token(provider, &authorization, &user, &scopes, None)?;
    // Last, so that a rejected request does not use up the refresh token.
    response.refresh_token = Some(tables.grants.rotate_refresh_token(refresh_token, &provider.config));
    Ok(response)
}

/// As in Logto, a request without `scope` gets a token without any scope.
fn client_credentials(provider: &Provider, client: &MachineClient, params: &Params) -> Result<Response> {
    let target = Target::of_machine(&provider.config, client, params.get("resource")?, params.get("organization_id")?)?;
    let asked = words(params.get("scope")?);
    if asked.iter().any(|scope| SCOPES.contains(&&**scope)) {
        return Err(OAuthError::invalid_scope());
    }
    let subject = Subject::Machine(client);
    let scopes = target.scopes(&provider.config, subject, &asked);
    let scope = Some(scopes.join(" ")).filter(|scope| !scope.is_empty());
    let audience = target.audience().ok_or_else(OAuthError::invalid_target)?;
    let access_token = jwt(provider, subject, &client.id, &target, &audience, scope.as_deref())?;
    Ok(Response::new(provider, access_token, scope))
}

/// A token with everything that the app's roles grant at an API.
pub(crate) fn machine_token(provider: &Provider, client: &MachineClient, resource: &Resource) -> Result<String> {
    let form = [
        ("grant_type", "client_credentials"),
        ("resource", &*resource.indicator),
        ("scope", &*resource.scopes.join(" ")),
    ];
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Ok(client_credentials(provider, client, &Params::parse(form.as_bytes()))?.access_token)
}

fn user(tables: &Tables, authorization: &Authorization) -> Result<User> {
    tables
        .users
        .get(&authorization.grant.user)
        .cloned()
        .ok_or_else(|| OAuthError::invalid_grant("the user does not exist"))
}

#[derive(Serialize)]
pub(crate) struct Response {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl Response {
    /// Creates a response with an access token only.
    fn new(provider: &Provider, access_token: String, scope: Option<String>) -> Self {
        let expires_in = provider.config.access_token_lifetime.as_secs();
        Self { access_token, token_type: "Bearer", expires_in, scope, id_token: None, refresh_token: None }
    }

    /// As in Logto, `scope` is present but empty if the user has no permission.
    fn of_user(
        provider: &Provider,
        tables: &mut Tables,
        authorization: &Authorization,
        user: &User,
        scopes: &[String],
        target: &Target<'_>,
    ) -> Result<Self> {
        let subject = Subject::User(user);
        let scopes = target.scopes(&provider.config, subject, scopes);
        let scope = scopes.join(" ");
        let access_token = match target.audience() {
            None => tables.grants.issue_access_token(Arc::clone(&authorization.grant), scopes),
            Some(audience) => jwt(provider, subject, &provider.config.client_id, target, &audience, Some(&scope))?,
        };
        Ok(Self::new(provider, access_token, Some(scope)))
    }
}

fn jwt(
    provider: &Provider,
    subject: Subject<'_>,
    client_id: &str,
    target: &Target<'_>,
    audience: &str,
    scope: Option<&str>,
) -> Result<String> {
    let mut claims = lasting(provider, provider.config.access_token_lifetime.as_secs());
    let mut add = |name: &str, value: &str| drop(claims.insert(name.to_owned(), json!(value)));
    add("jti", &random());
    add("sub", subject.id());
    add("aud", audience);
    add("client_id", client_id);
    if let Some(scope) = scope {
        add("scope", scope);
    }
    if let Target::Resource { organization: Some(organization), .. } = target {
        add("organization_id", organization);
    }
    provider.keys().sign("at+jwt", &claims)
}

fn id_token(
    provider: &Provider,
    authorization: &Authorization,
    user: &User,
    scopes: &[String],
    at_hash: Option<String>,
) -> Result<Option<String>> {
    if !scopes.iter().any(|scope| scope == "openid") {
        return Ok(None);
    }
    let mut claims = lasting(provider, ID_TOKEN_LIFETIME.as_secs());
    claims.extend(claims::of_id_token(user, scopes, &provider.config));
    claims.insert("aud".to_owned(), json!(provider.config.client_id));
    claims.extend(authorization.nonce.iter().map(|nonce| ("nonce".to_owned(), json!(nonce))));
    claims.extend(at_hash.map(|at_hash| ("at_hash".to_owned(), json!(at_hash))));
    provider.keys().sign("JWT", &claims).map(Some)
}

/// Returns the claims of a token that is valid for `seconds`.
fn lasting(provider: &Provider, seconds: u64) -> Map<String, Value> {
    let now = epoch_seconds();
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
