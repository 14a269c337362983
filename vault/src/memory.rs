//! Records in this process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{self, GUARD, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

/// How often expired records are removed from memory.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);

/// A [`VaultStore`] in memory, for development, for tests and for apps that run as a single process.
///
/// Clones share their records. The records end with the process, so a restart signs all users out.
///
/// Expired records are removed from memory during later calls, at most once a minute.
///
/// ```
/// use logto_vault::store::Id;
/// use logto_vault::{MemoryVault, VaultStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), logto_vault::store::StoreError> {
/// let store = MemoryVault::default();
/// assert!(store.read(&Id::random(), None).await?.fields.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemoryVault {
    table: Arc<Mutex<Table>>,
}

impl MemoryVault {
    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while holding the lock, so the records are intact even if it is poisoned.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints the number of records, expired ones included.
impl fmt::Debug for MemoryVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryVault").field("records", &self.lock().records.len()).finish()
    }
}

impl store::sealed::Sealed for MemoryVault {}

impl VaultStore for MemoryVault {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        let mut table = self.lock();
        let now = table.sweep();
        let Some(entry) = table.get(id, now) else { return Ok(Record::default()) };
        let fields = match names {
            Some(names) => {
                let found = names.iter().filter_map(|name| entry.fields.get_key_value(*name));
                found.map(|(name, field)| (name.clone(), field.clone())).collect()
            }
            None => entry.fields.clone(),
        };
        Ok(Record { fields, remaining: Some(entry.expires_at - now) })
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        swap.check()?;
        let mut table = self.lock();
        let now = table.sweep();
        Ok(table.swap(id, swap, now))
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        let mut table = self.lock();
        let now = table.sweep();
        Ok(table.end(id, expected, keep, now))
    }
}

#[derive(Default)]
struct Table {
    records: HashMap<Id, Entry>,
    last_sweep: Option<Instant>,
}

struct Entry {
    fields: HashMap<String, Vec<u8>>,
    expires_at: Instant,
}

impl Entry {
    fn version(&self, name: &str) -> Option<Version> {
        Version::of(self.fields.get(name)?)
    }
}

impl Table {
    /// Removes expired records if it is time to, and returns the time.
    fn sweep(&mut self) -> Instant {
        let now = Instant::now();
        if self.last_sweep.is_none_or(|last| now - last >= SWEEP_INTERVAL) {
            self.records.retain(|_, entry| entry.expires_at > now);
            self.last_sweep = Some(now);
        }
        now
    }

    fn get(&self, id: &Id, now: Instant) -> Option<&Entry> {
        self.records.get(id).filter(|entry| entry.expires_at > now)
    }

    fn swap(&mut self, id: &Id, swap: &Swap, now: Instant) -> Swapped {
        let nothing = HashMap::new();
        let fields = self.get(id, now).map_or(&nothing, |entry| &entry.fields);
        swap.judge(fields).unwrap_or_else(|| {
            self.apply(id, swap, now);
            Swapped::Done
        })
    }

    fn apply(&mut self, id: &Id, swap: &Swap, now: Instant) {
        let until = now + store::bounded(swap.lifetime);
        let old = self.records.remove(id).filter(|entry| entry.expires_at > now && !swap.replaces);
        let mut entry = old.unwrap_or_else(|| Entry { fields: HashMap::new(), expires_at: until });
        let puts = swap.steps.iter().filter_map(|step| Some((step.name.clone(), step.put.clone()?)));
        entry.fields.extend(puts);
        entry.expires_at = entry.expires_at.max(until);
        if !entry.fields.is_empty() {
            self.records.insert(*id, entry);
        }
    }

    fn end(&mut self, id: &Id, expected: Option<Version>, keep: Duration, now: Instant) -> Swapped {
        let entry = self.get(id, now);
        if expected.is_some() && entry.and_then(|entry| entry.version(GUARD)) != expected {
            return Swapped::Conflict(vec![entry.and_then(|entry| entry.fields.get(GUARD).cloned())]);
        }
        if entry.is_some() {
            let marker = Version::random().as_bytes().to_vec();
            let fields = HashMap::from([(GUARD.to_owned(), marker)]);
            self.records.insert(*id, Entry { fields, expires_at: now + store::bounded(keep) });
        }
        Swapped::Done
    }
}
