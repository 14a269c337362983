//! Verification of access tokens (RFC 9068, section 4; RFC 8725).

use std::sync::Arc;

use serde::Deserialize;

use crate::error::AccessTokenError;
use crate::oidc::jwks::JwkSet;
use crate::oidc::jwt::{self, Algorithm, ParseError, PublicKey, UnverifiedJwt};

/// The start of the audience of an organization's tokens.
const ORGANIZATION: &str = "urn:logto:organization:";

/// The claims that every access token has, and those that Logto adds.
#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(crate) iss: String,
    pub(crate) sub: String,
    pub(crate) client_id: String,
    #[serde(default, deserialize_with = "jwt::audience")]
    pub(crate) aud: Vec<String>,
    #[serde(deserialize_with = "jwt::numeric_date")]
    pub(crate) exp: u64,
    #[serde(deserialize_with = "jwt::numeric_date")]
    pub(crate) iat: u64,
    #[serde(default, deserialize_with = "jwt::optional_numeric_date")]
    pub(crate) nbf: Option<u64>,
    pub(crate) scope: Option<String>,
    pub(crate) organization_id: Option<String>,
}

/// A parsed token whose signature and claims are not verified yet.
pub(crate) struct UnverifiedAccessToken<'a> {
    jwt: UnverifiedJwt<'a>,
    algorithm: Algorithm,
    key_id: String,
    /// The claims as they were signed.
    json: Vec<u8>,
    claims: Claims,
}

/// The tokens that an API accepts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Audiences {
    /// The indicators of the APIs (RFC 8707).
    pub(crate) resources: Vec<String>,
    /// Whether tokens for an organization itself are accepted.
    pub(crate) organization_tokens: bool,
    /// Whether tokens for an API within an organization are accepted.
    pub(crate) in_organizations: bool,
}

/// Verifies the claims of access tokens.
pub(crate) struct AccessTokenVerifier<'a> {
    pub(crate) issuer: &'a str,
    pub(crate) audiences: &'a Audiences,
    /// The tolerated difference between the issuer's clock and this machine's, in seconds.
    pub(crate) leeway: u64,
    /// Seconds since 1970.
    pub(crate) now: u64,
}

/// The key that signed a token, and the algorithm.
pub(crate) type Signer = (Arc<PublicKey>, Algorithm);

impl<'a> UnverifiedAccessToken<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, AccessTokenError> {
        let mut jwt = UnverifiedJwt::parse(token).map_err(|error| {
            AccessTokenError::Malformed(match error {
                ParseError::NotAJwt => "not a signed JWT",
                ParseError::Critical => "its header has a `crit`",
            })
        })?;
        // Section 4: an ID token or a logout token, signed with the same keys, has another type.
        if !jwt.header.typ.as_deref().is_some_and(is_access_token) {
            return Err(AccessTokenError::Type);
        }
        let algorithm = Algorithm::parse(&jwt.header.alg).ok_or(AccessTokenError::Algorithm)?;
        // Without one, each key of the set would have to be tried.
        let key_id = jwt.header.kid.take().ok_or(AccessTokenError::Malformed("its header has no `kid`"))?;
        let json = jwt.claims_json().ok_or(AccessTokenError::Malformed("not a signed JWT"))?.into_bytes();
        let claims = Claims::parse(&json)?;
        Ok(Self { jwt, algorithm, key_id, json, claims })
    }

    /// The claims, which anybody can have made up.
    pub(crate) fn claims(&self) -> &Claims {
        &self.claims
    }

    /// Whether the set has a key with the token's `kid` and algorithm.
    pub(crate) fn has_key_in(&self, keys: &JwkSet) -> bool {
        keys.find(Some(&self.key_id), self.algorithm).next().is_some()
    }

    /// Returns the claims and their JSON, if a key of the set signed them.
    pub(crate) fn signed_by(self, keys: &JwkSet) -> Result<(Claims, Vec<u8>, Signer), AccessTokenError> {
        let mut candidates = keys.find(Some(&self.key_id), self.algorithm).peekable();
        if candidates.peek().is_none() {
            return Err(AccessTokenError::UnknownKey);
        }
        let key = candidates.find(|key| self.jwt.is_signed_by(key, self.algorithm));
        let key = Arc::clone(key.ok_or(AccessTokenError::Signature)?);
        Ok((self.claims, self.json, (key, self.algorithm)))
    }
}

/// Section 2.1: with or without `application/`, in any case (RFC 7515, section 4.1.9).
fn is_access_token(kind: &str) -> bool {
    kind.eq_ignore_ascii_case("at+jwt") || kind.eq_ignore_ascii_case("application/at+jwt")
}

impl Claims {
    pub(crate) fn parse(json: &[u8]) -> Result<Self, AccessTokenError> {
        let malformed = AccessTokenError::Malformed("a claim is missing or has the wrong type");
        // Without serde's error, which may quote a claim.
        let claims: Self = serde_json::from_slice(json).map_err(|_| malformed)?;
        if claims.sub.is_empty() || claims.client_id.is_empty() {
            return Err(AccessTokenError::Malformed("its `sub` or `client_id` is empty"));
        }
        let organization = claims.organization();
        if organization == Some("") || claims.organizations().any(|other| Some(other) != organization) {
            return Err(AccessTokenError::Malformed("it names no organization, or several"));
        }
        Ok(claims)
    }

    /// The organization that the token is for, or within which it is valid.
    pub(crate) fn organization(&self) -> Option<&str> {
        self.organizations().next()
    }

    /// Whether the token is for an organization itself, and not for an API.
    pub(crate) fn is_for_organization(&self) -> bool {
        self.organization_audiences().next().is_some()
    }

    fn organizations(&self) -> impl Iterator<Item = &str> {
        self.organization_id.as_deref().into_iter().chain(self.organization_audiences())
    }

    fn organization_audiences(&self) -> impl Iterator<Item = &str> {
        self.aud.iter().filter_map(|audience| audience.strip_prefix(ORGANIZATION))
    }
}

impl Audiences {
    fn check(&self, claims: &Claims) -> Result<(), AccessTokenError> {
        if claims.aud.iter().any(|audience| self.resources.contains(audience)) {
            // What a user may do within an organization, they may not do everywhere.
            return match claims.organization() {
                Some(_) if !self.in_organizations => Err(AccessTokenError::Organization),
                _ => Ok(()),
            };
        }
        if self.organization_tokens && claims.is_for_organization() { Ok(()) } else { Err(AccessTokenError::Audience) }
    }

    pub(crate) fn is_organization(audience: &str) -> bool {
        audience.starts_with(ORGANIZATION)
    }
}

impl AccessTokenVerifier<'_> {
    /// Checks everything but the signature.
    pub(crate) fn verify(&self, claims: &Claims) -> Result<(), AccessTokenError> {
        self.verify_issuer(claims)?;
        self.audiences.check(claims)?;
        self.verify_times(claims)
    }

    pub(crate) fn verify_issuer(&self, claims: &Claims) -> Result<(), AccessTokenError> {
        if claims.iss == self.issuer { Ok(()) } else { Err(AccessTokenError::Issuer) }
    }

    pub(crate) fn verify_times(&self, claims: &Claims) -> Result<(), AccessTokenError> {
        // RFC 7519, section 4.1.4: not on or after `exp`.
        if claims.exp.saturating_add(self.leeway) <= self.now {
            return Err(AccessTokenError::Expired);
        }
        let latest = self.now.saturating_add(self.leeway);
        if claims.iat > latest || claims.nbf.is_some_and(|nbf| nbf > latest) {
            return Err(AccessTokenError::NotYetValid);
        }
        Ok(())
    }
}
