//! Why access tokens are rejected.

/// Why an access token is not valid (RFC 9068, section 4).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessTokenError {
    /// Not a signed JWT, or a required claim is missing or has the wrong type.
    #[error("{0}")]
    Malformed(&'static str),
    /// The header's `typ` is not `at+jwt`: an ID token, for instance.
    #[error("`typ` is not `at+jwt`")]
    Type,
    /// Signed with an algorithm that is not accepted, such as `none` or HS256.
    #[error("`alg` is not one of RS256, PS256, ES256, ES384, ES512 and EdDSA")]
    Algorithm,
    /// The issuer has no key with that `kid` and algorithm.
    #[error("the issuer has no key that could have signed it")]
    UnknownKey,
    /// The signature is not the issuer's.
    #[error("wrong signature")]
    Signature,
    /// `iss` is another issuer.
    #[error("`iss` is another issuer")]
    Issuer,
    /// `aud` names no API that this one answers for.
    #[error("`aud` is another API")]
    Audience,
    /// The token is valid within an organization, and the API has not called
    /// [`in_organizations`](crate::api::LogtoApiBuilder::in_organizations).
    #[error("it is valid within an organization only")]
    Organization,
    /// `exp` has passed.
    #[error("it has expired")]
    Expired,
    /// `nbf` or `iat` is in the future.
    #[error("it is not valid yet")]
    NotYetValid,
    /// The issuer does not know the opaque token, or it has expired or was revoked.
    #[error("it is not active")]
    Inactive,
}
