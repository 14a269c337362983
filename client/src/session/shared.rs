//! What all sessions of a client share.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};
use tracing::Instrument as _;

use crate::config::LogtoConfig;
use crate::error::ErrorChain;
use crate::provider::Provider;
use crate::session::exchanges::Exchanges;
use crate::session::grants::Grants;
use crate::util::A_DAY;
use crate::util::ttl_map::TtlMap;

/// How many seconds to wait before a revocation that failed is tried again.
const REVOCATION_DELAYS: [u64; 5] = [1, 5, 30, 120, 600];

/// The provider, and what is remembered about the sign-ins of this process.
pub(crate) struct Shared {
    provider: Provider,
    grants: Grants,
    exchanges: Exchanges,
    /// When each subject last signed in here.
    sign_ins: TtlMap<Instant>,
    /// The ID tokens of sign-ins that have ended.
    ended: TtlMap<()>,
}

impl Shared {
    pub(crate) fn new(config: LogtoConfig, http: reqwest::Client) -> Self {
        Self {
            provider: Provider::new(config, http),
            grants: Grants::new(),
            exchanges: Exchanges::new(),
            sign_ins: TtlMap::new(|_| A_DAY),
            ended: TtlMap::new(|()| A_DAY),
        }
    }

    pub(crate) fn config(&self) -> &LogtoConfig {
        self.provider.config()
    }

    pub(crate) fn provider(&self) -> &Provider {
        &self.provider
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn exchanges(&self) -> &Exchanges {
        &self.exchanges
    }

    pub(crate) fn signed_in(&self, subject: &str) {
        self.sign_ins.insert(subject, Instant::now());
    }

    pub(crate) fn has_signed_in_since(&self, subject: &str, since: Instant) -> bool {
        self.sign_ins.get(subject).is_some_and(|at| at > since)
    }

    /// Remembers, for a day, that the sign-in with this ID token has ended.
    pub(crate) fn sign_in_ended(&self, id_token: &str) {
        self.ended.insert(id_token, ());
    }

    /// Whether the sign-in that these tokens belong to has ended in this process within a day.
    pub(crate) fn has_ended(&self, id_token: Option<&str>, refresh_token: Option<&str>) -> bool {
        id_token.is_some_and(|token| self.ended.get(token).is_some())
            || refresh_token.is_some_and(|token| self.grants.has_ended(token))
    }

    /// Revokes the token, in a task of its own that tries for some minutes. The future is ready after the first try.
    /// Nothing depends on its success. If the subject signs in again meanwhile, the task gives up: in one session of Logto's
    /// all sign-ins of a user share a grant, which the revocation would end.
    pub(crate) fn revoke_in_background(
        self: &Arc<Self>,
        refresh_token: String,
        subject: Option<String>,
    ) -> impl Future<Output = ()> + Send + use<> {
        let shared = Arc::clone(self);
        let (first_try, tried) = oneshot::channel::<()>();
        let mut first_try = Some(first_try);
        let started = Instant::now();
        let revocation = async move {
            for delay in REVOCATION_DELAYS.map(Some).into_iter().chain([None]) {
                let Err(error) = shared.provider.revoke(&refresh_token).await else { return };
                drop(first_try.take());
                match delay {
                    Some(delay) if error.is_retryable() => {
                        sleep(Duration::from_secs(delay)).await;
                        if subject.as_ref().is_some_and(|subject| shared.has_signed_in_since(subject, started)) {
                            return;
                        }
                    }
                    _ => {
                        let error = ErrorChain(&error);
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
