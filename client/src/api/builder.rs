//! Building a [`LogtoApi`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::api::introspection::Introspection;
use crate::api::memory::Memory;
use crate::api::metadata::ResourceMetadata;
use crate::api::permission::{Rule, TokenPermission};
use crate::api::response::ApiBody;
use crate::api::{ApiError, Inner, LogtoApi};
use crate::config::{AppSecret, check_endpoint, check_resource, config_error, not_blank};
use crate::error::Result;
use crate::issuer::Issuer;
use crate::oidc::access_token::Audiences;
use crate::util::{each_once, http};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);

/// The maximum leeway.
const MAX_LEEWAY: Duration = Duration::from_secs(300);

/// How long the answer about an opaque token is used by default.
const INTROSPECTION_MAX_AGE: Duration = Duration::from_secs(30);

/// The maximum number of remembered tokens by default, each of about one kilobyte.
const MAX_TOKENS: usize = 16_384;

pub(super) type OnError = Arc<dyn Fn(&ApiError) -> ApiBody + Send + Sync>;

/// Builds a [`LogtoApi`]. Created by [`LogtoApi::builder`].
///
/// # Example
///
/// ```
/// use std::time::Duration;
///
/// use logto_client::LogtoScope;
/// use logto_client::api::LogtoApi;
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "read:things")]
/// struct ReadThings;
///
/// # fn main() -> Result<(), logto_client::Error> {
/// let api = LogtoApi::builder("https://tenant.logto.app")
///     .audience("https://api.example.com")
///     .in_organizations()
///     .permissions::<ReadThings>()
///     .publish_metadata()
///     .leeway(Duration::from_secs(10))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct LogtoApiBuilder {
    endpoint: String,
    allow_http: bool,
    audiences: Audiences,
    permissions: Vec<Rule>,
    publish_metadata: bool,
    introspection: Option<(String, AppSecret)>,
    introspection_max_age: Duration,
    leeway: Duration,
    max_tokens: usize,
    http: Option<reqwest::Client>,
    on_error: OnError,
}

impl LogtoApiBuilder {
    pub(super) fn new(endpoint: String) -> Self {
        Self {
            endpoint,
            allow_http: false,
            audiences: Audiences { resources: Vec::new(), organization_tokens: false, in_organizations: false },
            permissions: Vec::new(),
            publish_metadata: false,
            introspection: None,
            introspection_max_age: INTROSPECTION_MAX_AGE,
            leeway: DEFAULT_LEEWAY,
            max_tokens: MAX_TOKENS,
            http: None,
            on_error: Arc::new(ApiBody::problem),
        }
    }

    /// Accepts tokens for an API, by its indicator in Logto's console (RFC 8707). Call it once for each API. See the
    /// [example](Self#example).
    pub fn audience(mut self, indicator: impl Into<String>) -> Self {
        self.audiences.resources.push(indicator.into());
        self
    }

    /// Accepts tokens for an API within an organization, too. See the [example](Self#example).
    ///
    /// Their scopes count in [that organization](super::VerifiedToken::organization_id) only, and your handlers have to
    /// compare it with the organization whose data the request is about. So such tokens are refused by default.
    pub fn in_organizations(mut self) -> Self {
        self.audiences.in_organizations = true;
        self
    }

