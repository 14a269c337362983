//! Storages behind pointers, and storages whose type is chosen at run time.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::{
    Change, DynStorage, Error, ErrorKind, LogtoStorage, MemorySession, Operation, Result, Seen, SessionHandle,
};
use shapes::{Call, Recorder, assert_keeps_items};

#[derive(LogtoStorage)]
struct Storage(Recorder);

#[derive(LogtoStorage)]
#[logto(prefix = "other:")]
struct OtherStorage<H> {
    session: H,
}

/// Through `pointer`, every method asks the recorder for just what it asks directly, once.
async fn assert_forwards(pointer: impl LogtoStorage, recorder: &Recorder) {
    let changes = [Change::set("a", "1"), Change::remove("b"), Change::set("c", "3")];
    let written = || Call::write([("a", Some("1")), ("b", None), ("c", Some("3"))]);

    pointer.set_item("key", "value").await.unwrap();
    assert_eq!(pointer.get_item("key").await.unwrap().as_deref(), Some("value"));
    pointer.remove_item("key").await.unwrap();
    let calls = [Call::write([("key", Some("value"))]), Call::Read("key".to_owned()), Call::write([("key", None)])];
    assert_eq!(recorder.take_calls(), calls);

    pointer.apply(&changes).await.unwrap();
    assert_eq!(recorder.take_calls(), [written()], "one write for all changes");

    pointer.renew(&changes).await.unwrap();
    assert_eq!(recorder.take_calls(), [written().renewing()]);

    let lifetime = Duration::from_secs(90);
    pointer.apply_expiring(&changes, lifetime).await.unwrap();
    assert_eq!(recorder.take_calls(), [written().expiring_after(lifetime)]);

    pointer.apply_if(&[Seen::new("a", Some("1")), Seen::new("b", None)], &changes).await.unwrap();
    assert_eq!(recorder.take_calls(), [Call::write_if([("a", Some("1")), ("b", None)]), written()]);

    assert_eq!(pointer.check_renewal().unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(recorder.take_calls(), [Call::CheckRenewal]);

    assert!(pointer.reload().await.unwrap());
    assert_eq!(recorder.take_calls(), [Call::Reload]);
}

#[tokio::test]
async fn pointers_to_a_storage_forward_every_method() {
    let recorder = Recorder::default();
    let storage = || Storage(recorder.clone());

    assert_forwards(storage(), &recorder).await;
    assert_forwards(&storage(), &recorder).await;
    assert_forwards(Box::new(storage()), &recorder).await;
    assert_forwards(Rc::new(storage()), &recorder).await;
    assert_forwards(Arc::new(storage()), &recorder).await;
    assert_forwards(&Arc::new(Box::new(storage())), &recorder).await;
}

#[tokio::test]
async fn pointers_to_a_handle_forward_every_method() {
    #[derive(LogtoStorage)]
    struct Behind<P>(P);

    let recorder = Recorder::default();
    assert_forwards(Behind(&recorder), &recorder).await;
    assert_forwards(Behind(Box::new(recorder.clone())), &recorder).await;
    assert_forwards(Behind(Rc::new(recorder.clone())), &recorder).await;
    assert_forwards(Behind(Arc::new(recorder.clone())), &recorder).await;
    assert_forwards(Behind(&Arc::new(Box::new(recorder.clone()))), &recorder).await;
}

#[tokio::test]
async fn a_dynamic_storage_forwards_every_method() {
    let recorder = Recorder::default();
    let boxed = || -> Box<dyn DynStorage> { Box::new(Storage(recorder.clone())) };
    let shared: Arc<dyn DynStorage> = Arc::new(Storage(recorder.clone()));

    assert_forwards(boxed(), &recorder).await;
    assert_forwards(&*boxed(), &recorder).await;
    assert_forwards(Arc::clone(&shared), &recorder).await;
    assert_forwards(&shared, &recorder).await;
    assert_forwards(Box::new(boxed()) as Box<dyn DynStorage>, &recorder).await;
}

#[tokio::test]
async fn a_dynamic_storage_may_borrow_its_session() {
    let session = MemorySession::default();
    let storage: Box<dyn DynStorage + '_> = Box::new(OtherStorage { session: &session });
    assert_keeps_items(&storage, &session, "other:").await;
}

#[tokio::test]
async fn storages_of_unlike_types_go_into_one_list() {
    async fn set<S: LogtoStorage + ?Sized>(storage: &S) {
        storage.set_item("key", "value").await.unwrap();
    }

    let (first, second) = (Recorder::default(), MemorySession::default());
    let storages: Vec<Box<dyn DynStorage>> =
        vec![Box::new(Storage(first.clone())), Box::new(OtherStorage { session: second.clone() })];
    for storage in &storages {
        set(storage).await;
        set::<dyn DynStorage>(&**storage).await;
    }

    assert_eq!(first.take_calls().len(), 2);
    assert_eq!(second.read("other:key".into()).await.unwrap().as_deref(), Some("value"));
}

#[tokio::test]
async fn an_error_passes_pointers_unchanged() {
    #[derive(LogtoStorage)]
    #[logto(max_len = 1)]
    struct Limited(MemorySession);

    fn assert_too_large(error: &Error) {
        assert_eq!(error.kind(), ErrorKind::TooLarge { len: 2, max_len: 1 });
        assert_eq!((error.operation(), error.key()), (Some(Operation::Set), Some("key")));
    }

    let storage: Arc<Limited> = Arc::new(Limited(MemorySession::default()));
    assert_too_large(&storage.set_item("key", "22").await.unwrap_err());
    let storage: Arc<dyn DynStorage> = storage;
    assert_too_large(&storage.set_item("key", "22").await.unwrap_err());
}

#[tokio::test]
async fn a_dynamic_storage_goes_to_another_task() {
    let session = MemorySession::default();
    let storage: Arc<dyn DynStorage> = Arc::new(OtherStorage { session: session.clone() });
    let set: Result<()> = tokio::spawn(async move { storage.set_item("key", "value").await }).await.unwrap();
    set.unwrap();
    assert_eq!(session.read("other:key".into()).await.unwrap().as_deref(), Some("value"));
}
