//! What the tests of the store and those of the app share.

use std::thread;

use mongodb::Client;
use servers::Mongodb;
use tokio::runtime::Runtime;

/// A server with a database that is the test's own, and gone after it.
pub(crate) struct Database {
    pub(crate) server: Mongodb,
}

impl Database {
    pub(crate) fn start() -> Self {
        Self { server: Mongodb::start() }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !self.server.is_own() {
            let dropped = Runtime::new().unwrap().block_on(async {
                let client = Client::with_uri_str(self.server.url()).await?;
                client.database(self.server.database()).drop().await
            });
            assert!(dropped.is_ok() || thread::panicking(), "{dropped:?}");
        }
    }
}
