//! The configuration of an app at its provider.

use std::fmt;

use url::Url;

use crate::error::{Error, Result};
use crate::oidc::authorize::{Prompt, check_prompts};
use crate::scope;
use crate::util::each_once;
use crate::util::web_url::WebUrl;

/// The configuration of a [`LogtoClient`](crate::LogtoClient). Created by [`LogtoConfig::builder`].
///
/// # Example
///
/// ```
/// use logto_client::{LogtoConfig, scope};
///
/// # fn main() -> Result<(), logto_client::Error> {
/// let config = LogtoConfig::builder("https://tenant.logto.app", "my-app-id")
///     .app_secret("my-app-secret")
///     .scopes([scope::EMAIL, scope::ORGANIZATIONS])
///     .resources(["https://api.example.com"])
///     .build()?;
///
/// assert_eq!(
///     config.scopes(),
///     ["openid", "offline_access", "profile", "email", "urn:logto:scope:organizations"],
/// );
/// assert!(!format!("{config:?}").contains("my-app-secret"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogtoConfig {
    endpoint: String,
    issuer: String,
    app_id: String,
    app_secret: Option<AppSecret>,
    scopes: Vec<String>,
    resources: Vec<String>,
    prompts: Vec<Prompt>,
    keep_session_id: bool,
}

/// Builds a [`LogtoConfig`]. Created by [`LogtoConfig::builder`].
///
/// # Example
///
/// Everything but the endpoint and the app's id is optional:
///
/// ```
/// use logto_client::{LogtoConfig, Prompt, scope};
///
/// # fn main() -> Result<(), logto_client::Error> {
/// let config = LogtoConfig::builder("https://tenant.logto.app", "my-app-id")
///     .app_secret("my-app-secret")
///     .scopes([scope::EMAIL, scope::ROLES, "read:orders"])
///     .resources(["https://api.example.com"])
///     .prompt([Prompt::Login, Prompt::Consent])
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct LogtoConfigBuilder {
    endpoint: String,
    app_id: String,
    app_secret: Option<AppSecret>,
    scopes: Vec<String>,
    resources: Vec<String>,
    prompts: Vec<Prompt>,
    include_reserved_scopes: bool,
    keep_session_id: bool,
    allow_http: bool,
}

/// An app secret. `Debug` does not print it.
///
/// ```
/// use logto_client::AppSecret;
///
/// assert_eq!(format!("{:?}", AppSecret::from("my-app-secret")), "AppSecret(…)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct AppSecret(String);

impl LogtoConfig {
    /// Creates a builder. See its [example](LogtoConfigBuilder#example).
    ///
    /// `endpoint` is the URL of your Logto, such as `https://tenant.logto.app`, without `/oidc` at the end. It may
    /// have a path (`https://example.com/logto`). Plain `http://` is accepted for loopback hosts only.
    ///
    /// `app_id` is the app's id from Logto's console.
    pub fn builder(endpoint: impl Into<String>, app_id: impl Into<String>) -> LogtoConfigBuilder {
        LogtoConfigBuilder {
            endpoint: endpoint.into(),
            app_id: app_id.into(),
            app_secret: None,
            scopes: Vec::new(),
            resources: Vec::new(),
            prompts: vec![Prompt::Consent],
            include_reserved_scopes: true,
            keep_session_id: false,
            allow_http: false,
        }
    }

