//! Why ID tokens are rejected.

/// Why an ID token was not accepted (OpenID Connect Core 1.0, section 3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// It is no signed JWT, or a claim that every ID token has is missing or of another type.
    #[error("{0}")]
    Malformed(&'static str),
    /// It is signed by an algorithm that is not accepted (`none` and HS256 among them).
    #[error("its `alg` is not one of RS256, PS256, ES256, ES384, ES512 and EdDSA")]
    Algorithm,
    /// The provider has no key of that `kid` and kind.
    #[error("the provider has no key that could have signed it")]
    UnknownKey,
    /// The signature is not the provider's.
    #[error("its signature is wrong")]
    Signature,
    /// `iss` is another provider.
    #[error("its `iss` is another provider")]
    Issuer,
    /// `aud` does not name this app, or others that it may not be shared with.
    #[error("its `aud` is another app")]
    Audience,
    /// `azp` is another app, or is missing although there are several audiences.
    #[error("its `azp` is another app")]
    AuthorizedParty,
    /// `nonce` is not that of the sign-in.
    #[error("its `nonce` is not that of the sign-in")]
    Nonce,
    /// `at_hash` is not that of the access token beside it.
    #[error("its `at_hash` is not that of the access token")]
    AccessTokenHash,
    /// A refreshed one is of another user.
    #[error("its `sub` is another user")]
    Subject,
}
