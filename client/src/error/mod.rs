//! The error type, and what an app does about an error.

mod access_token;
mod id_token;
mod request;
mod text;

use std::fmt;
use std::time::Duration;

use logto_storage_core as storage;

pub use self::access_token::AccessTokenError;
pub use self::id_token::IdTokenError;
pub use self::request::{Endpoint, RequestError, RequestErrorKind};
pub(crate) use self::text::{ErrorChain, sanitized};

/// The result of this crate's operations.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why an operation failed. Neither the error nor its output contains a token, a code, a code verifier or a secret.
///
/// Variants may get more fields, and the enum more variants. The `is_*` methods say what an app does next:
///
/// ```
/// # fn page(error: logto_client::Error) -> &'static str {
/// if error.is_sign_in_required() {
///     "redirect to the sign-in page"
/// } else if error.is_access_denied() {
///     "403: the user may not do this"
/// } else if error.is_retryable() {
///     "503: try again in a moment"
/// } else {
///     "500: an error page, and a line in the log"
/// }
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A field of the configuration is invalid.
    #[error("the configuration's `{field}` {problem}")]
    #[non_exhaustive]
    Config {
        /// The name of the field, which is that of its setter.
        field: &'static str,
        /// What is wrong with the field.
        problem: String,
    },

    /// An option of a call is invalid.
    #[error("`{name}` {problem}")]
    #[non_exhaustive]
    InvalidOption {
        /// The name of the option, which is that of its setter or argument.
        name: &'static str,
        /// What is wrong with the option.
        problem: String,
    },

    /// The session could not be read or saved.
    #[error("the session's storage failed")]
    Storage(#[source] storage::Error),

    /// The session library cannot give the session a new id, so nobody was signed in or out. With the old id, an attacker
    /// who planted it in the browser would gain a signed-in session (session fixation).
    #[error(
        "the session cannot be given a new id, which protects a sign-in against session fixation: use a session library \
         that can, or call `dangerously_keep_session_id()` on the configuration and renew the id yourself"
    )]
    RenewalUnsupported(#[source] storage::Error),

    /// Nobody is signed in to this session.
    #[error("nobody is signed in to this session")]
    NotAuthenticated,

    /// A user is signed in, but the provider issued no refresh token, so the session cannot get another access token.
    /// Signing in again does not help; the configuration has to request one.
    #[error(
        "the session has no refresh token: request one with the scope `offline_access` and the prompt `consent`, which are \
         the defaults"
    )]
    MissingRefreshToken,

    /// The provider does not accept the session's refresh token any more, because it was revoked, has expired or was used
    /// twice. The session's tokens have been removed.
    #[error("the provider has ended this sign-in: the user has to sign in again")]
    SessionEnded,

    /// The configuration does not list the resource.
    #[error("the resource `{resource}` is not one of the configuration's `resources`")]
    #[non_exhaustive]
    UnlistedResource {
        /// The resource that was requested.
        resource: String,
    },

    /// The configuration does not request the scope that organization tokens require.
    #[error(
        "an organization token requires the scope `{}`: add it to the configuration's `scopes`",
        crate::scope::ORGANIZATIONS
    )]
    MissingOrganizationScope,

    /// The configuration does not request the scope that adds the user's roles to the ID token.
    #[error("a permission requires the user's roles: add `{scope}` to the configuration's `scopes`")]
    #[non_exhaustive]
    MissingRoleScope {
        /// The scope: [`ROLES`](crate::scope::ROLES) or [`ORGANIZATION_ROLES`](crate::scope::ORGANIZATION_ROLES).
        scope: &'static str,
    },

    /// A callback came, but this session has no pending sign-in. Most often the browser did not send the session cookie:
    /// it does not send a `SameSite=Strict` cookie after a redirect from the provider, a cookie of another host, or a
    /// `Secure` cookie over plain http.
    #[error(
        "this session has no pending sign-in: if the user has just started one, the session cookie was lost; it has to be \
         `SameSite=Lax`, `Secure` over https only, and the callback on the host where the sign-in started"
    )]
    NoPendingSignIn,

    /// The callback's `state` belongs to no pending sign-in of this session: it was used before, is older than an hour, was
    /// displaced by eight newer ones, or is forged.
    #[error("the callback belongs to no pending sign-in of this session: it was used before, is too old, or is forged")]
    UnknownState,

    /// The callback's URL is not one that a provider redirects to.
    #[error("the callback's URL {problem}")]
    #[non_exhaustive]
    InvalidCallback {
        /// What is wrong with the URL.
        problem: &'static str,
    },

    /// The callback arrived at another URL than the sign-in's `redirect_uri`.
    #[error("the callback arrived at {found}, but the sign-in's `redirect_uri` is {expected}")]
    #[non_exhaustive]
    WrongRedirectUri {
        /// The sign-in's `redirect_uri`, without its query.
        expected: String,
        /// The URL of the callback, without its query.
        found: String,
    },

    /// The callback's `iss` (RFC 9207) names another provider, or is missing although the provider supports it: another
    /// provider's answer was mixed in.
    #[error("the callback is not from this provider: its `iss` {}", if *.missing { "is missing" } else { "is another issuer" })]
    #[non_exhaustive]
    WrongIssuer {
        /// Whether the callback had no `iss`.
        missing: bool,
    },

    /// The user cancelled the sign-in: the redirect URI was opened without any of the provider's parameters, as by
    /// "Cancel" on Logto's consent page. Every pending sign-in stays pending.
    #[error("the sign-in was cancelled")]
    SignInCancelled,

    /// The user denied the consent, or the provider denied the user the sign-in (`error=access_denied`).
    #[error("the sign-in was denied{}", Described(.description))]
    #[non_exhaustive]
    AccessDenied {
        /// The provider's description, for people. Do not treat it as HTML.
        description: Option<String>,
    },

    /// The provider answered the sign-in with an error (RFC 6749, section 4.1.2.1).
    #[error("the provider refused the sign-in: {error}{}", Described(.description))]
    #[non_exhaustive]
    AuthorizationFailed {
        /// The error code, such as `invalid_scope`.
        error: String,
        /// The provider's description, for people. Do not treat it as HTML.
        description: Option<String>,
    },

    /// The ID token is not valid.
    #[error("invalid ID token: {0}")]
    InvalidIdToken(IdTokenError),

    /// One of the ID token's times (`iat`, `exp`) is more than five minutes off this machine's clock.
    #[error("the ID token's `{claim}` is {seconds} s off this machine's clock: synchronize both clocks")]
    #[non_exhaustive]
    ClockSkew {
        /// `iat` or `exp`.
        claim: &'static str,
        /// The difference in seconds.
        seconds: u64,
    },

    /// The user info is about another user than the ID token.
    #[error("the user info is about another user than the one who is signed in")]
    WrongSubject,

    /// The user lacks a [permission](crate::Permission), and may not do this.
    #[error("the user lacks a permission: {}", .missing.join(" "))]
    #[non_exhaustive]
    InsufficientScope {
        /// The scopes and roles that would do.
        missing: Vec<&'static str>,
    },

    /// The user is not a member of the organization that the request is about.
    #[error("the user is not a member of the organization")]
    NotAMember,

    /// The token endpoint answered with an error (RFC 6749, section 5.2). With `access_denied` and `insufficient_scope` the
    /// user may not have the token, and the description says why.
    #[error("the token endpoint refused: {error}{}{}", Described(.description), advice(.error))]
    #[non_exhaustive]
    TokenEndpoint {
        /// The error code, such as `invalid_client`.
        error: String,
        /// The provider's description, for people. Do not treat it as HTML.
        description: Option<String>,
    },

    /// The provider did not answer, or its response is invalid.
    #[error(transparent)]
    Request(#[from] RequestError),

    /// The user is signed out of this app, but the browser cannot be sent to the provider to sign out there, because the
    /// provider does not answer.
    #[error("signed out of this app, but not at the provider")]
    EndSession(#[source] RequestError),

    /// The runtime dropped the request to the provider, because the program is shutting down.
    #[error("the request to the provider was interrupted")]
    Interrupted,
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error.kind() {
            // Signed out by another request. Only a vault notices.
            storage::ErrorKind::Ended => Self::NotAuthenticated,
            _ => Self::Storage(error),
        }
    }
}

