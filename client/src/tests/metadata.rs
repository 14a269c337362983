use serde_json::{Value, json};

use crate::error::{RequestError, RequestErrorKind};
use crate::oidc::metadata::{Document, ProviderMetadata};

fn check(issuer: &str, changed: (&str, &str)) -> Result<ProviderMetadata, RequestError> {
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/auth"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
    });
    document[changed.0] = Value::from(changed.1);
    serde_json::from_value::<Document>(document).unwrap().check(issuer)
}

#[test]
fn an_issuer_on_https_has_no_endpoint_on_http() {
    const ISSUER: &str = "https://tenant.logto.app/oidc";
    for endpoint in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "revocation_endpoint",
        "introspection_endpoint",
        "end_session_endpoint",
    ] {
        assert!(check(ISSUER, (endpoint, "https://login.example.com/x")).is_ok(), "{endpoint}");

        let error = check(ISSUER, (endpoint, "http://tenant.logto.app/oidc/x")).err().expect(endpoint);

        assert!(matches!(error.kind(), RequestErrorKind::Endpoint(name) if *name == endpoint), "{error}");
    }
}

#[test]
fn an_issuer_on_http_may_have_endpoints_on_either() {
    for url in ["http://localhost:3001/x", "https://login.example.com/x"] {
        assert!(check("http://localhost:3001/oidc", ("token_endpoint", url)).is_ok(), "{url}");
    }
}
