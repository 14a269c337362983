//! What is particular to SQLite: its file, its locks and its table.

use std::path::Path;
use std::time::Duration;

use logto_storage_core::BoxFuture;
use logto_vault::store::{Id, Record, Swap, Swapped};
use logto_vault::{SqliteVault, VaultStore};
use servers::Trials;
use sqlx_0_8::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx_0_8::{SqlitePool, query_scalar, raw_sql};
use tempfile::TempDir;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::fixture::{LIMIT, LONG, assert_fields, block_on, chain, change, create, field, read, record};
use crate::races::increment_from_all;

/// Opens a database in a folder of its own.
pub(crate) fn open() -> BoxFuture<'static, (TempDir, SqliteVault)> {
    Box::pin(async {
        let folder = tempfile::tempdir().unwrap();
        let store = connect(folder.path()).await;
        (folder, store)
    })
}

pub(crate) fn trials() -> Trials {
    servers::trials! {
        |test| block_on(test());
        Ok(()) => [
            no_increment_is_lost_between_two_pools,
            file_and_table_are_created_once_by_many_at_once,
            new_file_that_is_locked_is_opened_when_the_lock_is_gone,
            new_file_that_stays_locked_is_an_error,
            sweeps_at_once_delete_what_has_expired,
            record_that_has_expired_stays_until_it_is_replaced,
            record_outlives_the_process,
            read_does_not_wait_for_a_write,
            swap_that_waits_too_long_for_a_lock_is_never_applied,
            swap_that_is_not_waited_for_holds_no_lock,
            own_pool_is_used_with_its_settings,
            damaged_file_is_an_error,
            debug_output_has_no_url,
        ];
    }
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("vault.db").display())
}

async fn connect(folder: &Path) -> SqliteVault {
    let store = SqliteVault::connect(&url(folder)).await.unwrap();
    store.create_table().await.unwrap();
    store
}

async fn raw(folder: &Path) -> SqlitePool {
    SqlitePool::connect(&url(folder)).await.unwrap()
}

async fn count(pool: &SqlitePool) -> i64 {
    query_scalar("SELECT count(*) FROM logto_vault").fetch_one(pool).await.unwrap()
}

async fn no_increment_is_lost_between_two_pools() {
    let folder = tempfile::tempdir().unwrap();
    let stores = [connect(folder.path()).await, connect(folder.path()).await];
    increment_from_all(&stores).await;
}

async fn file_and_table_are_created_once_by_many_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut creations = JoinSet::new();
    for _ in 0..8 {
        let url = url(folder.path());
        creations.spawn(async move { SqliteVault::connect(&url).await?.create_table().await });
    }
    for created in creations.join_all().await {
        created.unwrap();
    }
    // What is there stays.
    let store = connect(folder.path()).await;
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    store.create_table().await.unwrap();
    assert_fields(&read(&store, &id).await, &[("k", &k)]);
}

async fn new_file_that_is_locked_is_opened_when_the_lock_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (url, other) = (url(folder.path()), locked(folder.path()).await);

    let mut opening = tokio::spawn(async move { SqliteVault::connect(&url).await });

    assert!(timeout(Duration::from_millis(200), &mut opening).await.is_err(), "it waits");
    raw_sql("COMMIT").execute(&other).await.unwrap();
    timeout(LIMIT, opening).await.unwrap().unwrap().unwrap();
}

async fn new_file_that_stays_locked_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let _other = locked(folder.path()).await;

    timeout(LIMIT, SqliteVault::connect(&url(folder.path()))).await.unwrap().unwrap_err();
}

/// Creates a file with a lock that SQLite does not wait for while it switches the file to WAL mode.
async fn locked(folder: &Path) -> SqlitePool {
    let options: SqliteConnectOptions = url(folder).parse().unwrap();
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options.create_if_missing(true)).await.unwrap();
    raw_sql("BEGIN IMMEDIATE").execute(&pool).await.unwrap();
    pool
}