    /// Returns Logto's endpoint, without a trailing slash.
    ///
    /// ```
    /// # use logto_client::LogtoConfig;
    /// let config = LogtoConfig::builder("https://tenant.logto.app/", "my-app-id").build()?;
    /// assert_eq!(config.endpoint(), "https://tenant.logto.app");
    /// assert_eq!(config.app_id(), "my-app-id");
    /// # Ok::<(), logto_client::Error>(())
    /// ```
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Returns the app's id. See the example of [`endpoint`](Self::endpoint).
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// Returns the scopes that a sign-in requests, the reserved scopes first, without duplicates. See the
    /// [example](Self#example).
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// Returns the resources that a sign-in requests, without duplicates. They include Logto's resource for
    /// organizations if the scope [`ORGANIZATIONS`](scope::ORGANIZATIONS) is requested.
    ///
    /// ```
    /// # use logto_client::{LogtoConfig, scope};
    /// let config = LogtoConfig::builder("https://tenant.logto.app", "my-app-id")
    ///     .scopes([scope::ORGANIZATIONS])
    ///     .resources(["https://api.example.com"])
    ///     .build()?;
    /// assert_eq!(config.resources(), ["https://api.example.com", "urn:logto:resource:organizations"]);
    /// # Ok::<(), logto_client::Error>(())
    /// ```
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// Returns the issuer that metadata and tokens must name: `{endpoint}/oidc`.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn app_secret(&self) -> Option<&str> {
        self.app_secret.as_ref().map(AppSecret::as_str)
    }

    pub(crate) fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    pub(crate) fn keeps_session_id(&self) -> bool {
        self.keep_session_id
    }

    /// Whether organization tokens may be requested.
    pub(crate) fn has_organizations(&self) -> bool {
        self.scopes.iter().any(|scope| scope == scope::ORGANIZATIONS)
    }
}

impl AppSecret {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl LogtoConfigBuilder {
    /// Sets the app secret, from Logto's console. See the [example](Self#example).
    ///
    /// Without a secret the app is a public client, protected by PKCE alone (RFC 7636).
    pub fn app_secret(mut self, secret: impl Into<AppSecret>) -> Self {
        self.app_secret = Some(secret.into());
        self
    }

    /// Sets the scopes to request in addition to the reserved ones: those of the [`scope`](mod@scope) module, and
    /// permissions of the [`resources`](Self::resources). See the [example](Self#example).
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the APIs that the app requests access tokens for, by their resource indicators (RFC 8707). See the
    /// [example](Self#example).
    pub fn resources<T: Into<String>>(mut self, resources: impl IntoIterator<Item = T>) -> Self {
        self.resources = resources.into_iter().map(Into::into).collect();
        self
    }

    /// Sets what the provider asks of the user at each sign-in. See the [example](Self#example).
    ///
    /// The default is [`Prompt::Consent`]: without it, Logto issues no refresh token. With an empty list the provider
    /// decides.
    pub fn prompt(mut self, prompts: impl IntoIterator<Item = Prompt>) -> Self {
        self.prompts = prompts.into_iter().collect();
        self
    }

    /// Sets whether to request the reserved scopes `openid`, `offline_access` and `profile`. The default is `true`.
    ///
    /// Without `openid` the provider issues no ID token and every sign-in fails. Without `offline_access` it issues no
    /// refresh token.
    ///
    /// ```
    /// # use logto_client::{LogtoConfig, scope};
    /// // The app needs to know who the user is, and nothing else.
    /// let config = LogtoConfig::builder("https://tenant.logto.app", "my-app-id")
    ///     .include_reserved_scopes(false)
    ///     .scopes([scope::OPENID])
    ///     .build()?;
    /// assert_eq!(config.scopes(), ["openid"]);
    /// # Ok::<(), logto_client::Error>(())
    /// ```
    pub fn include_reserved_scopes(mut self, include: bool) -> Self {
        self.include_reserved_scopes = include;
        self
    }

    /// Signs users in and out even if the session library cannot give the session a new id.
    ///
    /// By default both fail with [`RenewalUnsupported`](Error::RenewalUnsupported). Call this only if your app renews
    /// the id itself: otherwise an attacker who plants a session id in a browser gains a signed-in session (session
    /// fixation).
    ///
    /// ```
    /// # use logto_client::LogtoConfig;
    /// let config =
    ///     LogtoConfig::builder("https://tenant.logto.app", "my-app-id").dangerously_keep_session_id().build()?;
    /// # Ok::<(), logto_client::Error>(())
    /// ```
    pub fn dangerously_keep_session_id(mut self) -> Self {
        self.keep_session_id = true;
        self
    }

