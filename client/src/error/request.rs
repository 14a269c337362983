//! Requests to the provider that failed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A request to the provider that failed. A clone is cheap: all callers that waited for the request get one.
#[derive(Clone, Debug)]
pub struct RequestError {
    pub(crate) endpoint: Endpoint,
    pub(crate) kind: RequestErrorKind,
}

/// The kind of a [`RequestError`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RequestErrorKind {
    /// No response: connection refused, time-out, TLS and the like.
    Transport(Arc<reqwest::Error>),
    /// No response within 30 seconds, the limit for every HTTP client.
    TimedOut,
    /// An unexpected status, without an OAuth error.
    Status(u16),
    /// Too many requests (429).
    #[non_exhaustive]
    RateLimited {
        /// How long to wait, if the provider says so in seconds.
        retry_after: Option<Duration>,
    },
    /// A redirect. The client follows none, since it would send the app's secret elsewhere.
    Redirected,
    /// A body over the limit.
    #[non_exhaustive]
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A response that the endpoint's specification does not allow.
    Invalid(&'static str),
    /// The metadata names another issuer than the configured endpoint's.
    #[non_exhaustive]
    WrongIssuer {
        /// `{endpoint}/oidc`.
        expected: String,
        /// The metadata's issuer.
        found: String,
    },
    /// The metadata lacks this endpoint, or its URL is not one to send secrets to.
    Endpoint(&'static str),
}

/// An endpoint of the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/.well-known/openid-configuration`.
    Metadata,
    /// `jwks_uri`.
    Jwks,
    /// `token_endpoint`.
    Token,
    /// `revocation_endpoint`.
    Revocation,
    /// `introspection_endpoint`.
    Introspection,
    /// `userinfo_endpoint`.
    UserInfo,
}

impl RequestError {
    pub(crate) fn new(endpoint: Endpoint, kind: RequestErrorKind) -> Self {
        Self { endpoint, kind }
    }

    pub(crate) fn invalid(endpoint: Endpoint, problem: &'static str) -> Self {
        Self::new(endpoint, RequestErrorKind::Invalid(problem))
    }

    /// The endpoint that the request was for.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// What happened.
    pub fn kind(&self) -> &RequestErrorKind {
        &self.kind
    }

    pub(crate) fn is_retryable(&self) -> bool {
        match &self.kind {
            RequestErrorKind::Transport(_) | RequestErrorKind::TimedOut | RequestErrorKind::RateLimited { .. } => true,
            RequestErrorKind::Status(status) => *status >= 500,
            _ => false,
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self.kind {
            RequestErrorKind::RateLimited { retry_after } => retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the provider's {} ", self.endpoint)?;
        match &self.kind {
            RequestErrorKind::Transport(error) if error.is_timeout() => f.write_str("did not answer in time"),
            RequestErrorKind::TimedOut => f.write_str("did not answer in time"),
            RequestErrorKind::Transport(_) => f.write_str("cannot be reached"),
            RequestErrorKind::Status(status) => write!(f, "answered with status {status}"),
            RequestErrorKind::RateLimited { retry_after: Some(after) } => {
                write!(f, "is rate-limited: retry after {} s", after.as_secs())
            }
            RequestErrorKind::RateLimited { retry_after: None } => f.write_str("is rate-limited: retry later"),
            RequestErrorKind::Redirected => f.write_str("answered with a redirect, which is not followed"),
            RequestErrorKind::TooLarge { limit } => write!(f, "answered with more than {limit} bytes"),
            RequestErrorKind::Invalid(problem) => write!(f, "gave an invalid response: {problem}"),
            RequestErrorKind::WrongIssuer { expected, found } => {
                write!(f, "names the issuer {found:?}, but the configured `endpoint` requires {expected:?}")
            }
            RequestErrorKind::Endpoint(name) => write!(f, "has no usable `{name}`"),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            RequestErrorKind::Transport(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Metadata => "metadata",
            Self::Jwks => "JWK set",
            Self::Token => "token endpoint",
            Self::Revocation => "revocation endpoint",
            Self::Introspection => "introspection endpoint",
            Self::UserInfo => "user info endpoint",
        })
    }
}
