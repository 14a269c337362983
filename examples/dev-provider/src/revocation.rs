//! The revocation endpoint (RFC 7009).

use axum::extract::State;
use axum::http::HeaderMap;

use crate::client_auth::authenticate;
use crate::error::{OAuthError, Result};
use crate::params::Form;
use crate::state::Shared;

/// Succeeds for an unknown token, too (section 2.2).
pub(crate) async fn revoke(State(provider): State<Shared>, headers: HeaderMap, Form(params): Form) -> Result<()> {
    authenticate(&provider.config, &headers, &params)?;
    let token = params.require("token")?;
    // Only JWTs contain dots. They stay valid until they expire.
    if token.contains('.') {
        return Err(OAuthError::new("unsupported_token_type", "a JWT cannot be revoked"));
    }
    provider.tables().grants.revoke(token);
    Ok(())
}
