//! Pending sign-ins. Several tabs can each have one.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::LogtoConfig;
use crate::oidc::authorize::{AuthorizationRequest, SignInOptions};
use crate::oidc::pkce;
use crate::session::items;

/// How many are kept; the oldest makes room for the next.
const MAX: usize = 8;

/// How long one is kept, in seconds: as long as Logto keeps its sign-in form.
pub(crate) const SIGN_IN_LIFETIME: u64 = 3600;

/// A sign-in between the redirect to the provider and the callback. Everything in it but the URLs is secret.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SignInSession {
    pub(crate) state: String,
    pub(crate) nonce: String,
    #[serde(rename = "verifier")]
    pub(crate) code_verifier: String,
    pub(crate) redirect_uri: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) post_redirect_uri: Option<String>,
    /// Seconds since 1970.
    pub(crate) began_at: u64,
}

/// Those of one session, the oldest first.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct SignInSessions {
    sign_ins: Vec<SignInSession>,
}

impl SignInSessions {
    pub(crate) fn add(&mut self, sign_in: SignInSession, now: u64) {
        self.forget_old(now);
        let surplus = (self.sign_ins.len() + 1).saturating_sub(MAX);
        self.sign_ins.drain(..surplus);
        self.sign_ins.push(sign_in);
    }

    /// Removes and returns the one with this state.
    pub(crate) fn take(&mut self, state: &str, now: u64) -> Option<SignInSession> {
        self.forget_old(now);
        let at = self.sign_ins.iter().position(|sign_in| sign_in.has_state(state))?;
        Some(self.sign_ins.remove(at))
    }

    /// The one with this state; without a state, the newest one.
    pub(crate) fn find(&self, state: Option<&str>, now: u64) -> Option<&SignInSession> {
        let mut sign_ins = self.sign_ins.iter().rev().filter(|sign_in| sign_in.is_current(now));
        match state {
            Some(state) => sign_ins.find(|sign_in| sign_in.has_state(state)),
            None => sign_ins.next(),
        }
    }

    /// `None` if there is none.
    pub(crate) fn encode(&self) -> Option<String> {
        (!self.is_empty()).then(|| items::encode(self))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sign_ins.is_empty()
    }

    fn forget_old(&mut self, now: u64) {
        self.sign_ins.retain(|sign_in| sign_in.is_current(now));
    }
}

impl SignInSession {
    pub(crate) fn new(options: &SignInOptions, now: u64) -> Self {
        Self {
            state: pkce::random(),
            nonce: pkce::random(),
            code_verifier: pkce::random(),
            redirect_uri: options.redirect_uri.clone(),
            post_redirect_uri: options.post_redirect_uri.clone(),
            began_at: now,
        }
    }

    pub(crate) fn authorization_url(&self, config: &LogtoConfig, options: &SignInOptions, endpoint: &Url) -> Url {
        let request = AuthorizationRequest {
            client_id: config.app_id(),
            state: &self.state,
            nonce: &self.nonce,
            code_challenge: &pkce::challenge(&self.code_verifier),
            scopes: config.scopes(),
            resources: config.resources(),
            default_prompts: config.prompts(),
            options,
        };
        request.url(endpoint)
    }

    fn has_state(&self, state: &str) -> bool {
        verify_slices_are_equal(self.state.as_bytes(), state.as_bytes()).is_ok()
    }

    fn is_current(&self, now: u64) -> bool {
        // A clock that was set back makes none of them immortal.
        self.began_at.abs_diff(now) < SIGN_IN_LIFETIME
    }
}
