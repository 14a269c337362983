//! New access tokens for old ones, when several requests, tabs and processes want them at once.
//!
//! A session's record is saved whole, so that of two requests which refresh at once one undoes the other's. And a
//! refresh token may be good for one use only (rotation): who uses it again ends the sign-in. Therefore everybody in
//! this process who holds the same refresh token takes turns at one [`Flight`], which knows what the others were given;
//! and another process's work is seen by reading the session again before a request goes out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use logto_storage_core::{Change, LogtoStorage};
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::time::sleep;
use tracing::Instrument as _;

use crate::client::LogtoClient;
use crate::error::{Error, RequestError, Result, WithCauses};
use crate::id_token::Occasion;
use crate::items::{self, AccessToken, AccessTokens};
use crate::now;
use crate::session::LogtoSession;
use crate::token_endpoint::{INVALID_GRANT, TokenResponse};

/// How long after its last use the outcome of a refresh is kept, for requests that read their session before it.
const KEPT: Duration = Duration::from_secs(120);

/// How long it is kept if its refresh token is in no session, since the browser had gone, or the store was down: what is
/// there is of no use any more, and nobody else knows this one.
const UNWRITTEN_KEPT: Duration = Duration::from_secs(24 * 3600);

/// How many seconds to wait before a revocation that failed is tried again.
const REVOCATION_DELAYS: [u64; 5] = [1, 5, 30, 120, 600];

/// Everything that is known here of one sign-in's refreshing.
pub(crate) struct Flight {
    /// Held by who sends a request: one at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Held by who writes to a session, so that a sign-out can wait for them, but not for the provider.
    writing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

struct State {
    /// The newest.
    refresh_token: String,
    /// Whether a session has it.
    is_written: bool,
    /// What was given lately, and may be missing from a session that another request has saved since.
    access_tokens: AccessTokens,
    /// When each of them came.
    given_at: HashMap<String, Instant>,
    id_token: Option<String>,
    end: Option<End>,
    /// By a sign-out, which revokes the refresh token.
    is_given_up: bool,
    /// When the provider last did not answer, or was too busy.
    failure: Option<(RequestError, Instant)>,
}

#[derive(Clone, Copy, PartialEq)]
enum End {
    /// Signed out here, or signed in anew.
    Left,
    /// The provider does not honour its tokens any more.
    Dead,
}

/// A token that is asked for.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(crate) key: String,
    pub(crate) resource: Option<String>,
    pub(crate) organization: Option<String>,
}

impl<S: LogtoStorage> LogtoSession<S> {
    /// The token, from the provider if nobody else has it.
    pub(crate) async fn refreshed(&self, wanted: &Wanted) -> Result<AccessToken> {
        let span = tracing::info_span!("refresh", token = wanted.key);
        // In a box: most calls have a token at hand, and their futures stay small.
        Box::pin(self.take_turns(wanted).instrument(span)).await
    }

