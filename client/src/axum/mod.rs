//! Ready routes and extractors for axum 0.8 (feature `axum`).
//!
//! Two lines protect an app: the routes, and a [`User`] among a handler's arguments.
//!
//! ```
//! # #[cfg(feature = "tower-sessions-0_15")]
//! # mod app {
//! use axum::Router;
//! use axum::routing::get;
//! use logto_client::axum::{InSession, LogtoAuth};
//! use logto_client::{LogtoClient, LogtoConfig};
//!
//! /// The tokens are in the session of tower-sessions. An app that has a storage of its own puts that here.
//! type Storage = InSession<tower_sessions::Session>;
//! type User = logto_client::axum::User<Storage>;
//!
//! fn app(config: LogtoConfig) -> Result<Router, logto_client::Error> {
//!     let auth = LogtoAuth::builder(LogtoClient::new(config)?, "https://app.example.com").build()?;
//!     Ok(Router::new()
//!         .route("/", get(home))
//!         .route("/private", get(private))
//!         .merge(auth.routes::<Storage, _>())
//!         .with_state(auth))
//! }
//!
//! async fn home(user: Option<User>) -> &'static str {
//!     if user.is_some() { "Hello again" } else { "Hello stranger" }
//! }
//!
//! /// Who is not signed in is sent to sign in, and comes back here.
//! async fn private(user: User) -> String {
//!     format!("Hello {}", user.claims.user.name.unwrap_or(user.claims.sub))
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! The routes, under a [prefix](LogtoAuthBuilder::prefix):
//!
//! | route | what it does |
//! |---|---|
//! | `GET /logto/sign-in?return_to=/orders` | sends the browser to sign in, and then to `return_to` |
//! | `GET /logto/sign-up?return_to=/orders` | the same, beginning with the page to register |
//! | `GET /logto/sign-in-callback` | the way back from Logto: `https://app.example.com/logto/sign-in-callback` is the redirect URI to register |
//! | `GET /logto/sign-out` | a page with a button that signs out |
//! | `POST /logto/sign-out` | signs out here and at Logto, which sends the browser to `https://app.example.com/`: the post sign-out redirect URI to register |
//!
//! A storage of the app's own, with a prefix for instance, is a struct with both derives:
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
//! A whole router is protected by axum's own middleware:
//! `.route_layer(axum::middleware::from_extractor_with_state::<User, _>(auth.clone()))`.
//!
//! # What the app has to see to
//!
//! - The session's cookie has to be `SameSite=Lax`, since the callback comes from another site; `HttpOnly`; and
//!   `Secure`, over https.
//! - Pages for signed-in users need `Cache-Control: no-store`, or the browser's back button shows them after a
//!   sign-out.
//! - A `Content-Security-Policy` with `form-action` has to list Logto's origin: the form that signs out is redirected
//!   there.
//! - Two sign-in forms of one app in one browser share one interaction at Logto. Once one of them is submitted, the other
//!   ends on Logto's page "Session not found", unless `unknownSessionRedirectUrl` in the tenant's sign-in experience is the
//!   app's [sign-in route](LogtoAuth::sign_in_url): then it starts a normal sign-in.

mod extract;
mod rejection;
mod return_to;
mod routes;

use std::fmt;
use std::sync::Arc;

use ::axum::response::Response;
use url::Url;

pub use self::extract::{InSession, User};
pub use self::rejection::{AuthRejection, RejectedOperation};

#[cfg(test)]
pub(crate) use self::rejection::status;
pub(crate) use self::return_to::ReturnTo;
use crate::client::LogtoClient;
use crate::error::{Error, Result};
use crate::util::web_url::WebUrl;

/// Sign-in for an axum app: where its routes are, and what becomes of errors. Put it into the app's state, whole or by
/// `FromRef`: the extractors take it from there. A clone is cheap.
#[derive(Clone)]
pub struct LogtoAuth(Arc<Inner>);

struct Inner {
    client: LogtoClient,
    /// Without a slash at its end.
    base_url: String,
    prefix: String,
    after_sign_in: Url,
    after_sign_out: Url,
    return_to: ReturnTo,
    on_error: OnError,
}

