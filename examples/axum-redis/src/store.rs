//! The Redis that holds the sessions.

use std::env;
use std::error::Error;
use std::time::Duration;

use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{Builder, ClientLike, Config, Pool, ReconnectPolicy};

/// How long a request waits for Redis before it answers 503. By default that is for ever.
const PATIENCE: Duration = Duration::from_secs(3);

pub(crate) async fn connect() -> Result<RedisStore<Pool>, Box<dyn Error>> {
    let url = env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    let config = Config::from_url(&url).map_err(|error| format!("REDIS_URL is not the URL of a Redis: {error}"))?;
    // The URL itself may have a password in it.
    let hosts: Vec<_> = config.server.hosts().iter().map(|host| format!("redis://{host}")).collect();
    let pool = Builder::from_config(config)
        .with_performance_config(|config| config.default_command_timeout = PATIENCE)
        .with_connection_config(|config| {
            config.connection_timeout = PATIENCE;
            config.internal_command_timeout = PATIENCE;
            config.unresponsive.max_timeout = Some(PATIENCE);
        })
        // Once it runs: every half a second, for as long as it takes (0).
        .set_policy(ReconnectPolicy::new_constant(0, 500))
        .build_pool(4)?;
    pool.init().await.map_err(|error| format!("cannot connect to {}: {error}", hosts.join(", ")))?;
    Ok(RedisStore::new(pool))
}