    async fn take_turns(&self, wanted: &Wanted) -> Result<AccessToken> {
        let asked = Instant::now();
        let mut retried = false;
        loop {
            let refresh_token = self.needed_refresh_token().await?;
            let flight = self.client().flight(&refresh_token);
            let turn = Arc::clone(&flight.turn).lock_owned().await;
            if flight.end().is_some() {
                if self.has_another_refresh_token(&flight).await? {
                    continue;
                }
                return Err(self.ended(&flight).await);
            }
            // Before anything is written: another process may have been given the token, or a newer refresh token.
            if self.storage().reload().await? {
                if let Some(token) = self.access_tokens().await?.fresh(&wanted.key, now()) {
                    tracing::debug!("another request or process was given the token");
                    return Ok(token.clone());
                }
                if !self.is_of(&flight, &self.needed_refresh_token().await?) {
                    continue;
                }
            }
            if let Some(token) = flight.access_token(&wanted.key, asked) {
                tracing::debug!("another request was given the token");
                self.store(&flight).await?;
                return Ok(token);
            }
            // Who waited for the request that failed does not wait for one of its own.
            if let Some(error) = flight.failed_since(asked) {
                return Err(error.into());
            }
            let (_turn, response) = self.client().request_in_turn(&flight, turn, wanted).await?;
            match response {
                Ok(response) => return self.accept(&flight, wanted, &response).await,
                Err(Error::TokenEndpoint { error, .. }) if error == INVALID_GRANT => {
                    if !retried && self.has_another_refresh_token(&flight).await? {
                        tracing::info!("the refresh token was another process's to rotate: once more with the new one");
                        retried = true;
                        continue;
                    }
                    flight.state().end.get_or_insert(End::Dead);
                    return Err(self.ended(&flight).await);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn accept(&self, flight: &Flight, wanted: &Wanted, response: &TokenResponse) -> Result<AccessToken> {
        let newest = flight.state().refresh_token.clone();
        let rotated = self.stored_refresh_token().await?.as_ref() != Some(&newest);
        if rotated {
            // By itself, and first: whatever is wrong with the rest, the old one is used up.
            let token = items::encode(items::StoredToken { token: newest });
            self.write(flight, &[Change::set(items::REFRESH_TOKEN, &token)]).await?;
        }
        let tokens = response.tokens(now())?;
        if let Some(id_token) = &tokens.id_token {
            let before = self.id_token_claims().await?;
            let occasion = Occasion::Refresh { before: &before };
            self.client().verify_id_token(id_token, &tokens.access_token.token, occasion).await?;
        }
        {
            let mut state = flight.state();
            state.access_tokens.insert(wanted.key.clone(), tokens.access_token.clone());
            state.given_at.insert(wanted.key.clone(), Instant::now());
            state.id_token = tokens.id_token.or(state.id_token.take());
        }
        self.store(flight).await?;
        tracing::info!(rotated, "access token refreshed");
        Ok(tokens.access_token)
    }

    /// Writes what the session lacks of what was given, by whomever it was asked for: this request's record may be
    /// older than another's, and is saved whole.
    async fn store(&self, flight: &Flight) -> Result<()> {
        let (refresh_token, access_tokens, id_token) = {
            let state = flight.state();
            (state.refresh_token.clone(), state.access_tokens.clone(), state.id_token.clone())
        };
        let stored = self.access_tokens().await?;
        let merged = stored.merged_with(&access_tokens, now());
        let merged = (merged != stored).then(|| items::encode(merged));
        let is_new = self.stored_refresh_token().await?.as_ref() != Some(&refresh_token);
        let refresh_token = is_new.then(|| items::encode(items::StoredToken { token: refresh_token }));
        let id_token = match id_token {
            Some(token) if self.id_token().await?.as_ref() != Some(&token) => {
                Some(items::encode(items::StoredToken { token }))
            }
            _ => None,
        };
        let changes: Vec<_> =
            [(items::REFRESH_TOKEN, &refresh_token), (items::ACCESS_TOKEN_MAP, &merged), (items::ID_TOKEN, &id_token)]
                .into_iter()
                .filter_map(|(key, value)| Some(Change::set(key, value.as_deref()?)))
                .collect();
        if changes.is_empty() { Ok(()) } else { self.write(flight, &changes).await }
    }

    /// Writes, unless the sign-in has ended: a sign-out that has returned is not undone.
    pub(crate) async fn write(&self, flight: &Flight, changes: &[Change<'_>]) -> Result<()> {
        let _writing = flight.writing.lock().await;
        match flight.end() {
            None => self.storage().apply(changes).await?,
            Some(_) => return Err(Error::NotAuthenticated),
        }
        if changes.iter().any(|change| matches!(change, Change::Set { key: items::REFRESH_TOKEN, .. })) {
            flight.state().is_written = true;
        }
        Ok(())
    }

    /// The error for a sign-in that has ended. Its tokens are of no use, and are cleared.
    async fn ended(&self, flight: &Flight) -> Error {
        let _writing = flight.writing.lock().await;
        if flight.end() == Some(End::Left) {
            return self.clear_if_back().await.err().unwrap_or(Error::NotAuthenticated);
        }
        match self.clear_stored_tokens().await {
            Ok(()) => {
                tracing::info!("the provider has ended the sign-in: the session's tokens are cleared");
                Error::SessionEnded
            }
            Err(error) => error,
        }
    }

    /// A session that was left is gone from its store, unless a late save of another request has brought it back.
    async fn clear_if_back(&self) -> Result<()> {
        if self.storage().reload().await? && self.stored_refresh_token().await?.is_some() {
            self.clear_stored_tokens().await?;
        }
        Ok(())
    }

    /// Reads the session again: whether it has a refresh token that this flight knows nothing of.
    async fn has_another_refresh_token(&self, flight: &Arc<Flight>) -> Result<bool> {
        // Whether or not it was read: a session that its requests share is always up to date.
        self.storage().reload().await?;
        Ok(self.stored_refresh_token().await?.is_some_and(|token| !self.is_of(flight, &token)))
    }

    fn is_of(&self, flight: &Arc<Flight>, refresh_token: &str) -> bool {
        Arc::ptr_eq(flight, &self.client().flight(refresh_token))
    }
}

impl LogtoClient {
    /// Sends the request in a task of its own. If who waits for it goes away (the browser has left the page), it ends
    /// all the same, and the refresh token that it may bring is known to the next request.
    async fn request_in_turn(
        &self,
        flight: &Arc<Flight>,
        turn: OwnedMutexGuard<()>,
        wanted: &Wanted,
    ) -> Result<(OwnedMutexGuard<()>, Result<TokenResponse>)> {
        let (client, flight, wanted) = (self.clone(), Arc::clone(flight), wanted.clone());
        let request = async move {
            let refresh_token = flight.state().refresh_token.clone();
            let response =
                client.refresh(&refresh_token, wanted.resource.as_deref(), wanted.organization.as_deref()).await;
            if let Ok(TokenResponse { refresh_token: Some(rotated), .. }) = &response {
                client.rotated(&flight, rotated);
                let is_given_up = {
                    let mut state = flight.state();
                    // Many providers send the same one again.
                    if state.refresh_token != *rotated {
                        state.refresh_token.clone_from(rotated);
                        state.is_written = false;
                    }
                    state.is_given_up
                };
                if is_given_up {
                    // Signed out meanwhile, by the token that this one has replaced.
                    client.revoke_in_background(rotated.clone()).await;
                }
            }
            match &response {
                // It does not answer, whatever it is asked for.
                Err(error @ Error::Request(request)) if error.is_retryable() => {
                    flight.state().failure = Some((request.clone(), Instant::now()));
                }
                _ => {}
            }
            (turn, response)
        };
        tokio::spawn(request.in_current_span()).await.map_err(|_| Error::Interrupted)
    }

    /// Revokes the token, in a task of its own that tries for some minutes. The future is ready after the first try.
    /// Nothing depends on its success.
    pub(crate) fn revoke_in_background(&self, refresh_token: String) -> impl Future<Output = ()> + Send + use<> {
        let client = self.clone();
        let (first_try, tried) = oneshot::channel::<()>();
        let mut first_try = Some(first_try);
        let revocation = async move {
            for delay in REVOCATION_DELAYS.map(Some).into_iter().chain([None]) {
                let Err(error) = client.revoke(&refresh_token).await else { return };
                drop(first_try.take());
                match delay {
                    Some(delay) if error.is_retryable() => sleep(Duration::from_secs(delay)).await,
                    _ => {
                        let error = WithCauses(&error);
                        tracing::warn!(%error, "refresh token not revoked: it stays valid until it expires");
                        return;
                    }
                }
            }
        };
        tokio::spawn(revocation.in_current_span());
        async { drop(tried.await) }
    }
}

impl Flight {
    pub(crate) fn new(refresh_token: &str) -> Self {
        Self {
            turn: Arc::default(),
            writing: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                refresh_token: refresh_token.to_owned(),
                is_written: true,
                access_tokens: AccessTokens::default(),
                given_at: HashMap::new(),
                id_token: None,
                end: None,
                is_given_up: false,
                failure: None,
            }),
        }
    }

    pub(crate) fn kept(&self) -> Duration {
        let state = self.state();
        if state.is_written || state.end.is_some() { KEPT } else { UNWRITTEN_KEPT }
    }

    /// Makes a change that ends this sign-in in a session. Nobody else writes meanwhile, and once it has succeeded
    /// nobody does any more.
    pub(crate) async fn leave(&self, change: impl Future<Output = Result<()>>) -> Result<()> {
        let _writing = self.writing.lock().await;
        change.await?;
        // Only now: a change that failed, or whose caller went away, has ended nothing.
        let mut state = self.state();
        state.end = Some(End::Left);
        // They are of no use any more.
        state.access_tokens = AccessTokens::default();
        state.id_token = None;
        Ok(())
    }

    /// The newest refresh token, to be revoked. One that it is being exchanged for will be, too.
    pub(crate) fn give_up(&self) -> String {
        let mut state = self.state();
        state.is_given_up = true;
        state.refresh_token.clone()
    }

    pub(crate) fn forget_access_tokens(&self) {
        let mut state = self.state();
        state.access_tokens = AccessTokens::default();
        state.given_at.clear();
    }

    /// The token, if it can still be used, or came after it was asked for, however short its life is.
    fn access_token(&self, key: &str, asked: Instant) -> Option<AccessToken> {
        let state = self.state();
        let just_came = state.given_at.get(key).is_some_and(|given_at| *given_at >= asked);
        let token = if just_came { state.access_tokens.get(key) } else { state.access_tokens.fresh(key, now()) };
        token.cloned()
    }

    fn failed_since(&self, asked: Instant) -> Option<RequestError> {
        self.state().failure.as_ref().filter(|(_, at)| *at >= asked).map(|(error, _)| error.clone())
    }

    fn end(&self) -> Option<End> {
        self.state().end
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
