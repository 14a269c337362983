//! Records in PostgreSQL.
//!
//! A record is a row whose fields are a JSON object of base64, so that a version is the first 16 characters of a field.
//!
//! # Concurrency
//!
//! One statement is the whole compare-and-change. Under READ COMMITTED, a statement that has waited for a row checks its
//! `WHERE` again on the row's newest version. That holds for a scalar sub-select over the row, but not for `EXISTS`, which
//! the planner may turn into a join that is not checked again.
//!
//! # The driver
//!
//! The behaviour of sqlx 0.8 that this file relies on (`sqlx-core`, `pool/inner.rs` and `pool/connection.rs`):
//!
//! - A statement is sent once. Before that, the pool pings an idle connection, and replaces it if it is broken.
//! - Neither an answer nor the ping that follows a cancelled statement has a time limit. A connection whose server has
//!   vanished would therefore keep its place in the pool for many minutes.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sqlx_0_8::pool::PoolConnection;
use sqlx_0_8::postgres::{PgArguments, PgConnectOptions, PgPoolOptions, PgRow};
use sqlx_0_8::query::Query;
use sqlx_0_8::{Error, PgPool, Postgres, Row, query, raw_sql};
use tokio::time::timeout;

use crate::store::{self, GUARD, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

/// How long to wait for a connection, and how long the server works on a statement.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
const STATEMENT_TIMEOUT: &str = "2s";
/// How long to wait for the answer to a statement. Longer than the server's own limit, which leaves no doubt whether the
/// statement had an effect.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// How many expired records one statement deletes.
const SWEEP_SIZE: i64 = 1000;

const SCHEMA: &str = include_str!("postgres.sql");

const READ: &str = "
SELECT extract(epoch FROM expires_at - now())::float8, item.key, item.value
FROM logto_vault LEFT JOIN LATERAL jsonb_each_text(items) AS item ON $2::text[] IS NULL OR item.key = ANY($2)
WHERE id = $1 AND expires_at > now()";

/// Creates a record, or adds to one that has none of the fields. What has expired is replaced.
const CREATE: &str = "
INSERT INTO logto_vault AS record (id, items, expires_at)
VALUES ($1, jsonb_object($3::text[], $4::text[]), now() + $5 * interval '1 second')
ON CONFLICT (id) DO UPDATE SET
    items = CASE WHEN record.expires_at > now() THEN record.items ELSE '{}' END || excluded.items,
    expires_at = greatest(record.expires_at, excluded.expires_at)
WHERE record.expires_at <= now() OR NOT ($6 OR record.items ?| $2::text[])
RETURNING true";

const CHANGE: &str = "
UPDATE logto_vault SET
    items = CASE WHEN $6 THEN '{}' ELSE items END || jsonb_object($3::text[], $4::text[]),
    expires_at = greatest(CASE WHEN NOT $6 THEN expires_at END, now() + $5 * interval '1 second')
WHERE id = $1 AND expires_at > now()
    AND coalesce((
        SELECT bool_and(left(item.value, 16) IS NOT DISTINCT FROM step.version)
        FROM unnest($2::text[], $7::text[]) AS step (name, version)
        LEFT JOIN jsonb_each_text(items) AS item ON item.key = step.name
    ), true)
    AND (NOT $6 OR (SELECT count(*) FROM jsonb_object_keys(items)) = cardinality(array_remove($7::text[], NULL)))
RETURNING true";

const END: &str = "
UPDATE logto_vault SET items = jsonb_build_object($2::text, $3::text), expires_at = now() + $4 * interval '1 second'
WHERE id = $1 AND expires_at > now() AND ($5::text IS NULL OR left(items ->> $2, 16) = $5)
RETURNING true";

/// Passes over rows that another sweep is deleting.
const SWEEP: &str = "
DELETE FROM logto_vault WHERE id = ANY(ARRAY(
    SELECT id FROM logto_vault WHERE expires_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED
))
RETURNING true";

/// A [`VaultStore`] in PostgreSQL. Requires the feature `postgres-sqlx-0_8`, and Rust 1.88.
///
/// Clones share one pool of connections, which replaces broken ones. A record is a row; a call is one statement, or two
/// if it conflicts.
///
/// ```no_run
/// use logto_vault::PostgresVault;
///
/// # async fn connect() -> Result<(), logto_vault::store::StoreError> {
/// let store = PostgresVault::connect("postgres://app:password@127.0.0.1/app").await?;
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
#[doc = include_str!("postgres.sql")]
/// ```
///
/// Expired records are ignored, but stay in the table until you call [`delete_expired`](Self::delete_expired).
///
/// # Durability
///
/// The store keeps what PostgreSQL keeps. With `synchronous_commit = off`, or after a failover to an asynchronous replica,
/// the last writes are lost: users who signed in then are signed out, and users who signed out then may be signed in
/// again. Connect to the primary only: a replica may return a record that has ended.
///
/// # TLS
///
/// This crate enables no TLS. Without it, a URL with `sslmode=require`, `verify-ca` or `verify-full` is an error, and any
/// other connects **without encryption**. Depend on `sqlx` yourself and enable one of its TLS features:
///
/// ```toml
/// sqlx = { version = "0.8", default-features = false, features = ["tls-rustls-aws-lc-rs"] }
/// ```
#[derive(Clone)]
pub struct PostgresVault {
    pool: PgPool,
}

impl PostgresVault {
    /// Connects to the database at a `postgres://` URL, with up to ten connections.
    ///
    /// A call fails if it gets no connection within two seconds, or if the database does not complete a statement within
    /// two seconds more. For other settings, and for a proxy such as `PgBouncer`, see [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// Fails if the URL is invalid, or if the database cannot be reached now.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Ok(Self::new(connect(url).await.map_err(StoreError::new)?))
    }

    /// Creates a store on a pool with settings of your own.
    ///
    /// - Limit the pool's `acquire_timeout`, which is 30 seconds by default, and set a `statement_timeout`. The store itself
    ///   waits three seconds for an answer.
    /// - Leave the isolation level at `read committed`, PostgreSQL's default. At a higher one, concurrent writes fail.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use logto_vault::PostgresVault;
    /// # use sqlx_0_8 as sqlx;
    /// use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
    ///
    /// # async fn connect() -> sqlx::Result<()> {
    /// let options: PgConnectOptions = "postgres://app:password@127.0.0.1/app".parse()?;
    /// let pool = PgPoolOptions::new()
    ///     .max_connections(20)
    ///     .acquire_timeout(Duration::from_secs(2))
    ///     .connect_with(options.options([("statement_timeout", "2s"), ("search_path", "logto")]))
    ///     .await?;
    /// let store = PostgresVault::new(pool);
    /// # Ok(())
    /// # }
    /// ```
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Creates the [table](Self#the-table) if it does not exist.
    ///
    /// Call it when the app starts. Several processes may call it at once.
    ///
    /// # Errors
    ///
    /// Fails if the database fails, or if its user must not create tables.
    pub async fn create_table(&self) -> Result<(), StoreError> {
        // Not `IF NOT EXISTS`, which fails for one of two processes that create a table at once.
        let sql = format!(
            "DO $do$ BEGIN
                PERFORM pg_advisory_xact_lock(hashtext('logto_vault'));
                IF to_regclass('logto_vault') IS NULL THEN {SCHEMA} END IF;
            END $do$"
        );
        let created = timeout(ANSWER_TIMEOUT + CONNECTION_TIMEOUT, raw_sql(&sql).execute(&self.pool)).await;
        created.map_err(StoreError::new)?.map_err(StoreError::new)?;
        Ok(())
    }

    /// Deletes the records that have expired, and returns how many there were.
    ///
    /// Call it from time to time, for instance every hour. Several processes may call it at once.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # async fn start(store: logto_vault::PostgresVault) {
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
            let deleted = self.fetch(query(SWEEP).bind(SWEEP_SIZE)).await.map_err(StoreError::new)?.len();
            if deleted == 0 {
                return Ok(total);
            }
            total += u64::try_from(deleted).unwrap_or_default();
        }
    }

    /// Returns a record's fields of these names, or all of them.
    async fn record(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, Error> {
        let rows = self.fetch(query(READ).bind(&id.as_bytes()[..]).bind(names)).await?;
        let mut record = Record::default();
        for row in rows {
            let remaining = Duration::try_from_secs_f64(row.try_get(0)?);
            record.remaining = Some(remaining.unwrap_or_default());
            // A record without any of the fields is a row without a name.
            if let Some(name) = row.try_get(1)? {
                record.fields.insert(name, decode(row.try_get(2)?)?);
            }
        }
        Ok(record)
    }

    /// Applies a swap if the record is as the steps expect.
    async fn apply(&self, id: &Id, swap: &Swap) -> Result<bool, Error> {
        let names: Vec<_> = swap.steps.iter().map(|step| &*step.name).collect();
        let expected: Vec<_> = swap.steps.iter().map(|step| step.expected.as_ref().map(encode_version)).collect();
        let puts = swap.steps.iter().filter_map(|step| Some((&*step.name, STANDARD_NO_PAD.encode(step.put.as_ref()?))));
        let (put_names, put_fields): (Vec<_>, Vec<_>) = puts.unzip();
        // What is replaced by nothing is to expire at once.
        let lifetime = if swap.replaces && put_names.is_empty() { Duration::ZERO } else { swap.lifetime };

        let creates = !put_names.is_empty() && expected.iter().all(Option::is_none);
        let statement = query(if creates { CREATE } else { CHANGE })
            .bind(&id.as_bytes()[..])
            .bind(names)
            .bind(put_names)
            .bind(put_fields)
            .bind(seconds(lifetime))
            .bind(swap.replaces);
        let statement = if creates { statement } else { statement.bind(expected) };
        Ok(!self.fetch(statement).await?.is_empty())
    }

    async fn compare_and_change(&self, id: &Id, swap: &Swap) -> Result<Swapped, Error> {
        let names: Vec<_> = swap.steps.iter().map(|step| &*step.name).collect();
        // It takes a concurrent change for each further round, such as the end of the lifetime.
        loop {
            if self.apply(id, swap).await? {
                return Ok(Swapped::Done);
            }
            let now = self.record(id, (!swap.replaces).then_some(&*names)).await?;
            if let Some(swapped) = swap.judge(&now.fields) {
                return Ok(swapped);
            }
            if now.remaining.is_none() && swap.steps.iter().all(|step| step.put.is_none()) {
                return Ok(Swapped::Done);
            }
        }
    }

    async fn replace_by_marker(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, Error> {
        let statement = query(END)
            .bind(&id.as_bytes()[..])
            .bind(GUARD)
            .bind(encode_version(&Version::random()))
            .bind(seconds(keep))
            .bind(expected.as_ref().map(encode_version));
        if !self.fetch(statement).await?.is_empty() || expected.is_none() {
            return Ok(Swapped::Done);
        }
        let mut now = self.record(id, Some(&[GUARD])).await?;
        Ok(Swapped::Conflict(vec![now.fields.remove(GUARD)]))
    }

    /// Sends a statement, once.
    async fn fetch(&self, statement: Query<'_, Postgres, PgArguments>) -> Result<Vec<PgRow>, Error> {
        let mut lease = Lease(Some(self.pool.acquire().await?));
        let Some(connection) = &mut lease.0 else { return Err(Error::PoolClosed) };
        let answer = timeout(ANSWER_TIMEOUT, statement.fetch_all(&mut **connection)).await;
        let rows = answer.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        // Back to the pool.
        drop(lease.0.take());
        rows
    }
}

/// A connection that leaves the pool, and is closed, if a statement is not answered.
struct Lease(Option<PoolConnection<Postgres>>);

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.0.take().map(PoolConnection::detach));
    }
}

