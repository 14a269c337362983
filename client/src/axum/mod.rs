//! Routes and extractors for axum 0.8 (feature `axum-0_8`).
//!
//! [`LogtoAuth::routes`] adds the routes for signing in and out. A [`User`] among a handler's arguments protects the
//! handler:
//!
//! ```
//! # #[cfg(feature = "vault")]
//! # mod app {
//! use axum::Router;
//! use axum::routing::get;
//! use logto_client::axum::{LogtoAuth, VaultSession};
//! use logto_client::vault::{MemoryVault, Vault};
//! use logto_client::{LogtoClient, LogtoConfig};
//!
//! /// A signed-in user, whose tokens are in the vault. The browser's cookie is a ticket to them.
//! type User = logto_client::axum::User<VaultSession>;
//!
//! fn app(config: LogtoConfig) -> Result<Router, logto_client::Error> {
//!     let auth = LogtoAuth::builder(LogtoClient::new(config)?, "https://app.example.com").build()?;
//!     Ok(Router::new()
//!         .route("/", get(home))
//!         .route("/private", get(private))
//!         .merge(auth.routes::<VaultSession, _>())
//!         .layer(auth.vault_layer(Vault::new(MemoryVault::default())))
//!         .with_state(auth))
//! }
//!
//! async fn home(user: Option<User>) -> &'static str {
//!     if user.is_some() { "Hello again" } else { "Hello stranger" }
//! }
//!
//! /// Signed-out visitors are redirected to sign in, then returned here.
//! async fn private(user: User) -> String {
//!     format!("Hello {}", user.claims.display_name())
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! # Routes
//!
//! | route | what it does |
//! |---|---|
//! | `GET /logto/sign-in?return_to=/orders` | redirects to Logto to sign in, then to `return_to` |
//! | `GET /logto/sign-up?return_to=/orders` | does the same, starting with Logto's registration page |
//! | `GET /logto/sign-in-callback` | completes the sign-in |
//! | `GET /logto/sign-out` | shows a page with a button that signs out |
//! | `POST /logto/sign-out` | signs out of the app and of Logto |
//!
//! `HEAD` requests to the first three routes get status 405, because these routes change the session.
//!
//! The prefix `/logto` [can be changed](LogtoAuthBuilder::prefix). Register two URIs in Logto's console:
//! `https://app.example.com/logto/sign-in-callback` as a redirect URI, and `https://app.example.com/` as a post
//! sign-out redirect URI. [`LogtoAuthBuilder::build`] logs both.
//!
//! # Pages and other requests
//!
//! Signed-out visitors are redirected to sign in if they request a page. Other requests, such as those of scripts, are
//! answered with 401 and the URL to sign in at. A request is for a page if its `Accept` header contains `text/html`,
//! and its `Sec-Fetch-Mode` header is either absent or `navigate`. Browsers send that header; most other clients do
//! not.
//!
//! # State
//!
//! The extractors take [`LogtoAuth`] from the router's state. If your app has its own state, implement
//! [`FromRef`](::axum::extract::FromRef), by hand or with axum's derive:
//!
//! ```
//! # #[cfg(feature = "tower-sessions-0_15")]
//! # mod app {
//! use axum::Router;
//! use axum::extract::{FromRef, State};
//! use axum::routing::get;
//! use logto_client::axum::{InSession, LogtoAuth, User};
//!
//! type Storage = InSession<tower_sessions::Session>;
//!
//! #[derive(Clone)]
//! struct AppState {
//!     auth: LogtoAuth,
//!     greeting: &'static str,
//! }
//!
//! impl FromRef<AppState> for LogtoAuth {
//!     fn from_ref(state: &AppState) -> Self {
//!         state.auth.clone()
//!     }
//! }
//!
//! fn app(auth: LogtoAuth) -> Router {
//!     Router::new()
//!         .route("/", get(home))
//!         .merge(auth.routes::<Storage, _>())
//!         .with_state(AppState { auth, greeting: "Hello" })
//! }
//!
//! async fn home(user: User<Storage>, State(state): State<AppState>) -> String {
//!     format!("{} {}", state.greeting, user.claims.display_name())
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! # Storage
//!
//! | storage | the tokens are in | the app needs |
//! |---|---|---|
//! | `VaultSession` (feature `vault`) | a vault; the ticket to it is in a cookie | the layer of `LogtoAuth::vault_layer` |
//! | `VaultStorage` (feature `vault`) | a vault; the ticket to it is in a session | a session library |
//! | [`InSession`] | a session | a session library |
//!
//! For a prefix, a size limit or further fields, derive a storage of your own:
//!
//! ```
//! # #[cfg(feature = "tower-sessions-0_15")]
//! # mod app {
//! use axum::extract::FromRequestParts;
//! use logto_client::LogtoStorage;
//!
//! #[derive(LogtoStorage, FromRequestParts)]
//! #[logto(prefix = "tenant-a:")]
//! struct Storage {
//!     session: tower_sessions::Session,
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! # Protecting a whole router
//!
//! ```
//! # #[cfg(feature = "tower-sessions-0_15")]
//! # mod app {
//! use axum::Router;
//! use axum::middleware::from_extractor_with_state;
//! use logto_client::axum::{InSession, LogtoAuth, User};
//!
//! type Storage = InSession<tower_sessions::Session>;
//!
//! fn protected(router: Router<LogtoAuth>, auth: &LogtoAuth) -> Router<LogtoAuth> {
//!     router.route_layer(from_extractor_with_state::<User<Storage>, _>(auth.clone()))
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! # What your app has to do
//!
//! - Configure the cookie of your session library: `SameSite=Lax`, because the callback comes from another site; `HttpOnly`; and
//!   `Secure` if you serve HTTPS.
//! - Send `Cache-Control: no-store` with pages for signed-in users. Otherwise the browser's back button shows them
//!   after a sign-out.
//! - If you send a `Content-Security-Policy` with `form-action`, list Logto's origin there: the form that signs out is
//!   redirected to Logto.
//! - Set `unknownSessionRedirectUrl` in the tenant's sign-in experience to your app's [sign-in
//!   route](LogtoAuth::sign_in_url). Several sign-in forms in one browser share one interaction at Logto. Once the
//!   user submits one form, the others end on Logto's page "Session not found"; with the setting, they start a new
//!   sign-in.

