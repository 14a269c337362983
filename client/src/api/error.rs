//! Why a request to an API is refused.

use std::time::Duration;

use crate::error::{AccessTokenError, RequestError};

/// How long a client is asked to wait if the issuer did not say.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Why a request to an API is refused. Neither the error nor its output contains a token or a secret.
///
/// [`LogtoApi::respond`](super::LogtoApi::respond) turns it into a response (RFC 6750, section 3).
///
/// ```
/// # use logto_client::api::ApiError;
/// fn log(error: &ApiError) {
///     if error.status() >= 500 {
///         tracing::warn!(error = error as &dyn std::error::Error, "access tokens cannot be verified");
///     }
/// }
/// ```
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiError {
    /// The request has no access token.
    #[error("the request has no access token")]
    MissingToken,

    /// The request has several tokens, or one where none may be.
    #[error("the request {0}")]
    InvalidRequest(&'static str),

    /// The access token is not valid.
    #[error("invalid access token: {0}")]
    InvalidToken(#[from] AccessTokenError),

    /// The access token lacks a [permission](super::Permission).
    #[error("the access token lacks a permission: {}", .required.join(" "))]
    #[non_exhaustive]
    InsufficientScope {
        /// Scopes that would do.
        required: Vec<&'static str>,
    },

    /// The access token is not for the organization that the request is about.
    #[error("the access token is not for this organization")]
    WrongOrganization,

    /// A permission belongs to an API that the [`LogtoApi`](super::LogtoApi) does not answer for. List the permissions
    /// with [`permissions`](super::LogtoApiBuilder::permissions) to notice this at startup.
    #[error(
        "the scope `{scope}` belongs to {}: name one of the audiences as its `resource`",
        .resource.map_or_else(|| "one of several audiences".to_owned(), |resource| format!("`{resource}`, which is no audience"))
    )]
    #[non_exhaustive]
    UnknownResource {
        /// The scope.
        scope: &'static str,
        /// Its resource.
        resource: Option<&'static str>,
    },

    /// The issuer, whose keys or whose answer is needed, does not answer.
    #[error("the access token cannot be verified now")]
    Unavailable(#[source] RequestError),

    /// The token names an unknown key, and the JWK set was fetched too often just now to fetch it once more.
    #[error("the access token cannot be verified now: its key is unknown, and the JWK set was just fetched")]
    TooManyUnknownKeys,
}

impl ApiError {
    /// Returns the status for the response. See the [example](Self).
    pub fn status(&self) -> u16 {
        match self {
            Self::InvalidRequest(_) => 400,
            Self::MissingToken | Self::InvalidToken(_) => 401,
            Self::InsufficientScope { .. } | Self::WrongOrganization => 403,
            Self::UnknownResource { .. } => 500,
            Self::Unavailable(_) | Self::TooManyUnknownKeys => 503,
        }
    }

    /// Returns the error code, if there is one (RFC 6750, section 3.1).
    ///
    /// ```
    /// # use logto_client::api::ApiError;
    /// assert_eq!(ApiError::MissingToken.code(), None);
    /// ```
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::InvalidRequest(_) => Some("invalid_request"),
            Self::InvalidToken(_) => Some("invalid_token"),
            Self::InsufficientScope { .. } | Self::WrongOrganization => Some("insufficient_scope"),
            _ => None,
        }
    }

    /// Returns how long a client should wait before it tries again, if that may help.
    ///
    /// ```
    /// # use logto_client::api::ApiError;
    /// assert_eq!(ApiError::MissingToken.retry_after(), None);
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable(error) => Some(error.retry_after().unwrap_or(RETRY_AFTER)),
            Self::TooManyUnknownKeys => Some(RETRY_AFTER),
            _ => None,
        }
    }
}
