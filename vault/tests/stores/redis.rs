//! What is particular to Redis: its outages, its scripts and its memory.

use logto_storage_core::BoxFuture;
use logto_vault::store::{Id, Record, Step, Swap, Swapped, Version};
use logto_vault::{RedisVault, VaultStore};
use redis_1::aio::MultiplexedConnection;
use redis_1::{FromRedisValue, cmd};
use servers::{NetworkFault, Proxy, Redis, Trials};
use tokio::time::timeout;

use crate::fixture::{
    LIMIT, LONG, assert_fields, block_on, chain, change, create, field, look, read, record, replace, swap,
};

/// Starts a Redis, and connects to it.
pub(crate) fn open() -> BoxFuture<'static, (Redis, RedisVault)> {
    Box::pin(async {
        let redis = Redis::start(&[]);
        let store = connect(redis.port()).await;
        (redis, store)
    })
}

/// Starts a Valkey, and connects to it.
pub(crate) fn open_valkey() -> BoxFuture<'static, (Redis, RedisVault)> {
    Box::pin(async {
        let valkey = Redis::start_valkey(&[]);
        let store = connect(valkey.port()).await;
        (valkey, store)
    })
}

pub(crate) fn trials() -> Trials {
    servers::trials! {
        |test| block_on(test());
        Redis::available() => [
            record_is_one_hash_that_expires,
            swap_whose_answer_is_lost_is_not_sent_again,
            call_fails_if_redis_does_not_answer,
            connection_that_ends_while_idle_is_replaced_before_the_next_call,
            store_works_again_after_redis_was_killed,
            scripts_are_loaded_again_after_they_are_flushed,
            full_redis_refuses_new_fields_and_lets_records_end,
            another_type_of_value_is_an_error,
            own_connection_is_used_with_its_settings,
            errors_and_debug_output_have_no_password,
        ];
    }
}

async fn connect(port: u16) -> RedisVault {
    RedisVault::connect(&format!("redis://127.0.0.1:{port}")).await.unwrap()
}

pub(crate) async fn raw(redis: &Redis) -> MultiplexedConnection {
    redis_1::Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

/// Sends a command of space-separated words.
pub(crate) async fn send<T: FromRedisValue>(redis: &Redis, command: &str) -> T {
    let (name, arguments) = command.split_once(' ').unwrap_or((command, ""));
    let arguments: Vec<_> = arguments.split_terminator(' ').collect();
    cmd(name).arg(arguments).query_async(&mut raw(redis).await).await.unwrap()
}

async fn record_is_one_hash_that_expires() {
    let redis = Redis::start(&[]);
    let store = connect(redis.port()).await;
    let id = Id::from_bytes([0; 16]);
    let swap = Swap::new([create("k", &field("k"))], LONG);

    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
    assert_eq!(store.clone().with_prefix("app:").swap(&id, &swap).await.unwrap(), Swapped::Done);

    let mut keys: Vec<String> = send(&redis, "KEYS *").await;
    keys.sort();
    assert_eq!(keys, ["app:AAAAAAAAAAAAAAAAAAAAAA", "logto:v:AAAAAAAAAAAAAAAAAAAAAA"]);
    assert_eq!(store.end(&id, None, LONG).await.unwrap(), Swapped::Done);
    for key in keys {
        assert_eq!(send::<String>(&redis, &format!("TYPE {key}")).await, "hash");
        assert!(send::<u64>(&redis, &format!("TTL {key}")).await <= LONG.as_secs());
    }
}

async fn swap_whose_answer_is_lost_is_not_sent_again() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port(), "EVALSHA").await;
    let store = connect(proxy.port()).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let sent = proxy.count();
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);

    proxy.fail(NetworkFault::CutResponse { after: 0 });
    assert!(store.swap(&id, &swap).await.is_err());

    assert_fields(&read(&store, &id).await, &[("iYQ", &b)]);
    assert_eq!(proxy.count() - sent, 1);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done, "the caller may send it again");
}

async fn call_fails_if_redis_does_not_answer() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port(), "EVALSHA").await;
    let store = connect(proxy.port()).await;
    let id = record(&store, &[("iYQ", &field("a"))]).await;

    proxy.fail(NetworkFault::LoseResponse { after: 0 });
    let swap = Swap::new([Step::look("iYg", None)], LONG);
    let calls = async { tokio::join!(store.read(&id, None), store.swap(&id, &swap), store.end(&id, None, LONG)) };

    let (read, swapped, ended) = timeout(LIMIT, calls).await.expect("they do not wait for an answer without end");
    assert!(read.is_err() && swapped.is_err() && ended.is_err());
    assert!(timeout(LIMIT, RedisVault::connect("redis://127.0.0.1:1")).await.expect("nor for a connection").is_err());
}

