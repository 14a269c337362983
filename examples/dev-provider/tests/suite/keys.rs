//! The signing keys.

use aws_lc_rs::digest::{Algorithm, SHA256, SHA384, SHA512, digest};
use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use dev_provider::{Config, DevProvider, SigningAlgorithm};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::{Value, json};

use crate::app::{API, Answer, Visitor, config, refresh, start, tokens, verified};

async fn key_set(provider: &DevProvider) -> Vec<Value> {
    let mut answer = Answer::of(Visitor::new().get(&format!("{}/jwks", provider.issuer())).await).await;
    serde_json::from_value(answer.body["keys"].take()).unwrap()
}

async fn signing(algorithm: SigningAlgorithm) -> DevProvider {
    DevProvider::start(Config { signing_algorithm: algorithm, ..config() }).await.unwrap()
}

fn part(jwt: &str, index: usize) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(index).unwrap()).unwrap()
}

fn json_part(jwt: &str, index: usize) -> Value {
    serde_json::from_slice(&part(jwt, index)).unwrap()
}

#[tokio::test]
async fn tokens_are_signed_with_the_algorithm_that_is_configured() {
    for (algorithm, name, hash) in [
        (SigningAlgorithm::Es384, "ES384", &SHA384),
        (SigningAlgorithm::Es512, "ES512", &SHA512),
        (SigningAlgorithm::Rs256, "RS256", &SHA256),
        (SigningAlgorithm::Ps256, "PS256", &SHA256),
    ] {
        let provider = signing(algorithm).await;
        let tokens = tokens(&provider, "Alice", &[("resource", API)]).await;
        let access_token = refresh(&provider, tokens.get("refresh_token"), &[("resource", API)]).await;

        for (token, kind) in [(tokens.get("id_token"), "JWT"), (access_token.get("access_token"), "at+jwt")] {
            let header = json_part(token, 0);
            assert_eq!((&header["alg"], &header["typ"]), (&json!(name), &json!(kind)));
            let keys = key_set(&provider).await;
            let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
            assert_signed(token, name, key);
        }
        assert_eq!(
            json_part(tokens.get("id_token"), 1)["at_hash"],
            half_hash(hash, tokens.get("access_token")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn an_rsa_key_is_listed_without_an_algorithm() {
    for (algorithm, kind, alg) in [
        (SigningAlgorithm::Es384, "EC", Some("ES384")),
        (SigningAlgorithm::Es512, "EC", Some("ES512")),
        (SigningAlgorithm::Rs256, "RSA", None),
        (SigningAlgorithm::Ps256, "RSA", None),
    ] {
        let key = &key_set(&signing(algorithm).await).await[0];
        assert_eq!((&key["kty"], key.get("alg").and_then(Value::as_str)), (&json!(kind), alg));
        assert_eq!((&key["use"], key.get("d"), key.get("p")), (&json!("sig"), None, None));
    }
}

#[tokio::test]
async fn after_a_rotation_the_set_has_both_keys() {
    let provider = start().await;
    let old = tokens(&provider, "Alice", &[]).await;

    provider.rotate_signing_key().unwrap();

    let new = tokens(&provider, "Alice", &[]).await;
    assert_eq!(key_set(&provider).await.len(), 2);
    let (old_header, _) = verified(&provider, old.get("id_token"), "dev-client").await;
    let (new_header, _) = verified(&provider, new.get("id_token"), "dev-client").await;
    assert_ne!(old_header.kid, new_header.kid);

    provider.rotate_signing_key().unwrap();

    let keys = key_set(&provider).await;
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key["kid"].as_str() != old_header.kid.as_deref()), "the oldest is gone");
}

fn assert_signed(token: &str, algorithm: &str, key: &Value) {
    if algorithm != "ES512" {
        let jwk: Jwk = serde_json::from_value(key.clone()).unwrap();
        let mut validation = Validation::new(algorithm.parse().unwrap());
        validation.validate_aud = false;
        jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).unwrap();
        return;
    }
    // Which jsonwebtoken does not know.
    assert_eq!(key["crv"], "P-521");
    let coordinate = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let (signed, _) = token.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point).verify(signed.as_bytes(), &part(token, 2)).unwrap();
}

fn half_hash(algorithm: &'static Algorithm, token: &str) -> String {
    let hash = digest(algorithm, token.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}
