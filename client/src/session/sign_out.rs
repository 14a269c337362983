//! Sign-out.

use std::time::Duration;

use logto_storage_core::{Change, LogtoStorage};
use tokio::time::timeout;
use url::Url;

use crate::error::{Error, RequestError, Result};
use crate::oidc::end_session::end_session_url;
use crate::session::LogtoSession;
use crate::session::items;
use crate::util::web_url::WebUrl;

/// How long a sign-out waits for the refresh token's revocation.
const MAX_REVOCATION_WAIT: Duration = Duration::from_secs(1);

/// Removes the tokens.
pub(crate) const TOKENS: [Change<'static>; 3] =
    [Change::remove(items::ID_TOKEN), Change::remove(items::REFRESH_TOKEN), Change::remove(items::ACCESS_TOKEN_MAP)];

/// Removes every item.
const ITEMS: [Change<'static>; 4] = [TOKENS[0], TOKENS[1], TOKENS[2], Change::remove(items::SIGN_IN_SESSION)];

impl<S: LogtoStorage> LogtoSession<S> {
    /// Signs the user out: of this session, which gets a new id in the same save, and of the provider, where the
    /// refresh token is revoked. The URL is that of the provider's page which ends its own session; redirect the
    /// browser there. It comes back to `post_logout_redirect_uri`, an absolute URL that is registered in Logto's
    /// console.
    ///
    /// After it has returned no refresh of this process that was under way writes tokens back. One of another process
    /// may, and so may a session library that saves a whole session once more at the end of a slow response. Those
    /// tokens are revoked. With tower-sessions their first use clears them; the other libraries cannot tell such a
    /// session from a request that began before the sign-out, and there it fails.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`] and [`Error::RenewalUnsupported`] if the session could not be cleared (the refresh token is
    /// revoked all the same); [`Error::EndSession`] if the provider cannot be asked where its page is or is known to be
    /// down: the user is signed out here all the same. A failed revocation is not an error: it is tried again in the
    /// background for some minutes, and waited for no longer than a second.
    #[doc(alias = "logout")]
    pub async fn sign_out(&self, post_logout_redirect_uri: Option<&str>) -> Result<Url> {
        if let Some(Err(problem)) = post_logout_redirect_uri.map(WebUrl::parse) {
            return Err(Error::InvalidOption { name: "post_logout_redirect_uri", problem: problem.to_owned() });
        }
        let refresh_token = self.revocable_refresh_token().await?;
        if refresh_token.is_some() || !self.is_empty().await? {
            // First, in a task of its own: the user who clicked may be gone before the session is cleared.
            let newest = refresh_token.and_then(|token| self.client().grants().get(&token).give_up());
            let revocation = newest.map(|token| self.client().revoke_in_background(token));
            let cleared = self.end_sign_in(self.renew(&ITEMS)).await;
            if let Some(revocation) = revocation {
                // It goes on in its task.
                let _ = timeout(MAX_REVOCATION_WAIT, revocation).await;
            }
            cleared?;
        }
        tracing::info!("signed out");
        self.end_session_url(post_logout_redirect_uri).await.map_err(Error::EndSession)
    }

    async fn end_session_url(&self, post_logout_redirect_uri: Option<&str>) -> Result<Url, RequestError> {
        let provider = self.client().provider();
        let metadata = provider.metadata_for_browser().await?;
        let endpoint = metadata.end_session_endpoint()?;
        Ok(end_session_url(endpoint, provider.config().app_id(), post_logout_redirect_uri))
    }

    /// Forgets all tokens of this session, so that nobody is signed in to it. Nothing is told to the provider, and the
    /// session keeps its id: [`sign_out`](Self::sign_out) is what a user means.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn clear_all_tokens(&self) -> Result<()> {
        self.end_sign_in(self.clear_stored_tokens()).await
    }

    /// Makes a change after which the session is not signed in any more, or by another sign-in: no refresh of the one
    /// before writes after it.
    pub(crate) async fn end_sign_in(&self, change: impl Future<Output = Result<()>>) -> Result<()> {
        let (id_token, refresh_token) = (self.stored_id_token().await?, self.stored_refresh_token().await?);
        match refresh_token {
            Some(token) => self.client().grants().get(&token).sign_out(change).await?,
            None => change.await?,
        }
        if let Some(id_token) = id_token {
            self.client().sign_in_ended(&id_token);
        }
        Ok(())
    }

    /// Removes the tokens of an ended sign-in that a late save of another request has brought back.
    pub(crate) async fn clear_if_ended(&self) -> Result<()> {
        if self.has_ended().await? && self.storage().reload().await? && self.has_ended().await? {
            self.clear_stored_tokens().await?;
        }
        Ok(())
    }

    async fn has_ended(&self) -> Result<bool> {
        let (id_token, refresh_token) = (self.stored_id_token().await?, self.stored_refresh_token().await?);
        Ok(self.client().has_ended(id_token.as_deref(), refresh_token.as_deref()))
    }

    pub(crate) async fn clear_stored_tokens(&self) -> Result<()> {
        if self.is_empty().await? {
            return Ok(());
        }
        Ok(self.storage().apply(&TOKENS).await?)
    }

    /// The refresh token to be revoked at this provider, which is not told another one's.
    async fn revocable_refresh_token(&self) -> Result<Option<String>> {
        let has_id_token = self.stored_id_token().await?.is_some();
        if has_id_token && !self.is_authenticated().await? { Ok(None) } else { self.stored_refresh_token().await }
    }

    async fn is_empty(&self) -> Result<bool> {
        for change in ITEMS {
            let (Change::Remove { key } | Change::Set { key, .. }) = change;
            if self.storage().get_item(key).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
