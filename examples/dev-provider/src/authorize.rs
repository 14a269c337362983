//! The authorization endpoint.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use url::form_urlencoded;

use crate::claims::SCOPES;
use crate::config::Config;
use crate::error::{OAuthError, Result};
use crate::grants::{Authorization, Code, Grant};
use crate::params::Params;
use crate::sign_in;
use crate::state::{Provider, Shared, Tables};

/// Where to send the response: a registered redirect URI, and the client's `state`.
#[derive(Clone)]
pub(crate) struct ReplyTo {
    redirect_uri: String,
    state: Option<String>,
}

/// A validated authorization request.
#[derive(Clone)]
pub(crate) struct AuthorizationRequest {
    pub(crate) reply_to: ReplyTo,
    /// The requested scopes that can be granted.
    scopes: Vec<String>,
    resources: Vec<String>,
    nonce: Option<String>,
    challenge: String,
    prompts: Vec<String>,
    pub(crate) login_hint: Option<String>,
    /// Whether to ask the user to create an account first.
    pub(crate) register: bool,
}

pub(crate) async fn authorize(State(provider): State<Shared>, headers: HeaderMap, params: Params) -> Response {
    let reply_to = match ReplyTo::read(&provider.config, &params) {
        Ok(reply_to) => reply_to,
        // The request may be forged, so the browser stays here.
        Err(error) => return error.into_page(),
    };
    let request = match AuthorizationRequest::read(&provider.config, &params, &reply_to) {
        Ok(request) => request,
        Err(error) => return reply_to.refuse(&provider, &error),
    };
    let mut tables = provider.tables();
    let session = provider.session(&tables, &headers);
    let asks = request.asks_for("login") || request.asks_for("consent");
    let granted = session.as_deref().filter(|_| !asks).and_then(|session| tables.grant_of_session(session));
    if let Some(grant) = granted {
        return Redirect::to(&request.grant(&provider, &mut tables, grant)).into_response();
    }
    if request.asks_for("none") {
        return reply_to.refuse(&provider, &OAuthError::new("login_required", "nobody is signed in"));
    }
    let user = session.and_then(|session| tables.sessions.get(&session)).map(|session| session.user.clone());
    sign_in::ask(&provider, &mut tables, &request, user.as_deref())
}

impl ReplyTo {
    pub(crate) fn read(config: &Config, params: &Params) -> Result<Self> {
        if params.require("client_id")? != config.client_id {
            return Err(OAuthError::new("invalid_client", "client is invalid"));
        }
        let redirect_uri = params.require("redirect_uri")?;
        if !config.redirect_uris.iter().any(|registered| registered == redirect_uri) {
            let description = "redirect_uri did not match any of the client's registered redirect_uris";
            return Err(OAuthError::new("invalid_redirect_uri", description));
        }
        // A repeated `state` is reported later, in a response without `state`.
        let state = params.get("state").ok().flatten().map(str::to_owned);
        Ok(Self { redirect_uri: redirect_uri.to_owned(), state })
    }

    pub(crate) fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub(crate) fn refuse(&self, provider: &Provider, error: &OAuthError) -> Response {
        Redirect::to(&self.refusal(provider, error)).into_response()
    }

    pub(crate) fn refusal(&self, provider: &Provider, error: &OAuthError) -> String {
        self.location(provider, &[("error", error.error), ("error_description", &error.description)])
    }

    fn location(&self, provider: &Provider, answer: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        // RFC 9207.
        query.append_pair("iss", &provider.issuer);
        let separator = if self.redirect_uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.redirect_uri, query.finish())
    }
}

impl AuthorizationRequest {
    pub(crate) fn read(config: &Config, params: &Params, reply_to: &ReplyTo) -> Result<Self> {
        params.get("state")?;
        for (parameter, error) in [
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
            ("max_age", "invalid_request"),
        ] {
            if params.get(parameter)?.is_some() {
                return Err(OAuthError::new(error, format!("{parameter} is not supported")));
            }
        }
        if params.require("response_type")? != "code" {
            return Err(OAuthError::new("unsupported_response_type", "response_type must be code"));
        }
        if params.get("response_mode")?.is_some_and(|mode| mode != "query") {
            return Err(OAuthError::new("unsupported_response_mode", "response_mode must be query"));
        }
        let prompts = words(params.get("prompt")?);
        if let Some(unknown) = prompts.iter().find(|prompt| !["none", "login", "consent"].contains(&&***prompt)) {
            return Err(OAuthError::invalid_request(format!("unknown prompt {unknown}")));
        }
        if prompts.len() > 1 && prompts.iter().any(|prompt| prompt == "none") {
            return Err(OAuthError::invalid_request("prompt none must be used alone"));
        }
        let resources: Vec<_> = params.all("resource").map(str::to_owned).collect();
        if !resources.iter().all(|resource| config.has_resource(resource)) {
            return Err(OAuthError::invalid_target());
        }
        let consent = prompts.iter().any(|prompt| prompt == "consent");
        Ok(Self {
            reply_to: reply_to.clone(),
            scopes: scopes(config, params, &resources, consent)?,
            resources,
            nonce: params.get("nonce")?.map(str::to_owned),
            challenge: challenge(params)?,
            prompts,
            login_hint: params.get("login_hint")?.map(str::to_owned),
            register: matches!(params.get("first_screen")?, Some("register" | "identifier:register"))
                || params.get("interaction_mode")? == Some("signUp"),
        })
    }

    fn asks_for(&self, prompt: &str) -> bool {
        self.prompts.iter().any(|own| own == prompt)
    }

    /// Returns the redirect URI with a code.
    pub(crate) fn grant(self, provider: &Provider, tables: &mut Tables, grant: Arc<Grant>) -> String {
        let redirect_uri = self.reply_to.redirect_uri.clone();
        let authorization = Authorization::new(grant, self.scopes, self.resources, self.nonce);
        let code =
            tables.grants.issue_code(Code { authorization, redirect_uri, challenge: self.challenge, used: false });
        self.reply_to.location(provider, &[("code", &code)])
    }
}

/// Returns the requested scopes that can be granted. Drops the others silently (RFC 6749, section 3.3).
fn scopes(config: &Config, params: &Params, resources: &[String], consent: bool) -> Result<Vec<String>> {
    let mut scopes = words(params.get("scope")?);
    if !scopes.iter().any(|scope| scope == "openid") {
        return Err(OAuthError::new("invalid_scope", "the scope openid is missing"));
    }
    let of_resources = resources.iter().flat_map(|resource| config.scopes_of_resource(resource));
    let mut grantable: Vec<_> = SCOPES.into_iter().chain(of_resources).collect();
    // `offline_access` requires consent (`OpenID` Connect Core, section 11).
    grantable.retain(|scope| *scope != "offline_access" || consent);
    scopes.retain(|scope| grantable.contains(&&**scope));
    Ok(scopes)
}

fn challenge(params: &Params) -> Result<String> {
    let challenge = params.require("code_challenge")?;
    if params.get("code_challenge_method")? != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
    }
    if BASE64_URL_SAFE_NO_PAD.decode(challenge).map_or(true, |hash| hash.len() != 32) {
        return Err(OAuthError::invalid_request("code_challenge is not a SHA-256 hash in base64url without padding"));
    }
    Ok(challenge.to_owned())
}

/// Splits a list into words, without duplicates.
pub(crate) fn words(list: Option<&str>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in list.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
        if !words.iter().any(|seen| seen == word) {
            words.push(word.to_owned());
        }
    }
    words
}
