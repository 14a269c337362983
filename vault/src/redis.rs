//! Records in Redis.
//!
//! The driver's behaviour that this file relies on (redis 1.8, `aio/connection_manager.rs`):
//!
//! - The manager sends a command once. If the connection is lost it returns the error and reconnects in the background; the
//!   calls that follow wait for the new connection. A swap is therefore never sent again, except by `Script` after a
//!   `NOSCRIPT`, which says that it has not run.
//! - A response that times out does not count as a lost connection. Without the kernel's time-outs, a connection whose
//!   peer has vanished would be used for many minutes. Only Linux and its relatives have a setting for it.
//! - With RESP3, the manager also reconnects when the connection is lost while idle. With RESP2, the next call fails.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis_1::aio::{ConnectionManager, ConnectionManagerConfig};
use redis_1::io::tcp::TcpSettings;
use redis_1::{Client, IntoConnectionInfo, ProtocolVersion, RedisResult, Script, ScriptInvocation, pipe};

use crate::store::{self, GUARD, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

/// How long to wait for a response, or for a connection.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(1);
const CONNECTION_RETRIES: usize = 1;

/// How long the kernel waits for a peer to acknowledge a command, or a keep-alive probe, before it ends the connection.
const VANISHED_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection is idle before the first probe.
const KEEPALIVE_TIME: Duration = Duration::from_secs(30);

static SWAP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("swap.lua")));
static END: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("end.lua")));

/// A [`VaultStore`] in Redis 6 or later, or Valkey. Requires the feature `redis-1`, and Rust 1.88.
///
/// Clones share one connection, which reconnects by itself. A record is a hash, which expires; a call is one round
/// trip.
///
/// ```no_run
/// use logto_vault::RedisVault;
///
/// # async fn connect() -> Result<(), logto_vault::store::StoreError> {
/// let store = RedisVault::connect("redis://127.0.0.1:6379").await?;
/// # Ok(())
/// # }
/// ```
///
/// # Durability
///
/// The store keeps what Redis keeps. After a crash with `appendfsync everysec`, or a failover to a replica, up to a few
/// seconds of writes are lost: users who signed in then are signed out, and users who signed out then may be signed in
/// again. Do not let Redis evict records: use `maxmemory-policy noeviction`.
///
/// # TLS
///
/// This crate enables no TLS. For a `rediss://` URL, depend on `redis` yourself and enable one of its features, such
/// as `tokio-rustls-comp`:
///
/// ```toml
/// redis = { version = "1", default-features = false, features = ["tokio-rustls-comp"] }
/// ```
#[derive(Clone)]
pub struct RedisVault {
    connection: ConnectionManager,
    prefix: Arc<str>,
}

impl RedisVault {
    /// Connects to the Redis at a `redis://`, `rediss://` or `redis+unix://` URL.
    ///
    /// A call fails if Redis does not respond within two seconds, or if it cannot be reconnected within about two
    /// seconds more. The connection uses RESP3, unlike those of older proxies. For other settings see
    /// [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// Fails if the URL is invalid, or if Redis cannot be reached now.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        let connection = connect(url).await.map_err(StoreError::new)?;
        Ok(Self::new(connection))
    }

    /// Creates a store on a connection with settings of your own.
    ///
    /// Limit its response and connection time-outs: the store waits as long as the connection does.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use logto_vault::RedisVault;
    /// # use redis_1 as redis;
    /// use redis::aio::ConnectionManagerConfig;
    ///
    /// # async fn connect() -> redis::RedisResult<()> {
    /// let client = redis::Client::open("redis://127.0.0.1:6379/2")?;
    /// let config = ConnectionManagerConfig::new().set_response_timeout(Some(Duration::from_secs(1)));
    /// let store = RedisVault::new(client.get_connection_manager_with_config(config).await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(connection: ConnectionManager) -> Self {
        Self { connection, prefix: "logto:v:".into() }
    }

    /// Sets the prefix of the records' keys, `logto:v:` by default.
    ///
    /// Apps that share a Redis do not need different prefixes, since the ids of records are random.
    #[must_use]
    pub fn with_prefix(self, prefix: impl Into<Arc<str>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    fn key(&self, id: &Id) -> String {
        format!("{}{}", self.prefix, id.encode())
    }

    async fn fetch(&self, id: &Id, names: Option<&[&str]>) -> RedisResult<Record> {
        let (mut connection, key) = (self.connection.clone(), self.key(id));
        // The fields are those of one moment, that of one command. The lifetime may be that of the next moment.
        let mut calls = pipe();
        calls.cmd("PTTL").arg(&key);
        let (lifetime, fields): (i64, HashMap<_, _>) = match names {
            // `HMGET` requires a name.
            Some([]) => (calls.query_async::<(_,)>(&mut connection).await?.0, HashMap::new()),
            Some(names) => {
                calls.cmd("HMGET").arg(&key).arg(names);
                let (lifetime, fields): (_, Vec<Option<Vec<u8>>>) = calls.query_async(&mut connection).await?;
                let fields = names.iter().zip(fields).filter_map(|(name, field)| Some(((*name).to_owned(), field?)));
                (lifetime, fields.collect())
            }
            None => calls.cmd("HGETALL").arg(&key).query_async(&mut connection).await?,
        };
        // Negative if there is no record.
        Ok(Record { fields, remaining: u64::try_from(lifetime).ok().map(Duration::from_millis) })
    }

    async fn invoke(&self, call: &ScriptInvocation<'_>) -> Result<Swapped, StoreError> {
        let conflict: Option<Vec<_>> =
            call.invoke_async(&mut self.connection.clone()).await.map_err(StoreError::new)?;
        Ok(conflict.map_or(Swapped::Done, Swapped::Conflict))
    }
}

async fn connect(url: &str) -> RedisResult<ConnectionManager> {
    let info = url.into_connection_info()?;
    let tcp = TcpSettings::default().set_nodelay(true);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let tcp = tcp.set_user_timeout(VANISHED_TIMEOUT).set_keepalive(
        redis_1::io::tcp::socket2::TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(VANISHED_TIMEOUT),
    );
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let client = Client::open(info.set_tcp_settings(tcp).set_redis_settings(redis))?;
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECTION_TIMEOUT))
        .set_number_of_retries(CONNECTION_RETRIES);
    client.get_connection_manager_with_config(config).await
}

impl fmt::Debug for RedisVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisVault").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl store::sealed::Sealed for RedisVault {}

impl VaultStore for RedisVault {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.fetch(id, names).await.map_err(StoreError::new)
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        swap.check()?;
        let mut call = SWAP.key(self.key(id));
        call.arg(millis(swap.lifetime)).arg(u8::from(swap.replaces));
        for step in &swap.steps {
            call.arg(&step.name).arg(version(step.expected.as_ref())).arg(step.put.as_deref().unwrap_or_default());
        }
        self.invoke(&call).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        let mut call = END.key(self.key(id));
        let marker = Version::random();
        call.arg(GUARD).arg(version(expected.as_ref())).arg(version(Some(&marker))).arg(millis(keep));
        self.invoke(&call).await
    }
}

/// The form of a version in the scripts' arguments: its bytes, or none.
fn version(version: Option<&Version>) -> &[u8] {
    version.map_or(&[], |version| version.as_bytes())
}

fn millis(lifetime: Duration) -> u64 {
    // Cannot fail: lifetimes are bounded.
    store::bounded(lifetime).as_millis().try_into().unwrap_or(u64::MAX)
}
