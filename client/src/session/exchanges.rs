//! The exchanges of codes for tokens in this process.
//!
//! A browser may send a callback twice: on a reload, which cancels the first request, or on a double click. The code is good
//! for one use, so each exchange runs once per `state`, and all requests of the session that started the sign-in share its
//! result.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use tokio::sync::watch;

use crate::claims::IdTokenClaims;
use crate::error::{Error, Result};
use crate::session::sign_in_sessions::{SIGN_IN_LIFETIME, SignInSession};
use crate::tokens::AccessToken;
use crate::util::ttl_map::{TtlMap, digest};

/// The exchanges of this process, by `state`.
pub(crate) struct Exchanges(TtlMap<Arc<Exchange>>);

pub(crate) struct Exchange {
    /// Proves that a session held the pending sign-in. A digest.
    code_verifier: Vec<u8>,
    outcome: watch::Sender<Outcome>,
    is_stored: AtomicBool,
    storing: tokio::sync::Mutex<()>,
}

enum Outcome {
    UnderWay,
    Tokens(Arc<IssuedTokens>),
    Failed(Arc<Error>),
    /// The tokens are stored or revoked, and not handed out any more.
    Over,
}

/// What the provider issued for a code, verified.
pub(crate) struct IssuedTokens {
    /// The id of the sign-in, which its items carry. Random.
    pub(crate) sign_in: String,
    pub(crate) claims: IdTokenClaims,
    pub(crate) id_token: String,
    pub(crate) access_token: AccessToken,
    pub(crate) refresh_token: Option<String>,
}

impl Exchanges {
    pub(crate) fn new() -> Self {
        Self(TtlMap::new(|_| Duration::from_secs(SIGN_IN_LIFETIME)))
    }

    /// The exchange for this sign-in, and whether it is new, so that the caller has to run it. `None` if the `state` was used
    /// with another sign-in.
    pub(crate) fn get_or_start(&self, sign_in: &SignInSession) -> Option<(Arc<Exchange>, bool)> {
        let code_verifier = digest(&sign_in.code_verifier);
        let (exchange, is_new) = self.0.get_or_insert_with(&sign_in.state, || {
            let (outcome, _) = watch::channel(Outcome::UnderWay);
            Arc::new(Exchange {
                code_verifier: code_verifier.clone(),
                outcome,
                is_stored: AtomicBool::new(false),
                storing: tokio::sync::Mutex::default(),
            })
        });
        verify_slices_are_equal(&exchange.code_verifier, &code_verifier).is_ok().then_some((exchange, is_new))
    }
}

impl Exchange {
    pub(crate) fn end(&self, issued: Result<Arc<IssuedTokens>>) {
        self.outcome.send_replace(match issued {
            Ok(tokens) => Outcome::Tokens(tokens),
            Err(error) => Outcome::Failed(Arc::new(error)),
        });
    }

    /// The tokens, once they are there.
    pub(crate) async fn tokens(&self) -> Result<Arc<IssuedTokens>> {
        let mut outcome = self.outcome.subscribe();
        let outcome = outcome.wait_for(|outcome| !matches!(outcome, Outcome::UnderWay)).await;
        match outcome.as_deref() {
            Ok(Outcome::Tokens(tokens)) => Ok(Arc::clone(tokens)),
            Ok(Outcome::Failed(error)) => Err(shared(error)),
            Ok(Outcome::Over) => Err(Error::UnknownState),
            Ok(Outcome::UnderWay) | Err(_) => Err(Error::Interrupted),
        }
    }

    /// Held by the request that stores the tokens in a session.
    pub(crate) async fn lock_for_storing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.storing.lock().await
    }

    /// Whether a session has the tokens, or is about to.
    pub(crate) fn set_stored(&self, is_stored: bool) {
        self.is_stored.store(is_stored, Ordering::Release);
    }

    /// Ends an exchange whose task has been dropped.
    pub(crate) fn interrupt(&self) {
        self.outcome.send_if_modified(|outcome| {
            let is_under_way = matches!(outcome, Outcome::UnderWay);
            if is_under_way {
                *outcome = Outcome::Failed(Arc::new(Error::Interrupted));
            }
            is_under_way
        });
    }

    /// No session can take the tokens. Returns whether none has.
    pub(crate) fn abandon(&self) -> bool {
        self.outcome.send_replace(Outcome::Over);
        !self.is_stored.load(Ordering::Acquire)
    }
}

/// The same error for another request.
fn shared(error: &Error) -> Error {
    match error {
        Error::Request(error) => Error::Request(error.clone()),
        Error::InvalidIdToken(error) => Error::InvalidIdToken(error.clone()),
        Error::ClockSkew { claim, seconds } => Error::ClockSkew { claim, seconds: *seconds },
        Error::TokenEndpoint { error, description } => {
            Error::TokenEndpoint { error: error.clone(), description: description.clone() }
        }
        _ => Error::Interrupted,
    }
}
