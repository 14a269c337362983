//! The end-session endpoint (RP-Initiated Logout): where an app sends the browser to sign out.

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

/// Ends the session here. Tokens stay good: it is the app that revokes its own.
pub(crate) async fn end_session(State(provider): State<Shared>, headers: HeaderMap, params: Params) -> Response {
    let back = match way_back(&provider.config, &params) {
        Ok(back) => back,
        Err(error) => return page::problem(&provider, "The app sent a wrong request", &error.description),
    };
    let mut tables = provider.tables();
    if let Some(session) = provider.session(&tables, &headers) {
        tables.sessions.remove(&session);
    }
    let answer = match back {
        Some(back) => Redirect::to(&back).into_response(),
        None => page::html(&Page { root: &provider.root }),
    };
    ([(SET_COOKIE, provider.removed_cookie())], answer).into_response()
}

/// Where the browser goes afterwards; `None` if it stays here.
fn way_back(config: &Config, params: &Params) -> Result<Option<String>> {
    let client_id = params.get("client_id")?;
    if client_id.is_some_and(|id| id != config.client_id) {
        return Err(OAuthError::invalid_request("There is no client of this client_id."));
    }
    let Some(uri) = params.get("post_logout_redirect_uri")? else { return Ok(None) };
    if client_id.is_none() {
        return Err(OAuthError::invalid_request("A post_logout_redirect_uri needs a client_id with it."));
    }
    if !config.post_logout_redirect_uris.iter().any(|registered| registered == uri) {
        let registered = config.post_logout_redirect_uris.join(" ");
        let description = format!("The post_logout_redirect_uri {uri} is not registered. Those that are: {registered}");
        return Err(OAuthError::invalid_request(description));
    }
    let Some(state) = params.get("state")? else { return Ok(Some(uri.to_owned())) };
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
    let separator = if uri.contains('?') { '&' } else { '?' };
    Ok(Some(format!("{uri}{separator}{query}")))
}
