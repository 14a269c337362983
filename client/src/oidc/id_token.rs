//! Verification of ID tokens (OpenID Connect Core 1.0, section 3.1.3.7).

use crate::claims::IdTokenClaims;
use crate::error::{Error, IdTokenError, Result};
use crate::oidc::jwks::JwkSet;
use crate::oidc::jwt::{Algorithm, ParseError, UnverifiedJwt};

/// How far the provider's clock and this machine's may differ, in seconds.
const LEEWAY: u64 = 300;

/// A token whose signature and claims are not verified yet.
pub(crate) struct UnverifiedIdToken<'a> {
    jwt: UnverifiedJwt<'a>,
    algorithm: Algorithm,
}

/// What an ID token has to say.
pub(crate) struct IdTokenVerifier<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) app_id: &'a str,
    /// The access token that came with it.
    pub(crate) access_token: &'a str,
    /// Seconds since 1970.
    pub(crate) now: u64,
    pub(crate) issued_for: IssuedFor<'a>,
}

/// What an ID token was issued for.
#[derive(Clone, Copy)]
pub(crate) enum IssuedFor<'a> {
    SignIn {
        nonce: &'a str,
    },
    /// Section 12.2: the token is of the same user as the previous one; a nonce may be missing, but may not differ.
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

    /// Whether the set has a key that may have signed the token.
    pub(crate) fn has_key_in(&self, keys: &JwkSet) -> bool {
        keys.find(self.key_id(), self.algorithm).next().is_some()
    }

    fn key_id(&self) -> Option<&str> {
        self.jwt.header.kid.as_deref()
    }
}

impl IdTokenVerifier<'_> {
    /// The claims, if one of the keys signed them and they say what they have to.
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
        // Number 10: the token has just been issued, so that another time means another clock, or a token that was kept.
        let seconds = claims.iat.abs_diff(self.now);
        if seconds > LEEWAY {
            return Err(Error::ClockSkew { claim: "iat", seconds });
        }
        match self.issued_for {
            IssuedFor::SignIn { nonce } if claims.nonce.as_deref() != Some(nonce) => Err(rejected(IdTokenError::Nonce)),
            IssuedFor::Refresh { previous } if claims.sub != previous.sub => Err(rejected(IdTokenError::Subject)),
            // The previous one may come from a refresh itself, and have no nonce.
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
