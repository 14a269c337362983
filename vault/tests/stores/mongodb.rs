//! What is particular to MongoDB: its outages, its documents and its index.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use logto_storage_core::BoxFuture;
use logto_vault::store::{Id, Record, Swap, Swapped};
use logto_vault::{MongoVault, VaultStore};
use mongodb_3::bson::{DateTime, Document, doc};
use mongodb_3::options::{Acknowledgment, ClientOptions, WriteConcern};
use mongodb_3::{Client, Collection};
use servers::{Mongodb, NetworkFault, Proxy, Trials};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::fixture::{LIMIT, LONG, assert_fields, block_on, chain, change, create, field, read, record};

/// A server with a database that is gone after the test.
pub(crate) struct Server(Mongodb);

impl Drop for Server {
    fn drop(&mut self) {
        if self.0.is_own() {
            return;
        }
        let (url, database) = (self.0.url().to_owned(), self.0.database().to_owned());
        let dropping = async move { Client::with_uri_str(url).await?.database(&database).drop().await };
        // The test's own runtime may be the one that this runs on.
        let dropped = std::thread::spawn(|| Runtime::new().unwrap().block_on(dropping)).join();
        assert!(dropped.is_ok_and(|dropped| dropped.is_ok()) || std::thread::panicking(), "the database stays");
    }
}

/// Connects to a MongoDB that the tests of the contract share, which ends with the last of them.
pub(crate) fn open() -> BoxFuture<'static, (Arc<Server>, MongoVault)> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    Box::pin(async {
        let mongodb = {
            let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
            shared.upgrade().unwrap_or_else(|| {
                let mongodb = Arc::new(Server(Mongodb::start()));
                *shared = Arc::downgrade(&mongodb);
                mongodb
            })
        };
        // Many writers wait for a few connections, and secantusdb takes its time.
        let store = connect(&mongodb.0).await.with_timeout(LIMIT);
        (mongodb, store)
    })
}

pub(crate) fn trials() -> Trials {
    servers::trials! {
        |test| block_on(test());
        Mongodb::available() => [
            index_is_created_once_by_many_at_once,
            record_that_has_expired_is_one_document_until_it_is_replaced,
            own_database_is_used_and_written_to_by_majority,
            damaged_record_is_an_error,
            errors_and_debug_output_have_no_password,
        ];
        Mongodb::own_available() => [
            expired_records_are_deleted,
            swap_whose_answer_is_lost_is_not_sent_again,
            creation_whose_answer_is_lost_is_done_when_it_is_sent_again,
            call_fails_if_mongodb_does_not_answer,
            connection_without_an_answer_is_not_used_again,
            store_works_again_after_mongodb_was_killed,
            store_works_again_after_mongodb_was_paused,
        ];
    }
}

async fn connect(mongodb: &Mongodb) -> MongoVault {
    let store = MongoVault::connect(mongodb.url()).await.unwrap();
    store.create_index().await.unwrap();
    store
}

/// A URL that leads through a proxy only, whatever the server says about itself.
fn through(proxy: &Proxy) -> String {
    format!("mongodb://127.0.0.1:{}/test?directConnection=true", proxy.port())
}

async fn raw(mongodb: &Mongodb) -> Collection<Document> {
    let client = Client::with_uri_str(mongodb.url()).await.unwrap();
    client.database(mongodb.database()).collection("logto_vault")
}

async fn index_is_created_once_by_many_at_once() {
    let server = Server(Mongodb::start());
    let mut creations = JoinSet::new();
    for _ in 0..8 {
        let store = MongoVault::connect(server.0.url()).await.unwrap().with_timeout(LIMIT);
        creations.spawn(async move { store.create_index().await });
    }
    for created in creations.join_all().await {
        created.unwrap();
    }

    let mut indexes = raw(&server.0).await.list_indexes().await.unwrap();
    let mut found = Vec::new();
    while indexes.advance().await.unwrap() {
        let index = indexes.deserialize_current().unwrap();
        found.push((index.keys, index.options.and_then(|options| options.expire_after)));
    }
    assert_eq!(found, [(doc! { "_id": 1 }, None), (doc! { "expires_at": 1 }, Some(Duration::ZERO))]);
}

