//! What is particular to PostgreSQL: its locks, its outages, its pool and its table.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use logto_storage_core::BoxFuture;
use logto_vault::store::{Id, Record, Swap, Swapped};
use logto_vault::{PostgresVault, VaultStore};
use servers::{NetworkFault, Postgres, Proxy, Trials};
use sqlx_0_8::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx_0_8::{PgPool, query_scalar, raw_sql};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::fixture::{LIMIT, LONG, assert_fields, block_on, chain, change, create, field, read, record};
use crate::races::increment_from_all;

/// Connects to a Postgres that the tests of the contract share, which ends with the last of them.
pub(crate) fn open() -> BoxFuture<'static, (Arc<Postgres>, PostgresVault)> {
    static SHARED: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
    Box::pin(async {
        let postgres = {
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            shared.upgrade().unwrap_or_else(|| {
                let postgres = Arc::new(Postgres::start());
                *shared = Arc::downgrade(&postgres);
                postgres
            })
        };
        let store = connect(&postgres.url()).await;
        (postgres, store)
    })
}

pub(crate) fn trials() -> Trials {
    servers::trials! {
        |test| block_on(test());
        Postgres::available() => [
            no_increment_is_lost_between_two_pools,
            no_increment_is_lost_where_serializable_is_the_default,
            table_is_created_once_by_many_at_once,
            sweeps_at_once_delete_what_has_expired,
            record_that_has_expired_is_one_row_until_it_is_replaced,
            swap_whose_answer_is_lost_is_not_sent_again,
            call_fails_if_postgres_does_not_answer,
            connection_without_an_answer_leaves_the_pool,
            swap_that_waits_too_long_for_a_lock_is_never_applied,
            store_works_again_after_postgres_was_killed,
            own_pool_is_used_with_its_settings,
            damaged_field_is_an_error,
            errors_and_debug_output_have_no_password,
        ];
    }
}

async fn connect(url: &str) -> PostgresVault {
    let store = PostgresVault::connect(url).await.unwrap();
    store.create_table().await.unwrap();
    store
}

/// A URL that leads through a proxy.
fn through(proxy: &Proxy) -> String {
    format!("postgres://postgres@127.0.0.1:{}/postgres", proxy.port())
}

async fn raw(postgres: &Postgres) -> PgPool {
    PgPool::connect(&postgres.url()).await.unwrap()
}

async fn count(pool: &PgPool) -> i64 {
    query_scalar("SELECT count(*) FROM logto_vault").fetch_one(pool).await.unwrap()
}

/// Adds expired records.
async fn add_expired(pool: &PgPool, count: i32) {
    let sql = format!(
        "INSERT INTO logto_vault
         SELECT decode(md5(n::text), 'hex'), '{{}}', now() - interval '1 second' FROM generate_series(1, {count}) n"
    );
    raw_sql(&sql).execute(pool).await.unwrap();
}

async fn no_increment_is_lost_between_two_pools() {
    let postgres = Postgres::start();
    let stores = [connect(&postgres.url()).await, connect(&postgres.url()).await];
    increment_from_all(&stores).await;
}

async fn no_increment_is_lost_where_serializable_is_the_default() {
    let postgres = Postgres::start();
    let sql = "ALTER DATABASE postgres SET default_transaction_isolation = 'serializable'";
    raw_sql(sql).execute(&raw(&postgres).await).await.unwrap();
    increment_from_all(&[connect(&postgres.url()).await]).await;
}

async fn table_is_created_once_by_many_at_once() {
    let postgres = Postgres::start();
    let mut creations = JoinSet::new();
    for _ in 0..8 {
        let store = PostgresVault::connect(&postgres.url()).await.unwrap();
        creations.spawn(async move { store.create_table().await });
    }
    for created in creations.join_all().await {
        created.unwrap();
    }
    // What is there stays.
    let store = PostgresVault::connect(&postgres.url()).await.unwrap();
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    store.create_table().await.unwrap();
    assert_fields(&read(&store, &id).await, &[("k", &k)]);
}

