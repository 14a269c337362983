//! A session whose id can be renewed, for tests of the client's parts.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::storage::{Change, LogtoStorage, Result};

#[derive(Default)]
pub(super) struct Items(Mutex<HashMap<String, String>>);

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
