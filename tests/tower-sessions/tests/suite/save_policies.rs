//! What Ok promises, and what it costs the store.

use std::time::Duration;

use axum::http::StatusCode;
use logto_storage_core::{Change, LogtoStorage};

use super::app::request;
use super::store::{Call, Store};
use super::{Deferred, Immediate};

#[tokio::test]
async fn an_immediate_write_is_in_the_store_when_the_call_returns() {
    let store = Store::default();
    let storage = Immediate { session: store.session(None) };

    storage.set_item("key", "first").await.unwrap();
    assert_eq!(store.only_record(), [("key".to_owned(), "first".into())]);
    assert_eq!(store.calls(), [Call::Create]);

    storage.set_item("key", "second").await.unwrap();
    assert_eq!(store.only_record(), [("key".to_owned(), "second".into())]);
    assert_eq!(store.calls(), [Call::Save]);

    storage.remove_item("key").await.unwrap();
    assert_eq!(store.only_record(), []);
    assert_eq!(store.calls(), [Call::Save]);
}

#[tokio::test]
async fn an_immediate_write_of_what_is_there_already_is_saved_too() {
    let store = Store::default();
    let id = store.with_record(&[("key", "value")]);
    let storage = Immediate { session: store.session(Some(id)) };
    storage.get_item("key").await.unwrap();

    // Another request signs the user out meanwhile: this one's record is stale, and Ok has to mean that the item is there.
    store.session(Some(id)).flush().await.unwrap();
    storage.set_item("key", "value").await.unwrap();

    assert_eq!(store.item(id, "key"), Some("value".into()));
}

#[tokio::test]
async fn several_changes_are_one_save() {
    let store = Store::default();
    let id = store.with_record(&[("old", "value")]);
    let storage = Immediate { session: store.session(Some(id)) };

    storage
        .apply(&[Change::set("a", "1"), Change::remove("old"), Change::set("b", "2"), Change::set("a", "3")])
        .await
        .unwrap();

    assert_eq!(store.calls(), [Call::Load, Call::Save]);
    assert_eq!(store.only_record(), [("a".to_owned(), "3".into()), ("b".to_owned(), "2".into())]);
}

#[tokio::test]
async fn a_lifetime_is_for_a_session_that_holds_nothing_yet() {
    const AN_HOUR: Duration = Duration::from_hours(1);
    let store = Store::default();
    let of_a_new_visitor = store.session(None);
    let of_the_app = store.session(Some(store.with_record(&[("theme", "dark")])));

    for session in [&of_a_new_visitor, &of_the_app] {
        let storage = Immediate { session: session.clone() };
        storage.apply_expiring(&[Change::set("key", "value")], AN_HOUR).await.unwrap();
    }

    assert!(of_a_new_visitor.expiry_age() <= AN_HOUR);
    assert!(of_the_app.expiry_age() > 24 * AN_HOUR);
}

#[tokio::test]
async fn reading_costs_one_load_a_request_and_no_save() {
    let store = Store::default();
    let id = store.with_record(&[("key", "value"), ("empty", "")]);

    let answer = request(&store, Some(id), async |session| {
        let storage = Immediate { session };
        assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("value"));
        assert_eq!(storage.get_item("empty").await.unwrap().as_deref(), Some(""));
        assert_eq!(storage.get_item("missing").await.unwrap(), None);
    });

    assert_eq!(answer.await.new_id, None);
    assert_eq!(store.calls(), [Call::Load]);
}

#[tokio::test]
async fn an_immediate_write_outlives_a_handler_that_panics() {
    let store = Store::default();
    let id = store.with_record(&[("key", "old")]);

    let in_task = store.clone();
    let panicked = tokio::spawn(async move {
        request(&in_task, Some(id), async |session| -> () {
            Immediate { session }.set_item("key", "new").await.unwrap();
            panic!("the handler gives up");
        })
        .await
    });

    assert!(panicked.await.unwrap_err().is_panic());
    assert_eq!(store.item(id, "key"), Some("new".into()));
}