async fn sweeps_at_once_delete_what_has_expired() {
    let postgres = Postgres::start();
    let (store, pool) = (connect(&postgres.url()).await, raw(&postgres).await);
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    add_expired(&pool, 5500).await;

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

async fn record_that_has_expired_is_one_row_until_it_is_replaced() {
    let postgres = Postgres::start();
    let (store, pool) = (connect(&postgres.url()).await, raw(&postgres).await);
    let (k, new) = (field("k"), field("new"));
    let id = record(&store, &[("k", &k), ("iYQ", &k)]).await;
    raw_sql("UPDATE logto_vault SET expires_at = now()").execute(&pool).await.unwrap();

    assert_eq!(read(&store, &id).await, Record::default());
    assert_eq!(count(&pool).await, 1);
    let swap = Swap::replacing([create("k", &new)], LONG);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);

    assert_eq!(count(&pool).await, 1);
    assert_fields(&read(&store, &id).await, &[("k", &new)]);
}

async fn swap_whose_answer_is_lost_is_not_sent_again() {
    let postgres = Postgres::start();
    let proxy = Proxy::start(postgres.port(), "UPDATE logto_vault").await;
    let store = connect(&through(&proxy)).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);

    proxy.fail(NetworkFault::CutResponseWith("UPDATE 1"));
    assert!(store.swap(&id, &swap).await.is_err());

    assert_fields(&read(&store, &id).await, &[("iYQ", &b)]);
    // A second one would be on another connection, which does not know the statement yet.
    timeout(LIMIT, proxy.connections(2)).await.expect("it is another connection");
    assert_eq!(proxy.count(), 1);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done, "the caller may send it again");
    assert_eq!(proxy.count(), 2);
}

async fn call_fails_if_postgres_does_not_answer() {
    let postgres = Postgres::start();
    let proxy = Proxy::start(postgres.port(), "UPDATE logto_vault").await;
    let store = connect(&through(&proxy)).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;

    proxy.fail(NetworkFault::LoseResponseWith("UPDATE 1"));
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    let swapped = timeout(LIMIT, store.swap(&id, &swap)).await.expect("it does not wait without end");

    assert!(swapped.is_err());
    let connecting = PostgresVault::connect("postgres://postgres@127.0.0.1:1");
    assert!(timeout(LIMIT, connecting).await.expect("nor for a connection").is_err());
}

async fn connection_without_an_answer_leaves_the_pool() {
    let postgres = Postgres::start();
    connect(&postgres.url()).await;
    let proxy = Proxy::start(postgres.port(), "UPDATE logto_vault").await;
    let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(2));
    let store = PostgresVault::new(options.connect(&through(&proxy)).await.unwrap());
    let (a, b, c) = (field("a"), field("b"), field("c"));
    let id = record(&store, &[("iYQ", &a)]).await;

    proxy.fail(NetworkFault::LoseResponseWith("UPDATE 1"));
    assert!(store.swap(&id, &Swap::new([change("iYQ", &a, &b)], LONG)).await.is_err());
    assert_fields(&read(&store, &id).await, &[("iYQ", &b)]);

    // The same if the caller does not wait so long.
    proxy.fail(NetworkFault::LoseResponseWith("UPDATE 1"));
    let swap = Swap::new([change("iYQ", &b, &c)], LONG);
    assert!(timeout(Duration::from_secs(1), store.swap(&id, &swap)).await.is_err());
    assert_fields(&read(&store, &id).await, &[("iYQ", &c)]);
}

