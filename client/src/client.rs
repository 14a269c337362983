//! The client that all sessions of an app share.

use std::fmt;
use std::sync::Arc;

use crate::config::LogtoConfig;
use crate::error::{Error, Result};
use crate::session::{LogtoSession, Shared};
use crate::util::http;

/// Logto, for one app: its configuration, the connections to the provider, and what the provider publishes about itself.
///
/// Create one when the program starts, and one [`session`](Self::session) per request. A clone is cheap, and shares
/// everything.
///
/// ```
/// use logto_client::{LogtoClient, LogtoConfig, LogtoStorage, MemorySession};
///
/// #[derive(Default, LogtoStorage)]
/// struct Storage {
///     session: MemorySession,
/// }
///
/// # async fn app() -> Result<(), logto_client::Error> {
/// let config = LogtoConfig::builder("https://tenant.logto.app", "app-id").app_secret("app-secret").build()?;
/// let logto = LogtoClient::new(config)?;
/// let session = logto.session(Storage::default());
/// assert!(!session.is_authenticated().await?);
/// # Ok(())
/// # }
/// ```
///
/// The provider's metadata and JWK set are fetched when they are first needed, and kept for an hour. While the provider
/// does not answer, the last good ones stay in use for at most a day. An ID token that names an unknown key makes the
/// client fetch the JWK set again: up to five times in a row, then once a minute.
///
/// Requests are sent by `reqwest`, on the tokio runtime that the client is called from, whose timer must be enabled. No
/// request takes longer than 30 seconds.
#[derive(Clone)]
pub struct LogtoClient(Arc<Shared>);

impl LogtoClient {
    /// Creates a client with an HTTP client of its own: rustls with the system's roots, 10 s per request, no redirects,
    /// `User-Agent: logto-client/` and the version.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the HTTP client cannot be created, for lack of the system's root certificates.
    pub fn new(config: LogtoConfig) -> Result<Self> {
        let http = http::default_client()
            .map_err(|error| Error::Config { field: "http_client", problem: format!("cannot be created: {error}") })?;
        Ok(Self::with_http_client(config, http))
    }

    /// Creates a client that sends its requests by `http`: for a proxy, your own root certificates, or another time-out.
    ///
    /// Give it a time-out (without one, a request may take 30 seconds) and a `User-Agent`, and let it follow no redirects:
    /// the client refuses a response that came by a redirect, but by then the request's form, with a refresh token in it,
    /// has been sent on.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use logto_client::{LogtoClient, LogtoConfig, reqwest};
    ///
    /// # fn app() -> Result<(), Box<dyn std::error::Error>> {
    /// let http = reqwest::Client::builder()
    ///     .timeout(Duration::from_secs(5))
    ///     .redirect(reqwest::redirect::Policy::none())
    ///     .user_agent("my-app/1.0")
    ///     .build()?;
    /// let config = LogtoConfig::builder("https://tenant.logto.app", "app-id").build()?;
    /// let logto = LogtoClient::with_http_client(config, http);
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_http_client(config: LogtoConfig, http: reqwest::Client) -> Self {
        Self(Arc::new(Shared::new(config, http)))
    }

    /// The session of one request, whose items are in `storage`.
    pub fn session<S>(&self, storage: S) -> LogtoSession<S> {
        LogtoSession::new(Arc::clone(&self.0), storage)
    }

    /// The configuration that the client was created with.
    pub fn config(&self) -> &LogtoConfig {
        self.0.config()
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

impl fmt::Debug for LogtoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoClient").field("config", self.config()).finish_non_exhaustive()
    }
}
