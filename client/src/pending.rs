//! Sign-ins that were begun and not finished: several tabs may have one each.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};

/// How many are kept; the oldest makes room for the next.
const MAX: usize = 8;

/// How long one is kept, in seconds: as long as Logto keeps its sign-in form.
pub(crate) const LIFETIME: u64 = 3600;

/// A sign-in between the redirect to the provider and the callback. Everything in it but the URLs is a secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct PendingSignIn {
    pub(crate) state: String,
    pub(crate) nonce: String,
    /// PKCE's.
    pub(crate) verifier: String,
    pub(crate) redirect_uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) post_redirect_uri: Option<String>,
    /// Seconds since 1970.
    pub(crate) began_at: u64,
}

/// Those of one session, the oldest first.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct PendingSignIns {
    sign_ins: Vec<PendingSignIn>,
}

impl PendingSignIns {
    pub(crate) fn add(&mut self, sign_in: PendingSignIn, now: u64) {
        self.forget_old(now);
        let surplus = (self.sign_ins.len() + 1).saturating_sub(MAX);
        self.sign_ins.drain(..surplus);
        self.sign_ins.push(sign_in);
    }

    /// Removes and returns the one with this state.
    pub(crate) fn take(&mut self, state: &str, now: u64) -> Option<PendingSignIn> {
        self.forget_old(now);
        let at = self.sign_ins.iter().position(|sign_in| sign_in.has_state(state))?;
        Some(self.sign_ins.remove(at))
    }

    /// The one with this state; without a state, the newest one.
    pub(crate) fn find(&self, state: Option<&str>, now: u64) -> Option<&PendingSignIn> {
        let mut sign_ins = self.sign_ins.iter().rev().filter(|sign_in| sign_in.is_current(now));
        match state {
            Some(state) => sign_ins.find(|sign_in| sign_in.has_state(state)),
            None => sign_ins.next(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sign_ins.is_empty()
    }

    fn forget_old(&mut self, now: u64) {
        self.sign_ins.retain(|sign_in| sign_in.is_current(now));
    }
}

impl PendingSignIn {
    fn has_state(&self, state: &str) -> bool {
        verify_slices_are_equal(self.state.as_bytes(), state.as_bytes()).is_ok()
    }

    fn is_current(&self, now: u64) -> bool {
        // A clock that was set back makes none of them immortal.
        self.began_at.abs_diff(now) < LIFETIME
    }
}
