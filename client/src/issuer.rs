//! What an issuer publishes about itself: its metadata and its JWK set.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::error::RequestError;
use crate::oidc::jwks::JwkSet;
use crate::oidc::metadata::ProviderMetadata;
use crate::util::cached::Cached;
use crate::util::http::Http;
use crate::util::probe::Probe;

/// How old the metadata and the JWK set may be.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// How long the error of a failed fetch is returned before the next request, while there is no JWK set at all.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// An issuer's documents, and the HTTP client that fetches them. Needs no app at the issuer.
pub(crate) struct Issuer {
    /// The issuer identifier, a URL.
    id: String,
    http: Http,
    metadata: Cached<ProviderMetadata>,
    jwks: Cached<JwkSet>,
    probe: Probe,
}

impl Issuer {
    pub(crate) fn new(id: String, http: reqwest::Client) -> Self {
        Self { id, http: Http::new(http), metadata: Cached::new(), jwks: Cached::new(), probe: Probe::new() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.id
    }

    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    pub(crate) async fn metadata(&self) -> Result<Arc<ProviderMetadata>, RequestError> {
        self.metadata.get(MAX_AGE, || self.fetch_metadata()).await
    }

    /// The metadata at hand, without a request.
    pub(crate) fn known_metadata(&self) -> Option<Arc<ProviderMetadata>> {
        self.metadata.last()
    }

    /// The metadata, for sending a browser to the provider. An error if the provider is known to be down, so that the
    /// user gets a page of the app's instead of none.
    pub(crate) async fn metadata_for_browser(&self) -> Result<Arc<ProviderMetadata>, RequestError> {
        let metadata = self.metadata().await?;
        self.probe.check(&self.http, || self.fetch_metadata()).await?;
        Ok(metadata)
    }

    /// The JWK set, at most an hour old while the provider answers.
    pub(crate) async fn jwks(&self) -> Result<Arc<JwkSet>, RequestError> {
        self.jwks.get(MAX_AGE, || self.fetch_jwks()).await
    }

    /// The JWK set without waiting, at most a day old. If it is older than an hour, a task renews it.
    pub(crate) fn jwks_at_hand(self: &Arc<Self>) -> Option<Arc<JwkSet>> {
        let (keys, is_renewal_due) = self.jwks.at_hand(MAX_AGE)?;
        // Without a runtime there are no requests either.
        if let (true, Ok(runtime)) = (is_renewal_due, Handle::try_current()) {
            let issuer = Arc::clone(self);
            // A failure is logged, and the last good set stays in use.
            runtime.spawn(async move { issuer.jwks().await.map(drop) });
        }
        Some(keys)
    }

    /// As [`jwks_at_hand`](Self::jwks_at_hand), but waits if there is no set at all. While the provider fails, it gets a
    /// request every two seconds.
    pub(crate) async fn jwks_at_hand_or_fetched(self: &Arc<Self>) -> Result<Arc<JwkSet>, RequestError> {
        match self.jwks_at_hand() {
            Some(keys) => Ok(keys),
            None => match self.jwks.recent_failure(RETRY_PAUSE) {
                Some(error) => Err(error),
                None => self.jwks().await,
            },
        }
    }

    /// Fetches the JWK set again, because `lacking` lacks a key that a token names. Returns `lacking` itself if it was
    /// fetched too often already.
    pub(crate) async fn renewed_jwks(&self, lacking: &Arc<JwkSet>) -> Result<Arc<JwkSet>, RequestError> {
        tracing::info!("a token names an unknown key");
        self.jwks.renewed(Arc::clone(lacking), || self.fetch_jwks()).await
    }

    async fn fetch_metadata(&self) -> Result<ProviderMetadata, RequestError> {
        ProviderMetadata::fetch(&self.http, &self.id).await
    }

    async fn fetch_jwks(&self) -> Result<JwkSet, RequestError> {
        let metadata = self.metadata().await?;
        JwkSet::fetch(&self.http, &metadata.jwks_uri).await
    }
}
