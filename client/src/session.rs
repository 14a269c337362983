//! One visitor's session: what an app calls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::{Change, ErrorKind, LogtoStorage};
use reqwest::StatusCode;
use tokio::time::timeout;
use url::Url;

use crate::claims::{AccessTokenClaims, IdTokenClaims, UserInfo};
use crate::client::LogtoClient;
use crate::error::{Endpoint, Error, RequestError, Result};
use crate::items::{self, AccessTokens, StoredToken};
use crate::pending::PendingSignIns;
use crate::refresh::{Flight, Wanted};
use crate::sign_in::SignInOptions;
use crate::{http, jwt, now};

/// The session of one request: Logto's view of what is in its storage. Made by [`LogtoClient::session`].
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
    /// Whether somebody is signed in.
    pub is_authenticated: bool,
    /// Who it is, as of the sign-in or the last refresh since.
    pub claims: Option<IdTokenClaims>,
}

/// How long a sign-out waits for the refresh token's revocation.
const MAX_REVOCATION_WAIT: Duration = Duration::from_secs(1);

/// What a signed-out session has none of.
const SIGNED_OUT: [Change<'static>; 4] = [
    Change::remove(items::ID_TOKEN),
    Change::remove(items::REFRESH_TOKEN),
    Change::remove(items::ACCESS_TOKEN_MAP),
    Change::remove(items::SIGN_IN_SESSION),
];

impl<S> LogtoSession<S> {
    pub(crate) fn new(client: LogtoClient, storage: S) -> Self {
        Self { client, storage }
    }

    pub(crate) fn client(&self) -> &LogtoClient {
        &self.client
    }

    pub(crate) fn storage(&self) -> &S {
        &self.storage
    }
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// Begins a sign-in: the URL to redirect the browser to.
    ///
    /// What the callback takes is kept in the session, by one save, for an hour, which is as long as Logto keeps its form. Up to eight sign-ins may be under
    /// way at once, one in each tab; the oldest makes room for the next.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidOption`], [`Error::Request`] if the provider cannot be asked where its page is or is known to be down,
    /// [`Error::Storage`].
    pub async fn sign_in(&self, options: SignInOptions) -> Result<Url> {
        let sign_in = options.begin(now())?;
        let discovery = self.client.discovery_for_browser().await?;
        let url = options.url(self.client.config(), &discovery, &sign_in);

        let mut sign_ins = self.pending_sign_ins().await?;
        sign_ins.add(sign_in, now());
        let sign_ins = items::encode(sign_ins);
        let begin = Change::set(items::SIGN_IN_SESSION, &sign_ins);
        if options.clear_tokens {
            let [id_token, refresh_token, access_tokens, _] = SIGNED_OUT;
            self.leave_sign_in(async {
                Ok(self.storage.apply(&[id_token, refresh_token, access_tokens, begin]).await?)
            })
            .await?;
        } else {
            self.storage.apply(&[begin]).await?;
        }
        tracing::debug!("sign-in begun");
        Ok(url)
    }

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
    pub async fn sign_out(&self, post_logout_redirect_uri: Option<&str>) -> Result<Url> {
        if post_logout_redirect_uri.is_some_and(|uri| Url::parse(uri).is_err()) {
            return Err(Error::InvalidOption {
                name: "post_logout_redirect_uri",
                problem: "is no absolute URL".to_owned(),
            });
        }
        let refresh_token = self.revocable_refresh_token().await?;
        if refresh_token.is_some() || !self.is_empty().await? {
            // First, in a task of its own: whoever clicked may be gone before the session is cleared.
            let revocation =
                refresh_token.map(|token| self.client.revoke_in_background(self.client.flight(&token).give_up()));
            let cleared = self.leave_sign_in(self.renew(&SIGNED_OUT)).await;
            if let Some(revocation) = revocation {
                // It goes on in its task.
                let _ = timeout(MAX_REVOCATION_WAIT, revocation).await;
            }
            cleared?;
        }
        tracing::info!("signed out");

        let mut url = self.end_session_endpoint().await.map_err(Error::EndSession)?;
        let mut query = url.query_pairs_mut();
        query.append_pair("client_id", self.client.config().app_id());
        query.extend_pairs(post_logout_redirect_uri.map(|uri| ("post_logout_redirect_uri", uri)));
        drop(query);
        Ok(url)
    }

