//! Records in Redis.
//!
//! The driver's behaviour that this file relies on (redis 1.8, `aio/connection_manager.rs`):
//!
//! - The manager sends a command once. If the connection is lost it returns the error and reconnects in the background; the
//!   calls that follow wait for the new connection.
//! - A response that times out does not count as a lost connection. Without the kernel's time-outs, a connection whose
//!   peer has vanished would be used for many minutes. Only Linux and its relatives have a setting for it.
//! - With RESP3, the manager also reconnects when the connection is lost while idle. With RESP2, the next call fails.

#[cfg(feature = "redis-1-cluster")]
mod cluster;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis_1::aio::{ConnectionManager, ConnectionManagerConfig};
#[cfg(feature = "redis-1-cluster")]
use redis_1::cluster::ClusterClientBuilder;
use redis_1::io::tcp::TcpSettings;
use redis_1::{
    Client, ErrorKind, FromRedisValue, IntoConnectionInfo, Pipeline, ProtocolVersion, RedisResult, ServerErrorKind,
    pipe,
};

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

struct Script {
    source: &'static str,
    hash: String,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self { source, hash: redis_1::Script::new(source).get_hash().to_owned() }
    }
}

/// A [`VaultStore`] in Redis 6 or later, or Valkey. Requires the feature `redis-1`, and Rust 1.88. For Redis Cluster see
/// [`connect_cluster`](Self::connect_cluster).
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
    connection: Connection,
    prefix: Arc<str>,
}

#[derive(Clone)]
enum Connection {
    Single(ConnectionManager),
    #[cfg(feature = "redis-1-cluster")]
    Cluster(cluster::Cluster),
}

impl Connection {
    /// Sends commands for one key, once, and returns a tuple of their responses.
    async fn query<T: FromRedisValue>(&self, commands: &Pipeline) -> RedisResult<T> {
        match self {
            Self::Single(manager) => commands.query_async(&mut manager.clone()).await,
            #[cfg(feature = "redis-1-cluster")]
            Self::Cluster(cluster) => cluster.query(commands).await,
        }
    }
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
        Self::with_connection(Connection::Single(connection))
    }

    /// Connects to a Redis Cluster, of which the URLs name some of the nodes. Requires the feature `redis-1-cluster`.
    ///
    /// Name more than one node, in case one of them is down. All URLs have the same user and password.
    ///
    /// Clones share a connection to each node. They follow the slots when these move to another node or when a replica takes
    /// over. A call fails if the cluster does not respond within two seconds, redirects included.
    ///
    /// ```no_run
    /// use logto_vault::RedisVault;
    ///
    /// # async fn connect() -> Result<(), logto_vault::store::StoreError> {
    /// let store = RedisVault::connect_cluster(["redis://10.0.0.1:6379", "redis://10.0.0.2:6379"]).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a URL is invalid, or if none of the nodes can be reached now.
    #[cfg(feature = "redis-1-cluster")]
    pub async fn connect_cluster<U: IntoConnectionInfo>(urls: impl IntoIterator<Item = U>) -> Result<Self, StoreError> {
        Self::connect_cluster_with(cluster::with_defaults(ClusterClientBuilder::new(urls), tcp_settings())).await
    }

    /// Connects to a Redis Cluster with settings of your own. Requires the feature `redis-1-cluster`.
    ///
    /// - Limit the connection time-out. The store itself waits two seconds for a response.
    /// - Set no read routing: a replica may return a record that has ended.
    /// - The number of retries does not matter. The store sends a write once, and follows redirects.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use logto_vault::RedisVault;
    /// # use redis_1 as redis;
    /// use redis::cluster::ClusterClientBuilder;
    ///
    /// # async fn connect() -> Result<(), logto_vault::store::StoreError> {
    /// let cluster = ClusterClientBuilder::new(["redis://10.0.0.1:6379"]).connection_timeout(Duration::from_secs(1));
    /// let store = RedisVault::connect_cluster_with(cluster).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a URL is invalid, or if none of the nodes can be reached now.
    #[cfg(feature = "redis-1-cluster")]
    pub async fn connect_cluster_with(cluster: ClusterClientBuilder) -> Result<Self, StoreError> {
        let cluster = cluster::Cluster::connect(cluster).await.map_err(StoreError::new)?;
        Ok(Self::with_connection(Connection::Cluster(cluster)))
    }

    fn with_connection(connection: Connection) -> Self {
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
        let key = self.key(id);
        // The fields are those of one moment, that of one command. The lifetime may be that of the next moment.
        let mut calls = pipe();
        calls.cmd("PTTL").arg(&key);
        let (lifetime, fields): (i64, HashMap<_, _>) = match names {
            // `HMGET` requires a name.
            Some([]) => (self.connection.query::<(_,)>(&calls).await?.0, HashMap::new()),
            Some(names) => {
                calls.cmd("HMGET").arg(&key).arg(names);
                let (lifetime, fields): (_, Vec<Option<Vec<u8>>>) = self.connection.query(&calls).await?;
                let fields = names.iter().zip(fields).filter_map(|(name, field)| Some(((*name).to_owned(), field?)));
                (lifetime, fields.collect())
            }
            None => self.connection.query(calls.cmd("HGETALL").arg(&key)).await?,
        };
        // Negative if there is no record.
        Ok(Record { fields, remaining: u64::try_from(lifetime).ok().map(Duration::from_millis) })
    }

    /// Runs a script on a record.
    async fn run(&self, script: &Script, id: &Id, arguments: &[&[u8]]) -> Result<Swapped, StoreError> {
        let key = self.key(id);
        let call = |command, script: &str| {
            let mut call = pipe();
            call.cmd(command).arg(script).arg(1).arg(&key).arg(arguments);
            call
        };
        let response = match self.connection.query(&call("EVALSHA", &script.hash)).await {
            // It has not run. From now on this server knows it; each one learns it by itself.
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.connection.query(&call("EVAL", script.source)).await
            }
            response => response,
        };
        let (conflict,): (Option<Vec<_>>,) = response.map_err(StoreError::new)?;
        Ok(conflict.map_or(Swapped::Done, Swapped::Conflict))
    }
}

