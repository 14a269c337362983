//! The session store in a SQLite file.

use std::env;
use std::error::Error;
use std::time::Duration;

use tower_sessions::ExpiredDeletion;
use tower_sessions_sqlx_store::SqliteStore;
use tower_sessions_sqlx_store::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};

pub(crate) async fn open() -> Result<SqliteStore, Box<dyn Error>> {
    // `rwc`: read, write, and create a missing file.
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://sessions.db?mode=rwc".to_owned());
    let failed = |error| format!("cannot use {url} (DATABASE_URL): {error}");
    let options: SqliteConnectOptions = url.parse().map_err(failed)?;
    // In this mode readers never wait for writers. A writer waits for another for up to five seconds, then fails with
    // 503.
    let options = options.journal_mode(SqliteJournalMode::Wal);
    let store = SqliteStore::new(SqlitePool::connect_with(options).await.map_err(failed)?);
    store.migrate().await.map_err(failed)?;
    tokio::spawn(delete_expired(store.clone()));
    Ok(store)
}

/// Deletes expired sessions, which the store itself only ignores.
async fn delete_expired(store: impl ExpiredDeletion) {
    loop {
        tokio::time::sleep(Duration::from_mins(1)).await;
        // `continuously_delete_expired` would stop at the first error.
        if let Err(error) = store.delete_expired().await {
            eprintln!("cannot delete expired sessions: {error}");
        }
    }
}
