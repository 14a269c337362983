//! Verification of ID tokens (OpenID Connect Core 1.0, section 3.1.3.7).

use crate::claims::IdTokenClaims;
use crate::error::{Error, IdTokenProblem, Result};
use crate::jwt::{Algorithm, ParseError, PublicKey, UnverifiedJwt};

/// How far the provider's clock and this machine's may differ, in seconds.
const LEEWAY: u64 = 300;

/// A token whose signature and claims are not verified yet.
pub(crate) struct UnverifiedIdToken<'a> {
    jwt: UnverifiedJwt<'a>,
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

impl<'a> UnverifiedIdToken<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self> {
        let jwt = UnverifiedJwt::parse(token).map_err(|error| {
            invalid(IdTokenProblem::Malformed(match error {
                ParseError::NotAJwt => "it is no signed JWT",
                ParseError::Critical => "its header has a `crit`",
            }))
        })?;
        let algorithm = Algorithm::parse(&jwt.header.alg).ok_or_else(|| invalid(IdTokenProblem::Algorithm))?;
        Ok(Self { jwt, algorithm })
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.jwt.header.kid.as_deref()
    }

    /// The claims, if one of the keys signed them and they are what is expected.
    pub(crate) fn verify<'k>(
        &self,
        keys: impl Iterator<Item = &'k PublicKey>,
        expected: &Expected<'_>,
    ) -> Result<IdTokenClaims> {
        let mut keys = keys.peekable();
        if keys.peek().is_none() {
            return Err(invalid(IdTokenProblem::UnknownKey));
        }
        if !keys.any(|key| self.jwt.is_signed_by(key, self.algorithm)) {
            return Err(invalid(IdTokenProblem::Signature));
        }
        let claims: IdTokenClaims = self
            .jwt
            .claims()
            .ok_or_else(|| invalid(IdTokenProblem::Malformed("a claim is missing, or of a type that it never has")))?;
        self.check(&claims, expected)?;
        Ok(claims)
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
            Some(hash) if *hash != self.algorithm.half_hash(expected.access_token) => {
                Err(invalid(IdTokenProblem::AccessTokenHash))
            }
            _ => Ok(()),
        }
    }
}

fn invalid(problem: IdTokenProblem) -> Error {
    Error::InvalidIdToken(problem)
}
