//! A renewal leaves one record, under an id that nobody knew before.

use axum::http::StatusCode;
use logto_storage_core::{Change, ErrorKind, LogtoStorage, Operation};

use super::Immediate;
use super::app::request;
use super::store::{Call, Fault, Store};

const SIGN_IN: &[Change] = &[Change::set("token", "new"), Change::remove("pending")];

fn store_before_sign_in() -> (Store, crate::tower_sessions::session::Id) {
    let store = Store::default();
    let id = store.with_record(&[("cart", "book"), ("pending", "state")]);
    (store, id)
}

fn assert_signed_in(store: &Store) {
    assert_eq!(store.only_record(), [("cart".to_owned(), "book".into()), ("token".to_owned(), "new".into())]);
}

async fn assert_not_signed_in(storage: &impl LogtoStorage) {
    assert_eq!(storage.get_item("token").await.unwrap(), None);
    assert_eq!(storage.get_item("pending").await.unwrap().as_deref(), Some("state"));
    assert_eq!(storage.get_item("cart").await.unwrap().as_deref(), Some("book"));
}

#[tokio::test]
async fn one_record_is_left_under_a_new_id() {
    let (store, old) = store_before_sign_in();
    let session = store.session(Some(old));
    let storage = Immediate { session: session.clone() };

    storage.renew(SIGN_IN).await.unwrap();

    let new = session.id().expect("the session has an id again");
    assert_ne!(new, old);
    assert_eq!(store.ids(), [new]);
    assert_eq!(store.calls_with_ids(), [(Call::Load, old), (Call::Delete, old), (Call::Create, new)]);
    assert_signed_in(&store);
}

#[tokio::test]
async fn a_record_that_was_read_before_is_not_loaded_again() {
    let (store, old) = store_before_sign_in();
    let storage = Immediate { session: store.session(Some(old)) };
    storage.get_item("pending").await.unwrap();
    store.calls();

    storage.renew(SIGN_IN).await.unwrap();

    assert_eq!(store.calls(), [Call::Delete, Call::Create]);
    assert_signed_in(&store);
}

#[tokio::test]
async fn without_changes_the_items_move_to_the_new_id() {
    let (store, old) = store_before_sign_in();
    let storage = Immediate { session: store.session(Some(old)) };

    storage.renew(&[]).await.unwrap();

    assert_eq!(store.calls(), [Call::Load, Call::Delete, Call::Create]);
    assert_ne!(store.ids(), [old]);
    assert_eq!(store.only_record(), [("cart".to_owned(), "book".into()), ("pending".to_owned(), "state".into())]);
}

#[tokio::test]
async fn a_visitor_without_a_session_gets_one() {
    let store = Store::default();
    let storage = Immediate { session: store.session(None) };

    storage.renew(SIGN_IN).await.unwrap();

    assert_eq!(store.calls(), [Call::Create]);
    assert_eq!(store.only_record(), [("token".to_owned(), "new".into())]);
}

#[tokio::test]
async fn a_visitor_without_a_session_gets_one_for_no_item_too() {
    let store = Store::default();
    let session = store.session(None);

    Immediate { session: session.clone() }.renew(&[]).await.unwrap();

    assert_eq!(store.calls(), [Call::Create]);
    assert_eq!(store.ids(), [session.id().expect("an id")]);
}

#[tokio::test]
async fn an_id_that_the_store_does_not_know_is_not_taken_over() {
    let store = Store::default();
    let planted = crate::tower_sessions::session::Id::default();
    let storage = Immediate { session: store.session(Some(planted)) };

    storage.renew(SIGN_IN).await.unwrap();

    assert_eq!(store.calls(), [Call::Load, Call::Delete, Call::Create]);
    assert_ne!(store.ids(), [planted]);
}

