//! Detects that the provider is down before a browser is redirected to it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::RequestError;
use crate::util::http::Http;
use crate::util::single_flight::SingleFlight;

/// How long the error of a failed probe is returned before the next probe.
const PAUSE: Duration = Duration::from_secs(10);

/// Sends a request to a provider whose last request failed, to find out whether it is back: one at a time, at most
/// every ten seconds. Sends nothing while the provider answers.
pub(crate) struct Probe {
    last_failure: Mutex<Option<(RequestError, Instant)>>,
    probes: SingleFlight<(), Result<(), RequestError>>,
}

impl Probe {
    pub(crate) fn new() -> Self {
        Self { last_failure: Mutex::default(), probes: SingleFlight::new() }
    }

    pub(crate) async fn check<T, F>(&self, http: &Http, ask: impl FnOnce() -> F) -> Result<(), RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        if !http.is_failing() {
            return Ok(());
        }
        let probe = || async {
            if let Some(error) = self.recent_failure() {
                return Err(error);
            }
            match ask().await {
                Err(error) if http.is_failing() => {
                    *self.last_failure() = Some((error.clone(), Instant::now()));
                    Err(error)
                }
                // Any response will do.
                _ => Ok(()),
            }
        };
        self.probes.run((), probe).await
    }

    fn recent_failure(&self) -> Option<RequestError> {
        let last_failure = self.last_failure();
        let recent = last_failure.as_ref().filter(|(_, at)| at.elapsed() < PAUSE);
        recent.map(|(error, _)| error.clone())
    }

    fn last_failure(&self) -> MutexGuard<'_, Option<(RequestError, Instant)>> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
