//! The session store and cookie.

use std::error::Error;
use std::time::Duration;

use axum::Router;
use tower_sessions::cookie::{SameSite, time};
use tower_sessions::{ExpiredDeletion, Expiry, MemoryStore, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{Builder, ClientLike, Config, Pool, ReconnectPolicy};
use tower_sessions_sqlx_store::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tower_sessions_sqlx_store::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};

/// How long a request waits for the store before it fails.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Adds sessions to the app, in the store that `SESSION_STORE` names.
pub(crate) async fn layer(app: Router, store: &str, secure: bool) -> Result<Router, Box<dyn Error>> {
    let scheme = store.split(':').next().unwrap_or_default();
    match scheme {
        "memory" => Ok(with(app, MemoryStore::default(), secure)),
        "redis" | "rediss" => Ok(with(app, redis(store).await?, secure)),
        "postgres" | "postgresql" => Ok(with(app, postgres(store).await?, secure)),
        "sqlite" => Ok(with(app, sqlite(store).await?, secure)),
        _ => Err("SESSION_STORE is invalid: set it to `memory` or a URL, redis://…, postgres://… or sqlite:…".into()),
    }
}

fn with<S: SessionStore + Clone>(app: Router, store: S, secure: bool) -> Router {
    let sessions = SessionManagerLayer::new(store)
        // Cookies ignore ports: under the default name `id`, apps on localhost would overwrite each other's cookie.
        .with_name("sign-in")
        // With the default, `Strict`, the browser would not send the cookie when Logto redirects the user back here.
        .with_same_site(SameSite::Lax)
        .with_secure(secure)
        // The lifetime of Logto's refresh tokens.
        .with_expiry(Expiry::OnInactivity(time::Duration::days(14)));
    app.layer(sessions)
}

async fn redis(url: &str) -> Result<RedisStore<Pool>, Box<dyn Error>> {
    let config = Config::from_url(url).map_err(|error| format!("SESSION_STORE is not a Redis URL: {error}"))?;
    // The URL itself may contain a password.
    let hosts: Vec<_> = config.server.hosts().iter().map(ToString::to_string).collect();
    let pool = Builder::from_config(config)
        .with_performance_config(|config| config.default_command_timeout = TIMEOUT)
        .with_connection_config(|config| {
            config.connection_timeout = TIMEOUT;
            config.internal_command_timeout = TIMEOUT;
            config.unresponsive.max_timeout = Some(TIMEOUT);
        })
        // Reconnects every 500 ms, without a limit on attempts (0).
        .set_policy(ReconnectPolicy::new_constant(0, 500))
        .build_pool(4)?;
    pool.init().await.map_err(|error| format!("cannot connect to the Redis at {}: {error}", hosts.join(", ")))?;
    Ok(RedisStore::new(pool))
}

async fn postgres(url: &str) -> Result<PostgresStore, Box<dyn Error>> {
    let options: PgConnectOptions =
        url.parse().map_err(|error| format!("SESSION_STORE is not a PostgreSQL URL: {error}"))?;
    let (host, port) = (options.get_host().to_owned(), options.get_port());
    let pool = PgPoolOptions::new().acquire_timeout(TIMEOUT).connect_lazy_with(options);
    let store = PostgresStore::new(pool);
    store.migrate().await.map_err(|error| format!("cannot use the PostgreSQL at {host}:{port}: {error}"))?;
    tokio::spawn(delete_expired(store.clone()));
    Ok(store)
}

async fn sqlite(url: &str) -> Result<SqliteStore, Box<dyn Error>> {
    let failed = |error| format!("cannot use {url} (SESSION_STORE): {error}");
    let options: SqliteConnectOptions = url.parse().map_err(failed)?;
    let options = options.create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
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
            tracing::warn!(%error, "cannot delete expired sessions");
        }
    }
}
