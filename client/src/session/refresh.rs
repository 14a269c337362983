//! New access tokens by the refresh token, when several requests, tabs and processes ask for them at once.
//!
//! A session's record is saved whole, so of two requests that refresh at once one undoes the other's. And a refresh token
//! may be valid for a single use (rotation): using it again ends the sign-in. Therefore all requests in this process that
//! hold the same refresh token share one [`Grant`], which remembers what the provider issued to the others. Another process's
//! work is seen by reading the session again before a request is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use logto_storage_core::{Change, LogtoStorage};
use tracing::Instrument as _;

use crate::claims::IdTokenClaims;
use crate::error::{Error, RequestError, Result};
use crate::oidc::id_token::IssuedFor;
use crate::oidc::jwt::decode_claims;
use crate::oidc::pkce;
use crate::oidc::token::{INVALID_GRANT, TokenResponse};
use crate::session::grants::{End, Grant};
use crate::session::items::{self, StoredAccessToken, StoredIdToken, set_or_remove};
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
        // Before anything is written: another process may have been issued the token, or a newer refresh token.
        if self.storage().reload().await? {
            let id_token = self.own_id_token().await?;
            let current = id_token.as_ref().and_then(|(id_token, _)| id_token.sign_in.as_deref());
            if let Some(token) = self.fresh_access_token(&key, current).await? {
                tracing::debug!("token issued to another request or process");
                return Ok(Attempt::Token(token));
            }
            if !self.is_of(grant, &self.required_refresh_token().await?) {
                return Ok(Attempt::OtherGrant);
            }
        }
        let leader = match turn {
            Turn::Lead(leader) => leader,
            Turn::Share(result) => {
                let token = result?;
                tracing::debug!("token issued to another request");
                self.store_issued(grant, sign_in).await?;
                return Ok(Attempt::Token(token));
            }
        };
        let issued = grant.state().access_tokens.get(&key).cloned();
        if let Some(token) = issued.filter(|token| token.is_fresh(now())) {
            tracing::debug!("token issued to an earlier request");
            self.store_issued(grant, sign_in).await?;
            return Ok(Attempt::Token(token));
        }
        let Some(refresh_token) = grant.refresh_token() else { return Err(self.ended(grant).await) };
        // Nobody else leads before what comes of the response is decided.
        let (leader, response) = self.shared().request_refresh(grant, refresh_token, leader, target).await?;
        match response {
            Ok(response) => {
                // The provider took its time, and the session is saved whole: not over what others have written meanwhile.
                // Not after the end, when the record may be gone: tower-sessions then removes the cookie of its successor.
                if grant.end().is_none() {
                    let is_current = self.storage().reload().await?;
                    match self.stored_refresh_token().await? {
                        Some(token) if !self.is_of(grant, &token) => return Ok(Attempt::OtherGrant),
                        // Another process has signed out.
                        None if is_current => return Err(Error::NotAuthenticated),
                        _ => {}
                    }
                }
                let token = self.accept(grant, sign_in, &key, &response).await?;
                leader.end(key, Ok(token.clone()));
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
            Err(error) => {
                // The provider does not answer, whatever the target.
                if let Error::Request(request) = &error
                    && request.is_retryable()
                {
                    leader.end_for_all(Err(request.clone()));
                }
                Err(error)
            }
        }
    }

    /// Stores what the provider issued.
    async fn accept(&self, grant: &Grant, sign_in: &str, key: &str, response: &TokenResponse) -> Result<AccessToken> {
        let refresh_token = grant.refresh_token().ok_or(Error::NotAuthenticated)?;
        let rotated = self.stored_refresh_token().await?.as_ref() != Some(&refresh_token);
        if rotated {
            // By itself, and first: whatever is wrong with the rest, the old one is used up.
            self.write(grant, &[Change::set(items::REFRESH_TOKEN, &write_refresh_token(refresh_token))]).await?;
        }
        let tokens = response.tokens(now())?;
        if let Some(id_token) = &tokens.id_token {
            let previous = self.id_token_claims().await?;
            let issued_for = IssuedFor::Refresh { previous: &previous };
            self.shared().provider().verify_id_token(id_token, tokens.access_token.as_str(), issued_for).await?;
        }
        {
            let mut state = grant.state();
            state.access_tokens.insert(key.to_owned(), tokens.access_token.clone());
            state.id_token = tokens.id_token.or(state.id_token.take());
        }
        self.store_issued(grant, sign_in).await?;
        tracing::info!(rotated, "access token refreshed");
        Ok(tokens.access_token)
    }

    /// Writes what the session lacks of what was issued, whichever request asked for it: this request's record may be older
    /// than another's, and is saved whole.
    async fn store_issued(&self, grant: &Grant, sign_in: &str) -> Result<()> {
        // From the first read on: another write of the index meanwhile would be undone.
        let _writing = grant.lock_while_active().await?;
        let refresh_token = grant.refresh_token().ok_or(Error::NotAuthenticated)?;
        let (access_tokens, id_token) = {
            let state = grant.state();
            (state.access_tokens.clone(), state.id_token.clone())
        };
        let stored = self.own_id_token().await?.map(|(stored, _)| stored);
        if stored.as_ref().and_then(|stored| stored.sign_in.as_deref()).is_some_and(|current| current != sign_in) {
            tracing::debug!("another sign-in has replaced that of the tokens");
            return Ok(());
        }
        let is_new = self.stored_refresh_token().await?.as_ref() != Some(&refresh_token);
        let refresh_token = is_new.then(|| write_refresh_token(refresh_token));
        let access_tokens = self.missing_items(access_tokens, sign_in).await?;
        let id_token = newest(stored.as_ref().map(|stored| &*stored.token), id_token)
            .map(|token| StoredIdToken { token, sign_in: Some(sign_in.to_owned()) })
            .filter(|id_token| stored.as_ref() != Some(id_token))
            .map(items::encode);

        let mut changes: Vec<_> = refresh_token.iter().map(|token| Change::set(items::REFRESH_TOKEN, token)).collect();
        changes.extend(access_tokens.iter().map(|(key, item)| set_or_remove(key, item.as_deref())));
        changes.extend(id_token.iter().map(|token| Change::set(items::ID_TOKEN, token)));
        if changes.is_empty() { Ok(()) } else { Ok(self.storage().apply(&changes).await?) }
    }

    /// The access tokens' items to be set, and those to be removed because they have expired.
    async fn missing_items(
        &self,
        issued: BTreeMap<String, AccessToken>,
        sign_in: &str,
    ) -> Result<Vec<(String, Option<String>)>> {
        let stored_index = self.access_token_index().await?;
        let (mut index, mut missing) = (stored_index.clone(), Vec::new());
        for (target, token) in issued.into_iter().filter(|(_, token)| token.is_fresh(now())) {
            let stored = self.fresh_access_token(&target, Some(sign_in)).await?;
            if let Some(stored) = stored.filter(|stored| stored.expires_at >= token.expires_at) {
                index.insert(target, stored.expires_at);
            } else {
                index.insert(target.clone(), token.expires_at);
                let item = items::encode(StoredAccessToken::new(token, sign_in.to_owned()));
                missing.push((items::access_token_key(&target), Some(item)));
            }
        }
        let mut changes: Vec<_> = index.prune(now()).into_iter().map(|key| (key, None)).collect();
        if index != stored_index {
            changes.push((items::ACCESS_TOKEN_MAP.to_owned(), Some(items::encode(index))));
        }
        changes.extend(missing);
        Ok(changes)
    }

    /// Writes, unless the sign-in has ended: a sign-out that has returned is not undone.
    pub(crate) async fn write(&self, grant: &Grant, changes: &[Change<'_>]) -> Result<()> {
        let _writing = grant.lock_while_active().await?;
        Ok(self.storage().apply(changes).await?)
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

    fn is_of(&self, grant: &Arc<Grant>, refresh_token: &str) -> bool {
        Arc::ptr_eq(grant, &self.shared().grants().get(refresh_token))
    }
}

type RefreshLeader = Leader<String, Result<AccessToken, RequestError>>;

impl Shared {
    /// Sends the request in a task of its own. If the caller goes away (the browser has left the page), it ends all the
    /// same, and the next request knows the refresh token that it may bring.
    async fn request_refresh(
        self: &Arc<Self>,
        grant: &Arc<Grant>,
        refresh_token: String,
        leader: RefreshLeader,
        target: &TokenTarget,
    ) -> Result<(RefreshLeader, Result<TokenResponse>)> {
        let (shared, grant, target) = (Arc::clone(self), Arc::clone(grant), target.clone());
        let request = async move {
            let response = shared.provider().refresh(&refresh_token, &target).await;
            if let Ok(response) = &response {
                shared.follow_rotation(&grant, response).await;
            }
            (leader, response)
        };
        tokio::spawn(request.in_current_span()).await.map_err(|_| Error::Interrupted)
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

/// The ID token to keep. One that is issued in the same second as the stored one is the newer.
fn newest(stored: Option<&str>, issued: Option<String>) -> Option<String> {
    match (stored, issued) {
        (Some(stored), Some(issued)) if issued_at(&issued) < issued_at(stored) => Some(stored.to_owned()),
        (stored, issued) => issued.or(stored.map(str::to_owned)),
    }
}

fn issued_at(id_token: &str) -> Option<u64> {
    decode_claims(id_token).map(|claims: IdTokenClaims| claims.iat)
}