async fn connect(url: &str) -> Result<PgPool, Error> {
    let options = PgConnectOptions::from_str(url)?;
    let isolation = ("default_transaction_isolation", r"read\ committed");
    PgPoolOptions::new()
        .acquire_timeout(CONNECTION_TIMEOUT)
        .connect_with(options.options([("statement_timeout", STATEMENT_TIMEOUT), isolation]))
        .await
}

impl fmt::Debug for PostgresVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresVault").field("connections", &self.pool.size()).finish_non_exhaustive()
    }
}

impl store::sealed::Sealed for PostgresVault {}

impl VaultStore for PostgresVault {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.record(id, names).await.map_err(StoreError::new)
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        swap.check()?;
        self.compare_and_change(id, swap).await.map_err(StoreError::new)
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.replace_by_marker(id, expected, keep).await.map_err(StoreError::new)
    }
}

/// 12 bytes are 16 characters of base64, without a rest.
fn encode_version(version: &Version) -> String {
    STANDARD_NO_PAD.encode(version.as_bytes())
}

fn decode(field: &str) -> Result<Vec<u8>, Error> {
    STANDARD_NO_PAD.decode(field).map_err(|error| Error::Decode(error.into()))
}

fn seconds(lifetime: Duration) -> f64 {
    store::bounded(lifetime).as_secs_f64()
}