async fn expired_records_are_deleted() {
    let server = Server(Mongodb::start());
    let (store, records) = (connect(&server.0).await, raw(&server.0).await);
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    let swap = Swap::new([create("k", &k)], Duration::ZERO);
    for _ in 0..10 {
        assert_eq!(store.swap(&Id::random(), &swap).await.unwrap(), Swapped::Done);
    }
    // MongoDB does it once a minute, and this server once a second.
    let deleted = async {
        while records.count_documents(doc! {}).await.unwrap() > 1 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LIMIT, deleted).await.expect("they are deleted");
    assert_fields(&read(&store, &id).await, &[("k", &k)]);
}

async fn record_that_has_expired_is_one_document_until_it_is_replaced() {
    let server = Server(Mongodb::start());
    // Nothing deletes it without the index.
    let store = MongoVault::connect(server.0.url()).await.unwrap();
    let (records, k, new) = (raw(&server.0).await, field("k"), field("new"));
    let replacements: [fn(_) -> Swap; 2] = [|steps| Swap::new(steps, LONG), |steps| Swap::replacing(steps, LONG)];
    for swap in replacements {
        let id = record(&store, &[("k", &k), ("iYQ", &k)]).await;
        let expire = doc! { "$set": { "expires_at": DateTime::from_millis(DateTime::now().timestamp_millis() - 1) } };
        records.update_many(doc! {}, expire).await.unwrap();
        assert_eq!(read(&store, &id).await, Record::default());
        let count = records.count_documents(doc! {}).await.unwrap();

        let swap = swap([create("k", &new)]);
        assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);

        assert_eq!(records.count_documents(doc! {}).await.unwrap(), count);
        assert_fields(&read(&store, &id).await, &[("k", &new)]);
    }
}

async fn swap_whose_answer_is_lost_is_not_sent_again() {
    let mongodb = Mongodb::start_replica_set();
    let proxy = Proxy::start(mongodb.port(), "updates").await;
    // As the driver has it by default.
    let store = MongoVault::connect(&format!("{}&retryWrites=true", through(&proxy))).await.unwrap();
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let sent = proxy.count();
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);

    proxy.fail(NetworkFault::CutResponseWith("nModified"));
    assert!(store.swap(&id, &swap).await.is_err());

    assert_fields(&read(&store, &id).await, &[("iYQ", &b)]);
    assert_eq!(proxy.count() - sent, 1);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done, "the caller may send it again");
}

async fn creation_whose_answer_is_lost_is_done_when_it_is_sent_again() {
    let mongodb = Mongodb::start();
    let proxy = Proxy::start(mongodb.port(), "updates").await;
    let store = MongoVault::connect(&through(&proxy)).await.unwrap();
    let (id, k) = (Id::random(), field("k"));
    let swap = Swap::new([create("k", &k)], LONG);

    proxy.fail(NetworkFault::CutResponseWith("nModified"));
    assert!(store.swap(&id, &swap).await.is_err());

    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("k", &k)]);
}

async fn call_fails_if_mongodb_does_not_answer() {
    let mongodb = Mongodb::start();
    let proxy = Proxy::start(mongodb.port(), "updates").await;
    let store = MongoVault::connect(&through(&proxy)).await.unwrap();
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;

    proxy.fail(NetworkFault::LoseResponseWith("nModified"));
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    let swapped = timeout(LIMIT, store.swap(&id, &swap)).await.expect("it does not wait without end");

    assert!(swapped.is_err());
    let connecting = MongoVault::connect("mongodb://127.0.0.1:1/test");
    assert!(timeout(LIMIT, connecting).await.expect("nor for a connection").is_err());
}

