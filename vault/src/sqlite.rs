//! Records in SQLite.
//!
//! Each field is a row, and a record the rows of an id. They share the time at which they expire, in milliseconds since
//! 1970. It is this machine's time, as SQLite's own would be.
//!
//! A change is a transaction whose first statement writes: it waits for the write lock as `BEGIN IMMEDIATE` does, so that
//! nothing changes between the transaction's read and its write. `BEGIN IMMEDIATE` itself is not safe with sqlx 0.8.6: a
//! future dropped within `begin_with` can leave a transaction open (`sqlx-sqlite`, `transaction.rs`), and the database
//! locked for good. `begin` rolls back.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use sqlx_0_8::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteExecutor, SqliteJournalMode, SqlitePoolOptions};
use sqlx_0_8::{Error, Row, Sqlite, SqlitePool, Transaction, query, raw_sql};
use tokio::time::{Instant, sleep};

use crate::store::{self, GUARD, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

/// How long to wait for a connection.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a connection waits for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);
/// SQLite's code for a lock that another connection holds.
const SQLITE_BUSY: u32 = 5;
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// Each is a thread. One of them writes at a time.
const MAX_CONNECTIONS: u32 = 4;

/// From how many records one statement deletes what has expired. Other writers wait for it.
const SWEEP_SIZE: i64 = 1000;

const SCHEMA: &str = include_str!("sqlite.sql");

const READ: &str = "SELECT name, field, expires_at FROM logto_vault WHERE id = ? AND expires_at > ?";

const PUT: &str = "
INSERT INTO logto_vault (id, name, field, expires_at) VALUES (?, ?, ?, ?)
ON CONFLICT (id, name) DO UPDATE SET field = excluded.field, expires_at = excluded.expires_at";

const EXPIRE: &str = "UPDATE logto_vault SET expires_at = ?2 WHERE id = ?1 AND expires_at <> ?2";

/// The first statement of a change.
const DELETE_EXPIRED: &str = "DELETE FROM logto_vault WHERE id = ? AND expires_at <= ?";

const DELETE: &str = "DELETE FROM logto_vault WHERE id = ?";

const SWEEP: &str = "
DELETE FROM logto_vault
WHERE id IN (SELECT DISTINCT id FROM logto_vault WHERE expires_at <= ?1 LIMIT ?2) AND expires_at <= ?1
RETURNING id";

/// A [`VaultStore`] in a SQLite file, for apps whose processes all run on one machine. Requires the feature
/// `sqlite-sqlx-0_8`.
///
/// Clones share one pool of connections. A read does not wait for a write.
///
/// ```no_run
/// use logto_vault::SqliteVault;
///
/// # async fn connect() -> Result<(), logto_vault::store::StoreError> {
/// let store = SqliteVault::connect("sqlite://vault.db").await?;
/// store.create_table().await?;
/// # Ok(())
/// # }
/// ```
///
/// # The table
///
/// [`create_table`](Self::create_table) creates the table. If you have migrations, add this one instead:
///
/// ```sql
#[doc = include_str!("sqlite.sql")]
/// ```
///
/// Expired records are ignored, but stay in the table until you call [`delete_expired`](Self::delete_expired).
///
/// # Durability
///
/// A write that returns `Ok` is on the disk. The file must not be on a network file system, whose locks are not reliable.
///
/// This crate builds SQLite into the app.
#[derive(Clone)]
pub struct SqliteVault {
    pool: SqlitePool,
}

impl SqliteVault {
    /// Opens the database at a `sqlite://` URL, and creates the file if it does not exist.
    ///
    /// The database is in WAL mode from then on. A call fails if it gets no connection within two seconds, or if another
    /// write takes two seconds more. For other settings see [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// Fails if the URL is invalid, or if the file cannot be opened.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Ok(Self::new(connect(url).await.map_err(StoreError::new)?))
    }

    /// Creates a store on a pool with settings of your own.
    ///
    /// - Use WAL mode, so that a read does not wait for a write, and leave `synchronous` at `full`, its default.
    /// - Limit the pool's `acquire_timeout`, which is 30 seconds by default. The `busy_timeout` is 5 seconds.
    /// - Several connections need a file: a database in memory is locked as a whole. Use [`MemoryVault`](crate::MemoryVault)
    ///   in tests.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use logto_vault::SqliteVault;
    /// # use sqlx_0_8 as sqlx;
    /// use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};
    ///
    /// # async fn connect() -> sqlx::Result<()> {
    /// let options = SqliteConnectOptions::new()
    ///     .filename("/var/lib/app/vault.db")
    ///     .journal_mode(SqliteJournalMode::Wal)
    ///     .busy_timeout(Duration::from_secs(2));
    /// let pool = SqlitePoolOptions::new().acquire_timeout(Duration::from_secs(2)).connect_with(options).await?;
    /// let store = SqliteVault::new(pool);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// Creates the [table](Self#the-table) if it does not exist.
    ///
    /// Call it when the app starts. Several processes may call it at once.
    ///
    /// # Errors
    ///
    /// Fails if the database cannot be written.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        raw_sql(SCHEMA).execute(&self.pool).await.map_err(StoreError::new)?;
        Ok(())
    }

    /// Deletes the records that have expired, and returns how many there were.
    ///
    /// Call it from time to time, for instance every hour. Several processes may call it at once.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # async fn start(store: logto_vault::SqliteVault) {
    /// tokio::spawn(async move {
    ///     loop {
    ///         if let Err(error) = store.delete_expired().await {
    ///             eprintln!("could not delete expired records: {error}");
    ///         }
    ///         tokio::time::sleep(Duration::from_secs(60 * 60)).await;
    ///     }
    /// });
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if the database fails. Some of the records may then have been deleted.
    pub async fn delete_expired(&self) -> Result<u64, StoreError> {
        let mut total = 0;
        loop {
            let sweep = query(SWEEP).bind(now()).bind(SWEEP_SIZE);
            let fields = sweep.fetch_all(&self.pool).await.map_err(StoreError::new)?;
            if fields.is_empty() {
                return Ok(total);
            }
            let ids: Result<HashSet<Vec<u8>>, _> = fields.iter().map(|field| field.try_get(0)).collect();
            total += u64::try_from(ids.map_err(StoreError::new)?.len()).unwrap_or_default();
        }
    }

    async fn compare_and_change(&self, id: &Id, swap: &Swap) -> Result<Swapped, Error> {
        let now = now();
        let mut transaction = self.lock(id, now).await?;
        let (fields, expires_at) = fields(&mut *transaction, id, now).await?;
        if let Some(swapped) = swap.judge(&fields) {
            return Ok(swapped);
        }
        let until = after(now, swap.lifetime);
        let old = expires_at.filter(|_| !swap.replaces);
        apply(&mut transaction, id, swap, old, until).await?;
        transaction.commit().await?;
        Ok(Swapped::Done)
    }

    async fn replace_by_marker(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, Error> {
        let now = now();
        let mut transaction = self.lock(id, now).await?;
        let (mut fields, expires_at) = fields(&mut *transaction, id, now).await?;
        let guard = fields.remove(GUARD);
        if expected.is_some() && guard.as_deref().and_then(Version::of) != expected {
            return Ok(Swapped::Conflict(vec![guard]));
        }
        if expires_at.is_some() {
            query(DELETE).bind(&id.as_bytes()[..]).execute(&mut *transaction).await?;
            put(&mut transaction, id, GUARD, Version::random().as_bytes(), after(now, keep)).await?;
            transaction.commit().await?;
        }
        Ok(Swapped::Done)
    }

    /// Begins a transaction that holds the write lock.
    async fn lock(&self, id: &Id, now: i64) -> Result<Transaction<'static, Sqlite>, Error> {
        let mut transaction = self.pool.begin().await?;
        query(DELETE_EXPIRED).bind(&id.as_bytes()[..]).bind(now).execute(&mut *transaction).await?;
        Ok(transaction)
    }
}

