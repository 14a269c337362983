//! Verification of ID tokens (OpenID Connect Core 1.0, section 3.1.3.7).

use crate::claims::IdTokenClaims;
use crate::error::{Error, IdTokenError, Result};
use crate::oidc::jwks::JwkSet;
use crate::oidc::jwt::{Algorithm, ParseError, UnverifiedJwt};

/// The tolerated difference between the provider's clock and this machine's, in seconds.
const LEEWAY: u64 = 300;

/// A parsed token whose signature and claims are not verified yet.
pub(crate) struct UnverifiedIdToken<'a> {
    jwt: UnverifiedJwt<'a>,
    algorithm: Algorithm,
}

/// Verifies ID tokens against the values of one token response.
pub(crate) struct IdTokenVerifier<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) app_id: &'a str,
    /// The access token of the same response.
    pub(crate) access_token: &'a str,
    /// Seconds since 1970.
    pub(crate) now: u64,
    pub(crate) issued_for: IssuedFor<'a>,
}

/// The request that an ID token was issued for.
#[derive(Clone, Copy)]
pub(crate) enum IssuedFor<'a> {
    SignIn {
        nonce: &'a str,
    },
    /// Section 12.2: `sub` must be that of the previous token. `nonce` may be missing, but must not differ.
    Refresh {
        previous: &'a IdTokenClaims,
    },
}

impl<'a> UnverifiedIdToken<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self> {
        let jwt = UnverifiedJwt::parse(token).map_err(|error| {
            rejected(IdTokenError::Malformed(match error {
                ParseError::NotAJwt => "not a signed JWT",
                ParseError::Critical => "its header has a `crit`",
            }))
        })?;
        let algorithm = Algorithm::parse(&jwt.header.alg).ok_or_else(|| rejected(IdTokenError::Algorithm))?;
        Ok(Self { jwt, algorithm })
    }

    /// Whether the set has a key with the token's `kid` and algorithm.
    pub(crate) fn has_key_in(&self, keys: &JwkSet) -> bool {
        keys.find(self.key_id(), self.algorithm).next().is_some()
    }

    fn key_id(&self) -> Option<&str> {
        self.jwt.header.kid.as_deref()
    }
}

impl IdTokenVerifier<'_> {
    /// Returns the claims if the signature and all of them are valid.
    pub(crate) fn verify(&self, token: &UnverifiedIdToken<'_>, keys: &JwkSet) -> Result<IdTokenClaims> {
        let mut keys = keys.find(token.key_id(), token.algorithm).peekable();
        if keys.peek().is_none() {
            return Err(rejected(IdTokenError::UnknownKey));
        }
        if !keys.any(|key| token.jwt.is_signed_by(key, token.algorithm)) {
            return Err(rejected(IdTokenError::Signature));
        }
        let claims: IdTokenClaims = token
            .jwt
            .claims()
            .ok_or_else(|| rejected(IdTokenError::Malformed("a claim is missing or has the wrong type")))?;
        self.verify_claims(&claims)?;
        match &claims.at_hash {
            Some(hash) if *hash != token.algorithm.half_hash(self.access_token) => {
                Err(rejected(IdTokenError::AccessTokenHash))
            }
            _ => Ok(claims),
        }
    }

    fn verify_claims(&self, claims: &IdTokenClaims) -> Result<()> {
        if claims.iss != self.issuer {
            return Err(rejected(IdTokenError::Issuer));
        }
        if claims.sub.is_empty() {
            return Err(rejected(IdTokenError::Malformed("its `sub` is empty")));
        }
        if !claims.aud.iter().any(|audience| audience == self.app_id) {
            return Err(rejected(IdTokenError::Audience));
        }
        match &claims.azp {
            Some(party) if party != self.app_id => return Err(rejected(IdTokenError::AuthorizedParty)),
            None if claims.aud.len() > 1 => return Err(rejected(IdTokenError::AuthorizedParty)),
            _ => {}
        }
        if claims.exp.saturating_add(LEEWAY) < self.now {
            return Err(Error::ClockSkew { claim: "exp", seconds: self.now - claims.exp });
        }
        // Rule 10. The token was just issued, so any other time means a wrong clock or a replayed token.
        let seconds = claims.iat.abs_diff(self.now);
        if seconds > LEEWAY {
            return Err(Error::ClockSkew { claim: "iat", seconds });
        }
        match self.issued_for {
            IssuedFor::SignIn { nonce } if claims.nonce.as_deref() != Some(nonce) => Err(rejected(IdTokenError::Nonce)),
            IssuedFor::Refresh { previous } if claims.sub != previous.sub => Err(rejected(IdTokenError::Subject)),
            // A previous token that came from a refresh may have no nonce.
            IssuedFor::Refresh { previous } => match (&claims.nonce, &previous.nonce) {
                (Some(new), Some(old)) if new != old => Err(rejected(IdTokenError::Nonce)),
                _ => Ok(()),
            },
            IssuedFor::SignIn { .. } => Ok(()),
        }
    }
}

fn rejected(error: IdTokenError) -> Error {
    Error::InvalidIdToken(error)
}
