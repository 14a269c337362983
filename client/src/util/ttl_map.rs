//! A map whose entries expire, keyed by digests of tokens and states.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use aws_lc_rs::digest::SHA256;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

/// How often expired entries are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// The maximum number of entries. When it is reached, the least recently used sixteenth is removed.
const CAPACITY: usize = 100_000;

/// An entry expires when it is not looked up for its time to live. A task that runs while the map has entries then
/// removes it from memory within [`SWEEP_INTERVAL`].
pub(crate) struct TtlMap<T> {
    ttl: fn(&T) -> Duration,
    table: Arc<Mutex<Table<T>>>,
}

struct Table<T> {
    /// Each entry and when it was last looked up, by digest.
    entries: HashMap<Vec<u8>, (Instant, T)>,
    has_sweeper: bool,
    /// Without a runtime for the sweeper, insertions sweep.
    last_sweep: Instant,
}

impl<T: Clone + Send + 'static> TtlMap<T> {
    pub(crate) fn new(ttl: fn(&T) -> Duration) -> Self {
        let table = Table { entries: HashMap::new(), has_sweeper: false, last_sweep: Instant::now() };
        Self { ttl, table: Arc::new(Mutex::new(table)) }
    }

    /// Returns the entry for `secret`, and whether it is new.
    pub(crate) fn get_or_insert_with(&self, secret: &str, new: impl FnOnce() -> T) -> (T, bool) {
        let entry = {
            let mut table = lock(&self.table);
            if let Some(entry) = table.get(&digest(secret), self.ttl) {
                return (entry, false);
            }
            let entry = new();
            table.insert(secret, entry.clone(), self.ttl);
            entry
        };
        self.ensure_swept();
        (entry, true)
    }

    /// The entry for `secret`.
    pub(crate) fn get(&self, secret: &str) -> Option<T> {
        let mut table = lock(&self.table);
        // Most maps of most processes are empty.
        if table.entries.is_empty() { None } else { table.get(&digest(secret), self.ttl) }
    }

    pub(crate) fn insert(&self, secret: &str, entry: T) {
        lock(&self.table).insert(secret, entry, self.ttl);
        self.ensure_swept();
    }

    /// Starts a sweeper if there is none. Not while the table is locked: a runtime that is shutting down drops the task at
    /// once, and the sweeper locks the table then.
    fn ensure_swept(&self) {
        let Ok(runtime) = Handle::try_current() else {
            let mut table = lock(&self.table);
            if table.last_sweep.elapsed() >= SWEEP_INTERVAL {
                table.remove_expired(self.ttl);
            }
            return;
        };
        let had_sweeper = std::mem::replace(&mut lock(&self.table).has_sweeper, true);
        if !had_sweeper {
            runtime.spawn(sweep(Sweeper { table: Arc::downgrade(&self.table) }, self.ttl));
        }
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        lock(&self.table).entries.len()
    }
}

impl<T: Clone> Table<T> {
    fn get(&mut self, key: &[u8], ttl: fn(&T) -> Duration) -> Option<T> {
        let now = Instant::now();
        let (last_use, entry) = self.entries.get_mut(key)?;
        if now.duration_since(*last_use) >= ttl(entry) {
            return None;
        }
        *last_use = now;
        Some(entry.clone())
    }
}

impl<T> Table<T> {
    fn insert(&mut self, secret: &str, entry: T, ttl: fn(&T) -> Duration) {
        self.make_room(ttl);
        self.entries.insert(digest(secret), (Instant::now(), entry));
    }

    fn make_room(&mut self, ttl: fn(&T) -> Duration) {
        if self.entries.len() < CAPACITY {
            return;
        }
        self.remove_expired(ttl);
        if self.entries.len() < CAPACITY {
            return;
        }
        let mut uses: Vec<_> = self.entries.values().map(|(last_use, _)| *last_use).collect();
        let (older, &mut threshold, _) = uses.select_nth_unstable(CAPACITY / 16);
        let mut ties = older.iter().filter(|last_use| **last_use == threshold).count();
        self.entries.retain(|_, (last_use, _)| {
            let is_surplus_tie = *last_use == threshold && ties > 0;
            ties -= usize::from(is_surplus_tie);
            *last_use >= threshold && !is_surplus_tie
        });
    }

    fn remove_expired(&mut self, ttl: fn(&T) -> Duration) {
        let now = Instant::now();
        self.entries.retain(|_, (last_use, entry)| now.duration_since(*last_use) < ttl(entry));
        self.entries.shrink_to(2 * self.entries.len());
        self.last_sweep = now;
    }
}

/// Marks the running sweeper of a map. Dropped with the task, so that another can start after the runtime has shut
/// down.
struct Sweeper<T> {
    table: Weak<Mutex<Table<T>>>,
}

impl<T> Drop for Sweeper<T> {
    fn drop(&mut self) {
        if let Some(table) = self.table.upgrade() {
            lock(&table).has_sweeper = false;
        }
    }
}

async fn sweep<T>(mut sweeper: Sweeper<T>, ttl: fn(&T) -> Duration) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        let Some(table) = sweeper.table.upgrade() else { return };
        let mut table = lock(&table);
        table.remove_expired(ttl);
        if table.entries.is_empty() {
            // Still under the lock, so that the next insertion starts another sweeper.
            table.has_sweeper = false;
            sweeper.table = Weak::new();
            return;
        }
    }
}

fn lock<T>(table: &Mutex<Table<T>>) -> MutexGuard<'_, Table<T>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SHA-256.
pub(crate) fn digest(secret: &str) -> Vec<u8> {
    aws_lc_rs::digest::digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}