type OnError = Arc<dyn Fn(AuthRejection) -> Response + Send + Sync>;

/// Makes a [`LogtoAuth`], and checks it when it is [built](Self::build).
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
    /// Begins. `base_url` is where the app is for its users, such as `https://app.example.com`, or with a path, where
    /// the router is nested under one. It is never taken from a request, whose `Host` and `X-Forwarded-*` anybody can
    /// write.
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

    /// The client.
    pub fn client(&self) -> &LogtoClient {
        &self.0.client
    }

    /// The URL to sign in at, as of the app's own routes.
    pub fn sign_in_url(&self) -> String {
        self.route_url("sign-in")
    }

    /// The URL to register at.
    pub fn sign_up_url(&self) -> String {
        self.route_url("sign-up")
    }

    /// The URL that a form posts to, to sign out.
    pub fn sign_out_url(&self) -> String {
        self.route_url("sign-out")
    }

    /// The redirect URI to register in Logto's console.
    pub fn redirect_uri(&self) -> String {
        self.route_url("sign-in-callback")
    }

    /// The post sign-out redirect URI to register in Logto's console.
    pub fn post_sign_out_redirect_uri(&self) -> &str {
        self.0.after_sign_out.as_str()
    }

    fn route_url(&self, name: &str) -> String {
        format!("{}{}/{name}", self.0.base_url, self.0.prefix)
    }
}

impl LogtoAuthBuilder {
    /// What the routes' paths begin with. The default is `/logto`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The path that a user comes to after a sign-in that began without a `return_to`. The default is the base URL's.
    pub fn after_sign_in(mut self, path: impl Into<String>) -> Self {
        self.after_sign_in = Some(path.into());
        self
    }

    /// The path that a user comes to after a sign-out. The default is the base URL's.
    pub fn after_sign_out(mut self, path: impl Into<String>) -> Self {
        self.after_sign_out = Some(path.into());
        self
    }

    /// Other origins, such as `https://admin.example.com`, that a `return_to` may lead to. Without them only paths of
    /// this app are taken: everything else would let a link to the sign-in end on a page of somebody else's (an open
    /// redirect), and leads to [`after_sign_in`](Self::after_sign_in) instead.
    pub fn allowed_origins<T: Into<String>>(mut self, origins: impl IntoIterator<Item = T>) -> Self {
        self.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// What becomes of an error: a page or JSON of the app's own. The default is a plain page, or JSON where the
    /// request is not for a page.
    ///
    /// ```
    /// use axum::response::{Html, IntoResponse};
    /// # fn with(builder: logto_client::axum::LogtoAuthBuilder) {
    ///
    /// let builder = builder.on_error(|rejection| {
    ///     // With what caused it: `%` would leave that out.
    ///     tracing::warn!(error = &rejection.error as &dyn std::error::Error, "sign-in");
    ///     if rejection.wants_page {
    ///         // An app's own page also has `rejection.retry_url` and the like as links.
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

    /// Checks it. No request is made.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], which names the field.
    pub fn build(self) -> Result<LogtoAuth> {
        let base_url = WebUrl::parse(&self.base_url).and_then(WebUrl::without_query);
        let base_url = base_url.map_err(|problem| error("base_url", problem))?.into_url();
        let segments = self.prefix.split('/').skip(1);
        if !self.prefix.is_empty() && (!self.prefix.starts_with('/') || !segments.into_iter().all(is_segment)) {
            return Err(error("prefix", "is no path such as `/logto`, of letters, digits, `-`, `.`, `_` and `~`"));
        }
        let return_to = ReturnTo::new(&base_url, &self.allowed_origins)
            .ok_or_else(|| error("allowed_origins", "has something that is no origin, such as https://example.com"))?;
        let own = format!("{}/", base_url.path().trim_end_matches('/'));
        let path = |field, path: Option<String>| {
            return_to
                .path(path.as_ref().unwrap_or(&own))
                .ok_or_else(|| error(field, "is no path of this app, such as `/`"))
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
