//! What the derive writes, as a careful engineer writes it. `compile_time` makes a thousand of this file's text.

use logto_storage_core::{Change, Changes, LogtoStorage, MemorySession, Result, SessionHandle};

pub struct WrittenOut {
    pub session: MemorySession,
}

impl LogtoStorage for WrittenOut {
    fn get_item(&self, key: &str) -> impl Future<Output = Result<Option<String>>> + Send {
        self.session.read(key.into())
    }

    fn set_item<'a>(&'a self, key: &'a str, value: &'a str) -> impl Future<Output = Result<()>> + Send {
        self.session.write(Changes::one(Change::set(key, value)))
    }

    fn remove_item<'a>(&'a self, key: &'a str) -> impl Future<Output = Result<()>> + Send {
        self.session.write(Changes::one(Change::remove(key)))
    }

    fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        self.session.write(Changes::all(changes))
    }

    fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        self.session.write(Changes::all(changes).renewing())
    }

    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        self.session.reload()
    }
}
