//! What happened lately, by the digests of tokens and states.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{self, SHA256};

/// Entries that nobody asked for in a while are forgotten.
pub(crate) struct Recent<T> {
    /// How long after its last use an entry is kept.
    kept: fn(&T) -> Duration,
    table: Mutex<Table<T>>,
}

struct Table<T> {
    entries: HashMap<Vec<u8>, (Instant, T)>,
    /// At this many entries the old ones are dropped: each insertion pays for a constant share of that.
    sweep_at: usize,
}

impl<T: Clone> Recent<T> {
    pub(crate) fn new(kept: fn(&T) -> Duration) -> Self {
        Self { kept, table: Mutex::new(Table { entries: HashMap::new(), sweep_at: 64 }) }
    }

    /// The entry for `secret`, and whether it is new.
    pub(crate) fn get_or_insert_with(&self, secret: &str, new: impl FnOnce() -> T) -> (T, bool) {
        let now = Instant::now();
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((asked, entry)) = table.entries.get_mut(&key(secret))
            && now.duration_since(*asked) < (self.kept)(entry)
        {
            *asked = now;
            return (entry.clone(), false);
        }
        let entry = new();
        table.insert(secret, entry.clone(), now, self.kept);
        (entry, true)
    }

    pub(crate) fn insert(&self, secret: &str, entry: T) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.insert(secret, entry, Instant::now(), self.kept);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
    }
}

impl<T> Table<T> {
    fn insert(&mut self, secret: &str, entry: T, now: Instant, kept: fn(&T) -> Duration) {
        if self.entries.len() >= self.sweep_at {
            self.entries.retain(|_, (asked, entry)| now.duration_since(*asked) < kept(entry));
            self.sweep_at = (2 * self.entries.len()).max(64);
        }
        self.entries.insert(key(secret), (now, entry));
    }
}

fn key(secret: &str) -> Vec<u8> {
    digest::digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}
