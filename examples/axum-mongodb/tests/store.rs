//! The store alone, over a real server.

mod common;
#[path = "../src/mongodb_store.rs"]
pub mod mongodb_store;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, DateTime, Document, doc};
use mongodb::event::EventHandler;
use mongodb::event::command::CommandEvent;
use mongodb::options::{Acknowledgment, ClientOptions, IndexOptions, WriteConcern};
use mongodb::{Client, Collection, IndexModel};
use serde_json::{Value, json};
use servers::Mongodb;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tower_sessions::SessionStore;
use tower_sessions::cookie::time::{self, OffsetDateTime};
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::Error;

use crate::common::Database;
use crate::mongodb_store::MongoStore;

/// How long anything may take that is over in a moment, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);
/// How long an operation of the store may take where it is to fail.
const TIMEOUT: Duration = Duration::from_secs(1);
/// How late MongoDB may be in removing what has expired.
const SWEEP: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    servers::run(servers::trials! {
        Mongodb::available() => [
            any_data_comes_back_as_it_went_in,
            the_expiry_comes_back_in_whole_milliseconds,
            a_document_has_a_string_for_an_id_and_a_date,
            create_leaves_a_record_with_its_id_alone,
            create_leaves_even_an_expired_record_alone,
            create_gives_up_in_the_end_and_tells_no_id,
            two_creates_with_one_id_make_two_records,
            save_creates_what_is_not_there,
            save_replaces_the_whole_record,
            saves_of_one_new_id_at_once_all_succeed,
            an_unknown_id_loads_nothing,
            an_expired_record_loads_nothing,
            only_expired_records_are_removed_in_time,
            migrating_again_is_no_error,
            another_index_on_the_expiry_is_an_error,
            delete_removes_that_record_only,
            deleting_an_unknown_id_is_no_error,
            a_corrupt_document_is_an_error_without_its_data,
            a_record_of_a_mebibyte_is_kept,
            the_largest_record_is_kept_and_one_more_byte_is_refused,
            every_write_waits_for_the_journals_of_most_servers,
        ];
        Mongodb::own_available() => [
            what_was_acknowledged_outlives_the_server,
            a_server_that_is_gone_is_an_error_until_it_is_back,
            a_server_that_hangs_is_an_error_until_it_goes_on,
        ];
        Ok(()) => [
            debug_shows_the_collection_and_no_password,
        ];
    })
}

fn any_data_comes_back_as_it_went_in() {
    over_mongodb(async |test| {
        // Which makes 127 levels, with the data itself. A parser refuses more.
        let deep = (0..63).fold(json!("deep"), |value, _| json!([{ "in": value }]));
        let Value::Object(data) = json!({
            "": "",
            "_id": "not the document's",
            "expires": null,
            "a.b": { "c.d": 1, ".": [], "..": {} },
            "$set": { "$gt": { "$": null } },
            "a key with NUL \0": "and a value with NUL \0",
            "text": "\"\\\u{7f}\u{2028}\u{feff}𝄞 é e\u{301} \r\n\t",
            "integers": [u64::MAX, i64::MAX as u64 + 1, i64::MAX, i64::MIN, 0, -1],
            // The last two are some that a parser in a hurry gets wrong.
            "floats": [1.0, -0.0, f64::MAX, f64::MIN_POSITIVE, 5e-324, 31.245_270_191_439_438, 121.487_919_511_619_45],
            "arrays": [[], [[]], [null], [true, false]],
            "deep": deep,
        }) else {
            unreachable!()
        };
        let mut record = record(data.into_iter().collect());

        test.store.create(&mut record).await.unwrap();
        let created = test.load(&record.id).await;
        test.store.save(&record).await.unwrap();
        let saved = test.load(&record.id).await;

        for loaded in [created, saved] {
            // As text: to `==`, -0.0 is 0.0.
            assert_eq!(as_text(&loaded.data), as_text(&record.data));
            assert_eq!(loaded.id, record.id);
        }
    });
}