async fn swap_that_waits_too_long_for_a_lock_is_never_applied() {
    let postgres = Postgres::start();
    let store = connect(&postgres.url()).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let mut lock = raw(&postgres).await.begin().await.unwrap();
    raw_sql("SELECT id FROM logto_vault FOR UPDATE").execute(&mut *lock).await.unwrap();

    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    let error = timeout(LIMIT, store.swap(&id, &swap)).await.expect("it does not wait without end").unwrap_err();
    lock.rollback().await.unwrap();

    assert!(chain(&error).contains("statement timeout"), "{error:?}");
    // Whatever still wants the row has had it once this is done.
    raw_sql("UPDATE logto_vault SET expires_at = expires_at").execute(&raw(&postgres).await).await.unwrap();
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
}

async fn store_works_again_after_postgres_was_killed() {
    let mut postgres = Postgres::start();
    let store = connect(&postgres.url()).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;

    postgres.kill();
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    assert!(timeout(LIMIT, store.swap(&id, &swap)).await.expect("it does not wait without end").is_err());
    assert!(store.read(&id, None).await.is_err());
    postgres.restart();

    let works = async { while store.read(&id, None).await.is_err() {} };
    timeout(LIMIT, works).await.expect("it reconnects");
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
}

async fn own_pool_is_used_with_its_settings() {
    let postgres = Postgres::start();
    let pool = raw(&postgres).await;
    raw_sql("CREATE SCHEMA logto").execute(&pool).await.unwrap();
    let options: PgConnectOptions = postgres.url().parse().unwrap();
    let own = PgPoolOptions::new().connect_with(options.options([("search_path", "logto")])).await.unwrap();
    let store = PostgresVault::new(own);

    store.create_table().await.unwrap();
    record(&store, &[("k", &field("k"))]).await;

    let rows: i64 = query_scalar("SELECT count(*) FROM logto.logto_vault").fetch_one(&pool).await.unwrap();
    assert_eq!(rows, 1);
}

async fn damaged_field_is_an_error() {
    let postgres = Postgres::start();
    let (store, pool) = (connect(&postgres.url()).await, raw(&postgres).await);
    let id = record(&store, &[("k", &field("k"))]).await;
    for items in [r#"{"k": "not base64!"}"#, "[]", "1"] {
        raw_sql(&format!("UPDATE logto_vault SET items = '{items}'")).execute(&pool).await.unwrap();
        assert!(store.read(&id, None).await.is_err(), "{items}");
        let swap = Swap::new([change("k", &field("k"), &field("new"))], LONG);
        assert!(store.swap(&id, &swap).await.is_err(), "{items}");
    }
}

async fn errors_and_debug_output_have_no_password() {
    let postgres = Postgres::start();
    let port = postgres.port();
    // Passwords are asked for from now on.
    let sql = "COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO PROGRAM 'cat > pg_hba.conf';
        CREATE ROLE app LOGIN PASSWORD 'correct horse';
        SELECT pg_reload_conf();";
    raw_sql(sql).execute(&raw(&postgres).await).await.unwrap();
    let asks = async { while PgPool::connect(&postgres.url()).await.is_ok() {} };
    timeout(LIMIT, asks).await.expect("it asks for passwords");
    let urls = [
        format!("postgres://app:hunter2@127.0.0.1:{port}/postgres"),
        "postgres://app:hunter2@127.0.0.1:1/postgres".to_owned(),
        "postgres://app:hunter2@[::/postgres".to_owned(),
        "postgres://app:hunter2@127.0.0.1:port/postgres".to_owned(),
        format!("postgres://app:hunter2@127.0.0.1:{port}/postgres?sslmode=verify-full"),
    ];
    for url in urls {
        let error = PostgresVault::connect(&url).await.unwrap_err();
        assert!(!chain(&error).contains("hunter2"), "{error:?}");
    }

    let url = format!("postgres://app:correct%20horse@127.0.0.1:{port}/postgres");
    let store = PostgresVault::connect(&url).await.unwrap();

    assert_eq!(format!("{store:?}"), "PostgresVault { connections: 1, .. }");
    let error = store.read(&Id::random(), None).await.unwrap_err();
    assert!(chain(&error).contains("logto_vault"), "there is no table: {error:?}");
}
