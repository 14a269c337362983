//! The session of one visitor.

pub(crate) mod exchange;
pub(crate) mod items;
pub(crate) mod refresh;
pub(crate) mod sign_in;
mod sign_out;
mod tokens;

use std::fmt;

use logto_storage_core::{Change, ErrorKind, LogtoStorage};
use serde::de::DeserializeOwned;

use crate::claims::IdTokenClaims;
use crate::client::LogtoClient;
use crate::error::{Error, Result};
use crate::oidc::jwt::decode_claims;
use crate::session::items::{AccessTokens, StoredToken};
use crate::tokens::IdToken;

pub(crate) use self::exchange::Exchanges;
pub(crate) use self::refresh::Grants;
pub use self::sign_in::SignedIn;

/// The session of one request: Logto's view of the items in its storage. Created by [`LogtoClient::session`].
///
/// Its futures are `Send` if the storage is `Send` and `Sync`.
#[derive(Clone)]
pub struct LogtoSession<S> {
    client: LogtoClient,
    storage: S,
}

/// What a page needs to know. See [`LogtoSession::context`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SessionContext {
    /// Whether a user is signed in.
    pub is_authenticated: bool,
    /// The user's claims, as of the sign-in or the last refresh since.
    pub claims: Option<IdTokenClaims>,
}

impl<S> LogtoSession<S> {
    pub(crate) fn new(client: LogtoClient, storage: S) -> Self {
        Self { client, storage }
    }

    pub(crate) fn client(&self) -> &LogtoClient {
        &self.client
    }

    fn storage(&self) -> &S {
        &self.storage
    }
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// Whether somebody is signed in: whether the session has an ID token that the configuration's provider issued to the
    /// configuration's app. It asks the session, not the provider: a sign-in that the provider has ended is known when a
    /// token is next refreshed.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn is_authenticated(&self) -> Result<bool> {
        Ok(self.own_id_token().await?.is_some())
    }

    /// What a page needs, by one read of the storage.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn context(&self) -> Result<SessionContext> {
        let claims = self.own_id_token().await?.map(|(_, claims)| claims);
        Ok(SessionContext { is_authenticated: claims.is_some(), claims })
    }

    /// The ID token, if somebody is signed in. It may have expired: it tells who signed in, and the session goes on.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn id_token(&self) -> Result<Option<IdToken>> {
        Ok(self.own_id_token().await?.map(|(token, _)| token))
    }

    /// Who is signed in. The token was verified before it was kept.
    ///
    /// # Errors
    ///
    /// [`Error::NotAuthenticated`], [`Error::Storage`].
    pub async fn id_token_claims(&self) -> Result<IdTokenClaims> {
        self.context().await?.claims.ok_or(Error::NotAuthenticated)
    }

    /// The refresh token, where an operation cannot do without it.
    pub(crate) async fn required_refresh_token(&self) -> Result<String> {
        if !self.is_authenticated().await? {
            return Err(Error::NotAuthenticated);
        }
        self.stored_refresh_token().await?.ok_or(Error::MissingRefreshToken)
    }

    /// The ID token and its claims, if the configuration's provider issued it to the configuration's app. Otherwise the
    /// session belongs to another configuration, and nobody is signed in here. Nor is anybody if the sign-in has ended.
    async fn own_id_token(&self) -> Result<Option<(IdToken, IdTokenClaims)>> {
        let Some(token) = self.stored_id_token().await? else { return Ok(None) };
        let config = self.client.config();
        let is_own = |claims: &IdTokenClaims| {
            claims.iss == config.issuer() && claims.aud.iter().any(|audience| audience == config.app_id())
        };
        let Some(claims) = decode_claims(&token).filter(is_own) else {
            tracing::debug!("the session's ID token is of another provider or app");
            return Ok(None);
        };
        // A late save of another request may have brought an ended sign-in back.
        let refresh_token = self.stored_refresh_token().await?;
        if self.client.has_ended(Some(&token), refresh_token.as_deref()) {
            tracing::debug!("the session's sign-in has ended");
            return Ok(None);
        }
        Ok(Some((IdToken(token), claims)))
    }

    async fn stored_id_token(&self) -> Result<Option<String>> {
        Ok(self.item::<StoredToken>(items::ID_TOKEN).await?.map(|stored| stored.token))
    }

    async fn stored_refresh_token(&self) -> Result<Option<String>> {
        Ok(self.item::<StoredToken>(items::REFRESH_TOKEN).await?.map(|stored| stored.token))
    }

    async fn access_tokens(&self) -> Result<AccessTokens> {
        Ok(self.item(items::ACCESS_TOKEN_MAP).await?.unwrap_or_default())
    }

    async fn item<T: DeserializeOwned>(&self, key: &'static str) -> Result<Option<T>> {
        Ok(self.storage.get_item(key).await?.and_then(|item| items::decode(key, &item)))
    }

    /// The changes, and a new id for the session.
    pub(crate) async fn renew(&self, changes: &[Change<'_>]) -> Result<()> {
        match self.storage.renew(changes).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                if !self.client.config().keeps_session_id() {
                    return Err(Error::RenewalUnsupported(error));
                }
                Ok(self.storage.apply(changes).await?)
            }
            renewed => Ok(renewed?),
        }
    }
}

/// An ID token or a refresh token as it is stored.
fn write_token(token: String) -> String {
    items::encode(StoredToken { token })
}

/// Not the storage: most print the session's tokens.
impl<S> fmt::Debug for LogtoSession<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoSession").field("client", &self.client).finish_non_exhaustive()
    }
}