impl Error {
    /// Whether the user has to sign in (again): redirect to [`sign_in`](crate::LogtoSession::sign_in). Also true if the
    /// provider would have to show a page after [`Prompt::None`](crate::Prompt::None) (`login_required`,
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

    /// Whether the user said no to a sign-in, the provider refuses the user a sign-in or a token, or the user lacks a
    /// permission.
    pub fn is_access_denied(&self) -> bool {
        match self {
            Self::SignInCancelled | Self::AccessDenied { .. } | Self::InsufficientScope { .. } | Self::NotAMember => {
                true
            }
            Self::TokenEndpoint { error, .. } => matches!(&**error, "access_denied" | "insufficient_scope"),
            _ => false,
        }
    }

    /// Whether a callback belongs to no pending sign-in of this session. Starting another sign-in helps.
    pub fn is_stale_callback(&self) -> bool {
        matches!(self, Self::NoPendingSignIn | Self::UnknownState)
    }

    /// Whether this machine's clock and the provider's differ too much.
    pub fn is_clock_skew(&self) -> bool {
        matches!(self, Self::ClockSkew { .. })
    }

    /// Whether the operation may succeed later: the provider could not be reached, was busy, or had a fault of its own.
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
            Self::Request(error) | Self::EndSession(error) => error.retry_after(),
            _ => None,
        }
    }

    /// Whether the app, its registration at the provider or its session library is configured wrong, so that an operator has
    /// to act.
    pub(crate) fn is_misconfiguration(&self) -> bool {
        match self {
            Self::Config { .. }
            | Self::InvalidOption { .. }
            | Self::RenewalUnsupported(_)
            | Self::MissingRefreshToken
            | Self::UnlistedResource { .. }
            | Self::MissingOrganizationScope
            | Self::MissingRoleScope { .. }
            | Self::WrongRedirectUri { .. } => true,
            Self::TokenEndpoint { error, .. } | Self::AuthorizationFailed { error, .. } => {
                matches!(&**error, "invalid_client" | "unauthorized_client" | "invalid_target" | "invalid_scope")
            }
            _ => false,
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

/// What to do about an error of the token endpoint, where that is not obvious.
fn advice(error: &str) -> &'static str {
    if error == "invalid_client" { " (check the configuration's `app_id` and `app_secret`)" } else { "" }
}
