use fake_provider::keys::{EDDSA, ES256, ES384, ES512, RS256, base64url as encode};
use serde_json::{Value, json};

use crate::oidc::jwks::JwkSet;
use crate::oidc::jwt::Algorithm::{self, EdDsa as Ed, Es256, Es384, Es512, Ps256, Rs256};

const ALL: [Algorithm; 6] = [Rs256, Ps256, Es256, Es384, Es512, Ed];

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

fn without(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

/// The algorithms that the key serves.
fn serves(jwk: Value) -> Vec<Algorithm> {
    let keys = JwkSet::new(vec![jwk]);
    ALL.into_iter().filter(|algorithm| keys.find(None, *algorithm).next().is_some()).collect()
}

#[test]
fn a_key_serves_the_algorithms_of_its_kind() {
    assert_eq!(serves(RS256.jwk()), [Rs256, Ps256]);
    assert_eq!(serves(ES256.jwk()), [Es256]);
    assert_eq!(serves(ES384.jwk()), [Es384]);
    assert_eq!(serves(ES512.jwk()), [Es512]);
    assert_eq!(serves(EDDSA.jwk()), [Ed]);
}

#[test]
fn a_key_that_is_bound_to_an_algorithm_serves_no_other() {
    for (jwk, alg, serving) in [
        (RS256.jwk(), "RS256", &[Rs256][..]),
        (RS256.jwk(), "PS256", &[Ps256]),
        (RS256.jwk(), "RS512", &[]),
        (RS256.jwk(), "RSA-OAEP", &[]),
        (RS256.jwk(), "HS256", &[]),
        (RS256.jwk(), "something new", &[]),
        (ES256.jwk(), "ES256", &[Es256]),
        (ES256.jwk(), "ES384", &[]),
        (EDDSA.jwk(), "EdDSA", &[Ed]),
    ] {
        assert_eq!(serves(with(jwk, "alg", json!(alg))), serving, "{alg}");
    }
}

#[test]
fn keys_that_are_not_for_signatures_are_passed_over() {
    assert_eq!(serves(with(ES384.jwk(), "use", json!("sig"))), [Es384]);
    for other in ["enc", "SIG", "", "tls"] {
        assert!(serves(with(ES384.jwk(), "use", json!(other))).is_empty(), "{other:?}");
    }
}

#[test]
fn keys_of_other_kinds_are_passed_over() {
    for jwk in [
        json!({ "kty": "oct", "k": encode("secret") }),
        json!({ "kty": "oct", "k": encode("secret"), "alg": "HS256" }),
        with(ES512.jwk(), "crv", json!("P-256")),
        with(ES256.jwk(), "crv", json!("secp256k1")),
        with(EDDSA.jwk(), "crv", json!("X25519")),
        with(EDDSA.jwk(), "crv", json!("Ed448")),
        with(ES256.jwk(), "kty", json!("something new")),
        without(ES256.jwk(), "kty"),
        without(ES256.jwk(), "y"),
        without(RS256.jwk(), "n"),
        with(RS256.jwk(), "e", json!("!")),
        json!({}),
        json!([]),
        json!(null),
        json!("key"),
    ] {
        assert!(serves(jwk.clone()).is_empty(), "{jwk}");
    }
}

#[test]
fn an_unusable_key_does_no_harm_to_the_others() {
    let keys = JwkSet::new(vec![
        json!(null),
        without(ES256.jwk(), "x"),
        json!({ "kty": "oct", "k": "AA" }),
        ES384.jwk(),
        json!({}),
    ]);
    assert_eq!(keys.find(Some("ES384"), Es384).count(), 1);
}

#[test]
fn a_key_is_found_by_its_id_or_without_one_by_its_kind() {
    let second = with(ES384.jwk(), "kid", json!("second"));
    let nameless = without(ES384.jwk(), "kid");
    let keys = JwkSet::new(vec![ES384.jwk(), second, nameless, ES256.jwk()]);
    for (id, count) in [(Some("ES384"), 1), (Some("second"), 1), (Some("ES256"), 0), (Some(""), 0), (None, 3)] {
        assert_eq!(keys.find(id, Es384).count(), count, "{id:?}");
    }
    assert_eq!(keys.find(Some("es384"), Es384).count(), 0, "an id is taken as it is");
}

#[test]
fn an_id_may_be_on_several_keys() {
    // RFC 7517, section 4.5: equivalent keys of different kinds may share one.
    let keys = JwkSet::new(vec![with(ES384.jwk(), "kid", json!("k")), with(ES256.jwk(), "kid", json!("k"))]);
    assert_eq!(keys.find(Some("k"), Es384).count(), 1);
    assert_eq!(keys.find(Some("k"), Es256).count(), 1);
}
