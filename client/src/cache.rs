//! What the provider says of itself, kept for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{RequestError, WithCauses};

/// How long after a failure the last good value is given out without another try; and how long nothing is fetched anew
/// for somebody who misses something in it.
const PAUSE: Duration = Duration::from_secs(60);

/// A value that is fetched when it is missing or too old, by one request at a time. When that fails the last good one
/// stays in use.
pub(crate) struct Cached<T> {
    state: Mutex<State<T>>,
    fetching: tokio::sync::Mutex<()>,
}

struct State<T> {
    value: Option<(Arc<T>, Instant)>,
    failure: Option<(RequestError, Instant)>,
    /// When it was last fetched because something was missing in it.
    renewed: Option<Instant>,
}

impl<T> Cached<T> {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State { value: None, failure: None, renewed: None }),
            fetching: tokio::sync::Mutex::new(()),
        }
    }

    /// The value, at most `max_age` old if it can be had.
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
            // Everybody who waited for the request that failed gets its error, not a turn of their own.
            if let Some((error, at)) = &state.failure
                && *at >= asked
            {
                return Err(error.clone());
            }
        }
        match Box::pin(fetch()).await {
            Ok(value) => Ok(self.keep(value)),
            Err(error) => {
                let mut state = self.state();
                state.failure = Some((error.clone(), Instant::now()));
                match &state.value {
                    Some((last_good, _)) => {
                        tracing::warn!(error = %WithCauses(&error), "the last good answer stays in use");
                        Ok(Arc::clone(last_good))
                    }
                    None => Err(error),
                }
            }
        }
    }

    /// A newer value than `lacking`, in which something is missing, however old that is; `lacking` again if there is
    /// none, or if the last such request was just now.
    pub(crate) async fn renewed<F>(&self, lacking: Arc<T>, fetch: impl FnOnce() -> F) -> Arc<T>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        let _one_at_a_time = self.fetching.lock().await;
        {
            let state = self.state();
            match &state.value {
                Some((value, _)) if !Arc::ptr_eq(value, &lacking) => return Arc::clone(value),
                _ => {}
            }
            if state.renewed.is_some_and(|at| at.elapsed() < PAUSE) {
                return lacking;
            }
        }
        let fetched = Box::pin(fetch()).await;
        // Only now: who goes away while it is fetched must not keep the others from it.
        self.state().renewed = Some(Instant::now());
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
        let fresh = fetched.elapsed() < max_age;
        let just_failed = self.failure.as_ref().is_some_and(|(_, at)| at.elapsed() < PAUSE);
        (fresh || just_failed).then(|| Arc::clone(value))
    }
}
