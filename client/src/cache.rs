//! What the provider publishes about itself, kept for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{RequestError, WithCauses};

/// How long after a failure the last good value is used without another request.
const PAUSE: Duration = Duration::from_secs(60);

/// How old the last good value may get while the provider does not answer. A key that the provider has withdrawn is
/// trusted no longer than this.
const MAX_STALE: Duration = Duration::from_secs(24 * 3600);

/// How many renewals there may be at once: a provider may rotate its keys more than once in a minute.
const RENEWALS: u32 = 5;

/// How long it takes until there may be one renewal more.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);

/// A value that is fetched when it is missing or too old, by one request at a time. If that fails, the last good one
/// stays in use for at most a day.
pub(crate) struct Cached<T> {
    state: Mutex<State<T>>,
    fetching: tokio::sync::Mutex<()>,
}

struct State<T> {
    value: Option<(Arc<T>, Instant)>,
    failure: Option<(RequestError, Instant)>,
    renewals: Budget,
}

/// Renewals that are left, as a token bucket.
struct Budget {
    left: u32,
    /// When `left` last changed because of the time.
    refilled: Option<Instant>,
}

impl<T> Cached<T> {
    pub(crate) fn new() -> Self {
        let renewals = Budget { left: RENEWALS, refilled: None };
        Self {
            state: Mutex::new(State { value: None, failure: None, renewals }),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    /// The value, at most `max_age` old while the provider answers.
    pub(crate) async fn get<F>(&self, max_age: Duration, fetch: impl FnOnce() -> F) -> Result<Arc<T>, RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        let asked = Instant::now();
        if let Some(value) = self.state().usable(max_age) {
            return Ok(value);
        }
        let _one_at_a_time = self.fetching.lock().await;
        {
            let state = self.state();
            if let Some(value) = state.usable(max_age) {
                return Ok(value);
            }
            // Waiters share the error of the request they waited for.
            if let Some((error, at)) = &state.failure
                && *at > asked
            {
                return Err(error.clone());
            }
        }
        match Box::pin(fetch()).await {
            Ok(value) => Ok(self.keep(value)),
            Err(error) => {
                let mut state = self.state();
                state.failure = Some((error.clone(), Instant::now()));
                let last_good = state.usable(max_age).ok_or(error.clone())?;
                tracing::warn!(error = %WithCauses(&error), "the last good answer stays in use");
                Ok(last_good)
            }
        }
    }

    /// The value at hand, however old it is.
    pub(crate) fn last(&self) -> Option<Arc<T>> {
        self.state().value.as_ref().map(|(value, _)| Arc::clone(value))
    }

    /// A newer value than `lacking`, in which something is missing, however young that is. `lacking` again if the fetch
    /// fails, or if the budget for renewals is spent.
    pub(crate) async fn renewed<F>(&self, lacking: Arc<T>, fetch: impl FnOnce() -> F) -> Arc<T>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        let _one_at_a_time = self.fetching.lock().await;
        {
            let state = self.state();
            match &state.value {
                Some((value, _)) if !Arc::ptr_eq(value, &lacking) => return Arc::clone(value),
                _ if state.renewals.available() == 0 => return lacking,
                _ => {}
            }
        }
        let fetched = Box::pin(fetch()).await;
        // Only now: a caller that goes away meanwhile does not spend the budget of the others.
        self.state().renewals.spend();
        match fetched {
            Ok(value) => self.keep(value),
            Err(error) => {
                tracing::warn!(error = %WithCauses(&error), "the last good answer stays in use");
                lacking
            }
        }
    }

    fn keep(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let mut state = self.state();
        state.value = Some((Arc::clone(&value), Instant::now()));
        state.failure = None;
        value
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn usable(&self, max_age: Duration) -> Option<Arc<T>> {
        let (value, fetched) = self.value.as_ref()?;
        let just_failed = self.failure.as_ref().is_some_and(|(_, at)| at.elapsed() < PAUSE);
        let age = fetched.elapsed();
        (age < max_age || (just_failed && age < MAX_STALE)).then(|| Arc::clone(value))
    }
}

impl Budget {
    fn available(&self) -> u32 {
        let intervals = self.refilled.map_or(0, |at| at.elapsed().as_secs() / RENEWAL_INTERVAL.as_secs());
        u32::try_from(intervals).map_or(RENEWALS, |refilled| RENEWALS.min(self.left.saturating_add(refilled)))
    }

    fn spend(&mut self) {
        let available = self.available();
        if available > self.left || self.left == RENEWALS {
            self.refilled = Some(Instant::now());
        }
        self.left = available.saturating_sub(1);
    }
}