    async fn end_session_endpoint(&self) -> Result<Url, RequestError> {
        self.client.discovery_for_browser().await?.end_session_endpoint()
    }

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
    pub async fn id_token(&self) -> Result<Option<String>> {
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

    /// An access token for one of the configuration's resources, or, for `None`, the one for the provider itself. It is
    /// good for ten seconds at least, if the provider's tokens live longer than that; where the session's is not, a new
    /// one is asked for. The session is then read again and written: let no other call of yours change it meanwhile.
    ///
    /// # Errors
    ///
    /// - [`is_sign_in_required`](Error::is_sign_in_required): nobody is signed in, or not any more.
    /// - [`UnlistedResource`](Error::UnlistedResource).
    /// - [`TokenEndpoint`](Error::TokenEndpoint), [`Request`](Error::Request): the provider refuses or does not answer.
    ///   What was kept stays.
    /// - [`InvalidIdToken`](Error::InvalidIdToken), [`ClockSkew`](Error::ClockSkew): of the one that came with it.
    /// - [`Storage`](Error::Storage).
    pub async fn access_token(&self, resource: Option<&str>) -> Result<String> {
        self.access_token_for(resource, None).await
    }

    /// What the [access token](Self::access_token) for a resource says. That of `None` is opaque, and says nothing.
    ///
    /// # Errors
    ///
    /// Those of [`access_token`](Self::access_token), and [`Error::Request`] if the token is no JWT.
    pub async fn access_token_claims(&self, resource: Option<&str>) -> Result<AccessTokenClaims> {
        access_token_claims(&self.access_token(resource).await?)
    }

    /// An access token for Logto's API of an organization, by its id.
    ///
    /// # Errors
    ///
    /// [`MissingOrganizationScope`](Error::MissingOrganizationScope), and those of
    /// [`access_token`](Self::access_token).
    pub async fn organization_token(&self, organization: &str) -> Result<String> {
        self.access_token_for(None, Some(organization)).await
    }

    /// What the [organization's token](Self::organization_token) says.
    ///
    /// # Errors
    ///
    /// Those of [`organization_token`](Self::organization_token), and [`Error::Request`] if the token is no JWT.
    pub async fn organization_token_claims(&self, organization: &str) -> Result<AccessTokenClaims> {
        access_token_claims(&self.organization_token(organization).await?)
    }

    /// An access token for a resource, as a member of an organization; either may be `None`.
    ///
    /// # Errors
    ///
    /// Those of [`access_token`](Self::access_token) and [`organization_token`](Self::organization_token).
    pub async fn access_token_for(&self, resource: Option<&str>, organization: Option<&str>) -> Result<String> {
        let config = self.client.config();
        if let Some(resource) = resource
            && !config.resources().iter().any(|listed| listed == resource)
        {
            return Err(Error::UnlistedResource { resource: resource.to_owned() });
        }
        if organization.is_some_and(str::is_empty) {
            return Err(Error::InvalidOption { name: "organization", problem: "is empty".to_owned() });
        }
        if organization.is_some() && !config.has_organizations() {
            return Err(Error::MissingOrganizationScope);
        }
        if !self.is_authenticated().await? {
            return Err(Error::NotAuthenticated);
        }
        let key = items::access_token_key(resource, organization);
        if let Some(token) = self.access_tokens().await?.fresh(&key, now()) {
            return Ok(token.token.clone());
        }
        let wanted =
            Wanted { key, resource: resource.map(str::to_owned), organization: organization.map(str::to_owned) };
        Ok(self.refreshed(&wanted).await?.token)
    }

    /// The refresh token, if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn refresh_token(&self) -> Result<Option<String>> {
        if self.is_authenticated().await? { self.stored_refresh_token().await } else { Ok(None) }
    }

    /// What the provider says of the user now.
    ///
    /// # Errors
    ///
    /// Those of [`access_token`](Self::access_token), and [`WrongSubject`](Error::WrongSubject) if the answer is of
    /// another user (OpenID Connect Core 1.0, section 5.3.2).
    pub async fn fetch_user_info(&self) -> Result<UserInfo> {
        let token = self.access_token(None).await?;
        let answer = match self.request_user_info(&token).await? {
            // The provider does not honour it any more, before its time: another may do, or show that the sign-in has
            // ended.
            refused if refused.status == StatusCode::UNAUTHORIZED => {
                self.forget_access_token(&items::access_token_key(None, None)).await?;
                self.request_user_info(&self.access_token(None).await?).await?
            }
            answer => answer,
        };
        let info: UserInfo = answer.json()?;
        if info.sub == self.id_token_claims().await?.sub { Ok(info) } else { Err(Error::WrongSubject) }
    }

    async fn request_user_info(&self, token: &str) -> Result<http::Answer> {
        let url = self.client.discovery().await?.userinfo_endpoint()?;
        let request = self.client.http().get(url).bearer_auth(token);
        Ok(self.client.http().send(Endpoint::UserInfo, request).await?)
    }

    async fn forget_access_token(&self, key: &str) -> Result<()> {
        let flight = self.forget_given_tokens().await?;
        if !self.is_authenticated().await? {
            return Err(Error::NotAuthenticated);
        }
        let tokens = items::encode(self.access_tokens().await?.without(key));
        self.write_in(flight.as_deref(), &[Change::set(items::ACCESS_TOKEN_MAP, &tokens)]).await
    }

    /// Forgets the access tokens, so that the next are new ones: after the user's roles have changed, for instance.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`], and [`Error::NotAuthenticated`] if another request has signed out meanwhile.
    pub async fn clear_access_tokens(&self) -> Result<()> {
        let flight = self.forget_given_tokens().await?;
        self.write_in(flight.as_deref(), &[Change::remove(items::ACCESS_TOKEN_MAP)]).await
    }

