//! The session store in Postgres.

use std::env;
use std::error::Error;
use std::time::Duration;

use tower_sessions::ExpiredDeletion;
use tower_sessions_sqlx_store::PostgresStore;
use tower_sessions_sqlx_store::sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub(crate) async fn connect() -> Result<PostgresStore, Box<dyn Error>> {
    let url = env::var("DATABASE_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let options: PgConnectOptions =
        url.parse().map_err(|error| format!("DATABASE_URL is not a Postgres URL: {error}"))?;
    // The URL itself may contain a password.
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    // How long a request waits for Postgres before it fails with 503.
    let pool = PgPoolOptions::new().acquire_timeout(Duration::from_secs(3)).connect_lazy_with(options);
    let store = PostgresStore::new(pool);
    store.migrate().await.map_err(|error| format!("cannot use postgres://{host}:{port}: {error}"))?;
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
