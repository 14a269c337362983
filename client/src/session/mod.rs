//! The session of one visitor.

mod code_exchange;
mod exchanges;
pub(crate) mod grants;
mod issued;
pub(crate) mod items;
mod lease;
mod refresh;
mod shared;
mod sign_in;
pub(crate) mod sign_in_sessions;
mod sign_out;
mod tokens;

use std::fmt;
use std::sync::Arc;

use logto_storage_core::{Change, ErrorKind, LogtoStorage, Seen};
use serde::de::DeserializeOwned;

use crate::claims::IdTokenClaims;
use crate::config::LogtoConfig;
use crate::error::{Error, Result};
use crate::oidc::jwt::decode_claims;
use crate::session::items::{AccessTokenIndex, StoredAccessToken, StoredIdToken, StoredToken};
use crate::tokens::{AccessToken, IdToken};
use crate::util::now;

pub(crate) use self::shared::Shared;
pub use self::sign_in::SignedIn;

/// The session of one request: signs the user in and out, and returns tokens and claims.
///
/// Created by [`LogtoClient::session`](crate::LogtoClient::session) from a storage. Its futures are `Send` if the storage is `Send` and `Sync`.
#[derive(Clone)]
pub struct LogtoSession<S> {
    shared: Arc<Shared>,
    storage: S,
}

/// Whether a user is signed in, and their claims. Returned by [`LogtoSession::context`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionContext {
    /// Whether a user is signed in.
    pub is_authenticated: bool,
    /// The claims of the ID token, from the sign-in or the last refresh that returned an ID token.
    pub claims: Option<IdTokenClaims>,
}

impl<S> LogtoSession<S> {
    pub(crate) fn new(shared: Arc<Shared>, storage: S) -> Self {
        Self { shared, storage }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) fn config(&self) -> &LogtoConfig {
        self.shared.config()
    }

    fn storage(&self) -> &S {
        &self.storage
    }
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// Returns whether a user is signed in: whether the session has an ID token that the configured provider issued to
    /// the configured app.
    ///
    /// Sends no request to the provider. If the provider has ended the sign-in, the next token refresh reports it.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage};
    ///
    /// async fn label<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<&'static str, Error> {
    ///     Ok(if session.is_authenticated().await? { "Sign out" } else { "Sign in" })
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn is_authenticated(&self) -> Result<bool> {
        Ok(self.own_id_token().await?.is_some())
    }

    /// Returns whether a user is signed in, and their claims. Sends no request.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage};
    ///
    /// async fn greeting<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<String, Error> {
    ///     let context = session.context().await?;
    ///     Ok(match &context.claims {
    ///         Some(claims) => format!("Hello {}", claims.display_name()),
    ///         None => "Hello stranger".to_owned(),
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn context(&self) -> Result<SessionContext> {
        let claims = self.own_id_token().await?.map(|(_, claims)| claims);
        Ok(SessionContext { is_authenticated: claims.is_some(), claims })
    }

    /// Returns the ID token if a user is signed in. It may have expired, because the session outlives it.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage};
    ///
    /// /// The `id_token_hint` that some providers require at sign-out.
    /// async fn id_token_hint<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<Option<String>, Error> {
    ///     Ok(session.id_token().await?.map(|token| token.as_str().to_owned()))
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn id_token(&self) -> Result<Option<IdToken>> {
        Ok(self.own_id_token().await?.map(|(stored, _)| IdToken(stored.token)))
    }

    /// Returns the claims of the ID token. The token was verified before it was stored.
    ///
    /// ```
    /// use logto_client::{Error, LogtoSession, LogtoStorage};
    ///
    /// async fn user_id<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<String, Error> {
    ///     Ok(session.id_token_claims().await?.sub)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NotAuthenticated`], [`Error::Storage`].
    pub async fn id_token_claims(&self) -> Result<IdTokenClaims> {
        self.context().await?.claims.ok_or(Error::NotAuthenticated)
    }

    /// Returns the refresh token, or an error if there is none.
    pub(crate) async fn required_refresh_token(&self) -> Result<String> {
        if !self.is_authenticated().await? {
            return Err(Error::NotAuthenticated);
        }
        self.stored_refresh_token().await?.ok_or(Error::MissingRefreshToken)
    }

