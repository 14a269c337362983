//! What an app is told about itself and its provider.

use std::fmt;

use url::{Host, Url};

use crate::error::{Error, Result};
use crate::scope;
use crate::sign_in::{Prompt, check_prompts};

/// The configuration of a [`LogtoClient`](crate::LogtoClient).
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
#[derive(Clone, Debug)]
pub struct LogtoConfig {
    endpoint: String,
    issuer: String,
    app_id: String,
    app_secret: Option<AppSecret>,
    scopes: Vec<String>,
    resources: Vec<String>,
    prompts: Vec<Prompt>,
    require_session_renewal: bool,
}

/// Makes a [`LogtoConfig`], and checks it when it is [built](Self::build).
#[derive(Clone, Debug)]
#[must_use]
pub struct LogtoConfigBuilder {
    endpoint: String,
    app_id: String,
    app_secret: Option<AppSecret>,
    scopes: Vec<String>,
    resources: Vec<String>,
    prompts: Vec<Prompt>,
    include_reserved_scopes: bool,
    require_session_renewal: bool,
    allow_http: bool,
}

/// An app's secret. It is not printed.
#[derive(Clone)]
pub struct AppSecret(String);

impl LogtoConfig {
    /// Begins a configuration.
    ///
    /// `endpoint` is Logto's, such as `https://tenant.logto.app`; a path in it is kept (`https://example.com/logto`).
    /// Plain `http://` is accepted on loopback only.
    /// `app_id` is the one that Logto's console shows for the app.
    pub fn builder(endpoint: impl Into<String>, app_id: impl Into<String>) -> LogtoConfigBuilder {
        LogtoConfigBuilder {
            endpoint: endpoint.into(),
            app_id: app_id.into(),
            app_secret: None,
            scopes: Vec::new(),
            resources: Vec::new(),
            prompts: vec![Prompt::Consent],
            include_reserved_scopes: true,
            require_session_renewal: true,
            allow_http: false,
        }
    }

    /// Logto's endpoint, without a slash at its end.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The app's id.
    pub fn app_id(&self) -> &str {
        &self.app_id
    }

    /// The scopes that a sign-in asks for: the reserved ones first, each once.
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// The resources that a sign-in asks for, each once; that of organizations is among them if its scope is.
    pub fn resources(&self) -> &[String] {
        &self.resources
    }

    /// What the provider has to call itself: `{endpoint}/oidc`.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(crate) fn app_secret(&self) -> Option<&str> {
        self.app_secret.as_ref().map(|secret| &*secret.0)
    }

    pub(crate) fn prompts(&self) -> &[Prompt] {
        &self.prompts
    }

    pub(crate) fn require_session_renewal(&self) -> bool {
        self.require_session_renewal
    }

    /// Whether tokens for organizations may be asked for.
    pub(crate) fn has_organizations(&self) -> bool {
        self.scopes.iter().any(|scope| scope == scope::ORGANIZATIONS)
    }
}

impl LogtoConfigBuilder {
    /// The app's secret, from Logto's console. Without one the app is a public client, which only PKCE protects.
    pub fn app_secret(mut self, secret: impl Into<AppSecret>) -> Self {
        self.app_secret = Some(secret.into());
        self
    }

    /// Scopes beside the reserved ones: those of the [module `scope`](mod@scope), and the permissions of the
    /// [`resources`](Self::resources).
    pub fn scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The APIs (their indicators, RFC 8707) that the app gets access tokens for.
    pub fn resources<T: Into<String>>(mut self, resources: impl IntoIterator<Item = T>) -> Self {
        self.resources = resources.into_iter().map(Into::into).collect();
        self
    }

    /// What the provider asks of the user at each sign-in. The default is [`Prompt::Consent`], without which Logto
    /// gives no refresh token. Empty: the provider decides.
    pub fn prompt(mut self, prompts: impl IntoIterator<Item = Prompt>) -> Self {
        self.prompts = prompts.into_iter().collect();
        self
    }

