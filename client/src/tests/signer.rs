//! Keys that sign ID tokens as a provider does, made when a test first wants one.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// A key, and the `alg` that it signs by. Its `kid` is the `alg`.
pub(super) struct Signer {
    pub(super) algorithm: &'static str,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ec { curve: &'static str, pair: EcdsaKeyPair },
    Ed(Ed25519KeyPair),
}

pub(super) static RS256: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("RS256"));
pub(super) static PS256: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("PS256"));
pub(super) static ES256: LazyLock<Signer> =
    LazyLock::new(|| Signer::ec("ES256", "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING));
pub(super) static ES384: LazyLock<Signer> =
    LazyLock::new(|| Signer::ec("ES384", "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING));
pub(super) static ES512: LazyLock<Signer> =
    LazyLock::new(|| Signer::ec("ES512", "P-521", &ECDSA_P521_SHA512_FIXED_SIGNING));
pub(super) static EDDSA: LazyLock<Signer> =
    LazyLock::new(|| Signer { algorithm: "EdDSA", key: Key::Ed(Ed25519KeyPair::generate().unwrap()) });

/// One of each algorithm that is accepted.
pub(super) fn all() -> [&'static Signer; 6] {
    [&RS256, &PS256, &ES256, &ES384, &ES512, &EDDSA]
}

pub(super) fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

impl Signer {
    fn rsa(algorithm: &'static str) -> Self {
        Self { algorithm, key: Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()) }
    }

    pub(super) fn ec(algorithm: &'static str, curve: &'static str, signing: &'static EcdsaSigningAlgorithm) -> Self {
        Self { algorithm, key: Key::Ec { curve, pair: EcdsaKeyPair::generate(signing).unwrap() } }
    }

    /// The public key, without `alg` and `use`.
    pub(super) fn jwk(&self) -> Value {
        match &self.key {
            Key::Rsa(pair) => {
                // A sequence of the modulus, 257 bytes with its sign, and the exponent, 65537 (RFC 8017, A.1.1).
                let der = pair.public_key().as_ref();
                assert_eq!((der.len(), &der[265..]), (270, &[2, 3, 1, 0, 1][..]));
                json!({ "kty": "RSA", "kid": self.algorithm, "n": encode(&der[9..265]), "e": "AQAB" })
            }
            Key::Ec { curve, pair } => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "kid": self.algorithm, "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Key::Ed(pair) => {
                json!({ "kty": "OKP", "kid": self.algorithm, "crv": "Ed25519", "x": encode(pair.public_key()) })
            }
        }
    }

    /// The bytes of the public key, as whoever mistakes it for a secret would take them.
    pub(super) fn public_key(&self) -> &[u8] {
        match &self.key {
            Key::Rsa(pair) => pair.public_key().as_ref(),
            Key::Ec { pair, .. } => pair.public_key().as_ref(),
            Key::Ed(pair) => pair.public_key().as_ref(),
        }
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Rsa(pair) => {
                let padding = if self.algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 as _ };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).unwrap();
                signature
            }
            Key::Ec { pair, .. } => pair.sign(&SystemRandom::new(), message).unwrap().as_ref().to_vec(),
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }

    pub(super) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "alg": self.algorithm, "kid": self.algorithm }), claims)
    }

    pub(super) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = encode(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}