fn the_expiry_comes_back_in_whole_milliseconds() {
    over_mongodb(async |test| {
        let mut record = record_with("key", "value");
        record.expiry_date = OffsetDateTime::from_unix_timestamp_nanos(4_102_444_800_123_999_999).unwrap();

        test.store.create(&mut record).await.unwrap();

        let expiry = test.load(&record.id).await.expiry_date;
        assert_eq!(expiry.unix_timestamp_nanos(), 4_102_444_800_123_000_000);
    });
}

fn a_document_has_a_string_for_an_id_and_a_date() {
    over_mongodb(async |test| {
        let mut record = record_with("key", "value");
        record.expiry_date = OffsetDateTime::from_unix_timestamp(4_102_444_800).unwrap();

        test.store.create(&mut record).await.unwrap();

        let document = test.documents.find_one(doc! {}).await.unwrap().unwrap();
        let expected = doc! {
            "_id": record.id.to_string(),
            "data": r#"{"key":"value"}"#,
            "expires": DateTime::from_millis(4_102_444_800_000),
        };
        assert_eq!(document, expected);
        // Long before 1970, too, where a part of a second counts forwards.
        record.expiry_date = OffsetDateTime::from_unix_timestamp_nanos(-1_500_000_000).unwrap();
        test.store.save(&record).await.unwrap();
        let document = test.documents.find_one(doc! {}).await.unwrap();
        // The server may have removed it already.
        assert!(document.is_none_or(|it| it.get_datetime("expires").unwrap().timestamp_millis() == -1500));
    });
}

fn create_leaves_a_record_with_its_id_alone() {
    over_mongodb(async |test| {
        let mut first = record_with("whose", "the first's");
        test.store.create(&mut first).await.unwrap();
        let mut second = Record { id: first.id, ..record_with("whose", "the second's") };

        test.store.create(&mut second).await.unwrap();

        assert_ne!(second.id, first.id);
        assert_eq!(test.load(&first.id).await.data, first.data);
        assert_eq!(test.load(&second.id).await.data, second.data);
    });
}

fn create_leaves_even_an_expired_record_alone() {
    over_mongodb(async |test| {
        // Where nothing is removed.
        test.documents.drop_indexes().await.unwrap();
        let mut expired = record_with("key", "value");
        expired.expiry_date = OffsetDateTime::now_utc() - time::Duration::days(1);
        test.store.create(&mut expired).await.unwrap();
        let mut record = Record { id: expired.id, ..record_with("key", "value") };

        test.store.create(&mut record).await.unwrap();

        assert_ne!(record.id, expired.id);
        assert_eq!(test.documents.count_documents(doc! {}).await.unwrap(), 2);
    });
}

fn create_gives_up_in_the_end_and_tells_no_id() {
    over_mongodb(async |test| {
        // With this there is room for one document: neither it nor any other has the field.
        let unique = IndexOptions::builder().unique(true).build();
        let index = IndexModel::builder().keys(doc! { "nothing": 1 }).options(unique).build();
        test.documents.create_index(index).await.unwrap();
        test.store.create(&mut record_with("key", "value")).await.unwrap();
        let mut record = record_with("key", "value");
        let id = record.id;

        let created = test.store.create(&mut record).await;
        let saved = test.store.save(&Record { id, ..record }).await;

        for result in [created, saved] {
            let message = backend_error(result);
            assert_eq!(message, "MongoDB refused 4 writes because a document has the same key");
        }
        assert_eq!(test.documents.count_documents(doc! {}).await.unwrap(), 1);
    });
}

fn two_creates_with_one_id_make_two_records() {
    over_mongodb(async |test| {
        for _ in 0..20 {
            let mut first = record_with("whose", "the first's");
            let mut second = Record { id: first.id, ..record_with("whose", "the second's") };
            let id = first.id;

            let (created, also) = tokio::join!(test.store.create(&mut first), test.store.create(&mut second));

            created.unwrap();
            also.unwrap();
            assert_ne!(first.id, second.id);
            assert!([first.id, second.id].contains(&id), "one of them keeps the id");
            assert_eq!(test.load(&first.id).await.data, first.data);
            assert_eq!(test.load(&second.id).await.data, second.data);
        }
    });
}

fn save_creates_what_is_not_there() {
    over_mongodb(async |test| {
        let record = record_with("key", "value");

        test.store.save(&record).await.unwrap();

        assert_eq!(test.load(&record.id).await.data, record.data);
    });
}

