//! Keys of every kind, their JWKs, and tokens signed with them.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{digest, hmac, rand::SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Keys that several tests of a process share, each generated at its first use. The `kid` is the algorithm.
pub static RS256: LazyLock<Key> = LazyLock::new(|| Key::rs256("RS256"));
pub static PS256: LazyLock<Key> = LazyLock::new(|| Key::ps256("PS256"));
pub static ES256: LazyLock<Key> = LazyLock::new(|| Key::es256("ES256"));
pub static ES384: LazyLock<Key> = LazyLock::new(|| Key::es384("ES384"));
pub static ES512: LazyLock<Key> = LazyLock::new(|| Key::es512("ES512"));
pub static EDDSA: LazyLock<Key> = LazyLock::new(|| Key::ed25519("EdDSA"));

/// One shared key per algorithm that a client may accept.
pub fn one_per_algorithm() -> [&'static Key; 6] {
    [&RS256, &PS256, &ES256, &ES384, &ES512, &EDDSA]
}

/// A private key, with the algorithm that it signs by and the `kid` that it goes by.
#[derive(Clone)]
pub struct Key {
    pub kid: String,
    pub algorithm: &'static str,
    secret: Secret,
}

#[derive(Clone)]
enum Secret {
    Ecdsa(Arc<EcdsaKeyPair>),
    Ed25519(Arc<Ed25519KeyPair>),
    Rsa(Arc<RsaKeyPair>),
    Hmac(Vec<u8>),
    /// Signs with an empty signature.
    Nothing,
}

impl Key {
    pub fn es256(kid: &str) -> Self {
        Self::ecdsa(kid, "ES256", &ECDSA_P256_SHA256_FIXED_SIGNING)
    }

    pub fn es384(kid: &str) -> Self {
        Self::ecdsa(kid, "ES384", &ECDSA_P384_SHA384_FIXED_SIGNING)
    }

    pub fn es512(kid: &str) -> Self {
        Self::ecdsa(kid, "ES512", &ECDSA_P521_SHA512_FIXED_SIGNING)
    }

    pub fn ed25519(kid: &str) -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key pair");
        Self { kid: kid.into(), algorithm: "EdDSA", secret: Secret::Ed25519(Arc::new(pair)) }
    }

    pub fn rs256(kid: &str) -> Self {
        Self::rsa(kid, "RS256")
    }

    pub fn ps256(kid: &str) -> Self {
        Self::rsa(kid, "PS256")
    }

    pub fn hs256(kid: &str, secret: &[u8]) -> Self {
        Self { kid: kid.into(), algorithm: "HS256", secret: Secret::Hmac(secret.into()) }
    }

    /// A key that signs nothing and claims to be of `algorithm`.
    pub fn none(kid: &str, algorithm: &'static str) -> Self {
        Self { kid: kid.into(), algorithm, secret: Secret::Nothing }
    }

    fn ecdsa(kid: &str, algorithm: &'static str, signing: &'static EcdsaSigningAlgorithm) -> Self {
        let pair = EcdsaKeyPair::generate(signing).expect("a key pair");
        Self { kid: kid.into(), algorithm, secret: Secret::Ecdsa(Arc::new(pair)) }
    }

    fn rsa(kid: &str, algorithm: &'static str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key pair");
        Self { kid: kid.into(), algorithm, secret: Secret::Rsa(Arc::new(pair)) }
    }

    /// Returns the public key as a JWK that any algorithm of its kind may use: without `alg` and `use`.
    pub fn jwk(&self) -> Value {
        let kid = &self.kid;
        match &self.secret {
            Secret::Ecdsa(_) => {
                // 0x04, then both coordinates.
                let point = &self.public_bytes()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = match self.algorithm {
                    "ES256" => "P-256",
                    "ES384" => "P-384",
                    _ => "P-521",
                };
                json!({"kty": "EC", "kid": kid, "crv": curve, "x": base64url(x), "y": base64url(y)})
            }
            Secret::Ed25519(_) => {
                json!({"kty": "OKP", "kid": kid, "crv": "Ed25519", "x": base64url(self.public_bytes())})
            }
            Secret::Rsa(pair) => {
                let PublicKeyComponents { n, e } = PublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({"kty": "RSA", "kid": kid, "n": base64url(n), "e": base64url(e)})
            }
            Secret::Hmac(secret) => json!({"kty": "oct", "kid": kid, "k": base64url(secret)}),
            Secret::Nothing => json!({"kty": "none", "kid": kid}),
        }
    }

    /// Returns the public key as a JWK that is bound to signatures by its algorithm, as the key set has it.
    pub fn bound_jwk(&self) -> Value {
        let mut jwk = self.jwk();
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(self.algorithm);
        jwk
    }

    /// Returns the bytes of the public key, which an attacker may pass off as the secret of an HMAC.
    pub fn public_bytes(&self) -> &[u8] {
        match &self.secret {
            Secret::Ecdsa(pair) => pair.public_key().as_ref(),
            Secret::Ed25519(pair) => pair.public_key().as_ref(),
            Secret::Rsa(pair) => pair.public_key().as_ref(),
            Secret::Hmac(_) | Secret::Nothing => &[],
        }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.secret {
            Secret::Ecdsa(pair) => pair.sign(&SystemRandom::new(), message).expect("a signature").as_ref().to_vec(),
            Secret::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Secret::Rsa(pair) => {
                let padding: &dyn RsaEncoding =
                    if self.algorithm == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut signature).expect("a signature");
                signature
            }
            Secret::Hmac(secret) => hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec(),
            Secret::Nothing => Vec::new(),
        }
    }

    /// Signs claims under a header of `alg` and `kid` alone.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.algorithm, "kid": self.kid}), claims)
    }

    /// Signs claims under any header.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        let signature = base64url(self.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

/// A token before it is signed, so that each part can be changed.
pub struct Jwt {
    pub header: Value,
    pub claims: Value,
    pub key: Key,
}

impl Jwt {
    /// Creates a token of the type (`typ`) `JWT`.
    pub fn new(key: Key, claims: Value) -> Self {
        let header = json!({"alg": key.algorithm, "typ": "JWT", "kid": key.kid});
        Self { header, claims, key }
    }

    /// Returns the claims of a signed token; `None` if it is not a JWT.
    pub fn claims_of(token: &str) -> Option<Value> {
        let [_, claims, _] = token.split('.').collect::<Vec<_>>().try_into().ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// Changes the key that signs, and the header to match.
    pub fn sign_with(&mut self, key: &Key) {
        self.header["alg"] = json!(key.algorithm);
        self.header["kid"] = json!(key.kid);
        self.key = key.clone();
    }

    pub fn encode(&self) -> String {
        self.key.token_with(&self.header, &self.claims)
    }
}

/// Returns the `at_hash` of an access token: the left half of the hash that goes with the ID token's algorithm.
pub fn at_hash(access_token: &str, algorithm: &str) -> String {
    let hash = match algorithm {
        "ES384" => &digest::SHA384,
        "ES512" | "EdDSA" => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let hash = digest::digest(hash, access_token.as_bytes());
    base64url(&hash.as_ref()[..hash.as_ref().len() / 2])
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
