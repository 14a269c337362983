//! The adapters that are compared, and the store that counts what it is asked for.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use logto_storage_core::{Change, Error, LogtoStorage, MemorySession, Operation, Result};
use serde_json::Value;
use tower_sessions::session::{Id, Record};
use tower_sessions::{MemoryStore, Session, SessionStore, session, session_store};

pub const PREFIX: &str = "tenant-a:";

/// The derive, with a session of any library.
#[derive(LogtoStorage)]
pub struct Derived<H> {
    pub session: H,
}

#[derive(LogtoStorage)]
#[logto(prefix = "tenant-a:")]
pub struct FixedPrefix<H> {
    pub session: H,
}

#[derive(LogtoStorage)]
pub struct RunTimePrefix<H> {
    #[logto(session)]
    pub session: H,
    #[logto(prefix)]
    pub prefix: String,
}

#[derive(LogtoStorage)]
#[logto(max_len = 1_000_000)]
pub struct Limited<H> {
    pub session: H,
}

#[derive(LogtoStorage)]
#[logto(prefix = "tenant-a:", max_len = 1_000_000)]
pub struct LimitedPrefix<H> {
    pub session: H,
}

/// By hand, straight on tower-sessions' own methods. It keeps the promises of the derived storage: a save that failed
/// leaves the items as they were, and a new visitor's empty session is not stored.
pub struct ByHand {
    pub session: Session,
}

impl ByHand {
    async fn set(&self, key: &str, value: &str) -> Result<(), session::Error> {
        let before = self.session.get_value(key).await?;
        self.session.insert_value(key, Value::from(value)).await?;
        if let Err(error) = self.session.save().await {
            self.put_back(key, before).await;
            return Err(error);
        }
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), session::Error> {
        let before = self.session.remove_value(key).await?;
        if self.session.is_empty().await {
            return Ok(());
        }
        if let Err(error) = self.session.save().await {
            self.put_back(key, before).await;
            return Err(error);
        }
        Ok(())
    }

    async fn change(&self, changes: &[Change<'_>], renews_id: bool) -> Result<(), session::Error> {
        let is_new = self.session.id().is_none() && !self.session.is_modified();
        let mut replaced = Vec::with_capacity(changes.len());
        let outcome = async {
            for change in changes {
                match *change {
                    Change::Set { key, value } => {
                        let before = self.session.get_value(key).await?;
                        self.session.insert_value(key, Value::from(value)).await?;
                        replaced.push((key, before));
                    }
                    Change::Remove { key } => replaced.push((key, self.session.remove_value(key).await?)),
                }
            }
            if renews_id && !is_new {
                self.session.cycle_id().await?;
            }
            if renews_id || !self.session.is_empty().await {
                self.session.save().await?;
            }
            Ok(())
        };
        let outcome = outcome.await;
        if outcome.is_err() {
            for (key, before) in replaced.into_iter().rev() {
                self.put_back(key, before).await;
            }
        }
        outcome
    }

    async fn put_back(&self, key: &str, before: Option<Value>) {
        let _ = match before {
            Some(before) => self.session.insert_value(key, before).await,
            None => self.session.remove_value(key).await,
        };
    }
}

impl LogtoStorage for ByHand {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        match self.session.get_value(key).await {
            Ok(None) => Ok(None),
            Ok(Some(Value::String(item))) => Ok(Some(item)),
            Ok(Some(_)) => Err(Error::not_a_string(key).with_operation(Operation::Get)),
            Err(error) => Err(Error::session(error).with_operation(Operation::Get).with_key(key)),
        }
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.set(key, value).await.map_err(|error| Error::session(error).with_operation(Operation::Set).with_key(key))
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.remove(key).await.map_err(|error| Error::session(error).with_operation(Operation::Remove).with_key(key))
    }

    async fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.change(changes, false).await.map_err(|error| Error::session(error).with_operation(Operation::Apply))
    }

    async fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.change(changes, true).await.map_err(|error| Error::session(error).with_operation(Operation::Renew))
    }
}

