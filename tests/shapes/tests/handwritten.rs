//! Storages and handles without the derive: what the traits give to whoever writes only what they must.

use std::borrow::Cow;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use logto_storage_core::{
    Change, Changes, Error, ErrorKind, LogtoStorage, MemorySession, Operation, Result, Seen, SessionHandle,
};
use shapes::assert_keeps_items;

/// Three `async fn`s. It remembers what it did, and cannot set the key `broken`.
#[derive(Default)]
struct Log {
    entries: Mutex<Vec<String>>,
}

impl Log {
    fn add(&self, entry: String) {
        self.entries.lock().unwrap().push(entry);
    }

    fn entries(&self) -> Vec<String> {
        self.entries.lock().unwrap().clone()
    }
}

impl LogtoStorage for Log {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        // Where the changes are awaited has to be a matter of order, not of luck.
        tokio::task::yield_now().await;
        Ok(self.entries().into_iter().rfind(|entry| entry.contains(key)))
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        tokio::task::yield_now().await;
        if key == "broken" {
            return Err(Error::session(io::Error::other("disk full")).with_operation(Operation::Set).with_key(key));
        }
        self.add(format!("set {key} to {value}"));
        Ok(())
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        tokio::task::yield_now().await;
        self.add(format!("remove {key}"));
        Ok(())
    }
}

#[tokio::test]
async fn changes_are_made_one_by_one_in_order() {
    let log = Log::default();
    let changes = [Change::set("a", "1"), Change::remove("b"), Change::set("a", "2"), Change::remove("a")];
    log.apply(&changes).await.unwrap();
    assert_eq!(log.entries(), ["set a to 1", "remove b", "set a to 2", "remove a"]);
    assert_eq!(log.get_item("a to").await.unwrap().as_deref(), Some("set a to 2"));
}

#[tokio::test]
async fn no_changes_are_no_error() {
    let log = Log::default();
    log.apply(&[]).await.unwrap();
    assert!(log.entries().is_empty());
}

#[tokio::test]
async fn the_first_error_ends_the_changes_and_keeps_those_before() {
    let log = Log::default();
    let changes = [Change::set("a", "1"), Change::set("broken", "2"), Change::remove("c"), Change::set("d", "4")];

    let error = log.apply(&changes).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Session);
    assert_eq!((error.operation(), error.key()), (Some(Operation::Set), Some("broken")));
    assert_eq!(log.entries(), ["set a to 1"]);
}

#[tokio::test]
async fn a_renewal_is_unsupported_and_changes_nothing() {
    let log = Log::default();
    let error = log.renew(&[Change::set("a", "1")]).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Some(Operation::Renew)));
    assert!(log.entries().is_empty());
}

#[tokio::test]
async fn a_renewal_is_refused_before_it_is_needed() {
    let error = Log::default().check_renewal().unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Some(Operation::Renew)));
}

#[tokio::test]
async fn a_conditional_change_is_unsupported_and_changes_nothing() {
    let log = Log::default();
    let error = log.apply_if(&[Seen::new("a", None)], &[Change::set("a", "1")]).await.unwrap_err();
    assert_eq!((error.kind(), error.operation()), (ErrorKind::Unsupported, Some(Operation::ApplyIf)));
    assert!(log.entries().is_empty());
}

#[tokio::test]
async fn a_lifetime_is_only_a_hint() {
    let log = Log::default();
    log.apply_expiring(&[Change::set("a", "1")], Duration::from_secs(90)).await.unwrap();
    assert_eq!(log.entries(), ["set a to 1"]);
}

#[tokio::test]
async fn a_reload_reads_nothing() {
    assert!(!Log::default().reload().await.unwrap());
}

#[tokio::test]
async fn a_handwritten_storage_goes_to_another_task() {
    async fn spawn(storage: impl LogtoStorage + Send + Sync + 'static) -> Result<()> {
        tokio::spawn(async move { storage.apply(&[Change::set("a", "1"), Change::remove("b")]).await }).await.unwrap()
    }
    spawn(Log::default()).await.unwrap();
}

/// The session of another crate, in a newtype.
struct Handle(their::Session);

mod their {
    use std::collections::HashMap;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    pub(super) struct Session(std::sync::Arc<Mutex<HashMap<String, String>>>);

    impl Session {
        pub(super) async fn fetch(&self, key: &str) -> Option<String> {
            tokio::task::yield_now().await;
            self.0.lock().unwrap().get(key).cloned()
        }

        pub(super) async fn put(&self, key: &str, value: Option<&str>) {
            tokio::task::yield_now().await;
            let mut items = self.0.lock().unwrap();
            match value {
                Some(value) => items.insert(key.to_owned(), value.to_owned()),
                None => items.remove(key),
            };
        }
    }
}

impl SessionHandle for Handle {
    async fn read(&self, key: Cow<'_, str>) -> Result<Option<String>> {
        Ok(self.0.fetch(&key).await)
    }

    async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
        if changes.renews_id() {
            return Err(Error::unsupported("their sessions keep one id for life").with_operation(Operation::Renew));
        }
        for (key, value) in changes.iter() {
            self.0.put(&key, value).await;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_newtype_of_a_foreign_session_is_a_handle() {
    #[derive(LogtoStorage)]
    #[logto(prefix = "logto:")]
    struct Storage {
        session: Handle,
    }

    let session = their::Session::default();
    let storage = Storage { session: Handle(session.clone()) };
    storage.apply(&[Change::set("a", "1"), Change::set("b", "2"), Change::remove("b")]).await.unwrap();
    assert_eq!(storage.get_item("a").await.unwrap().as_deref(), Some("1"));
    assert_eq!(session.fetch("logto:a").await.as_deref(), Some("1"));
    assert_eq!(session.fetch("logto:b").await, None);

    let error = storage.renew(&[Change::remove("a")]).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot renew the session: their sessions keep one id for life");
    assert_eq!(storage.get_item("a").await.unwrap().as_deref(), Some("1"));
    assert!(!storage.reload().await.unwrap(), "the handle has no `reload` of its own");
}

#[tokio::test]
async fn a_newtype_may_forward_to_another_handle() {
    struct Forwarding(MemorySession);

    impl SessionHandle for Forwarding {
        fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
            self.0.read(key)
        }

        fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
            self.0.write(changes)
        }
    }

    #[derive(LogtoStorage)]
    enum Storage<'r> {
        Newtype(Forwarding),
        Borrowed(&'r Forwarding),
    }

    let session = MemorySession::default();
    let forwarding = Forwarding(session.clone());
    assert_keeps_items(&Storage::Borrowed(&forwarding), &session, "").await;
    assert_keeps_items(&Storage::Newtype(forwarding), &session, "").await;
}
