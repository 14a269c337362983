//! The client that all sessions of an app share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::config::LogtoConfig;
use crate::error::{Error, ErrorChain, Result};
use crate::provider::Provider;
use crate::session::{Exchanges, Grants, LogtoSession};
use crate::util::http;
use crate::util::ttl_map::TtlMap;

pub(crate) const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// How many seconds to wait before a revocation that failed is tried again.
const REVOCATION_DELAYS: [u64; 5] = [1, 5, 30, 120, 600];

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
pub struct LogtoClient(Arc<Inner>);

struct Inner {
    provider: Provider,
    grants: Grants,
    exchanges: Exchanges,
    /// When each subject last signed in here.
    sign_ins: TtlMap<Instant>,
    /// The ID tokens of sign-ins that have ended.
    ended: TtlMap<()>,
}

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
        Self(Arc::new(Inner {
            provider: Provider::new(config, http),
            grants: Grants::new(),
            exchanges: Exchanges::new(),
            sign_ins: TtlMap::new(|_| A_DAY),
            ended: TtlMap::new(|()| A_DAY),
        }))
    }

    /// The session of one request, whose items are in `storage`.
    pub fn session<S>(&self, storage: S) -> LogtoSession<S> {
        LogtoSession::new(self.clone(), storage)
    }

    /// The configuration that the client was created with.
    pub fn config(&self) -> &LogtoConfig {
        self.0.provider.config()
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.0.provider
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.0.grants
    }

    pub(crate) fn exchanges(&self) -> &Exchanges {
        &self.0.exchanges
    }

    pub(crate) fn signed_in(&self, subject: &str) {
        self.0.sign_ins.insert(subject, Instant::now());
    }

    pub(crate) fn has_signed_in_since(&self, subject: &str, since: Instant) -> bool {
        self.0.sign_ins.get(subject).is_some_and(|at| at > since)
    }

    /// Remembers, for a day, that the sign-in with this ID token has ended.
    pub(crate) fn sign_in_ended(&self, id_token: &str) {
        self.0.ended.insert(id_token, ());
    }

    /// Whether the sign-in that these tokens belong to has ended in this process within a day.
    pub(crate) fn has_ended(&self, id_token: Option<&str>, refresh_token: Option<&str>) -> bool {
        id_token.is_some_and(|token| self.0.ended.get(token).is_some())
            || refresh_token.is_some_and(|token| self.grants().has_ended(token))
    }

    /// Revokes the token, in a task of its own that tries for some minutes. The future is ready after the first try.
    /// Nothing depends on its success.
    pub(crate) fn revoke_in_background(&self, refresh_token: String) -> impl Future<Output = ()> + Send + use<> {
        let client = self.clone();
        let (first_try, tried) = oneshot::channel::<()>();
        let mut first_try = Some(first_try);
        let revocation = async move {
            for delay in REVOCATION_DELAYS.map(Some).into_iter().chain([None]) {
                let Err(error) = client.provider().revoke(&refresh_token).await else { return };
                drop(first_try.take());
                match delay {
                    Some(delay) if error.is_retryable() => sleep(Duration::from_secs(delay)).await,
                    _ => {
                        let error = ErrorChain(&error);
                        tracing::warn!(%error, "refresh token not revoked: it stays valid until it expires");
                        return;
                    }
                }
            }
        };
        tokio::spawn(revocation.in_current_span());
        async { drop(tried.await) }
    }
}

impl fmt::Debug for LogtoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoClient").field("config", self.config()).finish_non_exhaustive()
    }
}