async fn connect(url: &str) -> Result<SqlitePool, Error> {
    let options = SqliteConnectOptions::from_str(url)?
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(BUSY_TIMEOUT);
    let pool = SqlitePoolOptions::new().max_connections(MAX_CONNECTIONS).acquire_timeout(CONNECTION_TIMEOUT);
    let deadline = Instant::now() + CONNECTION_TIMEOUT;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            // Another process switches a new file to WAL mode. SQLite does not wait for that, whatever its time-out.
            Err(error) if is_busy(&error) && Instant::now() < deadline => sleep(BUSY_PAUSE).await,
            result => return result,
        }
    }
}

fn is_busy(error: &Error) -> bool {
    // The last byte is the error, and the others its detail.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xFF == SQLITE_BUSY)
}

impl fmt::Debug for SqliteVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteVault").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}

impl store::sealed::Sealed for SqliteVault {}

impl VaultStore for SqliteVault {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        let now = now();
        let (mut fields, expires_at) = fields(&self.pool, id, now).await.map_err(StoreError::new)?;
        if let Some(names) = names {
            fields.retain(|name, _| names.contains(&&**name));
        }
        let remaining = expires_at.map(|expires_at| Duration::from_millis(expires_at.abs_diff(now)));
        Ok(Record { fields, remaining })
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        swap.check()?;
        self.compare_and_change(id, swap).await.map_err(StoreError::new)
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.replace_by_marker(id, expected, keep).await.map_err(StoreError::new)
    }
}

/// Reads the fields of a record, and when they expire.
async fn fields(
    database: impl SqliteExecutor<'_>,
    id: &Id,
    now: i64,
) -> Result<(HashMap<String, Vec<u8>>, Option<i64>), Error> {
    let rows = query(READ).bind(&id.as_bytes()[..]).bind(now).fetch_all(database).await?;
    let expires_at = rows.first().map(|row| row.try_get(2)).transpose()?;
    let fields: Result<_, Error> = rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect();
    Ok((fields?, expires_at))
}

/// Applies a swap to a record that expires at `old`, or to none.
async fn apply(
    database: &mut SqliteConnection,
    id: &Id,
    swap: &Swap,
    old: Option<i64>,
    until: i64,
) -> Result<(), Error> {
    let expires_at = old.map_or(until, |old| old.max(until));
    if swap.replaces {
        query(DELETE).bind(&id.as_bytes()[..]).execute(&mut *database).await?;
    }
    for step in &swap.steps {
        if let Some(field) = &step.put {
            put(database, id, &step.name, field, expires_at).await?;
        }
    }
    query(EXPIRE).bind(&id.as_bytes()[..]).bind(expires_at).execute(database).await?;
    Ok(())
}

async fn put(database: &mut SqliteConnection, id: &Id, name: &str, field: &[u8], expires_at: i64) -> Result<(), Error> {
    query(PUT).bind(&id.as_bytes()[..]).bind(name).bind(field).bind(expires_at).execute(database).await?;
    Ok(())
}

/// The time in milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    since.as_millis().try_into().unwrap_or(i64::MAX)
}

fn after(now: i64, lifetime: Duration) -> i64 {
    now.saturating_add(store::bounded(lifetime).as_millis().try_into().unwrap_or(i64::MAX))
}