    /// Whether `openid`, `offline_access` and `profile` are asked for without being named. The default is `true`.
    /// Without `openid` there is no ID token, and no sign-in succeeds; without `offline_access` there is no refresh
    /// token.
    pub fn include_reserved_scopes(mut self, include: bool) -> Self {
        self.include_reserved_scopes = include;
        self
    }

    /// Whether sign-in and sign-out fail with [`RenewalUnsupported`](Error::RenewalUnsupported) if the session cannot
    /// be given a new id. The default is `true`. Set to `false` only if the app renews the id itself: otherwise who
    /// plants a session id in a browser has a signed-in session later (session fixation).
    pub fn require_session_renewal(mut self, require: bool) -> Self {
        self.require_session_renewal = require;
        self
    }

    /// Accepts an `endpoint` of plain `http://` on a host that is not loopback. Secrets and tokens then cross the network in
    /// the clear, and an attacker on the way can sign anybody in: for networks that are protected otherwise, such as a
    /// service mesh.
    pub fn dangerously_allow_http(mut self) -> Self {
        self.allow_http = true;
        self
    }

    /// Checks the configuration. No request is made.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], which names the field.
    pub fn build(self) -> Result<LogtoConfig> {
        let endpoint = check_endpoint(&self.endpoint, self.allow_http)?;
        not_blank("app_id", &self.app_id)?;
        if let Some(AppSecret(secret)) = &self.app_secret {
            not_blank("app_secret", secret)?;
        }
        check_prompts(&self.prompts).map_err(|problem| config_error("prompt", problem))?;

        let reserved = if self.include_reserved_scopes { &scope::RESERVED[..] } else { &[] };
        let scopes = each_once(reserved.iter().copied().chain(self.scopes.iter().map(|scope| &**scope)));
        for scope in &scopes {
            not_blank("scopes", scope)?;
            if scope.contains(char::is_whitespace) {
                return Err(config_error("scopes", format!("has {scope:?}, with a space in it: give two scopes")));
            }
        }
        let organizations =
            scopes.iter().any(|scope| scope == scope::ORGANIZATIONS).then_some(scope::ORGANIZATIONS_RESOURCE);
        let resources = each_once(self.resources.iter().map(|resource| &**resource).chain(organizations));
        for resource in &resources {
            // RFC 8707, section 2: an absolute URI without a fragment.
            match Url::parse(resource) {
                Ok(url) if url.fragment().is_none() => {}
                _ => return Err(config_error("resources", format!("has {resource:?}, which is no absolute URI"))),
            }
        }
        Ok(LogtoConfig {
            issuer: format!("{endpoint}/oidc"),
            endpoint,
            app_id: self.app_id,
            app_secret: self.app_secret,
            scopes,
            resources,
            prompts: self.prompts,
            require_session_renewal: self.require_session_renewal,
        })
    }
}

fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<String> {
    let wrong = |problem| Err(config_error("endpoint", problem));
    let Ok(url) = Url::parse(endpoint) else {
        return wrong("is no absolute URL, such as https://tenant.logto.app");
    };
    if !matches!(url.scheme(), "https" | "http") {
        return wrong("is neither an https nor an http URL");
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return wrong("is plain http on a host that is not loopback: use https, or call `dangerously_allow_http()`");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong("has a user name or password in it");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("has a query or a fragment");
    }
    let endpoint = url.as_str().trim_end_matches('/');
    if url.path().trim_end_matches('/').ends_with("/oidc") {
        return wrong("ends with /oidc, which is added to it: leave it out");
    }
    Ok(endpoint.to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // RFC 6761, section 6.3.
        Some(Host::Domain(domain)) => domain == "localhost" || domain.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn not_blank(field: &'static str, value: &str) -> Result<()> {
    if value.trim().is_empty() { Err(config_error(field, "is empty")) } else { Ok(()) }
}

fn config_error(field: &'static str, problem: impl Into<String>) -> Error {
    Error::Config { field, problem: problem.into() }
}

fn each_once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.iter().any(|known| known == name) {
            once.push(name.to_owned());
        }
    }
    once
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
