//! What all sessions of an app share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::cache::Cached;
use crate::claims::IdTokenClaims;
use crate::config::LogtoConfig;
use crate::discovery::Discovery;
use crate::error::{Error, RequestError, Result};
use crate::http::{self, Http};
use crate::id_token::{Expected, Occasion, UnverifiedIdToken};
use crate::keys::KeySet;
use crate::probe::Probe;
use crate::refresh::Flight;
use crate::session::LogtoSession;
use crate::ttl_map::TtlMap;
use crate::{now, pending};

/// How old the discovery document and the key set may be.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// Logto, for one app: its configuration, the connections to the provider, and what the provider says of itself.
///
/// Make one when the program starts, and [`session`](Self::session)s of it, one a request. A clone is cheap, and shares
/// everything.
///
/// The discovery document and the key set are fetched when they are first needed, and kept for an hour; while the
/// provider does not answer, the last good ones stay in use, for at most a day. A token that names an unknown key makes the
/// set be fetched anew: up to five times in a row, then once a minute.
///
/// Its requests are sent by `reqwest`, on the runtime of tokio that it is called from, whose timer has to be enabled. None
/// takes longer than 30 seconds.
#[derive(Clone)]
pub struct LogtoClient(Arc<Inner>);

struct Inner {
    config: LogtoConfig,
    http: Http,
    probe: Probe,
    discovery: Cached<Discovery>,
    keys: Cached<KeySet>,
    /// By refresh token.
    flights: TtlMap<Arc<Flight>>,
    /// By state: a callback that comes twice at once (a reload, a second click) is answered once.
    callbacks: TtlMap<()>,
}

impl LogtoClient {
    /// A client with an HTTP client of its own: rustls with the system's roots, 10 s for each request, no redirects,
    /// `User-Agent: logto-client/` and the version.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] if the HTTP client cannot be made, for lack of the system's root certificates.
    pub fn new(config: LogtoConfig) -> Result<Self> {
        let http = http::default_client()
            .map_err(|error| Error::Config { field: "http_client", problem: format!("cannot be made: {error}") })?;
        Ok(Self::with_http_client(config, http))
    }

    /// A client that sends its requests by `http`: for a proxy, roots of your own, or another time-out.
    ///
    /// Give it a time-out (without one, a request may take 30 seconds), a `User-Agent`, and let it follow no redirects
    /// (`redirect::Policy::none()`): an answer that came by way of one is refused, but the request's form, a refresh token in
    /// it, was sent on by then.
    pub fn with_http_client(config: LogtoConfig, http: reqwest::Client) -> Self {
        Self(Arc::new(Inner {
            config,
            http: Http::new(http),
            probe: Probe::default(),
            discovery: Cached::new(),
            keys: Cached::new(),
            flights: TtlMap::new(|flight| flight.kept()),
            callbacks: TtlMap::new(|()| Duration::from_secs(pending::LIFETIME)),
        }))
    }

    /// The session of one request, whose items are in `storage`.
    pub fn session<S>(&self, storage: S) -> LogtoSession<S> {
        LogtoSession::new(self.clone(), storage)
    }

    /// What the client was made with.
    pub fn config(&self) -> &LogtoConfig {
        &self.0.config
    }

    pub(crate) fn http(&self) -> &Http {
        &self.0.http
    }

    pub(crate) async fn discovery(&self) -> Result<Arc<Discovery>, RequestError> {
        self.0.discovery.get(MAX_AGE, || Discovery::fetch(self.http(), self.config())).await
    }

    /// The document at hand, without a request.
    pub(crate) fn known_discovery(&self) -> Option<Arc<Discovery>> {
        self.0.discovery.last()
    }

    /// As [`discovery`](Self::discovery), for sending a browser to the provider: an error if the provider is known to be
    /// down, so that the user gets a page of the app's instead of none.
    pub(crate) async fn discovery_for_browser(&self) -> Result<Arc<Discovery>, RequestError> {
        let discovery = self.discovery().await?;
        self.0.probe.check(self.http(), || Discovery::fetch(self.http(), self.config())).await?;
        Ok(discovery)
    }

    /// Everything about refreshing with this token, and the one that it may have been exchanged for.
    pub(crate) fn flight(&self, refresh_token: &str) -> Arc<Flight> {
        self.0.flights.get_or_insert_with(refresh_token, || Arc::new(Flight::new(refresh_token))).0
    }

    /// The token of a flight was exchanged for another.
    pub(crate) fn rotated(&self, flight: &Arc<Flight>, refresh_token: &str) {
        self.0.flights.insert(refresh_token, Arc::clone(flight));
    }

    /// Whether this is the first callback with this state.
    pub(crate) fn is_first_callback(&self, state: &str) -> bool {
        self.0.callbacks.get_or_insert_with(state, || ()).1
    }

    pub(crate) async fn verify_id_token(
        &self,
        token: &str,
        access_token: &str,
        occasion: Occasion<'_>,
    ) -> Result<IdTokenClaims> {
        let unverified = UnverifiedIdToken::parse(token)?;
        let key_id = unverified.key_id();
        let discovery = self.discovery().await?;
        let fetch = || KeySet::fetch(self.http(), &discovery.jwks_uri);
        let mut keys = self.0.keys.get(MAX_AGE, fetch).await?;
        if keys.find(key_id, unverified.algorithm).next().is_none() {
            tracing::info!("an ID token names an unknown key");
            keys = self.0.keys.renewed(keys, fetch).await;
        }
        let expected =
            Expected { issuer: &discovery.issuer, app_id: self.config().app_id(), access_token, now: now(), occasion };
        unverified.verify(keys.find(key_id, unverified.algorithm), &expected)
    }
}

impl fmt::Debug for LogtoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoClient").field("config", self.config()).finish_non_exhaustive()
    }
}