    /// Returns the ID token and its claims if the configured provider issued it to the configured app, and the sign-in has
    /// not ended. Otherwise the session counts as signed out.
    async fn own_id_token(&self) -> Result<Option<(StoredIdToken, IdTokenClaims)>> {
        let Some(stored) = self.stored_id_token().await? else { return Ok(None) };
        let config = self.shared.config();
        let is_own = |claims: &IdTokenClaims| {
            claims.iss == config.issuer() && claims.aud.iter().any(|audience| audience == config.app_id())
        };
        let Some(claims) = decode_claims(&stored.token).filter(is_own) else {
            tracing::debug!("the session's ID token is of another provider or app");
            return Ok(None);
        };
        // A late save of another request may have brought an ended sign-in back.
        let refresh_token = self.stored_refresh_token().await?;
        if self.shared.has_ended(Some(&stored.token), refresh_token.as_deref()) {
            tracing::debug!("the session's sign-in has ended");
            return Ok(None);
        }
        Ok(Some((stored, claims)))
    }

    async fn stored_id_token(&self) -> Result<Option<StoredIdToken>> {
        self.item(items::ID_TOKEN).await
    }

    async fn stored_refresh_token(&self) -> Result<Option<String>> {
        Ok(self.item::<StoredToken>(items::REFRESH_TOKEN).await?.map(|stored| stored.token))
    }

    /// Returns the sign-in's access token for the target if it can still be used. An ID token of an earlier version has no
    /// sign-in, and no access tokens.
    async fn fresh_access_token(&self, target: &str, sign_in: Option<&str>) -> Result<Option<AccessToken>> {
        let Some(sign_in) = sign_in else { return Ok(None) };
        let stored: Option<StoredAccessToken> = self.item(&items::access_token_key(target)).await?;
        let token = stored.and_then(|stored| stored.of_sign_in(sign_in));
        Ok(token.filter(|token| token.is_fresh(now())))
    }

    async fn access_token_index(&self) -> Result<AccessTokenIndex> {
        Ok(self.item(items::ACCESS_TOKEN_MAP).await?.unwrap_or_default())
    }

    /// Returns the keys of everything that a sign-in stores.
    async fn token_keys(&self) -> Result<Vec<String>> {
        let mut keys = [items::ID_TOKEN, items::REFRESH_TOKEN, items::REFRESH_LEASE].map(str::to_owned).to_vec();
        keys.extend(self.access_token_keys().await?);
        Ok(keys)
    }

    async fn access_token_keys(&self) -> Result<Vec<String>> {
        let mut keys = self.access_token_index().await?.keys();
        keys.push(items::ACCESS_TOKEN_MAP.to_owned());
        Ok(keys)
    }

    async fn item<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        Ok(self.storage.get_item(key).await?.and_then(|item| items::decode(key, &item)))
    }

    /// Makes the changes if the items are still as they were seen. Returns whether they were.
    ///
    /// A storage that cannot compare makes the changes: its session is saved as a whole anyway.
    pub(crate) async fn apply_if(&self, seen: &[Seen<'_>], changes: &[Change<'_>]) -> Result<bool> {
        match self.storage.apply_if(seen, changes).await {
            Err(error) if error.kind() == ErrorKind::Conflict => return Ok(false),
            Err(error) if error.kind() == ErrorKind::Unsupported => self.storage.apply(changes).await?,
            applied => applied?,
        }
        Ok(true)
    }

    /// Finds out whether the callback will be able to give the session a new id.
    pub(crate) fn check_renewal(&self) -> Result<()> {
        if self.shared.config().keeps_session_id() {
            return Ok(());
        }
        self.storage.check_renewal().map_err(Error::RenewalUnsupported)
    }

    /// Makes the changes and gives the session a new id.
    pub(crate) async fn renew(&self, changes: &[Change<'_>]) -> Result<()> {
        match self.storage.renew(changes).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                if !self.shared.config().keeps_session_id() {
                    return Err(Error::RenewalUnsupported(error));
                }
                Ok(self.storage.apply(changes).await?)
            }
            renewed => Ok(renewed?),
        }
    }
}

/// A refresh token as it is stored.
fn write_refresh_token(token: String) -> String {
    items::encode(StoredToken { token })
}

/// Leaves the storage out: the `Debug` output of most sessions contains the tokens.
impl<S> fmt::Debug for LogtoSession<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoSession").field("config", self.shared.config()).finish_non_exhaustive()
    }
}