    /// Accepts a plain `http://` endpoint on a host that is not loopback.
    ///
    /// Secrets and tokens then cross the network unencrypted, and an attacker on the path can sign in as any user. Use
    /// it only in networks that are protected otherwise, such as a service mesh.
    ///
    /// ```
    /// # use logto_client::LogtoConfig;
    /// let config = LogtoConfig::builder("http://logto.internal:3001", "my-app-id").dangerously_allow_http().build()?;
    /// # Ok::<(), logto_client::Error>(())
    /// ```
    pub fn dangerously_allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Validates the configuration. Sends no request.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], which names the invalid field.
    ///
    /// ```
    /// # use logto_client::LogtoConfig;
    /// let error = LogtoConfig::builder("http://tenant.logto.app", "my-app-id").build().unwrap_err();
    /// assert!(error.to_string().starts_with("the configuration's `endpoint` is plain http"));
    /// ```
    pub fn build(self) -> Result<LogtoConfig> {
        let endpoint = check_endpoint(&self.endpoint, self.allow_http)?;
        not_blank("app_id", &self.app_id)?;
        if let Some(AppSecret(secret)) = &self.app_secret {
            not_blank("app_secret", secret)?;
        }
        check_prompts(&self.prompts).map_err(|problem| config_error("prompt", problem))?;

        let reserved = if self.include_reserved_scopes { &scope::RESERVED[..] } else { &[] };
        let scopes = each_once(reserved.iter().map(|scope| (*scope).to_owned()).chain(self.scopes.iter().cloned()));
        for scope in &scopes {
            if scope.trim().is_empty() {
                return Err(config_error("scopes", "has an empty scope"));
            }
            if scope.contains(char::is_whitespace) {
                let problem = format!("has {scope:?}, which contains a space: pass each scope on its own");
                return Err(config_error("scopes", problem));
            }
        }
        let organizations =
            scopes.iter().any(|scope| scope == scope::ORGANIZATIONS).then_some(scope::ORGANIZATIONS_RESOURCE);
        let resources = each_once(self.resources.iter().cloned().chain(organizations.map(str::to_owned)));
        for resource in &resources {
            check_resource("resources", resource)?;
        }
        Ok(LogtoConfig {
            issuer: format!("{endpoint}/oidc"),
            endpoint,
            app_id: self.app_id,
            app_secret: self.app_secret,
            scopes,
            resources,
            prompts: self.prompts,
            keep_session_id: self.keep_session_id,
        })
    }
}

pub(crate) fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<String> {
    let wrong = |problem| config_error("endpoint", problem);
    let url = WebUrl::parse(endpoint).and_then(WebUrl::without_query).map_err(wrong)?;
    if !url.is_protected() && !allow_http {
        return Err(wrong(
            "is plain http on a host that is not loopback: use https, or call `dangerously_allow_http()`",
        ));
    }
    let url = url.as_url();
    if url.path().trim_end_matches('/').ends_with("/oidc") {
        return Err(wrong("ends with /oidc, which the client adds itself: remove it"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// RFC 8707, section 2.
pub(crate) fn check_resource(field: &'static str, resource: &str) -> Result<()> {
    let problem = match Url::parse(resource) {
        Ok(url) if url.fragment().is_none() => return Ok(()),
        Ok(_) => format!("has {resource:?}, which contains a fragment: remove `#` and what follows"),
        Err(_) => format!("has {resource:?}, which is not an absolute URI, such as https://api.example.com"),
    };
    Err(config_error(field, problem))
}

pub(crate) fn not_blank(field: &'static str, value: &str) -> Result<()> {
    if value.trim().is_empty() { Err(config_error(field, "is empty")) } else { Ok(()) }
}

pub(crate) fn config_error(field: &'static str, problem: impl Into<String>) -> Error {
    Error::Config { field, problem: problem.into() }
}

impl From<String> for AppSecret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl From<&str> for AppSecret {
    fn from(secret: &str) -> Self {
        Self(secret.to_owned())
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(…)")
    }
}
