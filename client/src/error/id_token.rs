//! Why ID tokens are rejected.

/// Why an ID token is not valid (OpenID Connect Core 1.0, section 3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// Not a signed JWT, or a required claim is missing or has the wrong type.
    #[error("{0}")]
    Malformed(&'static str),
    /// Signed with an algorithm that is not accepted, such as `none` or HS256.
    #[error("`alg` is not one of RS256, PS256, ES256, ES384, ES512 and EdDSA")]
    Algorithm,
    /// The provider has no key with that `kid` and algorithm.
    #[error("the provider has no key that could have signed it")]
    UnknownKey,
    /// The signature is not the provider's.
    #[error("wrong signature")]
    Signature,
    /// `iss` is another provider.
    #[error("`iss` is another provider")]
    Issuer,
    /// `aud` does not name this app.
    #[error("`aud` is another app")]
    Audience,
    /// `azp` is another app, or is missing although there are several audiences.
    #[error("`azp` is another app")]
    AuthorizedParty,
    /// `nonce` is not the sign-in's.
    #[error("`nonce` is not the sign-in's")]
    Nonce,
    /// `at_hash` does not match the access token that came with the ID token.
    #[error("`at_hash` does not match the access token")]
    AccessTokenHash,
    /// A refreshed ID token is about another user.
    #[error("`sub` is another user")]
    Subject,
}
