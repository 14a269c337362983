//! The discovery document (`OpenID` Connect Discovery 1.0, section 3).

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::claims::{CLAIMS, SCOPES};
use crate::keys::SigningAlgorithm;
use crate::state::Shared;

pub(crate) async fn discovery(State(provider): State<Shared>) -> Json<Value> {
    let issuer = &provider.issuer;
    // As in Logto, these describe all clients, not the configured one.
    let auth_methods = ["client_secret_basic", "none"];
    let mut algorithms = vec!["ES384", "PS256", "RS256"];
    if provider.config.signing_algorithm == SigningAlgorithm::Es512 {
        algorithms.push("ES512");
    }
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/me"),
        "jwks_uri": format!("{issuer}/jwks"),
        "revocation_endpoint": format!("{issuer}/token/revocation"),
        "end_session_endpoint": format!("{issuer}/session/end"),
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "claims_supported": CLAIMS,
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "id_token_signing_alg_values_supported": algorithms,
        "introspection_endpoint": format!("{issuer}/token/introspection"),
        "introspection_endpoint_auth_methods_supported": auth_methods,
        "prompt_values_supported": ["none", "login", "consent"],
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "response_modes_supported": ["query"],
        "response_types_supported": ["code"],
        "revocation_endpoint_auth_methods_supported": auth_methods,
        "scopes_supported": SCOPES,
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": auth_methods,
    }))
}
