//! The servers that every fault is tried on.

use std::time::Duration;

use logto_vault::{BoxVault, PostgresVault, RedisVault, Vault};
use servers::{Missing, Postgres, Proxy, Redis};
use sqlx_0_8::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx_0_8::{Connection as _, query, query_scalar};

use crate::fixture::{Action, page, sign_in};

/// The store of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Redis,
    Postgres,
}

pub(crate) enum Server {
    Redis(Redis),
    Postgres(Postgres),
}

/// Connections that leave none for others.
pub(crate) enum Occupied {
    Redis(redis_1::aio::MultiplexedConnection),
    Postgres { _connections: Vec<PgConnection> },
}

impl On {
    pub(crate) fn available(self) -> Result<(), Missing> {
        match self {
            Self::Redis => Redis::available(),
            Self::Postgres => Postgres::available(),
        }
    }

    /// How long an action may take. It makes at most two calls, each of which may wait for a connection and for a response:
    /// four seconds as documented for Redis, nine for PostgreSQL, and as many for a busy machine.
    pub(crate) const fn time_out(self) -> Duration {
        match self {
            Self::Redis => Duration::from_secs(8),
            Self::Postgres => Duration::from_secs(18),
        }
    }

    /// Connects to a server at a port, or to the proxy in front of it.
    pub(crate) async fn connect(self, port: u16) -> Vault<BoxVault> {
        self.try_connect(port).await.unwrap()
    }

    /// The same by one connection, so that a request after a fault is the first on its connection, with all that this needs.
    pub(crate) async fn connect_once(self, port: u16) -> Vault<BoxVault> {
        if self == Self::Redis {
            return self.connect(port).await;
        }
        let options: PgConnectOptions = postgres_url(port).parse().unwrap();
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(2));
        let pool = pool.connect_with(options.options([("statement_timeout", "2s")])).await.unwrap();
        Vault::new(BoxVault::new(PostgresVault::new(pool)))
    }

    async fn try_connect(self, port: u16) -> Result<Vault<BoxVault>, logto_vault::store::StoreError> {
        let store = match self {
            Self::Redis => BoxVault::new(RedisVault::connect(&redis_url(port)).await?),
            Self::Postgres => BoxVault::new(PostgresVault::connect(&postgres_url(port)).await?),
        };
        Ok(Vault::new(store))
    }

    /// Whether a request that was delivered late was carried out, although it may have changed nothing.
    pub(crate) fn is_done(self, response: &str) -> bool {
        match self {
            Self::Redis => !response.starts_with('-'),
            Self::Postgres => ["UPDATE ", "INSERT "].iter().any(|done| response.contains(done)),
        }
    }
}

impl Server {
    /// Starts a server, and connects to it without a proxy. Tables are created, and scripts are loaded.
    pub(crate) async fn start(on: On) -> (Self, Vault<BoxVault>) {
        let server = match on {
            On::Redis => Self::Redis(Redis::start(&[])),
            On::Postgres => Self::Postgres(Postgres::start()),
        };
        if let Self::Postgres(postgres) = &server {
            PostgresVault::connect(&postgres.url()).await.unwrap().create_table().await.unwrap();
        }
        let vault = server.connect().await;
        let session = sign_in(&vault, &[("a", Some("1"))]).await;
        Action::Renew(&[("a", None)]).run(&page(&session, &vault)).await.unwrap();
        (server, vault)
    }

