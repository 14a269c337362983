//! What may go wrong, and what an app can do about it.

mod id_token;
mod request;
mod text;

use std::fmt;
use std::time::Duration;

use logto_storage_core as storage;

pub use self::id_token::IdTokenError;
pub use self::request::{Endpoint, RequestError, RequestErrorKind};
pub(crate) use self::text::{ErrorChain, sanitized};

/// The result of this crate's operations.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed. No token, code, verifier or secret is in it, nor in what it prints.
///
/// Variants may get more fields, and the enum more variants; the `is_*` methods say what an app does next:
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
    #[non_exhaustive]
    Config {
        /// The field's name, as its setter's.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },

    /// An option of a sign-in or a sign-out cannot be used.
    #[error("`{name}` {problem}")]
    #[non_exhaustive]
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
         or call `dangerously_keep_session_id()` on the configuration and renew the id yourself"
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
    #[non_exhaustive]
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
    #[non_exhaustive]
    InvalidCallback {
        /// What is wrong with it.
        problem: &'static str,
    },

    /// The callback came to another URL than the sign-in's `redirect_uri`.
    #[error("the callback came to {found}, but the sign-in's `redirect_uri` is {expected}")]
    #[non_exhaustive]
    WrongRedirectUri {
        /// The sign-in's `redirect_uri`.
        expected: String,
        /// Where the callback came to, without its query.
        found: String,
    },

    /// The callback's `iss` (RFC 9207) is not this provider, or is missing although the provider promises it: the
    /// answer of another provider was mixed in.
    #[error("the callback does not come from this provider: its `iss` is {}", if *.missing { "missing" } else { "another" })]
    #[non_exhaustive]
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
    #[non_exhaustive]
    AccessDenied {
        /// The provider's words, for people; not to be trusted as HTML.
        description: Option<String>,
    },

    /// The provider answered the sign-in with an error (RFC 6749, section 4.1.2.1).
    #[error("the provider refused the sign-in: {error}{}", Described(.description))]
    #[non_exhaustive]
    AuthorizationFailed {
        /// The error's code, such as `invalid_scope`.
        error: String,
        /// The provider's words, for people; not to be trusted as HTML.
        description: Option<String>,
    },

    /// The ID token was not accepted.
    #[error("the ID token was not accepted: {0}")]
    InvalidIdToken(IdTokenError),

    /// The ID token's times (`iat`, `exp`) are more than five minutes off this machine's clock.
    #[error("the ID token's `{claim}` is {seconds} s off this machine's clock: set the clocks of both machines")]
    #[non_exhaustive]
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
    #[non_exhaustive]
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
