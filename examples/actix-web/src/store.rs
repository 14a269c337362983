//! The session store in Redis.

use std::env;
use std::error::Error;
use std::time::Duration;

use actix_session::storage::RedisSessionStore;
use deadpool_redis::redis::IntoConnectionInfo;
use deadpool_redis::{Config, Runtime};

/// How long a request waits for Redis before it fails with 503.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Uses a pool: the single connection of `RedisSessionStore::new` takes minutes to recover after a short outage of
/// Redis.
pub(crate) async fn connect() -> Result<RedisSessionStore, Box<dyn Error>> {
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let info = url.into_connection_info().map_err(|error| format!("REDIS_URL is not a Redis URL: {error}"))?;
    // The URL itself may contain a password.
    let address = info.addr.to_string();
    let pool = Config::from_connection_info(info)
        .builder()?
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(TIMEOUT))
        .create_timeout(Some(TIMEOUT))
        .recycle_timeout(Some(TIMEOUT))
        .build()?;
    pool.get().await.map_err(|error| format!("cannot connect to redis://{address}: {error}"))?;
    Ok(RedisSessionStore::new_pooled(pool).await?)
}