    /// What other requests were given lately would be handed out again. The session is read again before it is written:
    /// it is saved whole, and would undo what others have done since this request began, a sign-out for instance.
    async fn forget_given_tokens(&self) -> Result<Option<Arc<Flight>>> {
        self.storage.reload().await?;
        let token = self.stored_refresh_token().await?;
        let flight = token.map(|token| self.client.flight(&token));
        if let Some(flight) = &flight {
            flight.forget_access_tokens();
        }
        Ok(flight)
    }

    async fn write_in(&self, flight: Option<&Flight>, changes: &[Change<'_>]) -> Result<()> {
        match flight {
            Some(flight) => self.write(flight, changes).await,
            None => Ok(self.storage.apply(changes).await?),
        }
    }

    /// Forgets all tokens of this session, so that nobody is signed in to it. Nothing is told to the provider, and the
    /// session keeps its id: [`sign_out`](Self::sign_out) is what a user means.
    ///
    /// # Errors
    ///
    /// [`Error::Storage`].
    pub async fn clear_all_tokens(&self) -> Result<()> {
        self.leave_sign_in(self.clear_stored_tokens()).await
    }

    /// Makes a change after which the session is not signed in any more, or by another sign-in: no refresh of the one
    /// before writes after it.
    pub(crate) async fn leave_sign_in(&self, change: impl Future<Output = Result<()>>) -> Result<()> {
        match self.stored_refresh_token().await? {
            Some(token) => self.client.flight(&token).leave(change).await,
            None => change.await,
        }
    }

    pub(crate) async fn clear_stored_tokens(&self) -> Result<()> {
        if self.is_empty().await? {
            return Ok(());
        }
        let [id_token, refresh_token, access_tokens, _] = SIGNED_OUT;
        Ok(self.storage.apply(&[id_token, refresh_token, access_tokens]).await?)
    }

    /// The changes, and a new id for the session.
    pub(crate) async fn renew(&self, changes: &[Change<'_>]) -> Result<()> {
        match self.storage.renew(changes).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => {
                if self.client.config().require_session_renewal() {
                    return Err(Error::RenewalUnsupported(error));
                }
                Ok(self.storage.apply(changes).await?)
            }
            renewed => Ok(renewed?),
        }
    }

    pub(crate) async fn pending_sign_ins(&self) -> Result<PendingSignIns> {
        Ok(self.item(items::SIGN_IN_SESSION).await?.unwrap_or_default())
    }

    pub(crate) async fn access_tokens(&self) -> Result<AccessTokens> {
        Ok(self.item(items::ACCESS_TOKEN_MAP).await?.unwrap_or_default())
    }

    pub(crate) async fn stored_refresh_token(&self) -> Result<Option<String>> {
        Ok(self.item::<StoredToken>(items::REFRESH_TOKEN).await?.map(|stored| stored.token))
    }

    /// The refresh token to be revoked at this provider, which is not told another one's.
    async fn revocable_refresh_token(&self) -> Result<Option<String>> {
        let has_id_token = self.item::<StoredToken>(items::ID_TOKEN).await?.is_some();
        if has_id_token && !self.is_authenticated().await? { Ok(None) } else { self.stored_refresh_token().await }
    }

    /// The refresh token, where there is no going on without one.
    pub(crate) async fn needed_refresh_token(&self) -> Result<String> {
        if !self.is_authenticated().await? {
            return Err(Error::NotAuthenticated);
        }
        self.stored_refresh_token().await?.ok_or(Error::MissingRefreshToken)
    }

    /// The ID token and its claims, if the configuration's provider issued it to the configuration's app. Otherwise the
    /// session belongs to another configuration, and nobody is signed in here.
    async fn own_id_token(&self) -> Result<Option<(String, IdTokenClaims)>> {
        let Some(StoredToken { token }) = self.item(items::ID_TOKEN).await? else { return Ok(None) };
        let config = self.client.config();
        let is_own = |claims: &IdTokenClaims| {
            claims.iss == config.issuer() && claims.aud.iter().any(|audience| audience == config.app_id())
        };
        let claims = jwt::decode_claims(&token).filter(is_own);
        if claims.is_none() {
            tracing::debug!("the session's ID token is of another provider or app");
        }
        Ok(claims.map(|claims| (token, claims)))
    }

    async fn item<T: serde::de::DeserializeOwned>(&self, key: &'static str) -> Result<Option<T>> {
        Ok(self.storage.get_item(key).await?.and_then(|item| items::decode(key, &item)))
    }

    async fn is_empty(&self) -> Result<bool> {
        for change in SIGNED_OUT {
            let (Change::Remove { key } | Change::Set { key, .. }) = change;
            if self.storage.get_item(key).await?.is_some() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Not the storage: most print the session's tokens.
impl<S> fmt::Debug for LogtoSession<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoSession").field("client", &self.client).finish_non_exhaustive()
    }
}

fn access_token_claims(token: &str) -> Result<AccessTokenClaims> {
    jwt::decode_claims(token).ok_or_else(|| RequestError::invalid(Endpoint::Token, "is no JWT").into())
}
