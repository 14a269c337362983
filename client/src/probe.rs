//! Whether the provider is down, so that no browser is sent to it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::error::RequestError;
use crate::http::Http;

/// How long the error of a failed probe is given out without another probe.
const PAUSE: Duration = Duration::from_secs(10);

/// Asks a provider whose last request failed whether it is back: by one request at a time, at most once every ten
/// seconds. While the provider answers, it asks nothing.
#[derive(Default)]
pub(crate) struct Probe {
    last_failure: Mutex<Option<(RequestError, Instant)>>,
    probing: tokio::sync::Mutex<()>,
}

impl Probe {
    pub(crate) async fn check<T, F>(&self, http: &Http, ask: impl FnOnce() -> F) -> Result<(), RequestError>
    where
        F: Future<Output = Result<T, RequestError>>,
    {
        if !http.is_failing() {
            return Ok(());
        }
        let _one_at_a_time = self.probing.lock().await;
        if !http.is_failing() {
            return Ok(());
        }
        if let Some(error) = self.recent_failure() {
            return Err(error);
        }
        match Box::pin(ask()).await {
            Err(error) if http.is_failing() => {
                *self.last_failure.lock().unwrap_or_else(PoisonError::into_inner) =
                    Some((error.clone(), Instant::now()));
                Err(error)
            }
            // An answer, whatever it says.
            _ => Ok(()),
        }
    }

    fn recent_failure(&self) -> Option<RequestError> {
        let last_failure = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = last_failure.as_ref().filter(|(_, at)| at.elapsed() < PAUSE);
        recent.map(|(error, _)| error.clone())
    }
}