#[tokio::test]
async fn an_immediate_write_outlives_a_server_error() {
    let store = Store::default();
    let id = store.with_record(&[("key", "old")]);

    let answer = request(&store, Some(id), async |session| {
        Immediate { session }.set_item("key", "new").await.unwrap();
        StatusCode::INTERNAL_SERVER_ERROR
    });

    assert_eq!(answer.await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(store.calls(), [Call::Load, Call::Save]);
    assert_eq!(store.item(id, "key"), Some("new".into()));
}

#[tokio::test]
async fn the_layer_saves_an_immediate_write_once_more() {
    let store = Store::default();

    let answer = request(&store, None, async |session| {
        Immediate { session }.set_item("key", "value").await.unwrap();
    });

    let id = answer.await.new_id.expect("the new session's cookie");
    assert_eq!(store.calls(), [Call::Create, Call::Save]);
    assert_eq!(store.item(id, "key"), Some("value".into()));
}

#[tokio::test]
async fn deferred_writes_are_one_write_at_the_end_of_the_response() {
    let store = Store::default();
    let in_handler = store.clone();

    let answer = request(&store, None, async move |session| {
        let storage = Deferred { session };
        storage.set_item("a", "1").await.unwrap();
        storage.apply(&[Change::set("b", "2"), Change::set("c", "3")]).await.unwrap();
        storage.remove_item("c").await.unwrap();
        assert_eq!(storage.get_item("b").await.unwrap().as_deref(), Some("2"));
        assert_eq!(in_handler.calls(), []);
    });

    let id = answer.await.new_id.expect("the new session's cookie");
    assert_eq!(store.calls(), [Call::Create]);
    assert_eq!(store.only_record(), [("a".to_owned(), "1".into()), ("b".to_owned(), "2".into())]);

    request(&store, Some(id), async |session| Deferred { session }.set_item("a", "4").await.unwrap()).await;
    assert_eq!(store.calls(), [Call::Load, Call::Save]);
    assert_eq!(store.item(id, "a"), Some("4".into()));
}

#[tokio::test]
async fn a_deferred_write_is_lost_with_a_server_error() {
    let store = Store::default();
    let id = store.with_record(&[("key", "old")]);

    request(&store, Some(id), async |session| {
        Deferred { session }.set_item("key", "new").await.unwrap();
        StatusCode::BAD_GATEWAY
    })
    .await;

    assert_eq!(store.calls(), [Call::Load]);
    assert_eq!(store.item(id, "key"), Some("old".into()));
}

#[tokio::test]
async fn a_deferred_storage_renews_at_once() {
    let store = Store::default();
    let id = store.with_record(&[("key", "old")]);
    let storage = Deferred { session: store.session(Some(id)) };

    storage.renew(&[Change::set("key", "new")]).await.unwrap();

    assert_eq!(store.calls(), [Call::Load, Call::Delete, Call::Create]);
    assert_eq!(store.only_record(), [("key".to_owned(), "new".into())]);
}

#[tokio::test]
async fn removing_from_a_visitor_without_a_session_makes_none() {
    let store = Store::default();

    let answer = request(&store, None, async |session| {
        let storage = Immediate { session };
        storage.remove_item("key").await.unwrap();
        storage.apply(&[Change::remove("key"), Change::remove("other")]).await.unwrap();
    });

    assert_eq!(answer.await.new_id, None);
    assert_eq!(store.calls(), []);
}

#[tokio::test]
async fn what_is_set_and_removed_at_once_makes_no_session_for_a_new_visitor() {
    let store = Store::default();

    let answer = request(&store, None, async |session| {
        let storage = Immediate { session };
        storage.apply(&[Change::set("key", "value"), Change::remove("key")]).await.unwrap();
        assert_eq!(storage.get_item("key").await.unwrap(), None);
    });

    assert_eq!(answer.await.new_id, None);
    assert_eq!(store.calls(), []);
    assert_eq!(store.ids(), []);
}
