//! The session store in Redis.

use std::env;
use std::error::Error;
use std::time::Duration;

use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{Builder, ClientLike, Config, Pool, ReconnectPolicy};

/// How long a request waits for Redis before it fails with 503. The default is forever.
const TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) async fn connect() -> Result<RedisStore<Pool>, Box<dyn Error>> {
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let config = Config::from_url(&url).map_err(|error| format!("REDIS_URL is not a Redis URL: {error}"))?;
    // The URL itself may contain a password.
    let hosts: Vec<_> = config.server.hosts().iter().map(|host| format!("redis://{host}")).collect();
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
    pool.init().await.map_err(|error| format!("cannot connect to {}: {error}", hosts.join(", ")))?;
    Ok(RedisStore::new(pool))
}