mod api;
mod extract;
mod rejection;
mod return_to;
mod routes;
#[cfg(feature = "vault")]
mod vault;
#[cfg(feature = "vault")]
mod vault_layer;

use std::fmt;
use std::sync::Arc;

use ::axum::response::Response;
use url::Url;

pub use self::api::resource_metadata;
pub use self::extract::{InSession, User};
pub use self::rejection::{AuthRejection, RejectedOperation};
#[cfg(feature = "vault")]
pub use self::vault::VaultStorage;
#[cfg(feature = "vault")]
pub use self::vault_layer::{VaultLayer, VaultService, VaultSession};

#[cfg(test)]
pub(crate) use self::rejection::status;
pub(crate) use self::return_to::ReturnTo;
use crate::client::LogtoClient;
use crate::error::{Error, Result};
use crate::util::web_url::WebUrl;

/// Sign-in for an axum app: the routes, their URLs, and the responses to errors.
///
/// Put it into the router's state, alone or [within a state of your own](self#state). The extractors take it from
/// there. Clones are cheap and share everything.
///
/// # Example
///
/// ```
/// use logto_client::axum::LogtoAuth;
/// use logto_client::{LogtoClient, LogtoConfig};
///
/// # fn main() -> Result<(), logto_client::Error> {
/// let config = LogtoConfig::builder("https://tenant.logto.app", "app-id").app_secret("app-secret").build()?;
/// let auth = LogtoAuth::builder(LogtoClient::new(config)?, "https://app.example.com").build()?;
///
/// assert_eq!(auth.sign_in_url(), "https://app.example.com/logto/sign-in");
/// assert_eq!(auth.sign_up_url(), "https://app.example.com/logto/sign-up");
/// assert_eq!(auth.sign_out_url(), "https://app.example.com/logto/sign-out");
/// assert_eq!(auth.redirect_uri(), "https://app.example.com/logto/sign-in-callback");
/// assert_eq!(auth.post_sign_out_redirect_uri(), "https://app.example.com/");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LogtoAuth(Arc<Inner>);