async fn connection_that_ends_while_idle_is_replaced_before_the_next_call() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port(), "EVALSHA").await;
    let store = connect(proxy.port()).await;
    let id = record(&store, &[("iYQ", &field("a"))]).await;

    let _: u64 = send(&redis, "CLIENT KILL TYPE normal").await;
    timeout(LIMIT, proxy.connections(2)).await.expect("it is replaced");

    assert!(store.read(&id, None).await.is_ok());
}

async fn store_works_again_after_redis_was_killed() {
    let mut redis = Redis::start(&[]);
    let store = connect(redis.port()).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;

    redis.kill();
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    assert!(store.swap(&id, &swap).await.is_err());
    assert!(store.read(&id, None).await.is_err());
    redis.restart();

    let works = async { while store.read(&id, None).await.is_err() {} };
    timeout(LIMIT, works).await.expect("it reconnects");
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
}

async fn scripts_are_loaded_again_after_they_are_flushed() {
    let redis = Redis::start(&[]);
    let store = connect(redis.port()).await;
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;

    let _: () = send(&redis, "SCRIPT FLUSH").await;

    assert_eq!(swap(&store, &id, [create("iYQ", &field("a"))]).await, Swapped::Done);
    assert_eq!(store.end(&id, Version::of(&k), LONG).await.unwrap(), Swapped::Done);
}

async fn full_redis_refuses_new_fields_and_lets_records_end() {
    let redis = Redis::start(&["--maxmemory-policy", "noeviction"]);
    let store = connect(redis.port()).await;
    let (k, a, new) = (field("k"), field("a"), field("new"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;
    let nowhere = Id::random();
    // The scripts are loaded, and the memory is used up.
    assert_eq!(store.end(&nowhere, None, LONG).await.unwrap(), Swapped::Done);
    let _: () = send(&redis, "CONFIG SET maxmemory 1").await;

    let refused = [
        (id, Swap::new([look("k", &k), change("iYQ", &a, &new)], LONG)),
        (nowhere, Swap::new([create("k", &new)], LONG)),
        (nowhere, Swap::replacing([create("k", &new)], LONG)),
    ];
    for (id, swap) in refused {
        let error = store.swap(&id, &swap).await.unwrap_err();
        assert!(chain(&error).contains("OOM"), "{swap:?}: {error:?}");
    }
    assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &a)]);
    assert_eq!(read(&store, &nowhere).await, Record::default());

    // What takes the place of something else is not refused.
    assert_eq!(replace(&store, &id, [change("k", &k, &new), look("iYQ", &a)]).await, Swapped::Done);
    assert_eq!(store.end(&id, Version::of(&new), LONG).await.unwrap(), Swapped::Done);
    let ended = read(&store, &id).await;
    assert!(ended.fields.keys().eq(["k"]) && ended.remaining.is_some(), "{ended:?}");
}

async fn another_type_of_value_is_an_error() {
    let redis = Redis::start(&[]);
    let store = connect(redis.port()).await;
    let _: () = send(&redis, "SET logto:v:AAAAAAAAAAAAAAAAAAAAAA value").await;
    let id = Id::from_bytes([0; 16]);

    assert!(store.read(&id, None).await.is_err());
    assert!(store.read(&id, Some(&["k"])).await.is_err());
    assert!(store.swap(&id, &Swap::new([create("k", &field("k"))], LONG)).await.is_err());
    assert!(store.end(&id, Version::of(&field("k")), LONG).await.is_err());
    assert_eq!(send::<String>(&redis, "GET logto:v:AAAAAAAAAAAAAAAAAAAAAA").await, "value");
}

async fn own_connection_is_used_with_its_settings() {
    let redis = Redis::start(&[]);
    let client = redis_1::Client::open(format!("{}/2", redis.url())).unwrap();
    let store = RedisVault::new(client.get_connection_manager().await.unwrap());

    record(&store, &[("k", &field("k"))]).await;

    assert_eq!(send::<u64>(&redis, "DBSIZE").await, 0, "it is in another database");
}

async fn errors_and_debug_output_have_no_password() {
    let redis = Redis::start(&["--requirepass", "correct horse"]);
    let port = redis.port();
    let urls = [
        format!("redis://:hunter2@127.0.0.1:{port}"),
        "redis://:hunter2@127.0.0.1:1".to_owned(),
        "redis://:hunter2@[::".to_owned(),
        "hunter2://127.0.0.1".to_owned(),
    ];
    for url in urls {
        let error = RedisVault::connect(&url).await.unwrap_err();
        assert!(!chain(&error).contains("hunter2"), "{error:?}");
    }
    let store = RedisVault::connect(&format!("redis://:correct%20horse@127.0.0.1:{port}")).await.unwrap();
    assert_eq!(format!("{store:?}"), r#"RedisVault { prefix: "logto:v:", .. }"#);
}
