//! Keys of every kind, their JWKs, and tokens signed with them.

use std::sync::Arc;

use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac, rand::SystemRandom};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) algorithm: &'static str,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Ecdsa(Arc<EcdsaKeyPair>),
    Rsa(Arc<RsaKeyPair>),
    Hmac(Vec<u8>),
    /// Signs with an empty signature.
    Nothing,
}

impl Key {
    pub(crate) fn es256(kid: &str) -> Self {
        Self::ecdsa(kid, "ES256", &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub(crate) fn es384(kid: &str) -> Self {
        Self::ecdsa(kid, "ES384", &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    pub(crate) fn es512(kid: &str) -> Self {
        Self::ecdsa(kid, "ES512", &ECDSA_P521_SHA512_FIXED_SIGNING)
    }

    fn ecdsa(kid: &str, algorithm: &'static str, signing: &'static EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(signing).expect("a key pair");
        Self { kid: kid.into(), algorithm, secret: Secret::Ecdsa(Arc::new(pair)) }
    }

    pub(crate) fn rs256(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key pair");
        Self { kid: kid.into(), algorithm: "RS256", secret: Secret::Rsa(Arc::new(pair)) }
    }

    pub(crate) fn hs256(kid: &str, secret: &[u8]) -> Self {
        Self { kid: kid.into(), algorithm: "HS256", secret: Secret::Hmac(secret.into()) }
    }

    /// Signs nothing, and calls itself `algorithm`.
    pub(crate) fn none(kid: &str, algorithm: &'static str) -> Self {
        Self { kid: kid.into(), algorithm, secret: Secret::Nothing }
    }

    /// The public part, as the key set shows it.
    pub(crate) fn jwk(&self) -> Value {
        let (kid, alg) = (&self.kid, self.algorithm);
        match &self.secret {
            Secret::Ecdsa(_) => {
                let point = self.public_bytes();
                // 0x04, then both coordinates.
                let (x, y) = point[1..].split_at(point.len() / 2);
                let curve = match alg {
                    "ES256" => "P-256",
                    "ES384" => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "use": "sig", "kid": kid, "alg": alg, "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Secret::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "use": "sig", "kid": kid, "alg": alg, "n": base64url(&n), "e": base64url(&e)})
            }
            Secret::Hmac(secret) => {
                json!({"kty": "oct", "use": "sig", "kid": kid, "alg": alg, "k": base64url(secret)})
            }
            Secret::Nothing => json!({"kty": "none", "kid": kid}),
        }
    }

    /// What an attacker knows of it, as it may be taken for the secret of an HMAC.
    pub(crate) fn public_bytes(&self) -> Vec<u8> {
        match &self.secret {
            Secret::Ecdsa(pair) => pair.public_key().as_ref().to_vec(),
            Secret::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Secret::Hmac(_) | Secret::Nothing => Vec::new(),
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec(),
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("a signature");
                signature
            }
            Secret::Hmac(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec(),
            Secret::Nothing => Vec::new(),
        }
    }
}

/// A token before it is signed, so that each part can be bent.
pub(crate) struct Jwt {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    pub(crate) key: Key,
}

impl Jwt {
    pub(crate) fn new(key: Key, claims: Value) -> Self {
        let header = json!({"alg": key.algorithm, "typ": "JWT", "kid": key.kid});
        Self { header, claims, key }
    }

    /// Signs with another key, and says so in the header.
    pub(crate) fn sign_with(&mut self, key: &Key) {
        self.header["alg"] = json!(key.algorithm);
        self.header["kid"] = json!(key.kid);
        self.key = key.clone();
    }

    pub(crate) fn encode(&self) -> String {
        let message = format!("{}.{}", base64url(self.header.to_string()), base64url(self.claims.to_string()));
        let signature = base64url(self.key.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// The left half of the hash that goes with the algorithm of the ID token.
pub(crate) fn at_hash(access_token: &str, algorithm: &str) -> String {
    let hash = match algorithm {
        "ES384" => &digest::SHA384,
        "ES512" => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let hash = digest::digest(hash, access_token.as_bytes());
    base64url(&hash.as_ref()[..hash.as_ref().len() / 2])
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