async fn connect(url: &str) -> RedisResult<ConnectionManager> {
    let info = url.into_connection_info()?.set_tcp_settings(tcp_settings());
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    let client = Client::open(info.set_redis_settings(redis))?;
    let config = ConnectionManagerConfig::new()
        .set_response_timeout(Some(RESPONSE_TIMEOUT))
        .set_connection_timeout(Some(CONNECTION_TIMEOUT))
        .set_number_of_retries(CONNECTION_RETRIES);
    client.get_connection_manager_with_config(config).await
}

fn tcp_settings() -> TcpSettings {
    let tcp = TcpSettings::default().set_nodelay(true);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let tcp = tcp.set_user_timeout(VANISHED_TIMEOUT).set_keepalive(
        redis_1::io::tcp::socket2::TcpKeepalive::new().with_time(KEEPALIVE_TIME).with_interval(VANISHED_TIMEOUT),
    );
    tcp
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
        let lifetime = millis(swap.lifetime);
        let mut arguments = vec![lifetime.as_bytes(), if swap.replaces { b"1" } else { b"0" }];
        for step in &swap.steps {
            let put = step.put.as_deref().unwrap_or_default();
            arguments.extend([step.name.as_bytes(), version(step.expected.as_ref()), put]);
        }
        self.run(&SWAP, id, &arguments).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        let (marker, keep) = (Version::random(), millis(keep));
        let arguments = [GUARD.as_bytes(), version(expected.as_ref()), marker.as_bytes(), keep.as_bytes()];
        self.run(&END, id, &arguments).await
    }
}

/// The form of a version in the scripts' arguments: its bytes, or none.
fn version(version: Option<&Version>) -> &[u8] {
    version.map_or(&[], |version| version.as_bytes())
}

fn millis(lifetime: Duration) -> String {
    store::bounded(lifetime).as_millis().to_string()
}
