//! The introspection endpoint (RFC 7662), for opaque access tokens and refresh tokens.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::client_auth::authenticate;
use crate::error::Result;
use crate::params::Form;
use crate::state::Shared;

/// As in Logto, a JWT is reported as inactive: only its signature shows that it is valid.
pub(crate) async fn introspect(
    State(provider): State<Shared>,
    headers: HeaderMap,
    Form(params): Form,
) -> Result<Json<Value>> {
    authenticate(&provider.config, &headers, &params)?;
    let tables = provider.tables();
    let Some(token) = tables.grants.live_token(params.require("token")?) else {
        return Ok(Json(json!({ "active": false })));
    };
    let mut answer = json!({
        "active": true,
        "sub": token.grant.user,
        "client_id": provider.config.client_id,
        "exp": token.issued_at.saturating_add(token.lifetime.as_secs()),
        "iat": token.issued_at,
        "sid": token.grant.session_id,
        "iss": provider.issuer,
        "scope": token.scopes.join(" "),
    });
    if token.is_access_token {
        answer["token_type"] = json!("Bearer");
    }
    Ok(Json(answer))
}
