//! The provider's public keys (RFC 7517).

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::error::{Endpoint, RequestError};
use crate::http;

/// The keys that signatures can be verified with.
pub(crate) struct KeySet(Vec<Key>);

struct Key {
    id: Option<String>,
    /// Made for one algorithm: a P-256 key verifies nothing else than ES256.
    algorithms: &'static [Algorithm],
    public: DecodingKey,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

impl KeySet {
    pub(crate) async fn fetch(http: &reqwest::Client, uri: &Url) -> Result<Self, RequestError> {
        let document: Document = http::send(http, Endpoint::Keys, http.get(uri.clone())).await?.json()?;
        let keys = Self::of(document.keys);
        tracing::debug!(keys = keys.0.len(), "key set fetched");
        Ok(keys)
    }

    /// Keys of other kinds and uses are passed over: a provider may have them for others (RFC 7517, section 5).
    pub(crate) fn of(keys: Vec<Value>) -> Self {
        Self(keys.into_iter().filter_map(Key::of).collect())
    }

    /// The keys that may have made a signature by `algorithm`.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &DecodingKey> {
        self.0
            .iter()
            .filter(move |key| key.algorithms.contains(&algorithm) && (id.is_none() || key.id.as_deref() == id))
            .map(|key| &key.public)
    }
}

impl Key {
    fn of(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return None;
        }
        let algorithms: &[Algorithm] = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => &[Algorithm::RS256, Algorithm::PS256],
            AlgorithmParameters::EllipticCurve(key) => match key.curve {
                EllipticCurve::P256 => &[Algorithm::ES256],
                EllipticCurve::P384 => &[Algorithm::ES384],
                _ => return None,
            },
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
            _ => return None,
        };
        let algorithms = match jwk.common.key_algorithm {
            // A key may be bound to one of them.
            Some(bound) => {
                let bound: Algorithm = bound.to_string().parse().ok()?;
                let at = algorithms.iter().position(|algorithm| *algorithm == bound)?;
                &algorithms[at..=at]
            }
            None => algorithms,
        };
        Some(Self { id: jwk.common.key_id.clone(), algorithms, public: DecodingKey::from_jwk(&jwk).ok()? })
    }
}
