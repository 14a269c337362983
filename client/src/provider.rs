//! The provider: what is known about it, and every request to it.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use crate::claims::{IdTokenClaims, UserInfo};
use crate::config::LogtoConfig;
use crate::error::{RequestError, Result};
use crate::oidc::id_token::{IdTokenVerifier, IssuedFor, UnverifiedIdToken};
use crate::oidc::jwks::JwkSet;
use crate::oidc::metadata::ProviderMetadata;
use crate::oidc::token::{TokenEndpoint, TokenResponse};
use crate::oidc::user_info;
use crate::tokens::TokenTarget;
use crate::util::cached::Cached;
use crate::util::http::Http;
use crate::util::now;
use crate::util::probe::Probe;

/// How old the metadata and the JWK set may be.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// Talks to Logto. Nothing else does.
pub(crate) struct Provider {
    config: LogtoConfig,
    http: Http,
    metadata: Cached<ProviderMetadata>,
    jwks: Cached<JwkSet>,
    probe: Probe,
}

impl Provider {
    pub(crate) fn new(config: LogtoConfig, http: reqwest::Client) -> Self {
        Self { config, http: Http::new(http), metadata: Cached::new(), jwks: Cached::new(), probe: Probe::new() }
    }

    pub(crate) fn config(&self) -> &LogtoConfig {
        &self.config
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

    async fn fetch_metadata(&self) -> Result<ProviderMetadata, RequestError> {
        ProviderMetadata::fetch(&self.http, self.config.issuer()).await
    }

    pub(crate) async fn exchange_code(
        &self,
        code: &str,
        redirect_uri: &str,
        code_verifier: &str,
    ) -> Result<TokenResponse> {
        let metadata = self.metadata().await?;
        self.token_endpoint(&metadata).exchange_code(code, redirect_uri, code_verifier).await
    }

    pub(crate) async fn refresh(&self, refresh_token: &str, target: &TokenTarget) -> Result<TokenResponse> {
        let metadata = self.metadata().await?;
        let endpoint = self.token_endpoint(&metadata);
        endpoint.refresh(refresh_token, target.resource_indicator(), target.organization_id()).await
    }

    pub(crate) async fn revoke(&self, refresh_token: &str) -> Result<()> {
        let metadata = self.metadata().await?;
        self.token_endpoint(&metadata).revoke(refresh_token).await
    }

    pub(crate) async fn user_info(&self, access_token: &str) -> Result<UserInfo, RequestError> {
        let metadata = self.metadata().await?;
        let endpoint: &Url = metadata.userinfo_endpoint()?;
        user_info::fetch(&self.http, endpoint, access_token).await
    }

    pub(crate) async fn verify_id_token(
        &self,
        token: &str,
        access_token: &str,
        issued_for: IssuedFor<'_>,
    ) -> Result<IdTokenClaims> {
        let token = UnverifiedIdToken::parse(token)?;
        let metadata = self.metadata().await?;
        let fetch = || JwkSet::fetch(&self.http, &metadata.jwks_uri);
        let mut keys = self.jwks.get(MAX_AGE, fetch).await?;
        if !token.has_key_in(&keys) {
            tracing::info!("an ID token names an unknown key");
            keys = self.jwks.renewed(keys, fetch).await;
        }
        let app_id = self.config.app_id();
        let verifier = IdTokenVerifier { issuer: &metadata.issuer, app_id, access_token, now: now(), issued_for };
        verifier.verify(&token, &keys)
    }

    fn token_endpoint<'a>(&'a self, metadata: &'a ProviderMetadata) -> TokenEndpoint<'a> {
        TokenEndpoint {
            http: &self.http,
            metadata,
            client_id: self.config.app_id(),
            client_secret: self.config.app_secret(),
        }
    }
}
