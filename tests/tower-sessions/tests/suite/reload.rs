//! Reloading shows other requests' writes, and never loses this one's.

use logto_storage_core::{ErrorKind, LogtoStorage, Operation};

use super::store::{Call, Fault, Store};
use super::{Deferred, Immediate};

#[tokio::test]
async fn it_shows_what_another_request_has_written() {
    let store = Store::default();
    let id = store.with_record(&[("token", "old")]);
    let here = Immediate { session: store.session(Some(id)) };
    let there = Immediate { session: store.session(Some(id)) };
    assert_eq!(here.get_item("token").await.unwrap().as_deref(), Some("old"));

    there.set_item("token", "new").await.unwrap();
    assert_eq!(here.get_item("token").await.unwrap().as_deref(), Some("old"), "a record is read once a request");

    assert!(here.reload().await.unwrap());
    assert_eq!(here.get_item("token").await.unwrap().as_deref(), Some("new"));
}

#[tokio::test]
async fn it_shows_that_another_request_has_signed_out() {
    let store = Store::default();
    let id = store.with_record(&[("token", "old")]);
    let here = Immediate { session: store.session(Some(id)) };
    here.get_item("token").await.unwrap();

    store.session(Some(id)).flush().await.unwrap();

    assert!(here.reload().await.unwrap());
    assert_eq!(here.get_item("token").await.unwrap(), None);
}

#[tokio::test]
async fn it_keeps_an_unsaved_change_of_ours() {
    let store = Store::default();
    let id = store.with_record(&[("token", "old")]);
    let storage = Deferred { session: store.session(Some(id)) };
    storage.set_item("token", "unsaved").await.unwrap();
    store.calls();

    assert!(!storage.reload().await.unwrap());
    assert_eq!(storage.get_item("token").await.unwrap().as_deref(), Some("unsaved"));
    assert_eq!(store.calls(), []);
}

#[tokio::test]
async fn it_keeps_an_unsaved_change_of_the_apps() {
    let store = Store::default();
    let id = store.with_record(&[("token", "old")]);
    let session = store.session(Some(id));
    let storage = Immediate { session: session.clone() };
    session.insert("theme", "dark").await.unwrap();

    assert!(!storage.reload().await.unwrap());
    assert_eq!(session.get::<String>("theme").await.unwrap().as_deref(), Some("dark"));
}

#[tokio::test]
async fn after_a_saved_change_it_is_not_done_either() {
    let store = Store::default();
    let id = store.with_record(&[("token", "old")]);
    let storage = Immediate { session: store.session(Some(id)) };
    storage.set_item("token", "saved").await.unwrap();

    assert!(!storage.reload().await.unwrap(), "the library goes on calling the session modified");
    assert_eq!(storage.get_item("token").await.unwrap().as_deref(), Some("saved"));
}

#[tokio::test]
async fn a_session_without_an_id_has_nothing_to_reload() {
    let store = Store::default();
    let storage = Immediate { session: store.session(None) };

    assert!(!storage.reload().await.unwrap());
    assert_eq!(store.calls(), []);
}

#[tokio::test]
async fn where_it_fails_what_was_read_before_stays() {
    let store = Store::default();
    let id = store.with_record(&[("token", "old")]);
    let storage = Immediate { session: store.session(Some(id)) };
    storage.get_item("token").await.unwrap();
    store.fail_next(Call::Load, Fault::Refused);

    let error = storage.reload().await.unwrap_err();

    assert_eq!((error.kind(), error.operation(), error.key()), (ErrorKind::Session, Some(Operation::Reload), None));
    assert_eq!(storage.get_item("token").await.unwrap().as_deref(), Some("old"));
}
