//! Tokens, and the targets of access tokens.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::LogtoConfig;
use crate::error::{Error, Result};

/// The remaining lifetime in seconds below which an access token counts as expired: it still has to reach its API.
pub(crate) const MARGIN: u64 = 10;

/// An access token. Returned by [`LogtoSession::access_token`](crate::LogtoSession::access_token).
///
/// A secret: `Debug` does not print it, and it does not implement `Display`. Use [`as_str`](Self::as_str) to send it.
///
/// # Example
///
/// ```
/// use logto_client::{Error, LogtoSession, LogtoStorage, TokenTarget, reqwest};
///
/// async fn request<S: LogtoStorage>(
///     session: &LogtoSession<S>,
///     http: &reqwest::Client,
/// ) -> Result<reqwest::RequestBuilder, Error> {
///     let token = session.access_token(TokenTarget::resource("https://api.example.com")).await?;
///     Ok(http.get("https://api.example.com/orders").bearer_auth(token.as_str()))
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub(crate) token: String,
    pub(crate) scope: String,
    /// Seconds since 1970.
    pub(crate) expires_at: u64,
}

/// An ID token, which was verified when it was received. Returned by
/// [`LogtoSession::id_token`](crate::LogtoSession::id_token), which has an example.
///
/// A secret: `Debug` does not print it, and it does not implement `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken(pub(crate) String);

/// A refresh token. Returned by [`LogtoSession::refresh_token`](crate::LogtoSession::refresh_token), which has an
/// example.
///
/// A secret: `Debug` does not print it, and it does not implement `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(pub(crate) String);

/// The target of an access token: a resource, a resource within an organization, an organization, or the provider
/// itself.
///
/// Passed to [`LogtoSession::access_token`](crate::LogtoSession::access_token).
///
/// # Example
///
/// ```
/// use logto_client::TokenTarget;
///
/// let api = TokenTarget::resource("https://api.example.com");
/// let api_in_organization = TokenTarget::resource("https://api.example.com").in_organization("org-1");
/// let organization = TokenTarget::organization("org-1");
/// let user_info = TokenTarget::provider();
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenTarget {
    audience: Audience,
    in_organization: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Audience {
    Provider,
    Resource(String),
    Organization(String),
}

impl AccessToken {
    /// Returns the token, for an `Authorization: Bearer` header. See the [example](Self#example).
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// Returns the granted permissions. The iterator is empty for a user without a role at the API.
    ///
    /// ```
    /// use logto_client::AccessToken;
    ///
    /// fn may_write(token: &AccessToken) -> bool {
    ///     token.scopes().any(|scope| scope == "write:orders")
    /// }
    /// ```
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split_ascii_whitespace()
    }

    /// Returns when the token expires, or `None` if `SystemTime` cannot represent the time.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use logto_client::AccessToken;
    ///
    /// fn remaining(token: &AccessToken) -> Option<Duration> {
    ///     token.expires_at()?.duration_since(SystemTime::now()).ok()
    /// }
    /// ```
    pub fn expires_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.expires_at))
    }

    pub(crate) fn is_fresh(&self, now: u64) -> bool {
        is_fresh(self.expires_at, now)
    }
}

/// Both in seconds since 1970.
pub(crate) fn is_fresh(expires_at: u64, now: u64) -> bool {
    expires_at > now.saturating_add(MARGIN)
}

impl IdToken {
    /// Returns the token, a JWT.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RefreshToken {
    /// Returns the token.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("scope", &self.scope)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(…)")
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

impl TokenTarget {
    /// Targets the provider's own endpoints, such as user info. The token is opaque. See the [example](Self#example).
    pub fn provider() -> Self {
        Self { audience: Audience::Provider, in_organization: None }
    }

    /// Targets an API, by its resource indicator (RFC 8707). The configuration must list it as one of its
    /// [`resources`](crate::LogtoConfigBuilder::resources). See the [example](Self#example).
    pub fn resource(indicator: impl Into<String>) -> Self {
        Self { audience: Audience::Resource(indicator.into()), in_organization: None }
    }

    /// Targets an organization, by its id. Requires the scope [`ORGANIZATIONS`](crate::scope::ORGANIZATIONS). See the
    /// [example](Self#example).
    pub fn organization(id: impl Into<String>) -> Self {
        Self { audience: Audience::Organization(id.into()), in_organization: None }
    }

    /// Requests the token within an organization: it includes the permissions that the user has as a member.
    ///
    /// For a [`resource`](Self::resource) only. Other targets are rejected with [`Error::InvalidOption`]. See the
    /// [example](Self#example).
    #[must_use]
    pub fn in_organization(mut self, id: impl Into<String>) -> Self {
        self.in_organization = Some(id.into());
        self
    }

    /// Checks that the configuration allows the target.
    pub(crate) fn check(&self, config: &LogtoConfig) -> Result<()> {
        let wrong = |name, problem: &str| Err(Error::InvalidOption { name, problem: problem.to_owned() });
        match &self.audience {
            Audience::Resource(resource) if !config.resources().contains(resource) => {
                return Err(Error::UnlistedResource { resource: resource.clone() });
            }
            Audience::Provider | Audience::Organization(_) if self.in_organization.is_some() => {
                return wrong("in_organization", "applies to resources only");
            }
            _ => {}
        }
        match self.organization_id() {
            Some("") => wrong("organization", "is empty"),
            Some(_) if !config.has_organizations() => Err(Error::MissingOrganizationScope),
            _ => Ok(()),
        }
    }

    pub(crate) fn resource_indicator(&self) -> Option<&str> {
        match &self.audience {
            Audience::Resource(resource) => Some(resource),
            Audience::Provider | Audience::Organization(_) => None,
        }
    }

    pub(crate) fn organization_id(&self) -> Option<&str> {
        match &self.audience {
            Audience::Organization(id) => Some(id),
            Audience::Provider | Audience::Resource(_) => self.in_organization.as_deref(),
        }
    }

    /// Returns the key of the target among the access tokens: `@resource#organization`, as in Logto's other SDKs.
    pub(crate) fn key(&self) -> String {
        let resource = self.resource_indicator().unwrap_or_default();
        match self.organization_id() {
            Some(organization) => format!("@{resource}#{organization}"),
            None => format!("@{resource}"),
        }
    }
}
