//! The end-session endpoint (`OpenID` Connect RP-Initiated Logout 1.0).

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded;

use crate::config::Config;
use crate::error::{OAuthError, Result};
use crate::page;
use crate::params::Params;
use crate::state::Shared;

#[derive(Template)]
#[template(path = "signed_out.html")]
struct Page<'a> {
    root: &'a str,
}

/// Ends the browser's session. A grant with `offline_access` and its tokens outlive it.
pub(crate) async fn end_session(State(provider): State<Shared>, headers: HeaderMap, params: Params) -> Response {
    let back = match way_back(&provider.config, &params) {
        Ok(back) => back,
        Err(error) => return error.into_page(),
    };
    let mut tables = provider.tables();
    let session = provider.session(&tables, &headers);
    if let Some(session) = session.and_then(|session| tables.sessions.remove(&session)) {
        session.grant.end_with_session();
    }
    let answer = match back {
        Some(back) => Redirect::to(&back).into_response(),
        None => page::html(&Page { root: &provider.root }),
    };
    ([(SET_COOKIE, provider.unset_session())], answer).into_response()
}

/// Returns the URL to redirect to, or `None` to show the provider's own page.
fn way_back(config: &Config, params: &Params) -> Result<Option<String>> {
    let client_id = params.get("client_id")?;
    if client_id.is_some_and(|id| id != config.client_id) {
        return Err(OAuthError::new("invalid_client", "client is invalid"));
    }
    let Some(uri) = params.get("post_logout_redirect_uri")? else { return Ok(None) };
    if client_id.is_none() {
        let description = "either id_token_hint or client_id must be provided with post_logout_redirect_uri";
        return Err(OAuthError::invalid_request(description));
    }
    if !config.post_logout_redirect_uris.iter().any(|registered| registered == uri) {
        return Err(OAuthError::invalid_request("post_logout_redirect_uri not registered"));
    }
    let Some(state) = params.get("state")? else { return Ok(Some(uri.to_owned())) };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    Ok(Some(format!("{uri}{separator}{query}")))
}
