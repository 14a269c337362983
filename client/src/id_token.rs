//! Whether an ID token is to be believed (OpenID Connect Core 1.0, section 3.1.3.7).

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

use crate::claims::IdTokenClaims;
use crate::error::{Error, IdTokenProblem, Result};

/// How far the provider's clock and this machine's may differ, in seconds.
const LEEWAY: u64 = 300;

/// A token that was taken apart, and of which nothing is believed yet.
pub(crate) struct UnverifiedIdToken<'a> {
    /// What is signed: the header and the claims, still encoded.
    message: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
    pub(crate) key_id: Option<String>,
    pub(crate) algorithm: Algorithm,
}

/// What the token has to say.
pub(crate) struct Expected<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) app_id: &'a str,
    /// The access token that came with it.
    pub(crate) access_token: &'a str,
    /// Seconds since 1970.
    pub(crate) now: u64,
    pub(crate) occasion: Occasion<'a>,
}

/// What the token came in answer to.
pub(crate) enum Occasion<'a> {
    SignIn {
        nonce: &'a str,
    },
    /// Section 12.2: it has to be of the same user; a nonce need not be there, but may not be another one.
    Refresh {
        before: &'a IdTokenClaims,
    },
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

impl<'a> UnverifiedIdToken<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self> {
        let malformed = || invalid(IdTokenProblem::Malformed("it is no signed JWT"));
        let (message, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = message.split_once('.').ok_or_else(malformed)?;
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| malformed())?;
        // Whatever the header says: one of these, and nothing else.
        let algorithm = match &*header.alg {
            "RS256" => Algorithm::RS256,
            "PS256" => Algorithm::PS256,
            "ES256" => Algorithm::ES256,
            "ES384" => Algorithm::ES384,
            "EdDSA" => Algorithm::EdDSA,
            "ES512" => return Err(invalid(IdTokenProblem::Es512)),
            _ => return Err(invalid(IdTokenProblem::Algorithm)),
        };
        // RFC 7515, section 4.1.11: what has to be understood and is not makes the token invalid.
        if header.crit.is_some() {
            return Err(invalid(IdTokenProblem::Malformed("its header has a `crit`")));
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
        if claims.contains('.') {
            return Err(malformed());
        }
        Ok(Self { message, claims, signature, key_id: header.kid, algorithm })
    }

    /// The claims, if one of the keys signed them and they are what is expected.
    pub(crate) fn verify<'k>(
        &self,
        keys: impl Iterator<Item = &'k DecodingKey>,
        expected: &Expected<'_>,
    ) -> Result<IdTokenClaims> {
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            return Err(invalid(IdTokenProblem::UnknownKey));
        }
        if !keys.any(|key| self.is_signed_by(key)) {
            return Err(invalid(IdTokenProblem::Signature));
        }
        let claims = URL_SAFE_NO_PAD.decode(self.claims).ok().and_then(|claims| serde_json::from_slice(&claims).ok());
        let claims: IdTokenClaims = claims
            .ok_or_else(|| invalid(IdTokenProblem::Malformed("a claim is missing, or of a type that it never has")))?;
        self.check(&claims, expected)?;
        Ok(claims)
    }

    /// By the provider of cryptography that is compiled in with this crate. jsonwebtoken's own functions take the
    /// process's default, and panic where an app has compiled in two.
    fn is_signed_by(&self, key: &DecodingKey) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, key)
            .is_ok_and(|verifier| verifier.verify(self.message.as_bytes(), &self.signature).is_ok())
    }

    fn check(&self, claims: &IdTokenClaims, expected: &Expected<'_>) -> Result<()> {
        if claims.iss != expected.issuer {
            return Err(invalid(IdTokenProblem::Issuer));
        }
        if claims.sub.is_empty() {
            return Err(invalid(IdTokenProblem::Malformed("its `sub` is empty")));
        }
        if !claims.aud.iter().any(|audience| audience == expected.app_id) {
            return Err(invalid(IdTokenProblem::Audience));
        }
        match &claims.azp {
            Some(party) if party != expected.app_id => return Err(invalid(IdTokenProblem::AuthorizedParty)),
            None if claims.aud.len() > 1 => return Err(invalid(IdTokenProblem::AuthorizedParty)),
            _ => {}
        }
        if claims.exp.saturating_add(LEEWAY) < expected.now {
            return Err(Error::ClockSkew { claim: "exp", seconds: expected.now - claims.exp });
        }
        // Section 3.1.3.7, number 10: it has just been made, so that this tells of clocks, and of a token that was
        // kept.
        let seconds = claims.iat.abs_diff(expected.now);
        if seconds > LEEWAY {
            return Err(Error::ClockSkew { claim: "iat", seconds });
        }
        match expected.occasion {
            Occasion::SignIn { nonce } if claims.nonce.as_deref() != Some(nonce) => {
                return Err(invalid(IdTokenProblem::Nonce));
            }
            Occasion::Refresh { before } if claims.sub != before.sub => return Err(invalid(IdTokenProblem::Subject)),
            // The one before it may be a refreshed one, too, and have none.
            Occasion::Refresh { before } if matches!((&claims.nonce, &before.nonce), (Some(new), Some(old)) if new != old) =>
            {
                return Err(invalid(IdTokenProblem::Nonce));
            }
            Occasion::SignIn { .. } | Occasion::Refresh { .. } => {}
        }
        match &claims.at_hash {
            Some(hash) if *hash != self.hash(expected.access_token) => Err(invalid(IdTokenProblem::AccessTokenHash)),
            _ => Ok(()),
        }
    }

    /// Section 3.1.3.6: the left half of the digest that goes with the signature's algorithm.
    fn hash(&self, access_token: &str) -> String {
        let algorithm = match self.algorithm {
            Algorithm::ES384 => &SHA384,
            // Ed25519's own.
            Algorithm::EdDSA => &SHA512,
            _ => &SHA256,
        };
        let digest = digest::digest(algorithm, access_token.as_bytes());
        let digest = digest.as_ref();
        URL_SAFE_NO_PAD.encode(&digest[..digest.len() / 2])
    }
}

fn invalid(problem: IdTokenProblem) -> Error {
    Error::InvalidIdToken(problem)
}
