//! What may go wrong, and what an app can do about it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core as storage;

/// The result of this crate's operations.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed. No token, code, verifier or secret is in it, nor in what it prints.
///
/// Where an app branches, it asks:
///
/// ```
/// # fn page(error: logto_client::Error) -> &'static str {
/// if error.is_sign_in_required() {
///     "to the sign-in page"
/// } else if error.is_access_denied() {
///     "you said no: back to the home page"
/// } else if error.is_retryable() {
///     "the sign-in service does not answer: try again"
/// } else {
///     "an error page, and a line in the log"
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of the configuration cannot be used.
    #[error("the configuration's `{field}` {problem}")]
    Config {
        /// The field's name, as its setter's.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// An option of a sign-in or a sign-out cannot be used.
    #[error("`{name}` {problem}")]
    InvalidOption {
        /// The option's name, as its setter's.
        name: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// The session could not be read or saved.
    #[error("the session's storage failed")]
    Storage(#[from] storage::Error),

    /// The session's id cannot be renewed, so nobody was signed in or out: a session whose id somebody else planted
    /// would be theirs afterwards (session fixation).
    #[error(
        "the session cannot be given a new id, which protects a sign-in against session fixation: use a session that can, \
         or configure `require_session_renewal(false)` and renew its id yourself"
    )]
    RenewalUnsupported(#[source] storage::Error),

    /// Nobody is signed in to this session.
    #[error("nobody is signed in to this session")]
    NotAuthenticated,

    /// Somebody is signed in, but the provider gave no refresh token, which a new access token would take. Another
    /// sign-in would end the same: it is a matter of the configuration.
    #[error(
        "the session has no refresh token to get an access token with: it takes the scope `offline_access` and the prompt \
         `consent`, both of which are defaults"
    )]
    MissingRefreshToken,

    /// The provider does not honour the session's refresh token any more (revoked, expired or used twice). The
    /// session's tokens have been cleared.
    #[error("the provider has ended this sign-in: the user has to sign in again")]
    SessionEnded,

    /// A token was asked for a resource that the configuration does not list.
    #[error("the resource `{resource}` is not among the configuration's `resources`")]
    UnlistedResource {
        /// The resource that was asked for.
        resource: String,
    },

    /// A token was asked for an organization, without the scope that it takes.
    #[error(
        "a token for an organization takes the scope `{}`: add it to the configuration's `scopes`",
        crate::scope::ORGANIZATIONS
    )]
    MissingOrganizationScope,

    /// A callback came, but no sign-in was begun in this session. Often the session cookie did not come along: it has
    /// to be `SameSite=Lax` (with `Strict` a browser does not send it after a redirect from the provider), and the
    /// callback has to be on the host that the sign-in was begun on.
    #[error(
        "no sign-in was begun in this session: if it was, its cookie got lost (it has to be `SameSite=Lax`, and the host the same)"
    )]
    NoPendingSignIn,

    /// The callback's `state` is of no sign-in of this session: it was used before, is older than ten minutes, was
    /// pushed out by eight newer ones, or is forged.
    #[error(
        "the callback belongs to no sign-in that is under way in this session: it was used, is too old, or is forged"
    )]
    UnknownState,

    /// The callback's URL is not what a provider sends.
    #[error("the callback's URL {problem}")]
    InvalidCallback {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The callback came to another URL than the sign-in's `redirect_uri`.
    #[error("the callback came to {found}, but the sign-in's `redirect_uri` is {expected}")]
    WrongRedirectUri {
        /// The sign-in's `redirect_uri`.
        expected: String,
        /// Where the callback came to, without its query.
        found: String,
    },

    /// The callback's `iss` (RFC 9207) is not this provider, or is missing although the provider promises it: the
    /// answer of another provider was mixed in.
    #[error("the callback does not come from this provider: its `iss` is {}", if *.missing { "missing" } else { "another" })]
    WrongIssuer {
        /// Whether there was none.
        missing: bool,
    },

    /// The user cancelled the sign-in: the redirect URI was opened without any of the provider's parameters, as by
    /// "Cancel" on Logto's consent page. Every pending sign-in stays pending.
    #[error("the sign-in was cancelled")]
    SignInCancelled,

    /// The user denied the consent, or the provider the user (`error=access_denied`).
    #[error("the sign-in was denied{}", Described(.description))]
    AccessDenied {
        /// The provider's words, for people; not to be trusted as HTML.
        description: Option<String>,
    },

    /// The provider answered the sign-in with an error (RFC 6749, section 4.1.2.1).
    #[error("the provider refused the sign-in: {error}{}", Described(.description))]
    AuthorizationFailed {
        /// The error's code, such as `invalid_scope`.
        error: String,
        /// The provider's words, for people; not to be trusted as HTML.
        description: Option<String>,
    },

    /// The ID token was not accepted.
    #[error("the ID token was not accepted: {0}")]
    InvalidIdToken(IdTokenProblem),

    /// The ID token's times (`iat`, `exp`) are more than five minutes off this machine's clock.
    #[error("the ID token's `{claim}` is {seconds} s off this machine's clock: set the clocks of both machines")]
    ClockSkew {
        /// `iat` or `exp`.
        claim: &'static str,
        /// How far it is off.
        seconds: u64,
    },

    /// The user info is of another user than the ID token.
    #[error("the user info is not of the user who is signed in")]
    WrongSubject,

    /// The token endpoint answered with an error (RFC 6749, section 5.2). `access_denied` and `insufficient_scope` mean
    /// that the user may not have the token; what the user is missing is in the description.
    #[error("the token endpoint refused: {error}{}", Described(.description))]
    TokenEndpoint {
        /// The error's code, such as `invalid_client`.
        error: String,
        /// The provider's words, for people; not to be trusted as HTML.
        description: Option<String>,
    },

    /// The provider did not answer, or not with what it should.
    #[error(transparent)]
    Request(#[from] RequestError),

    /// The user is signed out of this app, but the browser cannot be sent to the provider to sign out there, because the
    /// provider does not answer.
    #[error("signed out of this app, but not at the provider")]
    EndSession(#[source] RequestError),

    /// The program is shutting down: its runtime dropped the request that was under way.
    #[error("the request to the provider was interrupted")]
    Interrupted,
}

impl Error {
    /// Whether the user has to sign in (again): send them to [`sign_in`](crate::LogtoSession::sign_in). Also true for what
    /// the provider answers to [`Prompt::None`](crate::Prompt::None) if it has to show a page (`login_required`,
    /// `consent_required`, `interaction_required`; OpenID Connect Core 1.0, section 3.1.2.6).
    pub fn is_sign_in_required(&self) -> bool {
        match self {
            Self::NotAuthenticated | Self::SessionEnded => true,
            Self::AuthorizationFailed { error, .. } | Self::TokenEndpoint { error, .. } => {
                matches!(&**error, "login_required" | "consent_required" | "interaction_required")
            }
            _ => false,
        }
    }

    /// Whether the user said no to a sign-in, or the provider refuses the user a sign-in or a token.
    pub fn is_access_denied(&self) -> bool {
        match self {
            Self::SignInCancelled | Self::AccessDenied { .. } => true,
            Self::TokenEndpoint { error, .. } => matches!(&**error, "access_denied" | "insufficient_scope"),
            _ => false,
        }
    }

    /// Whether a callback was not of a sign-in that is under way here; beginning anew helps.
    pub fn is_stale_callback(&self) -> bool {
        matches!(self, Self::NoPendingSignIn | Self::UnknownState)
    }

    /// Whether this machine's clock and the provider's differ too much.
    pub fn is_clock_skew(&self) -> bool {
        matches!(self, Self::ClockSkew { .. })
    }

    /// Whether it may work later: the provider could not be reached, was busy, or had a fault of its own.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Request(error) | Self::EndSession(error) => error.is_retryable(),
            Self::TokenEndpoint { error, .. } | Self::AuthorizationFailed { error, .. } => {
                matches!(&**error, "temporarily_unavailable" | "server_error")
            }
            Self::Interrupted => true,
            _ => false,
        }
    }

    /// How long the provider asked to wait (`Retry-After` in seconds), if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Request(RequestError { kind: RequestErrorKind::RateLimited { retry_after }, .. }) => *retry_after,
            _ => None,
        }
    }
}