#[tokio::test]
async fn the_id_of_a_session_that_the_app_has_flushed_is_not_used_again() {
    let (store, old) = store_before_sign_in();
    let session = store.session(Some(old));
    let storage = Immediate { session: session.clone() };
    storage.get_item("cart").await.unwrap();
    session.flush().await.unwrap();

    storage.renew(SIGN_IN).await.unwrap();

    assert_ne!(store.ids(), [old]);
    assert_eq!(store.only_record(), [("token".to_owned(), "new".into())]);
}

#[tokio::test]
async fn the_browser_learns_the_new_id_and_the_old_one_is_dead() {
    let (store, old) = store_before_sign_in();

    let answer = request(&store, Some(old), async |session| Immediate { session }.renew(SIGN_IN).await.unwrap()).await;
    let new = answer.new_id.expect("a cookie with the new id");
    request(&store, Some(old), async |session| {
        assert_eq!(Immediate { session }.get_item("token").await.unwrap(), None);
    })
    .await;

    assert_eq!(store.ids(), [new]);
    assert_signed_in(&store);
}

/// Beyond our reach: the library sends no cookie with a server error.
#[tokio::test]
async fn a_server_error_after_it_leaves_the_browser_without_a_session() {
    let (store, old) = store_before_sign_in();

    let answer = request(&store, Some(old), async |session| {
        Immediate { session }.renew(SIGN_IN).await.unwrap();
        StatusCode::INTERNAL_SERVER_ERROR
    })
    .await;

    assert_eq!(answer.new_id, None);
    assert_eq!(store.item(old, "cart"), None);
    assert_signed_in(&store);
}

#[tokio::test]
async fn where_the_record_cannot_be_read_nothing_has_changed() {
    let (store, old) = store_before_sign_in();
    let storage = Immediate { session: store.session(Some(old)) };
    store.fail_next(Call::Load, Fault::Refused);

    let error = storage.renew(SIGN_IN).await.unwrap_err();

    assert_eq!((error.kind(), error.operation(), error.key()), (ErrorKind::Session, Some(Operation::Renew), None));
    assert_eq!(store.calls(), [Call::Load]);
    assert_eq!(store.ids(), [old]);
    assert_not_signed_in(&storage).await;
}

#[tokio::test]
async fn where_the_old_record_cannot_be_deleted_the_new_values_are_nowhere() {
    let (store, old) = store_before_sign_in();
    store.fail_next(Call::Delete, Fault::Refused);

    let answer = request(&store, Some(old), async |session| {
        let storage = Immediate { session };
        let error = storage.renew(SIGN_IN).await.unwrap_err();
        assert_eq!((error.kind(), error.operation()), (ErrorKind::Session, Some(Operation::Renew)));
        assert_not_signed_in(&storage).await;
    })
    .await;

    // The library has dropped the old id already, so its save at the end of the response makes a new record.
    assert_eq!(store.calls(), [Call::Load, Call::Delete, Call::Create]);
    let new = answer.new_id.expect("a cookie with the new id");
    for id in [old, new] {
        assert_eq!(store.item(id, "token"), None);
        assert_eq!(store.item(id, "pending"), Some("state".into()));
    }
}

#[tokio::test]
async fn where_the_new_record_cannot_be_created_the_user_is_signed_out() {
    let (store, old) = store_before_sign_in();
    let storage = Immediate { session: store.session(Some(old)) };
    store.fail_next(Call::Create, Fault::Refused);

    let error = storage.renew(SIGN_IN).await.unwrap_err();

    assert_eq!((error.kind(), error.operation()), (ErrorKind::Session, Some(Operation::Renew)));
    assert_eq!(store.calls(), [Call::Load, Call::Delete, Call::Create]);
    assert_eq!(store.ids(), []);
    // The request itself still has the old items, and its next save brings them back under a new id.
    assert_not_signed_in(&storage).await;
    storage.set_item("cart", "two books").await.unwrap();
    assert_eq!(store.only_record(), [("cart".to_owned(), "two books".into()), ("pending".to_owned(), "state".into())]);
    assert_ne!(store.ids(), [old]);
}