    /// Accepts tokens for an organization itself (`aud` is `urn:logto:organization:<id>`), of every organization of the
    /// tenant. Your handlers have to look at [which](super::VerifiedToken::organization_id).
    ///
    /// Scopes with the resource `urn:logto:resource:organizations` are permissions of such tokens:
    ///
    /// ```
    /// use logto_client::LogtoScope;
    /// use logto_client::api::LogtoApi;
    ///
    /// #[derive(LogtoScope)]
    /// #[logto(scope = "invite:members", resource = "urn:logto:resource:organizations")]
    /// struct InviteMembers;
    ///
    /// # fn main() -> Result<(), logto_client::Error> {
    /// let api =
    ///     LogtoApi::builder("https://tenant.logto.app").organization_tokens().permissions::<InviteMembers>().build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn organization_tokens(mut self) -> Self {
        self.audiences.organization_tokens = true;
        self
    }

    /// Lists permissions that handlers require, such as `(ReadThings, WriteThings)`. Call it as often as you like. See
    /// the [example](Self#example).
    ///
    /// [`build`](Self::build) checks that each belongs to one of the audiences, and the
    /// [metadata](Self::publish_metadata) names them.
    pub fn permissions<P: TokenPermission>(mut self) -> Self {
        self.permissions.push(P::RULE);
        self
    }

    /// Publishes protected resource metadata (RFC 9728), and names their URL in `WWW-Authenticate`. Requires exactly one
    /// audience, which is the `https` URL of the API. See the [example](Self#example) and
    /// [`metadata`](LogtoApi::metadata).
    pub fn publish_metadata(mut self) -> Self {
        self.publish_metadata = true;
        self
    }

    /// Accepts Logto's opaque access tokens as well, and asks Logto about each (RFC 7662). They are those without a
    /// resource, and have no permission of an API.
    ///
    /// Logto answers the app that the token was issued to: pass its id and secret.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use logto_client::api::LogtoApi;
    ///
    /// # fn main() -> Result<(), logto_client::Error> {
    /// let api = LogtoApi::builder("https://tenant.logto.app")
    ///     .introspection("app-id", "app-secret")
    ///     .introspection_max_age(Duration::from_secs(5))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn introspection(mut self, app_id: impl Into<String>, app_secret: impl Into<AppSecret>) -> Self {
        self.introspection = Some((app_id.into(), app_secret.into()));
        self
    }

    /// Sets how long an answer of the [introspection](Self::introspection) is used. A token that is revoked is accepted
    /// for at most that long. The default is 30 seconds.
    pub fn introspection_max_age(mut self, max_age: Duration) -> Self {
        self.introspection_max_age = max_age;
        self
    }

    /// Sets the tolerated difference between Logto's clock and this machine's. The default is one minute, the maximum
    /// five. See the [example](Self#example).
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets how many verified tokens are remembered, at about one kilobyte each. The default is 16,384; with 0, each
    /// request is verified anew.
    ///
    /// ```
    /// # use logto_client::api::LogtoApiBuilder;
    /// fn for_many_users(builder: LogtoApiBuilder) -> LogtoApiBuilder {
    ///     builder.max_remembered_tokens(200_000)
    /// }
    /// ```
    pub fn max_remembered_tokens(mut self, tokens: usize) -> Self {
        self.max_tokens = tokens;
        self
    }

    /// Sets the HTTP client: for a proxy, your own root certificates, or another time-out. The default is that of
    /// [`LogtoClient::new`](crate::LogtoClient::new).
    ///
    /// ```
    /// use logto_client::api::LogtoApiBuilder;
    /// use logto_client::reqwest;
    ///
    /// fn with(builder: LogtoApiBuilder, http: &reqwest::Client) -> LogtoApiBuilder {
    ///     builder.http_client(http.clone())
    /// }
    /// ```
    pub fn http_client(mut self, http: reqwest::Client) -> Self {
        self.http = Some(http);
        self
    }

    /// Sets the function that writes the bodies of responses to errors. The default is [`ApiBody::problem`].
    ///
    /// ```
    /// use logto_client::api::{ApiBody, LogtoApiBuilder};
    ///
    /// fn with(builder: LogtoApiBuilder) -> LogtoApiBuilder {
    ///     builder.on_error(|error| {
    ///         let code = error.code().unwrap_or("unavailable");
    ///         ApiBody::new("application/json", format!(r#"{{"code":"{code}"}}"#))
    ///     })
    /// }
    /// ```
    pub fn on_error(mut self, body: impl Fn(&ApiError) -> ApiBody + Send + Sync + 'static) -> Self {
        self.on_error = Arc::new(body);
        self
    }

    /// Accepts a plain `http://` endpoint on a host that is not loopback.
    ///
    /// The keys that verify tokens then cross the network unprotected, and an attacker on the path can forge tokens. Use
    /// it only in networks that are protected otherwise, such as a service mesh.
    ///
    /// ```
    /// # use logto_client::api::LogtoApi;
    /// # fn main() -> Result<(), logto_client::Error> {
    /// let api = LogtoApi::builder("http://logto.internal:3001")
    ///     .audience("https://api.example.com")
    ///     .dangerously_allow_http()
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn dangerously_allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Validates the settings. Sends no request.
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config), which names the invalid field.
    ///
    /// ```
    /// # use logto_client::api::LogtoApi;
    /// let error = LogtoApi::builder("https://tenant.logto.app").build().unwrap_err();
    /// assert!(error.to_string().starts_with("the configuration's `audience` is missing"));
    /// ```
    pub fn build(self) -> Result<LogtoApi> {
        let endpoint = check_endpoint(&self.endpoint, self.allow_http)?;
        let issuer = format!("{endpoint}/oidc");
        let audiences = self.audiences()?;
        for rule in &self.permissions {
            audiences.check_rule(rule).map_err(|error| config_error("permissions", format!("do not fit: {error}")))?;
        }
        if let Some((app_id, app_secret)) = &self.introspection {
            not_blank("introspection", app_id)?;
            not_blank("introspection", app_secret.as_str())?;
        }
        if self.leeway > MAX_LEEWAY {
            return Err(config_error("leeway", "is more than five minutes"));
        }
        let metadata = self.publish_metadata.then(|| self.metadata(&audiences, &issuer)).transpose()?;
        let http = match self.http {
            Some(http) => http,
            None => http::default_client()
                .map_err(|error| config_error("http_client", format!("cannot be created: {error}")))?,
        };
        Ok(LogtoApi(Arc::new(Inner {
            issuer: Arc::new(Issuer::new(issuer, http)),
            audiences: Arc::new(audiences),
            leeway: self.leeway.as_secs(),
            memory: Memory::new(self.max_tokens),
            introspection: self
                .introspection
                .map(|(app_id, app_secret)| Introspection::new(app_id, app_secret, self.introspection_max_age)),
            metadata,
            on_error: self.on_error,
        })))
    }

    fn audiences(&self) -> Result<Audiences> {
        let Audiences { resources, organization_tokens, in_organizations } = &self.audiences;
        let resources = each_once(resources.iter().cloned());
        for resource in &resources {
            check_resource("audience", resource)?;
            if Audiences::is_organization(resource) {
                let problem = format!("has {resource:?}, which is an organization: call `organization_tokens()`");
                return Err(config_error("audience", problem));
            }
        }
        if resources.is_empty() && !organization_tokens && self.introspection.is_none() {
            return Err(config_error("audience", "is missing: pass the indicator of your API in Logto's console"));
        }
        if resources.is_empty() && *in_organizations {
            return Err(config_error("audience", "is missing, which `in_organizations()` requires"));
        }
        Ok(Audiences { resources, organization_tokens: *organization_tokens, in_organizations: *in_organizations })
    }

    fn metadata(&self, audiences: &Audiences, issuer: &str) -> Result<ResourceMetadata> {
        let wrong = || {
            config_error(
                "publish_metadata",
                "requires exactly one `audience`, which is the URL of the API, such as https://api.example.com",
            )
        };
        let [indicator] = &*audiences.resources else { return Err(wrong()) };
        let url = Url::parse(indicator).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
        let mut scopes: Vec<_> = self.permissions.iter().flat_map(Rule::all_names).collect();
        scopes.sort_unstable();
        scopes.dedup();
        Ok(ResourceMetadata::new(&url.ok_or_else(wrong)?, indicator, issuer, &scopes))
    }
}

impl fmt::Debug for LogtoApiBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoApiBuilder")
            .field("endpoint", &self.endpoint)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
