//! New access tokens by the refresh token, when several requests, tabs and processes ask for them at once.
//!
//! A session's record is saved whole, so of two requests that refresh at once one undoes the other's. And a refresh token
//! may be valid for a single use (rotation): using it again ends the sign-in. Therefore all requests in this process that
//! hold the same refresh token share one [`Grant`], which remembers what the provider issued to the others. Another process's
//! work is seen by reading the session again before a request is sent, and with a storage that compares, no two processes
//! send one at the same time (`lease.rs`).

use std::sync::Arc;

use logto_storage_core::{Change, LogtoStorage, Seen};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::Instrument as _;

use crate::error::{Error, RequestError, Result};
use crate::oidc::id_token::IssuedFor;
use crate::oidc::pkce;
use crate::oidc::token::{INVALID_GRANT, TokenResponse};
use crate::session::grants::{End, Grant};
use crate::session::items;
use crate::session::lease::{Lease, RENEWAL_INTERVAL, Taken, Watch};
use crate::session::{LogtoSession, Shared, write_refresh_token};
use crate::tokens::{AccessToken, TokenTarget};
use crate::util::now;
use crate::util::single_flight::{Leader, Turn};

/// What an attempt to refresh came to.
enum Attempt {
    Token(AccessToken),
    /// The session has the refresh token of another grant now.
    OtherGrant,
    /// Another process has rotated the refresh token that was sent.
    Rotated,
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// An access token from the provider, or from another request that has just been issued one.
    pub(crate) async fn refreshed(&self, target: &TokenTarget) -> Result<AccessToken> {
        let span = tracing::info_span!("refresh", target = target.key());
        // In a box: most calls have a token at hand, and their futures stay small.
        Box::pin(self.refresh(target).instrument(span)).await
    }

    async fn refresh(&self, target: &TokenTarget) -> Result<AccessToken> {
        let mut may_follow_rotation = true;
        loop {
            let (sign_in, refresh_token) = self.sign_in_and_refresh_token().await?;
            let grant = self.shared().grants().get(&refresh_token);
            match self.refresh_with(&grant, &sign_in, target, may_follow_rotation).await? {
                Attempt::Token(token) => return Ok(token),
                Attempt::OtherGrant => {}
                Attempt::Rotated => may_follow_rotation = false,
            }
        }
    }

    /// The id of the sign-in and its refresh token. In this order, so that no token of this sign-in is ever stored as one of
    /// the next.
    async fn sign_in_and_refresh_token(&self) -> Result<(String, String)> {
        let (id_token, _) = self.own_id_token().await?.ok_or(Error::NotAuthenticated)?;
        let refresh_token = self.stored_refresh_token().await?.ok_or(Error::MissingRefreshToken)?;
        Ok((id_token.sign_in.unwrap_or_else(pkce::random), refresh_token))
    }

    async fn refresh_with(
        &self,
        grant: &Arc<Grant>,
        sign_in: &str,
        target: &TokenTarget,
        may_follow_rotation: bool,
    ) -> Result<Attempt> {
        let key = target.key();
        let turn = grant.refreshes.join(&key).await;
        if grant.end().is_some() {
            let has_moved_on = self.has_another_refresh_token(grant).await?;
            return if has_moved_on { Ok(Attempt::OtherGrant) } else { Err(self.ended(grant).await) };
        }
        // Before anything is written.
        if let Some(attempt) = self.look_again(grant, &key).await? {
            return Ok(attempt);
        }
        let leader = match turn {
            Turn::Lead(leader) => leader,
            Turn::Share(result) => {
                let token = result?;
                tracing::debug!("token issued to another request");
                self.store_issued(grant, sign_in, &mut None).await?;
                return Ok(Attempt::Token(token));
            }
        };
        // Before the lease, which has to be fresh when the request is sent.
        if let Err(error) = self.shared().provider().metadata().await {
            return Err(fail(leader, error.into()));
        }
        let mut lease = None;
        let attempt = match self.wait_for_lease(grant, &key, &mut lease).await {
            Ok(None) => self.exchange(grant, sign_in, target, leader, &mut lease, may_follow_rotation).await,
            Ok(Some(attempt)) => Ok(attempt),
            Err(error) => Err(error),
        };
        self.release_lease(lease).await;
        attempt
    }

    /// Reads the session again: another process may have been issued the token, or a newer refresh token.
    async fn look_again(&self, grant: &Arc<Grant>, key: &str) -> Result<Option<Attempt>> {
        if !self.storage().reload().await? {
            return Ok(None);
        }
        let id_token = self.own_id_token().await?;
        let sign_in = id_token.as_ref().and_then(|(id_token, _)| id_token.sign_in.as_deref());
        if let Some(token) = self.fresh_access_token(key, sign_in).await? {
            tracing::debug!("token issued to another request or process");
            return Ok(Some(Attempt::Token(token)));
        }
        let is_same = self.is_of(grant, &self.required_refresh_token().await?);
        Ok((!is_same).then_some(Attempt::OtherGrant))
    }

