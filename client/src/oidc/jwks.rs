//! The provider's public keys: JWK sets (RFC 7517).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::error::{Endpoint, RequestError};
use crate::oidc::jwt::{Algorithm, PublicKey};
use crate::util::http::Http;

/// The usable keys of a JWK set.
pub(crate) struct JwkSet(Vec<Key>);

struct Key {
    id: Option<String>,
    /// The algorithms that the key may be used with, whatever a token's header says.
    algorithms: &'static [Algorithm],
    public: Arc<PublicKey>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// Members of a JWK (RFC 7518, section 6; RFC 8037, section 2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl JwkSet {
    pub(crate) async fn fetch(http: &Http, uri: &Url) -> Result<Self, RequestError> {
        let document: Document = http.send(Endpoint::Jwks, http.get(uri.clone())).await?.json()?;
        let keys = Self::new(document.keys);
        tracing::debug!(keys = keys.0.len(), "JWK set fetched");
        Ok(keys)
    }

    /// Skips keys of unknown types and other uses (RFC 7517, section 5).
    pub(crate) fn new(keys: Vec<Value>) -> Self {
        Self(keys.into_iter().filter_map(Key::from_jwk).collect())
    }

    /// Returns the keys for the algorithm, only those with the id if the token has one.
    pub(crate) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Arc<PublicKey>> {
        self.0
            .iter()
            .filter(move |key| key.algorithms.contains(&algorithm) && (id.is_none() || key.id.as_deref() == id))
            .map(|key| &key.public)
    }

    /// Whether the key is in the set, for this algorithm.
    pub(crate) fn contains(&self, public: &Arc<PublicKey>, algorithm: Algorithm) -> bool {
        let is_same = |key: &Key| Arc::ptr_eq(&key.public, public) || key.public == *public;
        self.0.iter().any(|key| key.algorithms.contains(&algorithm) && is_same(key))
    }
}

impl Key {
    fn from_jwk(jwk: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk).ok()?;
        if jwk.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let (algorithms, public): (&[_], _) = match (&*jwk.kty, jwk.crv.as_deref()) {
            ("RSA", _) => {
                let public = PublicKey::Rsa { n: bytes(jwk.n.as_deref())?, e: bytes(jwk.e.as_deref())? };
                (&[Algorithm::Rs256, Algorithm::Ps256], public)
            }
            ("EC", Some("P-256")) => (&[Algorithm::Es256], jwk.point(32)?),
            ("EC", Some("P-384")) => (&[Algorithm::Es384], jwk.point(48)?),
            ("EC", Some("P-521")) => (&[Algorithm::Es512], jwk.point(66)?),
            ("OKP", Some("Ed25519")) => (&[Algorithm::EdDsa], PublicKey::Ed25519(bytes(jwk.x.as_deref())?)),
            _ => return None,
        };
        let algorithms = match &jwk.alg {
            // `alg` restricts the key to one algorithm.
            Some(alg) => {
                let bound = Algorithm::parse(alg)?;
                let at = algorithms.iter().position(|algorithm| *algorithm == bound)?;
                &algorithms[at..=at]
            }
            None => algorithms,
        };
        Some(Self { id: jwk.kid, algorithms, public: Arc::new(public) })
    }
}

impl Jwk {
    /// Requires both coordinates in the full length of the curve's field (RFC 7518, section 6.2.1.2).
    fn point(&self, len: usize) -> Option<PublicKey> {
        let (x, y) = (bytes(self.x.as_deref())?, bytes(self.y.as_deref())?);
        (x.len() == len && y.len() == len).then(|| PublicKey::Ec([&[4], &*x, &*y].concat()))
    }
}

fn bytes(member: Option<&str>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(member?).ok()
}
