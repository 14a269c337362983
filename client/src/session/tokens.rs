//! Access tokens and user info.

use std::sync::Arc;

use logto_storage_core::{Change, LogtoStorage};
use tokio::sync::MutexGuard;

use crate::claims::{AccessTokenClaims, UserInfo};
use crate::error::{Endpoint, Error, RequestError, RequestErrorKind, Result};
use crate::oidc::jwt::decode_claims;
use crate::session::LogtoSession;
use crate::session::grants::Grant;
use crate::session::items;
use crate::tokens::{AccessToken, RefreshToken, TokenTarget};
use crate::util::now;

impl<S: LogtoStorage> LogtoSession<S> {
    /// Returns an access token for the target. It is valid for at least ten seconds, if the provider's tokens live longer
    /// than that. If the session has none, the client asks the provider for a new one; concurrent calls
    /// are coalesced. The call then reloads and writes the session: do not use the session elsewhere until it returns.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage, TokenTarget};
    ///
    /// async fn authorization<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<String, Error> {
    ///     let token = session.access_token(TokenTarget::resource("https://api.example.com")).await?;
    ///     Ok(format!("Bearer {}", token.as_str()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`is_sign_in_required`](Error::is_sign_in_required): nobody is signed in, or the sign-in has ended.
    /// - [`is_access_denied`](Error::is_access_denied): the user is not allowed the token, for instance because they are not a
    ///   member of the organization.
    /// - [`UnlistedResource`](Error::UnlistedResource), [`MissingOrganizationScope`](Error::MissingOrganizationScope),
    ///   [`InvalidOption`](Error::InvalidOption): the target is not configured.
    /// - [`TokenEndpoint`](Error::TokenEndpoint), [`Request`](Error::Request): the provider refuses or does not answer. The
    ///   session's tokens stay.
    /// - [`InvalidIdToken`](Error::InvalidIdToken), [`ClockSkew`](Error::ClockSkew): the ID token that came with it is not
    ///   valid.
    /// - [`MissingRefreshToken`](Error::MissingRefreshToken): the access token has expired, and the session has no refresh
    ///   token.
    /// - [`Interrupted`](Error::Interrupted): the program is shutting down.
    /// - [`Storage`](Error::Storage): the session cannot be read or saved.
    pub async fn access_token(&self, target: TokenTarget) -> Result<AccessToken> {
        target.check(self.shared().config())?;
        let mut own = self.own_id_token().await?;
        if own.is_none() {
            // This request's record may be that of a sign-in which another request has ended or replaced.
            self.clear_if_ended().await?;
            own = self.own_id_token().await?;
        }
        let (id_token, _) = own.ok_or(Error::NotAuthenticated)?;
        match self.fresh_access_token(&target.key(), id_token.sign_in.as_deref()).await? {
            Some(token) => Ok(token),
            None => self.refreshed(&target).await,
        }
    }

    /// Returns the claims of the [access token](Self::access_token) for the target, without verifying them: that is up to
    /// the API. The token for the provider itself is opaque.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage, TokenTarget};
    ///
    /// async fn may_write<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<bool, Error> {
    ///     let claims = session.access_token_claims(TokenTarget::organization("org-1")).await?;
    ///     Ok(claims.scopes().any(|scope| scope == "write:things"))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`access_token`](Self::access_token), and [`Error::Request`] if the token is not a JWT.
    pub async fn access_token_claims(&self, target: TokenTarget) -> Result<AccessTokenClaims> {
        let token = self.access_token(target).await?;
        decode_claims(token.as_str())
            .ok_or_else(|| RequestError::invalid(Endpoint::Token, "the access token is not a JWT").into())
    }

    /// Returns the refresh token, if a user is signed in and the provider issued one.
    ///
    /// ```
    /// # use logto_client::{Error, LogtoSession, LogtoStorage};
    /// async fn can_refresh<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<bool, Error> {
    ///     Ok(session.refresh_token().await?.is_some())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn refresh_token(&self) -> Result<Option<RefreshToken>> {
        if !self.is_authenticated().await? {
            return Ok(None);
        }
        Ok(self.stored_refresh_token().await?.map(RefreshToken))
    }

    /// Asks the provider for the user's current claims.
    ///
    /// ```
    /// # use logto_client::{Error, LogtoSession, LogtoStorage};
    /// async fn email<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<Option<String>, Error> {
    ///     Ok(session.fetch_user_info().await?.user.email)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`access_token`](Self::access_token), and [`WrongSubject`](Error::WrongSubject) if the response is about
    /// another user (OpenID Connect Core 1.0, section 5.3.2).
    pub async fn fetch_user_info(&self) -> Result<UserInfo> {
        let info = match self.request_user_info().await {
            // The provider does not accept the token any more, before its time. Another one may do, or show that the sign-in
            // has ended.
            Err(Error::Request(error)) if matches!(error.kind(), RequestErrorKind::Status(401)) => {
                self.discard_access_token(&TokenTarget::provider()).await?;
                self.request_user_info().await?
            }
            info => info?,
        };
        if info.sub == self.id_token_claims().await?.sub { Ok(info) } else { Err(Error::WrongSubject) }
    }

    async fn request_user_info(&self) -> Result<UserInfo> {
        let token = self.access_token(TokenTarget::provider()).await?;
        Ok(self.shared().provider().user_info(token.as_str()).await?)
    }

    async fn discard_access_token(&self, target: &TokenTarget) -> Result<()> {
        let grant = self.reload_and_forget_access_tokens().await?;
        if !self.is_authenticated().await? {
            return Err(Error::NotAuthenticated);
        }
        let _writing = lock_while_active(grant.as_deref()).await?;
        let mut index = self.access_token_index().await?;
        index.expire(target.key());
        let expired = index.prune(now());
        let index = items::encode(index);
        let mut changes = items::remove_all(&expired);
        changes.push(Change::set(items::ACCESS_TOKEN_MAP, &index));
        Ok(self.storage().apply(&changes).await?)
    }

    /// Removes the access tokens, so that the next calls get new ones: after the user's roles have changed, for instance.
    ///
    /// ```
    /// # use logto_client::{Error, LogtoSession, LogtoStorage};
    /// async fn role_changed<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<(), Error> {
    ///     session.clear_access_tokens().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`], and [`Error::NotAuthenticated`] if another request has signed out meanwhile.
    pub async fn clear_access_tokens(&self) -> Result<()> {
        let grant = self.reload_and_forget_access_tokens().await?;
        let _writing = lock_while_active(grant.as_deref()).await?;
        let keys = self.access_token_keys().await?;
        Ok(self.storage().apply(&items::remove_all(&keys)).await?)
    }

    /// Drops recently issued tokens, which would otherwise be reused, and reloads the session, so that saving it does not
    /// overwrite the changes of other requests, such as a sign-out.
    async fn reload_and_forget_access_tokens(&self) -> Result<Option<Arc<Grant>>> {
        self.storage().reload().await?;
        let token = self.stored_refresh_token().await?;
        let grant = token.map(|token| self.shared().grants().get(&token));
        if let Some(grant) = &grant {
            grant.forget_access_tokens();
        }
        Ok(grant)
    }
}

async fn lock_while_active(grant: Option<&Grant>) -> Result<Option<MutexGuard<'_, ()>>> {
    match grant {
        Some(grant) => grant.lock_while_active().await.map(Some),
        None => Ok(None),
    }
}
