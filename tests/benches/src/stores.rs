//! Stores on real servers: for a vault, and for tower-sessions.

use std::any::Any;
use std::sync::Arc;

use logto_vault::{BoxVault, MemoryVault, PostgresVault, RedisVault, SqliteVault, Vault};
use redis_1::aio::MultiplexedConnection;
use servers::{Missing, Postgres, Redis};
use sqlx_0_8::{PgPool, SqlitePool};
use tower_sessions_0_14::{MemoryStore, SessionStore};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{Builder, ClientLike as _, Config};
use tower_sessions_sqlx_store::{PostgresStore, SqliteStore};

pub struct Store {
    pub name: &'static str,
    pub vault: Vault<BoxVault>,
    pub sessions: Arc<dyn SessionStore>,
    pub space: Space,
    _server: Box<dyn Any>,
}

/// Where to ask how many bytes are used.
pub enum Space {
    Memory,
    Redis(MultiplexedConnection),
    Postgres(PgPool),
    Sqlite { vault: SqlitePool, sessions: SqlitePool },
}

/// Bytes that are used for the records of the vault and for the sessions.
#[derive(Clone, Copy)]
pub struct Used {
    pub vault: i64,
    pub sessions: i64,
}

/// Memory, SQLite, and each server that is installed.
///
/// # Panics
///
/// If one does not start.
pub async fn all() -> Vec<Store> {
    let mut stores = vec![memory(), sqlite().await];
    match Redis::available() {
        Ok(()) => stores.push(redis().await),
        Err(missing) => leave_out(missing),
    }
    match Postgres::available() {
        Ok(()) => stores.push(postgres().await),
        Err(missing) => leave_out(missing),
    }
    stores
}

fn leave_out(missing: Missing) {
    let (Missing::Program(reason) | Missing::Choice(reason)) = missing;
    eprintln!("left out: {reason}");
}

fn memory() -> Store {
    Store {
        name: "memory",
        vault: Vault::new(BoxVault::new(MemoryVault::default())),
        sessions: Arc::new(MemoryStore::default()),
        space: Space::Memory,
        _server: Box::new(()),
    }
}

async fn redis() -> Store {
    // The time that a disk takes is not measured.
    let server = Redis::start(&["--appendonly", "no"]);
    let pool = Builder::from_config(Config::from_url(&server.url()).unwrap()).build_pool(1).unwrap();
    pool.init().await.unwrap();
    let client = redis_1::Client::open(server.url()).unwrap();
    Store {
        name: "Redis",
        vault: Vault::new(BoxVault::new(RedisVault::connect(&server.url()).await.unwrap())),
        sessions: Arc::new(RedisStore::new(pool)),
        space: Space::Redis(client.get_multiplexed_async_connection().await.unwrap()),
        _server: Box::new(server),
    }
}

async fn postgres() -> Store {
    let server = Postgres::start();
    let pool = PgPool::connect(&server.url()).await.unwrap();
    let vault = PostgresVault::new(pool.clone());
    vault.create_table().await.unwrap();
    let sessions = PostgresStore::new(pool.clone());
    sessions.migrate().await.unwrap();
    Store {
        name: "PostgreSQL",
        vault: Vault::new(BoxVault::new(vault)),
        sessions: Arc::new(sessions),
        space: Space::Postgres(pool),
        _server: Box::new(server),
    }
}

async fn sqlite() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let open = |name: &str| {
        let file = sqlx_0_8::sqlite::SqliteConnectOptions::new().filename(folder.path().join(name));
        SqlitePool::connect_lazy_with(
            file.create_if_missing(true).journal_mode(sqlx_0_8::sqlite::SqliteJournalMode::Wal),
        )
    };
    let (vault_pool, sessions_pool) = (open("vault.db"), open("sessions.db"));
    let vault = SqliteVault::new(vault_pool.clone());
    vault.create_table().await.unwrap();
    let sessions = SqliteStore::new(sessions_pool.clone());
    sessions.migrate().await.unwrap();
    Store {
        name: "SQLite",
        vault: Vault::new(BoxVault::new(vault)),
        sessions: Arc::new(sessions),
        space: Space::Sqlite { vault: vault_pool, sessions: sessions_pool },
        _server: Box::new(folder),
    }
}

impl Space {
    /// Asks the store. `None` for memory, whose allocations can be counted instead.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn used(&self) -> Option<Used> {
        match self {
            Self::Memory => None,
            // Redis does not tell keys apart: only one part of a difference may change.
            Self::Redis(connection) => {
                let mut connection = connection.clone();
                let info: String = redis_1::cmd("INFO").arg("memory").query_async(&mut connection).await.unwrap();
                let used = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
                let used = used.unwrap().trim().parse().unwrap();
                Some(Used { vault: used, sessions: used })
            }
            Self::Postgres(pool) => {
                let size =
                    "SELECT pg_total_relation_size('logto_vault'), pg_total_relation_size('tower_sessions.session')";
                let (vault, sessions) = sqlx_0_8::query_as(size).fetch_one(pool).await.unwrap();
                Some(Used { vault, sessions })
            }
            Self::Sqlite { vault, sessions } => {
                Some(Used { vault: file_size(vault).await, sessions: file_size(sessions).await })
            }
        }
    }
}

async fn file_size(pool: &SqlitePool) -> i64 {
    let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
    sqlx_0_8::query_scalar(size).fetch_one(pool).await.unwrap()
}
