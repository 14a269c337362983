//! The keys that sign tokens.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256,
};
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::config::StartError;
use crate::error::{OAuthError, Result};
use crate::state::Shared;

/// The algorithm that signs tokens. In Logto, the operator chooses it with the signing key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// ECDSA with P-384, Logto's default.
    #[default]
    Es384,
    /// ECDSA with P-521.
    Es512,
    /// RSA with PKCS #1 v1.5.
    Rs256,
    /// RSA with PSS.
    Ps256,
}

impl SigningAlgorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// Returns `at_hash`, which binds an ID token to the access token issued with it (`OpenID` Connect Core, section
    /// 3.1.3.6).
    pub(crate) fn at_hash(self, access_token: &str) -> String {
        let hash = digest(self.digest(), access_token.as_bytes());
        base64(&hash.as_ref()[..hash.as_ref().len() / 2])
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Es384 => &SHA384,
            Self::Es512 => &SHA512,
            Self::Rs256 | Self::Ps256 => &SHA256,
        }
    }
}

enum KeyPair {
    Ec(EcdsaKeyPair),
    Rsa(rsa::KeyPair),
}

struct SigningKey {
    algorithm: SigningAlgorithm,
    pair: KeyPair,
    /// The thumbprint (RFC 7638).
    id: String,
    public: Value,
}

impl SigningKey {
    fn generate(algorithm: SigningAlgorithm) -> std::result::Result<Self, StartError> {
        let pair = match algorithm {
            SigningAlgorithm::Es384 => EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map(KeyPair::Ec),
            SigningAlgorithm::Es512 => EcdsaKeyPair::generate(&ECDSA_P521_SHA512_FIXED_SIGNING).map(KeyPair::Ec),
            SigningAlgorithm::Rs256 | SigningAlgorithm::Ps256 => {
                rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map(KeyPair::Rsa)
            }
        };
        let pair = pair.map_err(|_| StartError::SigningKey)?;
        let (id, public) = match &pair {
            KeyPair::Ec(pair) => {
                let curve = if algorithm == SigningAlgorithm::Es512 { "P-521" } else { "P-384" };
                // An uncompressed point: a prefix byte and two coordinates.
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let (x, y) = (base64(x), base64(y));
                let id = thumbprint(&format!(r#"{{"crv":"{curve}","kty":"EC","x":"{x}","y":"{y}"}}"#));
                let public = json!({
                    "kty": "EC", "crv": curve, "x": x, "y": y, "alg": algorithm.name(), "use": "sig", "kid": id,
                });
                (id, public)
            }
            KeyPair::Rsa(pair) => {
                let e = base64(pair.public_key().exponent().big_endian_without_leading_zero());
                let n = base64(pair.public_key().modulus().big_endian_without_leading_zero());
                let id = thumbprint(&format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#));
                // Without `alg`, as in Logto: the key can be used for RS256 and PS256.
                let public = json!({ "kty": "RSA", "e": e, "n": n, "use": "sig", "kid": id });
                (id, public)
            }
        };
        Ok(Self { algorithm, pair, id, public })
    }

    fn sign(&self, kind: &str, claims: &Map<String, Value>) -> Result<String> {
        let header = json!({ "alg": self.algorithm.name(), "typ": kind, "kid": self.id }).to_string();
        let claims = serde_json::to_vec(claims).map_err(|_| cannot_sign())?;
        let signed = format!("{}.{}", base64(header.as_bytes()), base64(&claims));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            KeyPair::Ec(pair) => pair.sign(&random, signed.as_bytes()).map_err(|_| cannot_sign())?.as_ref().to_vec(),
            KeyPair::Rsa(pair) => {
                let padding =
                    if self.algorithm == SigningAlgorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, signed.as_bytes(), &mut signature).map_err(|_| cannot_sign())?;
                signature
            }
        };
        Ok(format!("{signed}.{}", base64(&signature)))
    }
}

/// The current signing key and the previous one.
pub(crate) struct Keys {
    current: SigningKey,
    previous: Option<SigningKey>,
}

impl Keys {
    /// Generates a new key at every start. Apps that keep running have to fetch the JWK set again, as after a rotation.
    pub(crate) fn generate(algorithm: SigningAlgorithm) -> std::result::Result<Self, StartError> {
        Ok(Self { current: SigningKey::generate(algorithm)?, previous: None })
    }

    pub(crate) fn rotate(&mut self) -> std::result::Result<(), StartError> {
        let next = SigningKey::generate(self.current.algorithm)?;
        self.previous = Some(std::mem::replace(&mut self.current, next));
        Ok(())
    }

    pub(crate) fn sign(&self, kind: &str, claims: &Map<String, Value>) -> Result<String> {
        self.current.sign(kind, claims)
    }
}

pub(crate) async fn key_set(State(provider): State<Shared>) -> Json<Value> {
    let keys = provider.keys();
    let public: Vec<_> =
        [Some(&keys.current), keys.previous.as_ref()].into_iter().flatten().map(|key| &key.public).collect();
    Json(json!({ "keys": public }))
}

fn thumbprint(members: &str) -> String {
    base64(digest(&SHA256, members.as_bytes()).as_ref())
}

fn base64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn cannot_sign() -> OAuthError {
    OAuthError::new("server_error", "the token could not be signed")
}