struct Inner {
    client: LogtoClient,
    /// Without a trailing slash.
    base_url: String,
    prefix: String,
    after_sign_in: Url,
    after_sign_out: Url,
    return_to: ReturnTo,
    on_error: OnError,
}

type OnError = Arc<dyn Fn(AuthRejection) -> Response + Send + Sync>;

/// Builds a [`LogtoAuth`]. Created by [`LogtoAuth::builder`].
///
/// # Example
///
/// ```
/// use logto_client::axum::LogtoAuth;
/// use logto_client::{Error, LogtoClient};
///
/// fn auth(client: LogtoClient) -> Result<LogtoAuth, Error> {
///     LogtoAuth::builder(client, "https://app.example.com")
///         .prefix("/auth")
///         .after_sign_in("/dashboard")
///         .after_sign_out("/goodbye")
///         .allowed_origins(["https://admin.example.com"])
///         .build()
/// }
/// ```
#[must_use]
pub struct LogtoAuthBuilder {
    client: LogtoClient,
    base_url: String,
    prefix: String,
    after_sign_in: Option<String>,
    after_sign_out: Option<String>,
    allowed_origins: Vec<String>,
    on_error: OnError,
}

impl LogtoAuth {
    /// Creates a builder. See its [example](LogtoAuthBuilder#example).
    ///
    /// `base_url` is the URL at which users reach the app, such as `https://app.example.com`. If the router is nested
    /// under a path, include the path. The URL is never taken from a request, because clients can forge the headers
    /// `Host` and `X-Forwarded-*`.
    pub fn builder(client: LogtoClient, base_url: impl Into<String>) -> LogtoAuthBuilder {
        LogtoAuthBuilder {
            client,
            base_url: base_url.into(),
            prefix: "/logto".to_owned(),
            after_sign_in: None,
            after_sign_out: None,
            allowed_origins: Vec::new(),
            on_error: Arc::new(AuthRejection::into_plain_response),
        }
    }

    /// Returns the client.
    ///
    /// ```
    /// use logto_client::axum::LogtoAuth;
    ///
    /// fn endpoint(auth: &LogtoAuth) -> &str {
    ///     auth.client().config().endpoint()
    /// }
    /// ```
    pub fn client(&self) -> &LogtoClient {
        &self.0.client
    }

    /// Returns the URL of the app's sign-in route, for a link. See the [example](Self#example).
    ///
    /// Append `?return_to=/orders` to return to a page of the app.
    #[doc(alias = "login")]
    pub fn sign_in_url(&self) -> String {
        self.route_url("sign-in")
    }

    /// Returns the URL of the app's registration route, for a link. See the [example](Self#example).
    #[doc(alias = "register")]
    pub fn sign_up_url(&self) -> String {
        self.route_url("sign-up")
    }

    /// Returns the URL of the app's sign-out route, for the `action` of a form with `method="post"`. See the
    /// [example](Self#example).
    #[doc(alias = "logout")]
    pub fn sign_out_url(&self) -> String {
        self.route_url("sign-out")
    }

    /// Returns the redirect URI to register in Logto's console. See the [example](Self#example).
    pub fn redirect_uri(&self) -> String {
        self.route_url("sign-in-callback")
    }

    /// Returns the post sign-out redirect URI to register in Logto's console. See the [example](Self#example).
    pub fn post_sign_out_redirect_uri(&self) -> &str {
        self.0.after_sign_out.as_str()
    }

    fn route_url(&self, name: &str) -> String {
        format!("{}{}/{name}", self.0.base_url, self.0.prefix)
    }
}

impl LogtoAuthBuilder {
    /// Sets the prefix of the routes' paths. The default is `/logto`. See the [example](Self#example).
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the path to redirect to after a sign-in without a valid `return_to`. The default is the path of the base
    /// URL. See the [example](Self#example).
    pub fn after_sign_in(mut self, path: impl Into<String>) -> Self {
        self.after_sign_in = Some(path.into());
        self
    }

