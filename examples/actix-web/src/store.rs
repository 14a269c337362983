//! The Redis that holds the sessions.

use std::env;
use std::error::Error;
use std::time::Duration;

use actix_session::storage::RedisSessionStore;
use deadpool_redis::redis::IntoConnectionInfo;
use deadpool_redis::{Config, Runtime};

/// How long a request waits for Redis before it answers 503.
const PATIENCE: Duration = Duration::from_secs(3);

/// A pool, since the one connection that `RedisSessionStore::new` makes does not come back for minutes once Redis was
/// gone for some seconds.
pub(crate) async fn connect() -> Result<RedisSessionStore, Box<dyn Error>> {
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let info = url.into_connection_info().map_err(|error| format!("REDIS_URL is not the URL of a Redis: {error}"))?;
    // The URL itself may have a password in it.
    let address = info.addr.to_string();
    let pool = Config::from_connection_info(info)
        .builder()?
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE))
        .build()?;
    pool.get().await.map_err(|error| format!("cannot connect to redis://{address}: {error}"))?;
    Ok(RedisSessionStore::new_pooled(pool).await?)
}
