//! What the derive writes, as a careful engineer writes it. `compile_time` makes a thousand of this file's text.

use std::time::Duration;

use logto_storage_core::{AllSeen, Change, Changes, LogtoStorage, MemorySession, Result, Seen, SessionHandle};

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

    fn apply_if<'a>(
        &'a self,
        seen: &'a [Seen<'a>],
        changes: &'a [Change<'a>],
    ) -> impl Future<Output = Result<()>> + Send {
        self.session.write_if(AllSeen::new(seen), Changes::all(changes))
    }

    fn apply_expiring<'a>(
        &'a self,
        changes: &'a [Change<'a>],
        lifetime: Duration,
    ) -> impl Future<Output = Result<()>> + Send {
        self.session.write(Changes::all(changes).expiring_after(lifetime))
    }

    fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        self.session.write(Changes::all(changes).renewing())
    }

    fn check_renewal(&self) -> Result<()> {
        self.session.check_renewal()
    }

    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        self.session.reload()
    }
}
