//! The sessions of the app under test, and their stores.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use logto_client::axum::VaultStorage;
use logto_client::vault::BoxVault;
use logto_client::{DynStorage, LogtoStorage};
use tower_sessions_0_14 as tower_sessions_redis;
use tower_sessions_0_15::session::{Id, Record};
use tower_sessions_0_15::{MemoryStore, Session, SessionStore, session_store};

use crate::app::{App, Stored};

/// The name of the session's cookie. Not the libraries' own: they are all on one host, and cookies ignore ports.
pub(crate) const COOKIE: &str = "flows";

/// As apps have it.
#[derive(LogtoStorage)]
pub(crate) struct Derived {
    session: Session,
}

/// For the Redis store, which is for 0.14.
#[derive(LogtoStorage)]
pub(crate) struct OnRedis {
    session: tower_sessions_redis::Session,
}

/// The same session, with a ticket instead of the items.
pub(crate) type InVault = VaultStorage<tower_sessions_redis::Session, BoxVault>;

/// The least that a storage can be: it can neither renew the session's id nor read the session again.
pub(crate) struct ByHand(Session);

impl LogtoStorage for ByHand {
    async fn get_item(&self, key: &str) -> logto_client::storage::Result<Option<String>> {
        self.0.get(key).await.map_err(logto_client::storage::Error::session)
    }

    async fn set_item(&self, key: &str, value: &str) -> logto_client::storage::Result<()> {
        self.0.insert(key, value).await.map_err(logto_client::storage::Error::session)
    }

    async fn remove_item(&self, key: &str) -> logto_client::storage::Result<()> {
        self.0.remove_value(key).await.map_err(logto_client::storage::Error::session)?;
        Ok(())
    }
}

/// A storage whose type is chosen at run time.
pub(crate) struct Dynamic(Arc<dyn DynStorage>);

impl Stored for Dynamic {
    type Storage = Arc<dyn DynStorage>;

    fn storage(self) -> Self::Storage {
        self.0
    }
}

macro_rules! stored {
    ($($storage:ident),*) => {$(
        impl Stored for $storage {
            type Storage = Self;

            fn storage(self) -> Self {
                self
            }
        }
    )*};
}
stored!(Derived, OnRedis, InVault, ByHand);

macro_rules! extracted {
    ($($storage:ident: $session:ty => $new:expr;)*) => {$(
        impl FromRequestParts<App> for $storage {
            type Rejection = <$session as FromRequestParts<App>>::Rejection;

            async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
                <$session>::from_request_parts(parts, app).await.map($new)
            }
        }
    )*};
}
extracted! {
    Derived: Session => |session| Self { session };
    OnRedis: tower_sessions_redis::Session => |session| Self { session };
    ByHand: Session => Self;
    Dynamic: Session => |session| Self(Arc::new(Derived { session }));
}

/// The library's store in memory, whose records can be counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Store {
    records: MemoryStore,
    ids: Arc<Mutex<BTreeSet<String>>>,
}

impl Store {
    /// The ids of all records.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.ids.lock().unwrap().clone()
    }

    /// After how long a session expires.
    pub(crate) async fn lifetime(&self, id: &str) -> Duration {
        let record = self.records.load(&id.parse().unwrap()).await.unwrap().expect("a record");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Duration::from_secs(record.expiry_date.unix_timestamp().try_into().unwrap()).saturating_sub(now)
    }

    /// What is under a key of a session.
    pub(crate) async fn item(&self, id: &str, key: &str) -> Option<String> {
        let record = self.records.load(&id.parse().unwrap()).await.unwrap()?;
        record.data.get(key).map(|item| item.as_str().unwrap().to_owned())
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.records.create(record).await?;
        self.ids.lock().unwrap().insert(record.id.to_string());
        Ok(())
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        self.records.save(record).await?;
        self.ids.lock().unwrap().insert(record.id.to_string());
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.records.load(id).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.records.delete(id).await?;
        self.ids.lock().unwrap().remove(&id.to_string());
        Ok(())
    }
}
