//! Coalesces concurrent calls into one, as Go's `singleflight` does.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// One call runs at a time: its caller is the leader, the others wait. A waiter shares the leader's result if that is
/// for its key, and otherwise becomes the next leader. If a leader is dropped without a result, the next caller leads.
pub(crate) struct SingleFlight<K, T> {
    leading: Arc<tokio::sync::Mutex<()>>,
    results: Arc<Mutex<Results<K, T>>>,
}

struct Results<K, T> {
    /// The number of results so far.
    count: u64,
    /// The last result for each key, and its number.
    by_key: HashMap<K, (u64, T)>,
    /// The last result for every key.
    for_all: Option<(u64, T)>,
}

/// The role of a caller.
pub(crate) enum Turn<K, T> {
    Lead(Leader<K, T>),
    /// A result from a call that ended while the caller waited.
    Share(T),
}

/// The right to run the call. Dropping it lets the next caller lead.
pub(crate) struct Leader<K, T> {
    results: Arc<Mutex<Results<K, T>>>,
    _leading: OwnedMutexGuard<()>,
}

impl<K: Eq + Hash, T: Clone> SingleFlight<K, T> {
    pub(crate) fn new() -> Self {
        let results = Results { count: 0, by_key: HashMap::new(), for_all: None };
        Self { leading: Arc::default(), results: Arc::new(Mutex::new(results)) }
    }

    /// Runs `work` as the leader, or waits and shares the leader's result.
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

    /// Waits until no other caller leads.
    pub(crate) async fn join(&self, key: &K) -> Turn<K, T> {
        let came_at = lock(&self.results).count;
        let leading = Arc::clone(&self.leading).lock_owned().await;
        let shared = lock(&self.results).since(came_at, key).cloned();
        match shared {
            Some(result) => Turn::Share(result),
            None => Turn::Lead(Leader { results: Arc::clone(&self.results), _leading: leading }),
        }
    }

    /// Drops all results. Current waiters will lead, one after another.
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
    /// Ends the call with a result for all waiters with this key.
    pub(crate) fn end(self, key: K, result: T) {
        let mut results = lock(&self.results);
        results.count += 1;
        let count = results.count;
        results.by_key.insert(key, (count, result));
    }

    /// Ends the call with a result for all waiters.
    pub(crate) fn end_for_all(self, result: T) {
        let mut results = lock(&self.results);
        results.count += 1;
        results.for_all = Some((results.count, result));
    }
}

fn lock<K, T>(results: &Mutex<Results<K, T>>) -> MutexGuard<'_, Results<K, T>> {
    results.lock().unwrap_or_else(PoisonError::into_inner)
}