/// What storages would be, were the trait an `#[async_trait]`.
#[async_trait]
trait AsyncStorage {
    async fn get_item(&self, key: &str) -> Result<Option<String>>;
    async fn set_item(&self, key: &str, value: &str) -> Result<()>;
    async fn remove_item(&self, key: &str) -> Result<()>;
    async fn apply(&self, changes: &[Change<'_>]) -> Result<()>;
    async fn renew(&self, changes: &[Change<'_>]) -> Result<()>;
}

#[async_trait]
impl<S: LogtoStorage + Sync> AsyncStorage for S {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        LogtoStorage::get_item(self, key).await
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        LogtoStorage::set_item(self, key, value).await
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        LogtoStorage::remove_item(self, key).await
    }

    async fn apply(&self, changes: &[Change<'_>]) -> Result<()> {
        LogtoStorage::apply(self, changes).await
    }

    async fn renew(&self, changes: &[Change<'_>]) -> Result<()> {
        LogtoStorage::renew(self, changes).await
    }
}

/// A hand-written adapter behind an `#[async_trait]`.
pub struct ByAsyncTrait<S>(pub S);

impl<S: LogtoStorage + Sync> LogtoStorage for ByAsyncTrait<S> {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        AsyncStorage::get_item(&self.0, key).await
    }

    fn set_item<'a>(&'a self, key: &'a str, value: &'a str) -> impl Future<Output = Result<()>> + Send {
        AsyncStorage::set_item(&self.0, key, value)
    }

    fn remove_item<'a>(&'a self, key: &'a str) -> impl Future<Output = Result<()>> + Send {
        AsyncStorage::remove_item(&self.0, key)
    }

    fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        AsyncStorage::apply(&self.0, changes)
    }

    fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        AsyncStorage::renew(&self.0, changes)
    }
}

/// tower-sessions' memory store, and what it was asked for.
#[derive(Clone, Debug, Default)]
pub struct CountingStore {
    store: MemoryStore,
    asked: Arc<Asked>,
    last: Arc<Mutex<Option<Record>>>,
}

#[derive(Debug, Default)]
struct Asked {
    loads: AtomicUsize,
    creates: AtomicUsize,
    saves: AtomicUsize,
    deletes: AtomicUsize,
    /// From now on it refuses to write.
    full: AtomicBool,
}

/// How often a store was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    pub loads: usize,
    pub creates: usize,
    pub saves: usize,
    pub deletes: usize,
}

impl CountingStore {
    /// What it was asked since the last time.
    pub fn take_calls(&self) -> Calls {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::Relaxed);
        let Asked { loads, creates, saves, deletes, .. } = &*self.asked;
        Calls { loads: take(loads), creates: take(creates), saves: take(saves), deletes: take(deletes) }
    }

    pub fn fill(&self) {
        self.asked.full.store(true, Ordering::Relaxed);
    }

    /// The record that was written last.
    ///
    /// # Panics
    ///
    /// If another thread has panicked meanwhile.
    pub fn last(&self) -> Option<Record> {
        self.last.lock().unwrap().clone()
    }

    fn accept(&self, record: &Record) -> session_store::Result<()> {
        if self.asked.full.load(Ordering::Relaxed) {
            return Err(session_store::Error::Backend("full".to_owned()));
        }
        *self.last.lock().unwrap() = Some(record.clone());
        Ok(())
    }
}

#[async_trait]
impl SessionStore for CountingStore {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.asked.creates.fetch_add(1, Ordering::Relaxed);
        self.accept(record)?;
        self.store.create(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.asked.saves.fetch_add(1, Ordering::Relaxed);
        self.accept(record)?;
        self.store.save(record).await
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.asked.loads.fetch_add(1, Ordering::Relaxed);
        self.store.load(id).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.asked.deletes.fetch_add(1, Ordering::Relaxed);
        self.store.delete(id).await
    }
}

/// A new visitor's session in tower-sessions' memory store.
pub fn tower_session() -> Session {
    Session::new(None, Arc::new(MemoryStore::default()), None)
}

/// A session of this process's memory, made by hand.
pub fn memory_by_hand(session: MemorySession) -> crate::written_out::WrittenOut {
    crate::written_out::WrittenOut { session }
}
