//! The key that signs tokens: ES384, as Logto's by default.

use aws_lc_rs::digest::{SHA384, digest};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value};

use crate::config::StartError;
use crate::error::Result;
use crate::state::Shared;

pub(crate) struct SigningKey {
    private: EncodingKey,
    id: String,
    public: Jwk,
}

impl SigningKey {
    /// A new one at every start: an app that is up meanwhile has to fetch the key set again, as after a rotation.
    pub(crate) fn generate() -> std::result::Result<Self, StartError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(|_| StartError::SigningKey)?;
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| StartError::SigningKey)?;
        let private = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut public = Jwk::from_encoding_key(&private, Algorithm::ES384).map_err(|_| StartError::SigningKey)?;
        let id = public.thumbprint(ThumbprintHash::SHA256).map_err(|_| StartError::SigningKey)?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Ok(Self { private, id, public })
    }

    pub(crate) fn sign(&self, kind: &str, claims: &Map<String, Value>) -> Result<String> {
        let mut header = Header::new(Algorithm::ES384);
        header.typ = Some(kind.to_owned());
        header.kid = Some(self.id.clone());
        Ok(jsonwebtoken::encode(&header, claims, &self.private)?)
    }
}

/// Ties an ID token to the access token that came with it: half of the hash that its signature is made with.
pub(crate) fn at_hash(access_token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA384, access_token.as_bytes()).as_ref()[..24])
}

pub(crate) async fn key_set(State(provider): State<Shared>) -> Json<JwkSet> {
    Json(JwkSet { keys: vec![provider.key.public.clone()] })
}