async fn sweeps_at_once_delete_what_has_expired() {
    let folder = tempfile::tempdir().unwrap();
    let (store, pool) = (connect(folder.path()).await, raw(folder.path()).await);
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    let sql = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 5500)
        INSERT INTO logto_vault (id, name, field, expires_at)
        SELECT CAST(n AS BLOB), name, x'', 1 FROM numbers, (SELECT 'k' AS name UNION SELECT 'iYQ')";
    raw_sql(sql).execute(&pool).await.unwrap();

    let mut sweeps = JoinSet::new();
    for _ in 0..4 {
        let store = store.clone();
        sweeps.spawn(async move { store.delete_expired().await.unwrap() });
    }

    assert_eq!(sweeps.join_all().await.into_iter().sum::<u64>(), 5500);
    assert_eq!(count(&pool).await, 1);
    assert_fields(&read(&store, &id).await, &[("k", &k)]);
    assert_eq!(store.delete_expired().await.unwrap(), 0);
}

async fn record_that_has_expired_stays_until_it_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (store, pool) = (connect(folder.path()).await, raw(folder.path()).await);
    let (k, new) = (field("k"), field("new"));
    let id = record(&store, &[("k", &k), ("iYQ", &k)]).await;
    raw_sql("UPDATE logto_vault SET expires_at = 1").execute(&pool).await.unwrap();

    assert_eq!(read(&store, &id).await, Record::default());
    assert_eq!(count(&pool).await, 2);
    let swap = Swap::new([create("k", &new)], LONG);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);

    assert_eq!(count(&pool).await, 1);
    assert_fields(&read(&store, &id).await, &[("k", &new)]);
}

async fn record_outlives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let k = field("k");
    let id = {
        let store = connect(folder.path()).await;
        record(&store, &[("k", &k)]).await
    };
    assert_fields(&read(&connect(folder.path()).await, &id).await, &[("k", &k)]);
}

async fn read_does_not_wait_for_a_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = connect(folder.path()).await;
    let a = field("a");
    let id = record(&store, &[("iYQ", &a)]).await;
    // Without WAL, nobody else could read now.
    let write = raw(folder.path()).await.begin_with("BEGIN EXCLUSIVE").await.unwrap();

    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
    write.rollback().await.unwrap();
}

async fn swap_that_waits_too_long_for_a_lock_is_never_applied() {
    let folder = tempfile::tempdir().unwrap();
    let store = connect(folder.path()).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let lock = raw(folder.path()).await.begin_with("BEGIN EXCLUSIVE").await.unwrap();

    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    let error = timeout(LIMIT, store.swap(&id, &swap)).await.expect("it does not wait without end").unwrap_err();
    lock.rollback().await.unwrap();

    assert!(chain(&error).contains("locked"), "{error:?}");
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done, "it works again");
}

async fn swap_that_is_not_waited_for_holds_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let store = connect(folder.path()).await;
    let mut fields = [field("0"), field("1")];
    let id = record(&store, &[("iYQ", &fields[0])]).await;
    for micros in (0..1000).step_by(20) {
        let swap = Swap::new([change("iYQ", &fields[0], &fields[1])], LONG);
        let _ = timeout(Duration::from_micros(micros), store.swap(&id, &swap)).await;
        // Applied or not, it may be sent again.
        assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done, "after {micros} µs");
        assert_fields(&read(&store, &id).await, &[("iYQ", &fields[1])]);
        fields = [fields[1].clone(), field("next")];
    }
}

async fn own_pool_is_used_with_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let store = SqliteVault::new(SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap());

    store.create_table().await.unwrap();
    record(&store, &[("k", &field("k"))]).await;

    let files: Vec<_> = folder.path().read_dir().unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["own.db"], "it is not in WAL mode");
}

async fn damaged_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("vault.db"), "not a database, but long enough to have a header".repeat(9))
        .unwrap();
    assert!(SqliteVault::connect(&url(folder.path())).await.is_err());
    assert!(SqliteVault::connect("sqlite:///nowhere/vault.db").await.is_err());

    let folder = tempfile::tempdir().unwrap();
    let store = SqliteVault::connect(&url(folder.path())).await.unwrap();
    let error = store.read(&Id::random(), None).await.unwrap_err();
    assert!(chain(&error).contains("no such table"), "{error:?}");
}

async fn debug_output_has_no_url() {
    let (_folder, store) = open().await;
    assert_eq!(format!("{store:?}"), "SqliteVault { connections: 1, .. }");
}
