//! The file that holds the sessions.

use std::env;
use std::error::Error;
use std::time::Duration;

use tower_sessions::ExpiredDeletion;
use tower_sessions_sqlx_store::SqliteStore;
use tower_sessions_sqlx_store::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};

pub(crate) async fn open() -> Result<SqliteStore, Box<dyn Error>> {
    // `rwc`: read, write, and create it if there is none.
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://sessions.db?mode=rwc".to_owned());
    let failed = |error| format!("cannot use {url} (DATABASE_URL): {error}");
    let options: SqliteConnectOptions = url.parse().map_err(failed)?;
    // Who reads does not wait for who writes. Who writes waits for five seconds, then the request is answered 503.
    let options = options.journal_mode(SqliteJournalMode::Wal);
    let store = SqliteStore::new(SqlitePool::connect_with(options).await.map_err(failed)?);
    store.migrate().await.map_err(failed)?;
    tokio::spawn(delete_expired(store.clone()));
    Ok(store)
}

/// The store takes no notice of expired sessions any more, but they stay until somebody deletes them.
async fn delete_expired(store: impl ExpiredDeletion) {
    loop {
        tokio::time::sleep(Duration::from_mins(1)).await;
        // `continuously_delete_expired` would end at the first error.
        if let Err(error) = store.delete_expired().await {
            eprintln!("cannot delete expired sessions: {error}");
        }
    }
}
