//! Every failure is a typed error that names the operation and the key, and keeps the library's own error.

use std::error::Error as _;

use logto_storage_core::{Change, Error, ErrorKind, LogtoStorage, Operation};
use serde_json::{Value, json};

use super::Immediate;
use super::store::{Call, Fault, Store};
use crate::tower_sessions::{Session, session, session_store};

#[derive(LogtoStorage)]
#[logto(prefix = "tenant-a:", max_len = 8)]
struct Limited {
    session: Session,
}

fn assert_session_failed(error: &Error, operation: Operation, key: Option<&str>) {
    assert_eq!((error.kind(), error.operation(), error.key()), (ErrorKind::Session, Some(operation), key));
    let library = error.source().and_then(|source| source.downcast_ref::<session::Error>());
    assert!(matches!(library, Some(session::Error::Store(session_store::Error::Backend(_)))), "{error:?}");
}

#[tokio::test]
async fn a_store_that_fails_to_load_fails_every_operation_by_name() {
    let store = Store::default();
    let id = store.with_record(&[("key", "value")]);
    let storage = Immediate { session: store.session(Some(id)) };
    let changes = [Change::remove("key"), Change::remove("key")];

    store.fail_next(Call::Load, Fault::Refused);
    assert_session_failed(&storage.get_item("key").await.unwrap_err(), Operation::Get, Some("key"));
    store.fail_next(Call::Load, Fault::Refused);
    assert_session_failed(&storage.set_item("key", "new").await.unwrap_err(), Operation::Set, Some("key"));
    store.fail_next(Call::Load, Fault::Refused);
    assert_session_failed(&storage.remove_item("key").await.unwrap_err(), Operation::Remove, Some("key"));
    store.fail_next(Call::Load, Fault::Refused);
    assert_session_failed(&storage.apply(&changes).await.unwrap_err(), Operation::Apply, None);
    store.fail_next(Call::Load, Fault::Refused);
    assert_session_failed(&storage.renew(&changes).await.unwrap_err(), Operation::Renew, None);

    assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("value"));
}

#[tokio::test]
async fn a_store_that_fails_to_save_fails_the_write_by_name() {
    let store = Store::default();
    let id = store.with_record(&[("tenant-a:key", "value")]);
    let storage = Limited { session: store.session(Some(id)) };

    store.fail_next(Call::Save, Fault::Refused);
    assert_session_failed(&storage.set_item("key", "new").await.unwrap_err(), Operation::Set, Some("tenant-a:key"));
    store.fail_next(Call::Save, Fault::Refused);
    assert_session_failed(&storage.remove_item("key").await.unwrap_err(), Operation::Remove, Some("tenant-a:key"));
}

#[tokio::test]
async fn a_store_that_fails_to_create_fails_the_write_by_name() {
    let store = Store::default();
    let storage = Immediate { session: store.session(None) };

    store.fail_next(Call::Create, Fault::Refused);
    assert_session_failed(&storage.set_item("key", "new").await.unwrap_err(), Operation::Set, Some("key"));
}

#[tokio::test]
async fn what_is_not_a_string_is_an_error_not_a_missing_item() {
    let store = Store::default();
    for value in [json!({ "a": 1 }), json!([1]), json!(1), json!(true), Value::Null] {
        let id = store.with_record::<&str>(&[]);
        let session = store.session(Some(id));
        session.insert_value("key", value.clone()).await.unwrap();
        let storage = Immediate { session: session.clone() };

        let error = storage.get_item("key").await.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation(), error.key()),
            (ErrorKind::NotAString, Some(Operation::Get), Some("key")),
            "{value}"
        );
        assert!(error.source().is_none());
        assert_eq!(session.get_value("key").await.unwrap(), Some(value), "reading leaves it alone");

        storage.set_item("key", "text").await.unwrap();
        assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("text"));
    }
}

#[tokio::test]
async fn an_oversized_value_is_refused_before_anything_is_touched() {
    let store = Store::default();
    let id = store.with_record(&[("tenant-a:key", "value")]);
    let storage = Limited { session: store.session(Some(id)) };
    let changes = [Change::remove("key"), Change::set("fits", "12345678"), Change::set("long", "éééé9")];

    let set = storage.set_item("key", "123456789").await.unwrap_err();
    let apply = storage.apply(&changes).await.unwrap_err();
    let renew = storage.renew(&changes).await.unwrap_err();

    for (error, operation, key) in [
        (set, Operation::Set, "tenant-a:key"),
        (apply, Operation::Apply, "tenant-a:long"),
        (renew, Operation::Renew, "tenant-a:long"),
    ] {
        assert_eq!(error.kind(), ErrorKind::TooLarge { len: 9, max_len: 8 });
        assert_eq!((error.operation(), error.key()), (Some(operation), Some(key)));
    }
    assert_eq!(store.calls(), []);
    assert_eq!(store.only_record(), [("tenant-a:key".to_owned(), "value".into())]);
}
