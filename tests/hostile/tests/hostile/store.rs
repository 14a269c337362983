//! A session store in memory that counts its calls, and can be down or slow.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use fake_provider::Gate;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult};
use tower_sessions::{MemoryStore, SessionStore};
use tower_sessions_0_15 as tower_sessions;

use crate::site::soon;

/// A clone is the same store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    pub(crate) records: MemoryStore,
    loads: Arc<AtomicUsize>,
    saves: Arc<AtomicUsize>,
    is_down: Arc<AtomicBool>,
    gate: Arc<Mutex<Option<Gate>>>,
}

impl Store {
    /// Lets every change fail, or not any more.
    pub(crate) fn break_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Holds every change back, behind this gate.
    pub(crate) fn hold(&self, gate: Option<&Gate>) {
        *self.gate.lock().expect("a gate") = gate.cloned();
    }

    async fn check(&self) -> StoreResult<()> {
        let gate = self.gate.lock().expect("a gate").clone();
        if let Some(gate) = gate {
            gate.pass().await;
        }
        if self.is_down.load(Ordering::SeqCst) { Err(StoreError::Backend("the store is down".into())) } else { Ok(()) }
    }

    pub(crate) async fn has(&self, id: &Id) -> bool {
        self.records.load(id).await.expect("a store that works").is_some()
    }

    /// Counts the loads and the saves of an operation.
    pub(crate) async fn count<T>(&self, operation: impl Future<Output = T>) -> (T, usize, usize) {
        let counts = || (self.loads.load(Ordering::SeqCst), self.saves.load(Ordering::SeqCst));
        let before = counts();
        let result = soon(Box::pin(operation)).await;
        let after = counts();
        (result, after.0 - before.0, after.1 - before.1)
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        self.saves.fetch_add(1, Ordering::SeqCst);
        self.check().await?;
        self.records.create(record).await
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        self.saves.fetch_add(1, Ordering::SeqCst);
        self.check().await?;
        self.records.save(record).await
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.records.load(id).await
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        self.check().await?;
        self.records.delete(id).await
    }
}
