//! Requests to the provider that failed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A request to the provider that failed. Cheap to clone: everybody who waited for the same request gets it.
#[derive(Clone, Debug)]
pub struct RequestError {
    pub(crate) endpoint: Endpoint,
    pub(crate) kind: RequestErrorKind,
}

/// What kind of failure a [`RequestError`] is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RequestErrorKind {
    /// No answer: connection refused, time-out, TLS and the like.
    Transport(Arc<reqwest::Error>),
    /// No answer within 30 seconds, the most that is waited whatever the app's HTTP client allows.
    TimedOut,
    /// An answer with a status that is no success, and no OAuth error.
    Status(u16),
    /// The provider asks for fewer requests (429).
    #[non_exhaustive]
    RateLimited {
        /// How long to wait, where it says so in seconds.
        retry_after: Option<Duration>,
    },
    /// A redirect, which is never followed: it would take the app's secret elsewhere.
    Redirected,
    /// A body over the limit.
    #[non_exhaustive]
    TooLarge {
        /// The most bytes that are read.
        limit: usize,
    },
    /// An answer that is not what the endpoint has to answer.
    Invalid(&'static str),
    /// Discovery names another issuer than the configured endpoint's.
    #[non_exhaustive]
    WrongIssuer {
        /// `{endpoint}/oidc`.
        expected: String,
        /// What the provider calls itself.
        found: String,
    },
    /// Discovery lacks this endpoint, or its URL is not one to send secrets to.
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
    /// `userinfo_endpoint`.
    UserInfo,
    /// `end_session_endpoint`; a browser is sent there, no request.
    EndSession,
}

impl RequestError {
    pub(crate) fn new(endpoint: Endpoint, kind: RequestErrorKind) -> Self {
        Self { endpoint, kind }
    }

    pub(crate) fn invalid(endpoint: Endpoint, problem: &'static str) -> Self {
        Self::new(endpoint, RequestErrorKind::Invalid(problem))
    }

    pub(crate) fn is_retryable(&self) -> bool {
        match &self.kind {
            RequestErrorKind::Transport(_) | RequestErrorKind::TimedOut | RequestErrorKind::RateLimited { .. } => true,
            RequestErrorKind::Status(status) => *status >= 500,
            _ => false,
        }
    }

    /// The endpoint that was asked.
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// What happened.
    pub fn kind(&self) -> &RequestErrorKind {
        &self.kind
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
                write!(f, "asks for fewer requests, and to wait {} s", after.as_secs())
            }
            RequestErrorKind::RateLimited { retry_after: None } => f.write_str("asks for fewer requests"),
            RequestErrorKind::Redirected => f.write_str("answered with a redirect, which is not followed"),
            RequestErrorKind::TooLarge { limit } => write!(f, "answered with more than {limit} bytes"),
            RequestErrorKind::Invalid(problem) => write!(f, "answered with what {problem}"),
            RequestErrorKind::WrongIssuer { expected, found } => {
                write!(f, "names the issuer {found:?}, but the configured `endpoint` makes it {expected:?}")
            }
            RequestErrorKind::Endpoint(name) => write!(f, "names no usable `{name}`"),
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
            Self::UserInfo => "user info endpoint",
            Self::EndSession => "end-session page",
        })
    }
}
