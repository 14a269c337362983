//! A cache for documents that the provider publishes: its metadata and its JWK set.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::{ErrorChain, RequestError};
use crate::util::single_flight::SingleFlight;

/// How long the last good value is used after a failure before the next request.
const PAUSE: Duration = Duration::from_secs(60);

/// The maximum age of the last good value while the provider does not answer. It bounds how long a withdrawn key is
/// trusted.
const MAX_STALE: Duration = Duration::from_secs(24 * 3600);

/// The maximum number of renewals in a row: a provider may rotate its keys several times in a minute.
const RENEWALS: u32 = 5;

/// How often the budget grows by one renewal.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);

/// A value that is fetched when it is missing or too old, by one request at a time. If the request fails, the last
/// good value stays in use for at most a day.
pub(crate) struct Cached<T> {
    state: Mutex<State<T>>,
    fetches: SingleFlight<(), Result<Arc<T>, RequestError>>,
}

struct State<T> {
    value: Option<(Arc<T>, Instant)>,
    failure: Option<(RequestError, Instant)>,
    /// When a caller of [`Cached::at_hand`] was last asked to renew the value.
    renewal_asked: Option<Instant>,
    renewals: Budget,
}

/// A token bucket of renewals.
struct Budget {
    left: u32,
    /// When `left` last grew.
    refilled: Option<Instant>,
}

impl<T> Cached<T> {
    pub(crate) fn new() -> Self {
        let renewals = Budget { left: RENEWALS, refilled: None };
        let state = State { value: None, failure: None, renewal_asked: None, renewals };
        Self { state: Mutex::new(state), fetches: SingleFlight::new() }
    }

    /// Returns the value, at most `max_age` old while the provider answers.
    pub(crate) async fn get<F>(&self, max_age: Duration, fetch: impl FnOnce() -> F) -> Result<Arc<T>, RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        if let Some(value) = self.state().usable(max_age) {
            return Ok(value);
        }
        let fetch = || async {
            // The previous leader may have fetched it.
            if let Some(value) = self.state().usable(max_age) {
                return Ok(value);
            }
            let error = match fetch().await {
                Ok(value) => return Ok(self.keep(value)),
                Err(error) => error,
            };
            let mut state = self.state();
            state.failure = Some((error.clone(), Instant::now()));
            let last_good = state.usable(max_age).ok_or_else(|| error.clone())?;
            tracing::warn!(error = %ErrorChain(&error), "fetch failed: the last good response stays in use");
            Ok(last_good)
        };
        self.fetches.run((), fetch).await
    }

    /// Returns the cached value, however old it is.
    pub(crate) fn last(&self) -> Option<Arc<T>> {
        self.state().value.as_ref().map(|(value, _)| Arc::clone(value))
    }

    /// Returns the value without waiting, at most a day old. If it is older than `max_age`, one caller per minute is asked
    /// to renew it, by [`get`](Self::get).
    pub(crate) fn at_hand(&self, max_age: Duration) -> Option<(Arc<T>, bool)> {
        let mut state = self.state();
        let (value, fetched) = state.value.as_ref()?;
        let (value, age) = (Arc::clone(value), fetched.elapsed());
        if age >= MAX_STALE {
            return None;
        }
        let is_due = age >= max_age && state.renewal_asked.is_none_or(|at| at.elapsed() >= PAUSE);
        if is_due {
            state.renewal_asked = Some(Instant::now());
        }
        Some((value, is_due))
    }

    /// Returns the error of the last fetch if it failed less than `pause` ago.
    pub(crate) fn recent_failure(&self, pause: Duration) -> Option<RequestError> {
        self.state().failed_within(pause).cloned()
    }

    /// Replaces the value `lacking`, in which the caller missed something, however young it is. Returns `lacking`
    /// itself if the budget is spent.
    pub(crate) async fn renewed<F>(&self, lacking: Arc<T>, fetch: impl FnOnce() -> F) -> Result<Arc<T>, RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        let fetch = || async {
            if let Some(newer) = self.last().filter(|value| !Arc::ptr_eq(value, &lacking)) {
                return Ok(newer);
            }
            if self.state().renewals.available() == 0 {
                return Ok(Arc::clone(&lacking));
            }
            let fetched = fetch().await;
            // Only now, because a caller that is cancelled during the fetch must not spend the budget.
            self.state().renewals.spend();
            if let Err(error) = &fetched {
                tracing::warn!(error = %ErrorChain(error), "fetch failed: the last good response stays in use");
            }
            fetched.map(|value| self.keep(value))
        };
        self.fetches.run((), fetch).await
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
    fn failed_within(&self, pause: Duration) -> Option<&RequestError> {
        let (error, at) = self.failure.as_ref()?;
        (at.elapsed() < pause).then_some(error)
    }

    fn usable(&self, max_age: Duration) -> Option<Arc<T>> {
        let (value, fetched) = self.value.as_ref()?;
        let just_failed = self.failed_within(PAUSE).is_some();
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