fn save_replaces_the_whole_record() {
    over_mongodb(async |test| {
        let mut record = record_with("old", "value");
        test.store.create(&mut record).await.unwrap();
        let newer = Record { id: record.id, ..record_with("new", "value") };

        test.store.save(&newer).await.unwrap();

        assert_eq!(test.load(&record.id).await.data, newer.data);
        assert_eq!(test.documents.count_documents(doc! {}).await.unwrap(), 1);
    });
}

fn saves_of_one_new_id_at_once_all_succeed() {
    over_mongodb(async |test| {
        for _ in 0..20 {
            let record = record_with("key", "value");
            let [first, second, third] = [&record; 3].map(|record| test.store.save(record));

            let saved = tokio::join!(first, second, third);

            assert!(matches!(saved, (Ok(()), Ok(()), Ok(()))), "{saved:?}");
        }
        assert_eq!(test.documents.count_documents(doc! {}).await.unwrap(), 20);
    });
}

fn an_unknown_id_loads_nothing() {
    over_mongodb(async |test| {
        test.store.create(&mut record_with("key", "value")).await.unwrap();

        assert_eq!(test.store.load(&Id::default()).await.unwrap(), None);
    });
}

fn an_expired_record_loads_nothing() {
    over_mongodb(async |test| {
        test.documents.drop_indexes().await.unwrap();
        let mut record = record_with("key", "value");
        record.expiry_date = OffsetDateTime::now_utc() - time::Duration::milliseconds(1);
        test.store.create(&mut record).await.unwrap();

        assert_eq!(test.store.load(&record.id).await.unwrap(), None);
        assert_eq!(test.documents.count_documents(doc! {}).await.unwrap(), 1, "it is still in the collection");
    });
}

fn only_expired_records_are_removed_in_time() {
    over_mongodb(async |test| {
        let mut lasting = record_with("key", "value");
        test.store.create(&mut lasting).await.unwrap();
        let mut expired = record_with("key", "value");
        expired.expiry_date = OffsetDateTime::now_utc();
        test.store.create(&mut expired).await.unwrap();

        let deadline = Instant::now() + SWEEP;
        while test.documents.count_documents(doc! {}).await.unwrap() > 1 {
            assert!(Instant::now() < deadline, "the expired record is still there");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }

        assert_eq!(test.load(&lasting.id).await.data, lasting.data);
    });
}

fn migrating_again_is_no_error() {
    over_mongodb(async |test| {
        test.store.migrate().await.unwrap();

        let indexes = test.documents.list_index_names().await.unwrap();
        assert_eq!(indexes.into_iter().collect::<HashSet<_>>(), ["_id_", "expires_1"].map(String::from).into());
    });
}

fn another_index_on_the_expiry_is_an_error() {
    over_mongodb(async |test| {
        test.documents.drop_indexes().await.unwrap();
        let index = IndexModel::builder().keys(doc! { "expires": 1 }).build();
        test.documents.create_index(index).await.unwrap();

        let message = backend_error(test.store.migrate().await);

        // Which of its two codes for this it is depends on the server.
        assert!(message.starts_with("MongoDB refused a command (code 8"), "{message}");
    });
}

fn delete_removes_that_record_only() {
    over_mongodb(async |test| {
        let (mut first, mut second) = (record_with("key", "1"), record_with("key", "2"));
        test.store.create(&mut first).await.unwrap();
        test.store.create(&mut second).await.unwrap();

        test.store.delete(&first.id).await.unwrap();

        assert_eq!(test.store.load(&first.id).await.unwrap(), None);
        assert_eq!(test.load(&second.id).await.data, second.data);
    });
}

fn deleting_an_unknown_id_is_no_error() {
    over_mongodb(async |test| test.store.delete(&Id::default()).await.unwrap());
}

