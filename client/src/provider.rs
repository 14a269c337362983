//! The provider of one app: every request that needs the app's configuration.

use std::sync::Arc;

use url::Url;

use crate::claims::{IdTokenClaims, UserInfo};
use crate::config::LogtoConfig;
use crate::error::{RequestError, Result};
use crate::issuer::Issuer;
use crate::oidc::id_token::{IdTokenVerifier, IssuedFor, UnverifiedIdToken};
use crate::oidc::metadata::ProviderMetadata;
use crate::oidc::token::{TokenEndpoint, TokenResponse};
use crate::oidc::user_info;
use crate::tokens::TokenTarget;
use crate::util::now;

/// Talks to Logto for an app.
pub(crate) struct Provider {
    config: LogtoConfig,
    issuer: Issuer,
}

impl Provider {
    pub(crate) fn new(config: LogtoConfig, http: reqwest::Client) -> Self {
        Self { issuer: Issuer::new(config.issuer().to_owned(), http), config }
    }

    pub(crate) fn config(&self) -> &LogtoConfig {
        &self.config
    }

    pub(crate) async fn metadata(&self) -> Result<Arc<ProviderMetadata>, RequestError> {
        self.issuer.metadata().await
    }

    pub(crate) fn known_metadata(&self) -> Option<Arc<ProviderMetadata>> {
        self.issuer.known_metadata()
    }

    pub(crate) async fn metadata_for_browser(&self) -> Result<Arc<ProviderMetadata>, RequestError> {
        self.issuer.metadata_for_browser().await
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
        user_info::fetch(self.issuer.http(), endpoint, access_token).await
    }

    pub(crate) async fn verify_id_token(
        &self,
        token: &str,
        access_token: &str,
        issued_for: IssuedFor<'_>,
    ) -> Result<IdTokenClaims> {
        let token = UnverifiedIdToken::parse(token)?;
        let mut keys = self.issuer.jwks().await?;
        if !token.has_key_in(&keys) {
            // A failure is logged, and this token is of an unknown key either way.
            keys = self.issuer.renewed_jwks(&keys).await.unwrap_or(keys);
        }
        let app_id = self.config.app_id();
        let verifier = IdTokenVerifier { issuer: self.config.issuer(), app_id, access_token, now: now(), issued_for };
        verifier.verify(&token, &keys)
    }

    fn token_endpoint<'a>(&'a self, metadata: &'a ProviderMetadata) -> TokenEndpoint<'a> {
        TokenEndpoint {
            http: self.issuer.http(),
            metadata,
            client_id: self.config.app_id(),
            client_secret: self.config.app_secret(),
        }
    }
}