async fn connection_without_an_answer_is_not_used_again() {
    let mongodb = Mongodb::start();
    let proxy = Proxy::start(mongodb.port(), "updates").await;
    let store = MongoVault::connect(&format!("{}&maxPoolSize=1", through(&proxy))).await.unwrap();
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;

    proxy.fail(NetworkFault::LoseResponseWith("nModified"));
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    assert!(store.clone().with_timeout(Duration::from_millis(500)).swap(&id, &swap).await.is_err());

    assert_fields(&read(&store, &id).await, &[("iYQ", &b)]);
}

async fn store_works_again_after_mongodb_was_killed() {
    let mut server = Server(Mongodb::start());
    let store = connect(&server.0).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;

    server.0.kill();
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);
    assert!(timeout(LIMIT, store.swap(&id, &swap)).await.expect("it does not wait without end").is_err());
    assert!(store.read(&id, None).await.is_err());
    server.0.restart();

    let works = async { while store.read(&id, None).await.is_err() {} };
    timeout(LIMIT, works).await.expect("it reconnects");
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
}

async fn store_works_again_after_mongodb_was_paused() {
    let server = Server(Mongodb::start());
    let store = connect(&server.0).await;
    let (a, b) = (field("a"), field("b"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let swap = Swap::new([change("iYQ", &a, &b)], LONG);

    server.0.pause();
    let calls = async { tokio::join!(store.read(&id, None), store.swap(&id, &swap), store.end(&id, None, LONG)) };
    let (read_it, swapped, ended) = timeout(LIMIT, calls).await.expect("they do not wait without end");
    assert!(read_it.is_err() && swapped.is_err() && ended.is_err());
    server.0.resume();

    let works = async { while store.read(&id, None).await.is_err() {} };
    timeout(LIMIT, works).await.expect("it works again");
}

async fn own_database_is_used_and_written_to_by_majority() {
    let server = Server(Mongodb::start());
    let mut options = ClientOptions::parse(server.0.url()).await.unwrap();
    let nothing = WriteConcern::builder().w(Acknowledgment::Nodes(0)).build();
    options.write_concern = Some(nothing);
    let store = MongoVault::new(&Client::with_options(options).unwrap().database(server.0.database()));

    // Without an acknowledgement, nobody could tell whether it is done.
    let id = record(&store, &[("k", &field("k"))]).await;

    let document = raw(&server.0).await.find_one(doc! {}).await.unwrap().expect("a document");
    let keys: Vec<_> = document.keys().map(String::as_str).collect();
    assert_eq!(keys, ["_id", "fields", "expires_at"]);
    assert_eq!(format!("Id({})", document.get_str("_id").unwrap()), format!("{id:?}"));
}

async fn damaged_record_is_an_error() {
    let server = Server(Mongodb::start());
    let (store, records) = (connect(&server.0).await, raw(&server.0).await);
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    for fields in [doc! { "k": 1 }, doc! { "k": { "version": 1, "content": 1 } }] {
        records.update_one(doc! {}, doc! { "$set": { "fields": &fields } }).await.unwrap();
        assert!(store.read(&id, None).await.is_err(), "{fields}");
        let swap = Swap::new([change("k", &k, &field("new"))], LONG);
        assert!(store.swap(&id, &swap).await.is_err(), "{fields}");
    }
}

async fn errors_and_debug_output_have_no_password() {
    let server = Server(Mongodb::start());
    let urls = [
        "mongodb://app:hunter2@127.0.0.1:1/test",
        "mongodb://app:hunter2@127.0.0.1:1",
        "mongodb://app:hunter2@127.0.0.1:port/test",
        "mongodb://app:hunter2:@127.0.0.1/test",
        "mongodb://app:hunter2/@127.0.0.1/test",
        "mongodb://app:hunter2@127.0.0.1/test?authMechanism=hunter2",
        "http://app:hunter2@127.0.0.1/test",
    ];
    for url in urls {
        let error = MongoVault::connect(url).await.unwrap_err();
        assert!(!chain(&error).contains("hunter2"), "{error:?}");
    }
    let store = MongoVault::connect(server.0.url()).await.unwrap();
    let namespace = format!("{}.logto_vault", server.0.database());
    assert_eq!(format!("{store:?}"), format!("MongoVault {{ collection: {namespace:?}, .. }}"));
}