fn a_corrupt_document_is_an_error_without_its_data() {
    over_mongodb(async |test| {
        let id = Id::default();
        let expires = DateTime::from_millis(4_102_444_800_000);
        let binary = Binary { subtype: BinarySubtype::Generic, bytes: b"secret".to_vec() };
        for (document, field) in [
            (doc! { "expires": expires }, "data"),
            (doc! { "expires": expires, "data": null }, "data"),
            (doc! { "expires": expires, "data": { "key": "secret" } }, "data"),
            (doc! { "expires": expires, "data": binary }, "data"),
            (doc! { "expires": expires, "data": "" }, "data"),
            (doc! { "expires": expires, "data": "secret" }, "data"),
            (doc! { "expires": expires, "data": r#""secret""# }, "data"),
            (doc! { "expires": expires, "data": r#"["secret"]"# }, "data"),
            (doc! { "expires": expires, "data": r#"{"key":"secret"#  }, "data"),
            (doc! { "data": r#"{"key":"secret"}"# }, "expires"),
            (doc! { "data": "{}", "expires": "secret" }, "expires"),
            (doc! { "data": "{}", "expires": 4_102_444_800_000_i64 }, "expires"),
        ] {
            let described = format!("{document}");
            let mut document = document;
            document.insert("_id", id.to_string());
            test.documents.delete_many(doc! {}).await.unwrap();
            test.documents.insert_one(document).await.unwrap();

            match test.store.load(&id).await {
                Err(Error::Decode(message)) => {
                    assert!(message.starts_with(&format!("field `{field}` of a session's document: ")), "{message}");
                    assert!(!message.contains("secret"), "{message}");
                    assert!(!message.contains(&id.to_string()), "{message}");
                }
                other => panic!("{described} loads {other:?}"),
            }
        }
    });
}

fn a_record_of_a_mebibyte_is_kept() {
    over_mongodb(async |test| {
        let mut record = record_with("key", &"é".repeat(512 * 1024));

        test.store.create(&mut record).await.unwrap();

        assert!(test.load(&record.id).await.data == record.data);
    });
}

fn the_largest_record_is_kept_and_one_more_byte_is_refused() {
    over_mongodb(async |test| {
        let around = r#"{"key":""}"#.len();
        let mut largest = record_with("key", &"x".repeat(MongoStore::MAX_DATA_LEN - around));
        let mut larger = record_with("key", &"x".repeat(MongoStore::MAX_DATA_LEN - around + 1));

        let created = test.store.create(&mut larger).await;
        let saved = test.store.save(&larger).await;
        test.store.create(&mut largest).await.unwrap();
        test.store.save(&largest).await.unwrap();

        for refused in [created, saved] {
            let Err(Error::Encode(message)) = refused else { panic!("{refused:?}") };
            assert_eq!(message, "the session's data has 16776193 bytes of JSON, more than the 16776192 allowed");
        }
        assert!(test.load(&largest.id).await.data == largest.data);
        assert_eq!(test.documents.count_documents(doc! {}).await.unwrap(), 1);
    });
}

fn every_write_waits_for_the_journals_of_most_servers() {
    over_mongodb(async |test| {
        let commands = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&commands);
        let mut options = ClientOptions::parse(test.server.url()).await.unwrap();
        // What a URL may ask for.
        options.write_concern = Some(WriteConcern::builder().w(Acknowledgment::Nodes(1)).journal(false).build());
        options.command_event_handler = Some(EventHandler::callback(move |event| {
            if let CommandEvent::Started(event) = event {
                seen.lock().unwrap().push(event.command);
            }
        }));
        let database = Client::with_options(options).unwrap().default_database().unwrap();
        let store = MongoStore::new(&database.collection("sessions"));
        let mut record = record_with("key", "value");

        store.create(&mut record).await.unwrap();
        store.save(&record).await.unwrap();
        store.delete(&record.id).await.unwrap();

        let commands = commands.lock().unwrap();
        let names: Vec<_> = commands.iter().filter_map(|command| command.keys().next()).collect();
        assert_eq!(names, ["insert", "update", "delete"]);
        for command in &*commands {
            assert_eq!(command.get_document("writeConcern").unwrap(), &doc! { "w": "majority", "j": true });
        }
    });
}

fn what_was_acknowledged_outlives_the_server() {
    over_mongodb(async |test| {
        let store = test.store.clone();
        let (acknowledge, mut acknowledged) = mpsc::unbounded_channel();
        let writer = tokio::spawn(async move {
            for number in 0.. {
                let mut record = record_with("number", &number.to_string());
                match store.create(&mut record).await {
                    Ok(()) => acknowledge.send(record).unwrap(),
                    Err(error) => return error,
                }
            }
            unreachable!()
        });
        let mut records = Vec::new();
        acknowledged.recv_many(&mut records, 1).await;
        while records.len() < 100 {
            acknowledged.recv_many(&mut records, 100).await;
        }

        // The writer goes on meanwhile.
        test.server.kill();
        let error = tokio::time::timeout(LIMIT, writer).await.expect("the writer is told").unwrap();
        while let Some(record) = acknowledged.recv().await {
            records.push(record);
        }
        test.server.restart();

        assert!(matches!(error, Error::Backend(_)), "{error:?}");
        for record in records {
            assert_eq!(test.load(&record.id).await.data, record.data);
        }
    });
}

fn a_server_that_is_gone_is_an_error_until_it_is_back() {
    over_mongodb(async |test| {
        let mut record = record_with("key", "value");
        test.store.create(&mut record).await.unwrap();

        test.server.kill();
        test.assert_all_fail().await;
        test.server.restart();

        assert_eq!(test.load(&record.id).await.data, record.data);
    });
}

fn a_server_that_hangs_is_an_error_until_it_goes_on() {
    over_mongodb(async |test| {
        let mut record = record_with("key", "value");
        test.store.create(&mut record).await.unwrap();

        test.server.pause();
        test.assert_all_fail().await;
        test.server.resume();

        assert_eq!(test.load(&record.id).await.data, record.data);
    });
}

fn debug_shows_the_collection_and_no_password() {
    Runtime::new().unwrap().block_on(async {
        let client = Client::with_uri_str("mongodb://somebody:hunter2@127.0.0.1:1/").await.unwrap();

        let store = MongoStore::new(&client.database("app").collection("sessions"));

        assert_eq!(format!("{store:?}"), r#"MongoStore { collection: "app.sessions", timeout: 10s }"#);
    });
}

/// What a test has before it.
struct Test<'a> {
    server: &'a mut Mongodb,
    /// What the store keeps its records in.
    documents: Collection<Document>,
    store: MongoStore,
}

fn over_mongodb(test: impl AsyncFnOnce(&mut Test<'_>)) {
    let Database { server } = &mut Database::start();
    Runtime::new().unwrap().block_on(async {
        let mut options = ClientOptions::parse(server.url()).await.unwrap();
        options.server_selection_timeout = Some(Duration::from_secs(1));
        let client = Client::with_options(options).unwrap();
        let documents = client.default_database().unwrap().collection("sessions");
        let store = MongoStore::new(&documents);
        store.migrate().await.unwrap();
        test(&mut Test { server, documents, store }).await;
    });
}

impl Test<'_> {
    async fn load(&self, id: &Id) -> Record {
        self.store.load(id).await.unwrap().expect("a record")
    }

    /// Each operation fails, and in time. Since nobody knows what becomes of those that write, each has a new id.
    async fn assert_all_fail(&self) {
        let store = self.store.clone().with_timeout(TIMEOUT);
        let started = Instant::now();
        backend_error(store.create(&mut record_with("key", "value")).await);
        backend_error(store.save(&record_with("key", "value")).await);
        backend_error(store.load(&Id::default()).await);
        backend_error(store.delete(&Id::default()).await);
        backend_error(store.migrate().await);
        assert!(started.elapsed() < 6 * TIMEOUT, "{:?}", started.elapsed());
    }
}

fn backend_error<T: Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Backend(message)) => message,
        other => panic!("{other:?}"),
    }
}

fn record_with(key: &str, value: &str) -> Record {
    record([(key.to_owned(), Value::from(value))].into())
}

fn record(data: HashMap<String, Value>) -> Record {
    Record { id: Id::default(), data, expiry_date: OffsetDateTime::now_utc() + time::Duration::hours(1) }
}

fn as_text(data: &HashMap<String, Value>) -> BTreeMap<&str, String> {
    data.iter().map(|(key, value)| (key.as_str(), value.to_string())).collect()
}
