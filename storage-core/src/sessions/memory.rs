//! A session in memory.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, ready};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{AllSeen, Changes, Error, Operation, Result, SessionHandle};

/// A session in memory, for tests and for programs without a web framework.
///
/// Clones share their items, like concurrent requests of one user. Every clone sees a write when the call returns, even
/// if the write is deferred. The session has no id, so a renewal only applies its changes.
///
/// ```
/// use logto_storage_core::{Change, Changes, MemorySession, SessionHandle};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> logto_storage_core::Result<()> {
/// let session = MemorySession::default();
/// session.write(Changes::one(Change::set("logto_id_token", "eyJ…"))).await?;
///
/// assert_eq!(session.clone().read("logto_id_token".into()).await?.as_deref(), Some("eyJ…"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct MemorySession {
    items: Arc<Mutex<HashMap<String, String>>>,
}

impl MemorySession {
    fn items(&self) -> MutexGuard<'_, HashMap<String, String>> {
        // Nothing panics while holding the lock, so the items are intact even if it is poisoned.
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionHandle for MemorySession {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        ready(Ok(self.items().get(&*key).cloned()))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        apply(&mut self.items(), changes);
        ready(Ok(()))
    }

    fn write_if<'a>(&'a self, seen: AllSeen<'a>, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        let mut items = self.items();
        if seen.iter().any(|(key, value)| items.get(&*key).map(String::as_str) != value) {
            return ready(Err(Error::conflict().with_operation(Operation::ApplyIf)));
        }
        apply(&mut items, changes);
        ready(Ok(()))
    }
}

fn apply(items: &mut HashMap<String, String>, changes: Changes<'_>) {
    for (key, value) in changes.iter() {
        match value {
            Some(value) => items.insert(key.into_owned(), value.to_owned()),
            None => items.remove(&*key),
        };
    }
}

impl fmt::Debug for MemorySession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySession").field("keys", &self.items().keys()).finish()
    }
}