/// Why an ID token was not accepted (OpenID Connect Core 1.0, section 3.1.3.7).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenProblem {
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
    RateLimited {
        /// How long to wait, where it says so in seconds.
        retry_after: Option<Duration>,
    },
    /// A redirect, which is never followed: it would take the app's secret elsewhere.
    Redirected,
    /// A body over the limit.
    TooLarge {
        /// The most bytes that are read.
        limit: usize,
    },
    /// An answer that is not what the endpoint has to answer.
    Invalid(&'static str),
    /// Discovery names another issuer than the configured endpoint's.
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
    Discovery,
    /// `jwks_uri`.
    Keys,
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
            Self::Discovery => "discovery document",
            Self::Keys => "key set",
            Self::Token => "token endpoint",
            Self::Revocation => "revocation endpoint",
            Self::UserInfo => "user info endpoint",
            Self::EndSession => "end-session page",
        })
    }
}

/// The provider's description after its error code, where there is one.
struct Described<'a>(&'a Option<String>);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(description) => write!(f, ": {description}"),
            None => Ok(()),
        }
    }
}

/// An error and what caused it, for the log: what an error says of itself leaves its source out.
pub(crate) struct WithCauses<'a>(pub(crate) &'a dyn std::error::Error);

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut causes = std::iter::successors(self.0.source(), |cause| cause.source());
        causes.try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// Words of the provider's, or of whoever made up a callback, fit for a log line.
pub(crate) fn quotable(text: &str) -> String {
    // Nor what ends a line, or turns the reading direction, in a terminal.
    let is_safe = |c: &char| {
        !c.is_control() && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(is_safe).take(200).collect()
}
