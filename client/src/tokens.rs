//! Tokens, and what access tokens are for.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::LogtoConfig;
use crate::error::{Error, Result};

/// An access token with less time than this left, in seconds, counts as expired: it has to reach its API, too.
pub(crate) const MARGIN: u64 = 10;

/// An access token. `Debug` does not print it, and there is no `Display`: [`as_str`](Self::as_str) shows where it goes.
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

/// An ID token, verified when it came. `Debug` does not print it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct IdToken(pub(crate) String);

/// A refresh token. `Debug` does not print it, and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(pub(crate) String);

/// What an access token is for: one of the configuration's resources, perhaps within an organization, an organization,
/// or the provider itself. See [`LogtoSession::access_token`](crate::LogtoSession::access_token).
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
    /// The token, for an `Authorization: Bearer` header.
    pub fn as_str(&self) -> &str {
        &self.token
    }

    /// The permissions that come with the token. None for a user without a role at its API.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split_ascii_whitespace()
    }

    /// When the token expires. `None` for a time past the platform's clock.
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
    /// The token, as a JWT.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl RefreshToken {
    /// The token.
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
    /// The provider's own endpoints, user info among them. The token is opaque.
    pub fn provider() -> Self {
        Self { audience: Audience::Provider, in_organization: None }
    }

    /// An API, by its resource indicator (RFC 8707). It has to be one of the configuration's
    /// [`resources`](crate::LogtoConfigBuilder::resources).
    pub fn resource(indicator: impl Into<String>) -> Self {
        Self { audience: Audience::Resource(indicator.into()), in_organization: None }
    }

    /// Logto's API of an organization, by the organization's id. Requires the scope
    /// [`ORGANIZATIONS`](crate::scope::ORGANIZATIONS).
    pub fn organization(id: impl Into<String>) -> Self {
        Self { audience: Audience::Organization(id.into()), in_organization: None }
    }

    /// The same resource, with the permissions that the user has as a member of an organization. For a
    /// [`resource`](Self::resource) only.
    #[must_use]
    pub fn in_organization(mut self, id: impl Into<String>) -> Self {
        self.in_organization = Some(id.into());
        self
    }

    /// Whether the configuration allows to ask for it.
    pub(crate) fn check(&self, config: &LogtoConfig) -> Result<()> {
        let wrong = |name, problem: &str| Err(Error::InvalidOption { name, problem: problem.to_owned() });
        match &self.audience {
            Audience::Resource(resource) if !config.resources().contains(resource) => {
                return Err(Error::UnlistedResource { resource: resource.clone() });
            }
            Audience::Provider | Audience::Organization(_) if self.in_organization.is_some() => {
                return wrong("in_organization", "is for a resource only");
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

    /// The key of the access token map: `@resource#organization`, as in Logto's other SDKs.
    pub(crate) fn key(&self) -> String {
        let resource = self.resource_indicator().unwrap_or_default();
        match self.organization_id() {
            Some(organization) => format!("@{resource}#{organization}"),
            None => format!("@{resource}"),
        }
    }
}
