//! The grants that sessions of this process have lately refreshed with.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, RequestError, Result};
use crate::tokens::AccessToken;
use crate::util::single_flight::SingleFlight;
use crate::util::ttl_map::TtlMap;
use crate::util::{A_DAY, now};

/// How long after its last use a grant is remembered, for requests that read their session earlier.
const TTL: Duration = Duration::from_secs(120);

/// The grants that sessions of this process have lately refreshed with, by refresh token.
pub(crate) struct Grants(TtlMap<Arc<Grant>>);

/// What is known here about one sign-in's grant (RFC 6749, section 1.3).
pub(crate) struct Grant {
    /// One request to the provider at a time. By the target's key.
    pub(super) refreshes: SingleFlight<String, Result<AccessToken, RequestError>>,
    /// Held while a session is written, so that a sign-out can wait for that, but not for the provider.
    writing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

pub(super) struct State {
    /// The newest. `None` once the sign-in has ended.
    refresh_token: Option<String>,
    /// A session may hold an older token: a request that read it before saves it late, or the new one was not stored.
    pub(super) is_rotated: bool,
    /// Issued lately, and perhaps missing from a session that another request has saved since. By the targets' keys.
    pub(super) access_tokens: BTreeMap<String, AccessToken>,
    pub(super) id_token: Option<String>,
    pub(super) end: Option<End>,
    /// A sign-out revokes the refresh token.
    pub(super) is_given_up: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum End {
    /// Signed out here, or replaced by another sign-in.
    SignedOut,
    /// The provider does not accept the refresh token any more (RFC 6749, section 5.2).
    InvalidGrant,
}

impl Grants {
    pub(crate) fn new() -> Self {
        Self(TtlMap::new(|grant: &Arc<Grant>| grant.ttl()))
    }

    pub(crate) fn get(&self, refresh_token: &str) -> Arc<Grant> {
        self.0.get_or_insert_with(refresh_token, || Arc::new(Grant::new(refresh_token))).0
    }

    pub(crate) fn has_ended(&self, refresh_token: &str) -> bool {
        self.0.get(refresh_token).is_some_and(|grant| grant.end().is_some())
    }

    /// The grant has another refresh token now.
    pub(super) fn rotated(&self, grant: &Arc<Grant>, refresh_token: &str) {
        self.0.insert(refresh_token, Arc::clone(grant));
    }
}

impl Grant {
    fn new(refresh_token: &str) -> Self {
        Self {
            refreshes: SingleFlight::new(),
            writing: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                refresh_token: Some(refresh_token.to_owned()),
                is_rotated: false,
                access_tokens: BTreeMap::new(),
                id_token: None,
                end: None,
                is_given_up: false,
            }),
        }
    }

    /// Held while a session is written.
    pub(super) async fn lock_for_writing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.writing.lock().await
    }

    /// As [`lock_for_writing`](Self::lock_for_writing), unless the sign-in has ended: a sign-out that has returned is not undone.
    pub(super) async fn lock_while_active(&self) -> Result<tokio::sync::MutexGuard<'_, ()>> {
        let writing = self.lock_for_writing().await;
        if self.end().is_some() { Err(Error::NotAuthenticated) } else { Ok(writing) }
    }

    pub(crate) fn ttl(&self) -> Duration {
        let state = self.state();
        if state.is_rotated || state.end.is_some() { A_DAY } else { TTL }
    }

    /// Makes a change that stores the tokens of another sign-in with the same refresh token.
    pub(crate) async fn renew(&self, change: impl Future<Output = Result<()>>) -> Result<()> {
        let _writing = self.writing.lock().await;
        change.await?;
        self.forget_access_tokens();
        self.state().id_token = None;
        Ok(())
    }

    /// Makes a change that ends this sign-in in a session. No request writes meanwhile, and none does afterwards.
    pub(crate) async fn sign_out(&self, change: impl Future<Output = Result<()>>) -> Result<()> {
        let _writing = self.writing.lock().await;
        change.await?;
        // Only now: a change that failed, or whose caller went away, has ended nothing.
        self.end_with(End::SignedOut);
        Ok(())
    }

    /// The newest refresh token, to be revoked. One that it is being exchanged for will be, too. `None` once the sign-in has
    /// ended.
    pub(crate) fn give_up(&self) -> Option<String> {
        let mut state = self.state();
        state.is_given_up = true;
        state.refresh_token.clone()
    }

    /// The token for the target that was issued to an earlier request, if it can still be used.
    pub(super) fn fresh_access_token(&self, target: &str) -> Option<AccessToken> {
        self.state().access_tokens.get(target).filter(|token| token.is_fresh(now())).cloned()
    }

    pub(crate) fn forget_access_tokens(&self) {
        self.state().access_tokens.clear();
        self.refreshes.forget();
    }

    pub(super) fn refresh_token(&self) -> Option<String> {
        self.state().refresh_token.clone()
    }

    /// Takes the refresh token that has replaced the newest, unless the sign-in has ended. Returns whether a sign-out has given
    /// up the one that it replaces.
    pub(super) fn rotate(&self, refresh_token: &str) -> bool {
        let mut state = self.state();
        // Many providers send the same one again.
        if state.refresh_token.as_deref().is_some_and(|newest| newest != refresh_token) {
            state.refresh_token = Some(refresh_token.to_owned());
            state.is_rotated = true;
        }
        state.is_given_up
    }

    /// Keeps nothing but the fact.
    pub(super) fn end_with(&self, end: End) {
        self.forget_access_tokens();
        let mut state = self.state();
        state.end.get_or_insert(end);
        state.refresh_token = None;
        state.id_token = None;
    }

    pub(super) fn end(&self) -> Option<End> {
        self.state().end
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
