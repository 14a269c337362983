//! After a failed save nobody sees the new values, as far as that is in a storage's power.

use std::time::Duration;

use axum::http::StatusCode;
use logto_storage_core::{Change, ErrorKind, LogtoStorage};
use tokio::time::timeout;

use super::Immediate;
use super::app::request;
use super::store::{Call, Fault, Store};

const CHANGES: &[Change] = &[
    Change::set("replaced", "new"),
    Change::set("added", "new"),
    Change::remove("removed"),
    Change::set("replaced", "newer"),
    Change::set("removed", "back again"),
];

fn store_with_old_items() -> (Store, crate::tower_sessions::session::Id) {
    let store = Store::default();
    let id = store.with_record(&[("removed", "old"), ("replaced", "old")]);
    (store, id)
}

fn assert_has_old_items(store: &Store) {
    assert_eq!(store.only_record(), [("removed".to_owned(), "old".into()), ("replaced".to_owned(), "old".into())]);
}

async fn assert_reads_old_items(storage: &impl LogtoStorage) {
    assert_eq!(storage.get_item("replaced").await.unwrap().as_deref(), Some("old"));
    assert_eq!(storage.get_item("added").await.unwrap(), None);
    assert_eq!(storage.get_item("removed").await.unwrap().as_deref(), Some("old"));
}

#[tokio::test]
async fn a_later_read_of_the_same_request_shows_the_old_items() {
    let (store, id) = store_with_old_items();
    let storage = Immediate { session: store.session(Some(id)) };
    store.fail_next(Call::Save, Fault::Refused);

    assert_eq!(storage.apply(CHANGES).await.unwrap_err().kind(), ErrorKind::Session);

    assert_reads_old_items(&storage).await;
    assert_has_old_items(&store);
}

#[tokio::test]
async fn the_save_at_the_end_of_the_response_writes_the_old_items() {
    let (store, id) = store_with_old_items();
    store.fail_next(Call::Save, Fault::Refused);

    let answer = request(&store, Some(id), async |session| {
        Immediate { session }.apply(CHANGES).await.unwrap_err();
    });

    assert_eq!(answer.await.status, StatusCode::OK);
    // The library calls the session modified, and saves it: the old record, once more.
    assert_eq!(store.calls(), [Call::Load, Call::Save, Call::Save]);
    assert_has_old_items(&store);
}

#[tokio::test]
async fn a_later_request_shows_the_old_items() {
    let (store, id) = store_with_old_items();
    store.fail_next(Call::Save, Fault::Refused);
    request(&store, Some(id), async |session| {
        Immediate { session }.apply(CHANGES).await.unwrap_err();
        StatusCode::INTERNAL_SERVER_ERROR
    })
    .await;

    request(&store, Some(id), async |session| assert_reads_old_items(&Immediate { session }).await).await;
}

#[tokio::test]
async fn a_session_that_could_not_be_created_is_not_there() {
    let store = Store::default();
    store.fail_next(Call::Create, Fault::Refused);

    let answer = request(&store, None, async |session| {
        let storage = Immediate { session };
        storage.set_item("key", "value").await.unwrap_err();
        assert_eq!(storage.get_item("key").await.unwrap(), None);
    });

    assert_eq!(answer.await.new_id, None);
    assert_eq!(store.calls(), [Call::Create]);
    assert_eq!(store.ids(), []);
}

#[tokio::test]
async fn the_next_write_after_a_failed_one_works() {
    let (store, id) = store_with_old_items();
    let storage = Immediate { session: store.session(Some(id)) };
    store.fail_next(Call::Save, Fault::Refused);
    storage.apply(CHANGES).await.unwrap_err();

    storage.set_item("added", "later").await.unwrap();

    assert_eq!(store.item(id, "added"), Some("later".into()));
    assert_eq!(store.item(id, "replaced"), Some("old".into()));
}

#[tokio::test]
async fn where_the_record_cannot_be_read_nothing_is_written() {
    let (store, id) = store_with_old_items();
    let storage = Immediate { session: store.session(Some(id)) };
    store.fail_next(Call::Load, Fault::Refused);

    storage.apply(CHANGES).await.unwrap_err();

    assert_eq!(store.calls(), [Call::Load]);
    assert_reads_old_items(&storage).await;
}

/// Beyond our reach: the store's answer is all we know.
#[tokio::test]
async fn where_the_answer_was_lost_the_store_may_have_the_new_items() {
    let (store, id) = store_with_old_items();
    store.fail_next(Call::Save, Fault::AnswerLost);

    request(&store, Some(id), async |session| {
        let storage = Immediate { session };
        storage.apply(CHANGES).await.unwrap_err();
        assert_reads_old_items(&storage).await;
        StatusCode::INTERNAL_SERVER_ERROR
    })
    .await;

    assert_eq!(store.item(id, "added"), Some("new".into()));
}

/// Beyond our reach: a future that is dropped does nothing more.
#[tokio::test]
async fn where_the_call_was_dropped_the_layer_saves_the_new_items() {
    let (store, id) = store_with_old_items();
    store.fail_next(Call::Save, Fault::Hangs);

    request(&store, Some(id), async |session| {
        let storage = Immediate { session };
        timeout(Duration::from_millis(1), storage.apply(CHANGES)).await.unwrap_err();
        assert_eq!(storage.get_item("added").await.unwrap().as_deref(), Some("new"));
    })
    .await;

    assert_eq!(store.calls(), [Call::Load, Call::Save, Call::Save]);
    assert_eq!(store.item(id, "added"), Some("new".into()));
}
