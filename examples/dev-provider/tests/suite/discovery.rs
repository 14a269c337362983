use dev_provider::{Config, DevProvider};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::app::{Answer, Visitor, config, exchange, start, user_info, verified};

async fn document(provider: &DevProvider) -> Value {
    let url = format!("{}/oidc/.well-known/openid-configuration", provider.endpoint());
    Answer::of(Visitor::new().get(&url).await).await.body
}

#[tokio::test]
async fn the_document_tells_what_clients_look_at() {
    let provider = start().await;

    let document = document(&provider).await;

    assert_eq!(document["issuer"], format!("{}/oidc", provider.endpoint()));
    for (name, path) in [
        ("authorization_endpoint", "auth"),
        ("token_endpoint", "token"),
        ("userinfo_endpoint", "me"),
        ("jwks_uri", "jwks"),
        ("introspection_endpoint", "token/introspection"),
        ("revocation_endpoint", "token/revocation"),
        ("end_session_endpoint", "session/end"),
    ] {
        let endpoint = format!("{}/oidc/{path}", provider.endpoint());
        assert_eq!(document[name], endpoint);
        assert_ne!(Visitor::new().get(&endpoint).await.status(), StatusCode::NOT_FOUND, "{endpoint}");
    }
    for (name, value) in [
        ("authorization_response_iss_parameter_supported", json!(true)),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("grant_types_supported", json!(["authorization_code", "refresh_token", "client_credentials"])),
        ("id_token_signing_alg_values_supported", json!(["ES384", "PS256", "RS256"])),
        ("response_types_supported", json!(["code"])),
        ("subject_types_supported", json!(["public"])),
        ("token_endpoint_auth_methods_supported", json!(["client_secret_basic", "none"])),
    ] {
        assert_eq!(document[name], value, "{name}");
    }
    let scopes = "openid offline_access profile email phone address custom_data identities roles \
                  urn:logto:scope:organizations urn:logto:scope:organization_roles urn:logto:scope:sessions";
    assert_eq!(document["scopes_supported"], json!(scopes.split(' ').collect::<Vec<_>>()));
}

#[tokio::test]
async fn it_is_the_same_for_every_client() {
    let provider = DevProvider::start(Config { client_secret: None, ..config() }).await.unwrap();
    let methods = &document(&provider).await["token_endpoint_auth_methods_supported"];
    assert_eq!(*methods, json!(["client_secret_basic", "none"]));
}

#[tokio::test]
async fn everything_is_under_a_base_path() {
    let endpoint = "http://127.0.0.1:0/identity/v1/".to_owned();
    let provider = DevProvider::start(Config { endpoint, ..config() }).await.unwrap();
    assert!(provider.endpoint().ends_with("/identity/v1"), "{}", provider.endpoint());
    assert_eq!(document(&provider).await["issuer"], format!("{}/oidc", provider.endpoint()));

    let callback = Visitor::new().sign_in(&provider, "Alice", &[]).await;
    assert_eq!(callback.get("iss").as_deref(), Some(provider.issuer()));
    let tokens = exchange(&provider, &callback.code()).await;

    verified(&provider, tokens.get("id_token"), &provider.config().client_id).await;
    assert_eq!(user_info(&provider, tokens.get("access_token")).await.body["name"], "Alice");
}

#[tokio::test]
async fn the_key_set_has_the_public_key_only() {
    let provider = start().await;

    let key_set = Answer::of(Visitor::new().get(&format!("{}/jwks", provider.issuer())).await).await.body;

    let key = &key_set["keys"][0];
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("EC"), &json!("P-384"), &json!("ES384"), &json!("sig"))
    );
    assert_eq!(key["d"], Value::Null);
}
