//! One call at a time, whose result the callers that wait for it share (Go's `singleflight`).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// Coalesces concurrent calls. The first caller leads, the others wait. A caller that has waited while a result for its
/// key was found shares it; otherwise it leads next. A leader that is dropped before it has a result makes way for the
/// next caller.
pub(crate) struct SingleFlight<K, T> {
    leading: Arc<tokio::sync::Mutex<()>>,
    results: Arc<Mutex<Results<K, T>>>,
}

struct Results<K, T> {
    /// How many results there have been.
    count: u64,
    /// The last result for each key, and the count then.
    by_key: HashMap<K, (u64, T)>,
    /// The last result for every key.
    for_all: Option<(u64, T)>,
}

/// What a caller has to do.
pub(crate) enum Turn<K, T> {
    Lead(Leader<K, T>),
    /// A result that was found after the caller came.
    Share(T),
}

/// The place of the leader. It makes way when it is dropped.
pub(crate) struct Leader<K, T> {
    results: Arc<Mutex<Results<K, T>>>,
    _leading: OwnedMutexGuard<()>,
}

impl<K: Eq + Hash, T: Clone> SingleFlight<K, T> {
    pub(crate) fn new() -> Self {
        let results = Results { count: 0, by_key: HashMap::new(), for_all: None };
        Self { leading: Arc::default(), results: Arc::new(Mutex::new(results)) }
    }

    /// Leads with `work`, or shares the result of the caller that leads.
    pub(crate) async fn run<F: Future<Output = T>>(&self, key: K, work: impl FnOnce() -> F) -> T {
        match self.join(&key).await {
            Turn::Share(result) => result,
            Turn::Lead(leader) => {
                let result = Box::pin(work()).await;
                leader.end(key, result.clone());
                result
            }
        }
    }

    /// Waits until nobody leads.
    pub(crate) async fn join(&self, key: &K) -> Turn<K, T> {
        let came_at = lock(&self.results).count;
        let leading = Arc::clone(&self.leading).lock_owned().await;
        let shared = lock(&self.results).since(came_at, key).cloned();
        match shared {
            Some(result) => Turn::Share(result),
            None => Turn::Lead(Leader { results: Arc::clone(&self.results), _leading: leading }),
        }
    }

    /// Drops all results. Callers that wait already will lead.
    pub(crate) fn forget(&self) {
        let mut results = lock(&self.results);
        results.by_key.clear();
        results.for_all = None;
    }
}

impl<K: Eq + Hash, T> Results<K, T> {
    fn since(&self, came_at: u64, key: &K) -> Option<&T> {
        let candidates = [self.by_key.get(key), self.for_all.as_ref()];
        let latest = candidates.into_iter().flatten().max_by_key(|(count, _)| *count)?;
        (latest.0 > came_at).then_some(&latest.1)
    }
}

impl<K: Eq + Hash, T> Leader<K, T> {
    /// Ends the call with a result for those who wait with this key.
    pub(crate) fn end(self, key: K, result: T) {
        let mut results = lock(&self.results);
        results.count += 1;
        let count = results.count;
        results.by_key.insert(key, (count, result));
    }

    /// Ends the call with a result for everybody who waits.
    pub(crate) fn end_for_all(self, result: T) {
        let mut results = lock(&self.results);
        results.count += 1;
        results.for_all = Some((results.count, result));
    }
}

fn lock<K, T>(results: &Mutex<Results<K, T>>) -> MutexGuard<'_, Results<K, T>> {
    results.lock().unwrap_or_else(PoisonError::into_inner)
}