    /// Sets the path to redirect to after a sign-out. The default is the path of the base URL. See the
    /// [example](Self#example).
    pub fn after_sign_out(mut self, path: impl Into<String>) -> Self {
        self.after_sign_out = Some(path.into());
        self
    }

    /// Sets other origins that a `return_to` may lead to, such as `https://admin.example.com`. See the
    /// [example](Self#example).
    ///
    /// By default only paths of this app are accepted, because anybody can send your users a link to the sign-in route
    /// (open redirects). Any other `return_to` is replaced by [`after_sign_in`](Self::after_sign_in).
    pub fn allowed_origins<T: Into<String>>(mut self, origins: impl IntoIterator<Item = T>) -> Self {
        self.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the function that turns errors into responses.
    ///
    /// The default logs the error and responds with a plain page, or with JSON if the request is not
    /// [for a page](self#pages-and-other-requests).
    ///
    /// ```
    /// use axum::response::{Html, IntoResponse};
    /// # fn with(builder: logto_client::axum::LogtoAuthBuilder) {
    ///
    /// let builder = builder.on_error(|rejection| {
    ///     // As `dyn Error` the log line includes the causes, which `%` leaves out.
    ///     tracing::warn!(error = &rejection.error as &dyn std::error::Error, "request failed");
    ///     if rejection.wants_page {
    ///         // Your own page can also link to `rejection.retry_url`, `sign_in_url` and `home_url`.
    ///         let page = format!("<h1>{}</h1><p>{}</p>", rejection.title(), rejection.advice());
    ///         (rejection.status, Html(page)).into_response()
    ///     } else {
    ///         (rejection.status, rejection.advice()).into_response()
    ///     }
    /// });
    /// # }
    /// ```
    pub fn on_error(mut self, respond: impl Fn(AuthRejection) -> Response + Send + Sync + 'static) -> Self {
        self.on_error = Arc::new(respond);
        self
    }

    /// Validates the settings, and logs the URIs to register in Logto's console. Sends no request.
    ///
    /// See the [example](Self#example).
    ///
    /// # Errors
    ///
    /// [`Error::Config`], which names the invalid field.
    pub fn build(self) -> Result<LogtoAuth> {
        let base_url = WebUrl::parse(&self.base_url).and_then(WebUrl::without_query);
        let base_url = base_url.map_err(|problem| error("base_url", problem))?.into_url();
        let segments = self.prefix.split('/').skip(1);
        if !self.prefix.is_empty() && (!self.prefix.starts_with('/') || !segments.into_iter().all(is_segment)) {
            return Err(error(
                "prefix",
                "is not a path such as `/logto`: use letters, digits, `-`, `.`, `_` and `~` between slashes",
            ));
        }
        let return_to = ReturnTo::new(&base_url, &self.allowed_origins).ok_or_else(|| {
            error("allowed_origins", "has an entry that is not an origin, such as https://admin.example.com")
        })?;
        let own = format!("{}/", base_url.path().trim_end_matches('/'));
        let path = |field, path: Option<String>| {
            return_to
                .path(path.as_ref().unwrap_or(&own))
                .ok_or_else(|| error(field, "is not a path of this app, such as `/`"))
        };
        let auth = LogtoAuth(Arc::new(Inner {
            after_sign_in: path("after_sign_in", self.after_sign_in)?,
            after_sign_out: path("after_sign_out", self.after_sign_out)?,
            client: self.client,
            base_url: base_url.as_str().trim_end_matches('/').to_owned(),
            prefix: self.prefix,
            return_to,
            on_error: self.on_error,
        }));
        tracing::info!(
            redirect_uri = auth.redirect_uri(),
            post_sign_out_redirect_uri = auth.post_sign_out_redirect_uri(),
            "register these URIs in Logto's console"
        );
        Ok(auth)
    }
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty() && segment.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
}

fn error(field: &'static str, problem: &str) -> Error {
    Error::Config { field, problem: problem.to_owned() }
}

impl fmt::Debug for LogtoAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoAuth").field("redirect_uri", &self.redirect_uri()).finish_non_exhaustive()
    }
}

impl fmt::Debug for LogtoAuthBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoAuthBuilder").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