    pub(crate) fn on(&self) -> On {
        match self {
            Self::Redis(_) => On::Redis,
            Self::Postgres(_) => On::Postgres,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        match self {
            Self::Redis(redis) => redis.port(),
            Self::Postgres(postgres) => postgres.port(),
        }
    }

    pub(crate) async fn connect(&self) -> Vault<BoxVault> {
        self.on().connect(self.port()).await
    }

    /// Whether another process of the app can connect.
    pub(crate) async fn accepts_connections(&self) -> bool {
        self.on().try_connect(self.port()).await.is_ok()
    }

    pub(crate) async fn proxy(&self) -> Proxy {
        proxy(self.port()).await
    }

    /// Kills it, as a power cut would, and starts it again.
    pub(crate) fn kill_and_restart(&mut self) {
        match self {
            Self::Redis(redis) => {
                redis.kill();
                redis.restart();
            }
            Self::Postgres(postgres) => {
                postgres.kill();
                postgres.restart();
            }
        }
    }

    pub(crate) fn pause(&self) {
        match self {
            Self::Redis(redis) => redis.pause(),
            Self::Postgres(postgres) => postgres.pause(),
        }
    }

    pub(crate) fn resume(&self) {
        match self {
            Self::Redis(redis) => redis.resume(),
            Self::Postgres(postgres) => postgres.resume(),
        }
    }

    /// Lets Redis forget the scripts, and PostgreSQL the connections with their statements.
    pub(crate) async fn forget_calls(&self) {
        const END_OTHERS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        match self {
            Self::Redis(_) => self.redis::<()>(&["SCRIPT", "FLUSH"]).await,
            Self::Postgres(_) => self.sql(END_OTHERS).await,
        }
    }

    /// As a Redis that has become a replica, or as a PostgreSQL whose host protects a full disk.
    pub(crate) async fn set_read_only(&self, is_read_only: bool) {
        match self {
            // No other Redis is there, and none is needed.
            Self::Redis(_) if is_read_only => self.redis::<()>(&["REPLICAOF", "127.0.0.1", "1"]).await,
            Self::Redis(_) => self.redis::<()>(&["REPLICAOF", "NO", "ONE"]).await,
            Self::Postgres(_) => {
                self.sql(&format!("ALTER SYSTEM SET default_transaction_read_only = {is_read_only}")).await;
                self.sql("SELECT pg_reload_conf()").await;
            }
        }
    }

    /// Leaves no connection for others. Those that there are stay.
    pub(crate) async fn occupy_connections(&self) -> Occupied {
        match self {
            Self::Redis(_) => {
                let client = redis_1::Client::open(redis_url(self.port())).unwrap();
                let mut connection = client.get_multiplexed_async_connection().await.unwrap();
                set_max_clients(&mut connection, 1).await;
                Occupied::Redis(connection)
            }
            Self::Postgres(_) => {
                let mut connections = Vec::new();
                while let Ok(connection) = PgConnection::connect(&postgres_url(self.port())).await {
                    connections.push(connection);
                }
                Occupied::Postgres { _connections: connections }
            }
        }
    }

    /// Fails if a record would stay for ever.
    pub(crate) async fn assert_every_record_expires(&self) {
        const WITHOUT_LIFETIME: &str = "local count = 0
            for _, key in ipairs(redis.call('KEYS', '*')) do
                if redis.call('PTTL', key) < 0 then count = count + 1 end
            end
            return count";
        const LATE: &str = "SELECT count(*) FROM logto_vault WHERE expires_at > now() + interval '15 days'";
        let count: i64 = match self {
            Self::Redis(_) => self.redis(&["EVAL", WITHOUT_LIFETIME, "0"]).await,
            Self::Postgres(_) => query_scalar(LATE).fetch_one(&mut self.postgres().await).await.unwrap(),
        };
        assert_eq!(count, 0, "records without a lifetime");
    }

    /// Sends a command to Redis.
    pub(crate) async fn redis<T: redis_1::FromRedisValue>(&self, words: &[&str]) -> T {
        let client = redis_1::Client::open(redis_url(self.port())).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis_1::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
    }

    /// Sends a statement to PostgreSQL.
    async fn sql(&self, statement: &str) {
        query(statement).execute(&mut self.postgres().await).await.unwrap();
    }

    async fn postgres(&self) -> PgConnection {
        PgConnection::connect(&postgres_url(self.port())).await.unwrap()
    }
}

impl Occupied {
    pub(crate) async fn end(self) {
        match self {
            Self::Redis(mut connection) => set_max_clients(&mut connection, 10_000).await,
            Self::Postgres { .. } => {}
        }
    }
}

async fn set_max_clients(connection: &mut redis_1::aio::MultiplexedConnection, count: usize) {
    let mut set = redis_1::cmd("CONFIG");
    set.arg("SET").arg("maxclients").arg(count).query_async::<()>(connection).await.unwrap();
}

fn redis_url(port: u16) -> String {
    format!("redis://127.0.0.1:{port}")
}

fn postgres_url(port: u16) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/postgres")
}

/// The network in front of a server, which holds back what writes: scripts, or statements of PostgreSQL's.
pub(crate) async fn proxy(port: u16) -> Proxy {
    Proxy::start(port, "EVALSHA").await
}
