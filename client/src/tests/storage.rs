//! A session whose id can be renewed, for tests of the client's parts.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::storage::{Change, LogtoStorage, Result};

#[derive(Default)]
pub(super) struct Items(Mutex<HashMap<String, String>>);

impl Items {
    pub(super) fn all(&self) -> HashMap<String, String> {
        self.0.lock().unwrap().clone()
    }

    pub(super) fn replace(&self, items: HashMap<String, String>) {
        *self.0.lock().unwrap() = items;
    }

    pub(super) fn copy(&self) -> Self {
        Self(Mutex::new(self.all()))
    }
}

impl LogtoStorage for Items {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }

    async fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.apply(changes).await
    }

    fn check_renewal(&self) -> Result<()> {
        Ok(())
    }
}

/// A session that its requests share, the keys that are read, and those of each write.
#[derive(Default)]
pub(super) struct Recorded {
    pub(super) items: Items,
    reads: Mutex<Vec<String>>,
    writes: Mutex<Vec<Vec<String>>>,
}

impl Recorded {
    pub(super) fn reads(&self) -> Vec<String> {
        std::mem::take(&mut self.reads.lock().unwrap())
    }

    pub(super) fn writes(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.writes.lock().unwrap())
    }
}

impl LogtoStorage for Recorded {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        self.reads.lock().unwrap().push(key.to_owned());
        self.items.get_item(key).await
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.apply(&[Change::set(key, value)]).await
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.apply(&[Change::remove(key)]).await
    }

    async fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        let key = |change: &Change<'_>| match *change {
            Change::Set { key, .. } | Change::Remove { key } => key.to_owned(),
        };
        let keys = changes.iter().map(key).collect();
        self.writes.lock().unwrap().push(keys);
        self.items.apply(changes).await
    }

    async fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.apply(changes).await
    }

    fn check_renewal(&self) -> Result<()> {
        self.items.check_renewal()
    }
}
