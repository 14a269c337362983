//! Sign-out.

use std::time::Duration;

use logto_storage_core::{LogtoStorage, Seen};
use tokio::time::timeout;
use url::Url;

use crate::error::{Error, RequestError, Result};
use crate::oidc::end_session::end_session_url;
use crate::session::LogtoSession;
use crate::session::items;
use crate::util::web_url::WebUrl;

/// How long a sign-out waits for the refresh token's revocation.
const MAX_REVOCATION_WAIT: Duration = Duration::from_secs(1);

impl<S: LogtoStorage> LogtoSession<S> {
    /// Signs the user out and returns the URL to redirect the browser to.
    ///
    /// Removes all items from the session, which gets a new id in the same save, and revokes the refresh token (RFC
    /// 7009). The URL ends the session at the provider, too (OpenID Connect RP-Initiated Logout 1.0). The provider
    /// then returns the browser to `post_logout_redirect_uri`, an absolute URL that is registered in Logto's console.
    ///
    /// A revocation that fails is not an error. The call waits for it for at most a second; retries run in the
    /// background for some minutes.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage, Url};
    ///
    /// async fn sign_out<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<Url, Error> {
    ///     session.sign_out(Some("https://app.example.com/")).await
    /// }
    /// ```
    ///
    /// # Concurrent requests
    ///
    /// Once the call has returned, no refresh in this process writes tokens back to the session. A refresh in another
    /// process may, and so may a session library that saves the whole session again at the end of a slow response.
    /// Such tokens are revoked. With tower-sessions their first use clears them; with other libraries their use fails.
    ///
    /// # Errors
    ///
    /// - [`InvalidOption`](Error::InvalidOption): `post_logout_redirect_uri` is not an absolute URL.
    /// - [`Storage`](Error::Storage), [`RenewalUnsupported`](Error::RenewalUnsupported): the session could not be
    ///   cleared. The refresh token is revoked nevertheless.
    /// - [`EndSession`](Error::EndSession): the user is signed out of this app, but the provider's metadata cannot be
    ///   fetched, or the provider is known to be down.
    #[doc(alias = "logout")]
    pub async fn sign_out(&self, post_logout_redirect_uri: Option<&str>) -> Result<Url> {
        if let Some(Err(problem)) = post_logout_redirect_uri.map(WebUrl::parse) {
            return Err(Error::InvalidOption { name: "post_logout_redirect_uri", problem: problem.to_owned() });
        }
        let subject = self.own_id_token().await?.map(|(_, claims)| claims.sub);
        let refresh_token = self.revocable_refresh_token().await?;
        if refresh_token.is_some() || !self.is_empty().await? {
            // First, in a task of its own: the user who clicked may be gone before the session is cleared.
            let newest = refresh_token.and_then(|token| self.shared().grants().get(&token).give_up());
            let revocation = newest.map(|token| self.shared().revoke_in_background(token, subject));
            let cleared = self.end_sign_in(self.clear_all_items()).await;
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
        let provider = self.shared().provider();
        let metadata = provider.metadata_for_browser().await?;
        let endpoint = metadata.end_session_endpoint()?;
        Ok(end_session_url(endpoint, provider.config().app_id(), post_logout_redirect_uri))
    }

    /// Removes all tokens from the session. Sends no request to the provider and keeps the session's id.
    ///
    /// To sign a user out, use [`sign_out`](Self::sign_out).
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage};
    ///
    /// /// After the user's account was deleted at the provider.
    /// async fn forget<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<(), Error> {
    ///     session.clear_all_tokens().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn clear_all_tokens(&self) -> Result<()> {
        self.end_sign_in(self.clear_stored_tokens()).await
    }

    /// Makes a change that ends the session's current sign-in. No refresh of that sign-in writes to the session
    /// afterwards.
    pub(crate) async fn end_sign_in(&self, change: impl Future<Output = Result<()>>) -> Result<()> {
        self.replace_sign_in(None, change).await
    }

    /// As [`end_sign_in`](Self::end_sign_in), for a change that stores the tokens of another sign-in.
    pub(crate) async fn replace_sign_in(
        &self,
        new_refresh_token: Option<&str>,
        change: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let (id_token, refresh_token) = (self.stored_id_token().await?, self.stored_refresh_token().await?);
        match refresh_token {
            // A provider that does not rotate may issue the same one again.
            Some(token) if Some(&*token) == new_refresh_token => {
                self.shared().grants().get(&token).renew(change).await?;
            }
            Some(token) => self.shared().grants().get(&token).sign_out(change).await?,
            None => change.await?,
        }
        if let Some(id_token) = id_token {
            self.shared().sign_in_ended(&id_token.token);
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
        let id_token = self.stored_id_token().await?.map(|stored| stored.token);
        let refresh_token = self.stored_refresh_token().await?;
        Ok(self.shared().has_ended(id_token.as_deref(), refresh_token.as_deref()))
    }

    pub(crate) async fn clear_stored_tokens(&self) -> Result<()> {
        if self.is_empty().await? {
            return Ok(());
        }
        let refresh_token = self.storage().get_item(items::REFRESH_TOKEN).await?;
        let keys = self.token_keys().await?;
        // Not the tokens of another sign-in, which may have come meanwhile.
        self.apply_if(&[Seen::new(items::REFRESH_TOKEN, refresh_token.as_deref())], &items::remove_all(&keys)).await?;
        Ok(())
    }

    async fn clear_all_items(&self) -> Result<()> {
        let mut keys = self.token_keys().await?;
        keys.push(items::SIGN_IN_SESSION.to_owned());
        self.renew(&items::remove_all(&keys)).await
    }

    /// Returns the refresh token to revoke, unless another provider issued it.
    async fn revocable_refresh_token(&self) -> Result<Option<String>> {
        let has_id_token = self.stored_id_token().await?.is_some();
        if has_id_token && !self.is_authenticated().await? { Ok(None) } else { self.stored_refresh_token().await }
    }

    async fn is_empty(&self) -> Result<bool> {
        for key in [items::ID_TOKEN, items::REFRESH_TOKEN, items::ACCESS_TOKEN_MAP, items::SIGN_IN_SESSION] {
            if self.storage().get_item(key).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