    /// Waits until no other process exchanges the refresh token, if the storage can tell.
    async fn wait_for_lease(
        &self,
        grant: &Arc<Grant>,
        key: &str,
        lease: &mut Option<Lease>,
    ) -> Result<Option<Attempt>> {
        let mut watch = Watch::default();
        loop {
            let refresh_token = self.storage().get_item(items::REFRESH_TOKEN).await?.ok_or(Error::NotAuthenticated)?;
            match self.take_lease(&refresh_token, &mut watch).await? {
                Taken::Unsupported => return Ok(None),
                Taken::Held(held) => {
                    let held = lease.insert(held);
                    // The last holder may have stored the token since this request has looked for it.
                    let attempt = self.look_again(grant, key).await?;
                    if attempt.is_some() || held.is_fresh() {
                        return Ok(attempt);
                    }
                    // The store was slow. Another request may be about to take the lease.
                    self.release_lease(lease.take()).await;
                }
                Taken::Busy => {}
            }
            if let Some(attempt) = self.look_again(grant, key).await? {
                return Ok(Some(attempt));
            }
        }
    }

    async fn exchange(
        &self,
        grant: &Arc<Grant>,
        sign_in: &str,
        target: &TokenTarget,
        leader: RefreshLeader,
        lease: &mut Option<Lease>,
        may_follow_rotation: bool,
    ) -> Result<Attempt> {
        // With a lease, the session has all that was issued, unless another process has removed it on purpose.
        if lease.is_none()
            && let Some(token) = grant.fresh_access_token(&target.key())
        {
            tracing::debug!("token issued to an earlier request");
            self.store_issued(grant, sign_in, lease).await?;
            return Ok(Attempt::Token(token));
        }
        let Some(refresh_token) = grant.refresh_token() else { return Err(self.ended(grant).await) };
        let stored = self.storage().get_item(items::REFRESH_TOKEN).await?;
        let mut request = self.shared().request_refresh(grant, refresh_token, leader, target);
        // Nobody else leads before what comes of the response is decided.
        let (leader, response) = loop {
            if let Ok(done) = timeout(RENEWAL_INTERVAL, &mut request).await {
                break done.map_err(|_| Error::Interrupted)?;
            }
            if let Some(lease) = lease {
                self.renew_lease(lease).await;
            }
        };
        match response {
            Ok(response) => {
                // The provider took its time, and the session is saved whole: not over what others have written meanwhile.
                // Not after the end, when the record may be gone: tower-sessions then removes the cookie of its successor.
                if grant.end().is_none() {
                    let is_current = self.storage().reload().await?;
                    match self.stored_refresh_token().await? {
                        Some(token) if !self.is_of(grant, &token) => return Ok(Attempt::OtherGrant),
                        None if is_current => return Err(self.signed_out_elsewhere(grant)),
                        _ => {}
                    }
                }
                let accepted = self.accept(grant, sign_in, &target.key(), &response, stored.as_deref(), lease).await;
                let token = match accepted {
                    Err(Error::NotAuthenticated) if grant.end().is_none() => {
                        return Err(self.signed_out_elsewhere(grant));
                    }
                    accepted => accepted?,
                };
                leader.end(target.key(), Ok(token.clone()));
                Ok(Attempt::Token(token))
            }
            Err(Error::TokenEndpoint { error, .. }) if error == INVALID_GRANT => {
                if may_follow_rotation && self.has_another_refresh_token(grant).await? {
                    tracing::info!("refresh token rotated by another process: trying its new one");
                    return Ok(Attempt::Rotated);
                }
                grant.end_with(End::InvalidGrant);
                Err(self.ended(grant).await)
            }
            Err(error) => Err(fail(leader, error)),
        }
    }

    /// Another process has signed out. It has revoked the refresh token that it knew, which a rotation has replaced since.
    fn signed_out_elsewhere(&self, grant: &Grant) -> Error {
        let is_rotated = grant.state().is_rotated;
        let rotated = grant.refresh_token().filter(|_| is_rotated);
        grant.end_with(End::SignedOut);
        if let Some(refresh_token) = rotated {
            drop(self.shared().revoke_in_background(refresh_token, None));
        }
        Error::NotAuthenticated
    }

