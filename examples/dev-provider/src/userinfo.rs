//! The user info endpoint.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use serde_json::{Map, Value};

use crate::claims;
use crate::error::{OAuthError, Result};
use crate::state::Shared;

pub(crate) async fn userinfo(State(provider): State<Shared>, headers: HeaderMap) -> Result<Json<Map<String, Value>>> {
    let tables = provider.tables();
    let invalid = || OAuthError::new("invalid_token", "the access token is missing, unknown, expired or revoked");
    let token = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()).and_then(bearer);
    let token = token.and_then(|token| tables.grants.access_token(token)).ok_or_else(invalid)?;
    if !token.scopes.iter().any(|scope| scope == "openid") {
        return Err(OAuthError::new("insufficient_scope", "the access token lacks the scope openid"));
    }
    let user = tables.users.get(&token.grant.user).filter(|user| !user.is_suspended).ok_or_else(invalid)?;
    Ok(Json(claims::of_user_info(user, &token.scopes, &provider.config)))
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}