    /// Stores what the provider issued. `exchanged` is the item of the refresh token when the request was sent.
    async fn accept(
        &self,
        grant: &Arc<Grant>,
        sign_in: &str,
        key: &str,
        response: &TokenResponse,
        exchanged: Option<&str>,
        lease: &mut Option<Lease>,
    ) -> Result<AccessToken> {
        let refresh_token = grant.refresh_token().ok_or(Error::NotAuthenticated)?;
        let rotated = self.stored_refresh_token().await?.as_ref() != Some(&refresh_token);
        if rotated {
            // By itself, and first: whatever is wrong with the rest, the old one is used up.
            let rotated = write_refresh_token(refresh_token);
            let seen = [Seen::new(items::REFRESH_TOKEN, exchanged)];
            if !self.write_if(grant, &seen, &[Change::set(items::REFRESH_TOKEN, &rotated)]).await? {
                // Another process took the lease, and its exchange is stored. Both have tokens of the same grant.
                tracing::info!("another process has stored its exchange of the refresh token");
                return Ok(response.tokens(now())?.access_token);
            }
        }
        let tokens = response.tokens(now())?;
        if let Some(id_token) = &tokens.id_token {
            let previous = self.id_token_claims().await?;
            let issued_for = IssuedFor::Refresh { previous: &previous };
            self.shared().provider().verify_id_token(id_token, tokens.access_token.as_str(), issued_for).await?;
        }
        {
            let mut state = grant.state();
            if lease.is_some() {
                state.access_tokens.clear();
            }
            state.access_tokens.insert(key.to_owned(), tokens.access_token.clone());
            state.id_token = tokens.id_token.or(state.id_token.take());
        }
        self.store_issued(grant, sign_in, lease).await?;
        tracing::info!(rotated, "access token refreshed");
        Ok(tokens.access_token)
    }

    /// Writes as [`apply_if`](Self::apply_if), unless the sign-in has ended: a sign-out that has returned is not undone.
    pub(crate) async fn write_if(&self, grant: &Grant, seen: &[Seen<'_>], changes: &[Change<'_>]) -> Result<bool> {
        let _writing = grant.lock_while_active().await?;
        self.apply_if(seen, changes).await
    }

    /// The error for a sign-in that has ended. Its tokens are useless, and are removed if the session can be read again:
    /// otherwise another process may have stored better ones, which a save of this record would overwrite.
    async fn ended(&self, grant: &Grant) -> Error {
        let _writing = grant.lock_for_writing().await;
        if let Err(error) = self.clear_if_ended().await {
            return error;
        }
        if grant.end() == Some(End::SignedOut) {
            return Error::NotAuthenticated;
        }
        tracing::info!("the provider has ended the sign-in");
        Error::SessionEnded
    }

    /// Reads the session again: whether it has a refresh token of another grant.
    async fn has_another_refresh_token(&self, grant: &Arc<Grant>) -> Result<bool> {
        // Whether or not it was read: a session that its requests share is always up to date.
        self.storage().reload().await?;
        Ok(self.stored_refresh_token().await?.is_some_and(|token| !self.is_of(grant, &token)))
    }

    pub(super) fn is_of(&self, grant: &Arc<Grant>, refresh_token: &str) -> bool {
        Arc::ptr_eq(grant, &self.shared().grants().get(refresh_token))
    }
}

/// Ends a refresh. If the provider does not answer, this is the result for all targets.
fn fail(leader: RefreshLeader, error: Error) -> Error {
    if let Error::Request(request) = &error
        && request.is_retryable()
    {
        leader.end_for_all(Err(request.clone()));
    }
    error
}

type RefreshLeader = Leader<String, Result<AccessToken, RequestError>>;

impl Shared {
    /// Sends the request in a task of its own. If the caller goes away (the browser has left the page), it ends all the
    /// same, and the next request knows the refresh token that it may bring.
    fn request_refresh(
        self: &Arc<Self>,
        grant: &Arc<Grant>,
        refresh_token: String,
        leader: RefreshLeader,
        target: &TokenTarget,
    ) -> JoinHandle<(RefreshLeader, Result<TokenResponse>)> {
        let (shared, grant, target) = (Arc::clone(self), Arc::clone(grant), target.clone());
        let request = async move {
            let response = shared.provider().refresh(&refresh_token, &target).await;
            if let Ok(response) = &response {
                shared.follow_rotation(&grant, response).await;
            }
            (leader, response)
        };
        tokio::spawn(request.in_current_span())
    }

    async fn follow_rotation(self: &Arc<Self>, grant: &Arc<Grant>, response: &TokenResponse) {
        let Some(rotated) = &response.refresh_token else { return };
        self.grants().rotated(grant, rotated);
        if grant.rotate(rotated) {
            // Signed out meanwhile, by the token that this one has replaced.
            self.revoke_in_background(rotated.clone(), None).await;
        }
    }
}
