//! Every future of a derived storage is `Send`, whatever the session is, in generic code, too.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::ready;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::{Change, Changes, LogtoStorage, MemorySession, Result, Seen, SessionHandle};

/// Says at compile time that a type has not a trait: the call is ambiguous for a type that has it.
macro_rules! assert_not_impl {
    ($type:ty: $trait:path) => {
        const _: fn() = || {
            trait AmbiguousIfImplemented<T> {
                fn call() {}
            }
            impl<T: ?Sized> AmbiguousIfImplemented<()> for T {}
            impl<T: ?Sized + $trait> AmbiguousIfImplemented<u8> for T {}
            <$type as AmbiguousIfImplemented<_>>::call();
        };
    };
}

mod of_a_session_of_one_thread {
    use super::*;

    /// Neither `Send` nor `Sync`, as actix-session's. It does its work when called.
    #[derive(Clone, Default)]
    struct LocalSession(Rc<RefCell<HashMap<String, String>>>);

    assert_not_impl!(LocalSession: Send);
    assert_not_impl!(LocalSession: Sync);

    impl SessionHandle for LocalSession {
        fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
            ready(Ok(self.0.borrow().get(&*key).cloned()))
        }

        fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
            let mut items = self.0.borrow_mut();
            for (key, value) in changes.iter() {
                match value {
                    Some(value) => items.insert(key.into_owned(), value.to_owned()),
                    None => items.remove(&*key),
                };
            }
            ready(Ok(()))
        }
    }

    /// Uses every method of a storage whose type is known, so that nothing but its own futures can be `Send`.
    macro_rules! assert_send_futures {
        ($storage:expr) => {
            let storage = $storage;
            let changes = [Change::set("a", "1"), Change::remove("key")];
            send(storage.set_item("key", "value")).await.unwrap();
            assert_eq!(send(storage.get_item("key")).await.unwrap().as_deref(), Some("value"));
            send(storage.apply(&changes)).await.unwrap();
            assert_eq!(storage.get_item("key").await.unwrap(), None);
            send(storage.remove_item("a")).await.unwrap();
            send(storage.renew(&changes)).await.unwrap();
            assert_eq!(storage.get_item("a").await.unwrap().as_deref(), Some("1"));
            let conflict = send(storage.apply_if(&[Seen::new("key", Some("other"))], &changes)).await;
            assert!(conflict.is_err(), "it cannot compare, or finds another value");
            send(storage.apply_expiring(&changes, Duration::from_secs(90))).await.unwrap();
            assert!(!send(storage.reload()).await.unwrap());
        };
    }

    fn send<F: Future + Send>(future: F) -> F {
        future
    }

    #[tokio::test]
    async fn a_struct_gives_send_futures() {
        #[derive(LogtoStorage)]
        struct Storage {
            session: LocalSession,
        }
        assert_not_impl!(Storage: Send);

        assert_send_futures!(Storage { session: LocalSession::default() });
    }

    #[tokio::test]
    async fn a_struct_with_all_options_gives_send_futures() {
        #[derive(LogtoStorage)]
        #[logto(prefix = "all:", save = "deferred", max_len = 100)]
        struct Fixed(LocalSession);
        #[derive(LogtoStorage)]
        #[logto(max_len = 100)]
        struct Field(#[logto(session)] LocalSession, #[logto(prefix)] Rc<str>);

        assert_send_futures!(Fixed(LocalSession::default()));
        assert_send_futures!(Field(LocalSession::default(), "field:".into()));
    }

    #[tokio::test]
    async fn an_enum_gives_send_futures() {
        #[derive(LogtoStorage)]
        #[logto(max_len = 100)]
        enum Storage<'r> {
            Local(LocalSession),
            Borrowed(#[logto(session)] &'r LocalSession, #[logto(prefix)] Rc<str>),
            Elsewhere(MemorySession),
        }

        let session = LocalSession::default();
        assert_send_futures!(Storage::Borrowed(&session, "borrowed:".into()));
        assert_send_futures!(Storage::Local(session));
        assert_send_futures!(Storage::Elsewhere(MemorySession::default()));
    }

    #[tokio::test]
    async fn pointers_give_send_futures() {
        #[derive(LogtoStorage)]
        struct Storage<'r> {
            session: &'r Rc<LocalSession>,
        }

        let session = Rc::default();
        assert_send_futures!(&Storage { session: &session });
        assert_send_futures!(Box::new(Storage { session: &session }));
        assert_send_futures!(Rc::new(Storage { session: &session }));
    }

    #[tokio::test]
    async fn generic_code_gets_send_futures() {
        #[derive(LogtoStorage)]
        #[logto(prefix = "all:", max_len = 100)]
        enum Storage<A, B> {
            First(A),
            Second(B),
        }
        async fn assert_all(storage: &(impl LogtoStorage + ?Sized)) {
            assert_send_futures!(storage);
        }
        async fn assert_derived<H: SessionHandle>(first: H, second: H) {
            assert_send_futures!(Storage::<_, H>::First(first));
            assert_send_futures!(Storage::<H, _>::Second(second));
        }

        assert_all(&Storage::<_, MemorySession>::First(LocalSession::default())).await;
        assert_derived(LocalSession::default(), LocalSession::default()).await;
    }
}

mod in_tasks {
    use super::*;

    #[derive(LogtoStorage)]
    #[logto(prefix = "all:", max_len = 100)]
    struct Struct<H>(H);

    #[derive(LogtoStorage)]
    enum Enum {
        Owned(MemorySession),
        Shared(#[logto(session)] Arc<MemorySession>, #[logto(prefix)] String),
    }

    /// Signs somebody in and out, in a task of its own.
    async fn spawn<S: LogtoStorage + Send + Sync + 'static>(storage: S) -> Option<String> {
        let task = tokio::spawn(async move {
            storage.renew(&[Change::set("id_token", "eyJ"), Change::remove("sign_in")]).await?;
            let id_token = storage.get_item("id_token").await?;
            storage.reload().await?;
            storage.remove_item("id_token").await?;
            storage.set_item("was_here", "yes").await?;
            Ok(id_token)
        });
        let id_token: Result<Option<String>> = task.await.unwrap();
        id_token.unwrap()
    }

    #[tokio::test]
    async fn any_storage_may_be_moved_into_a_task() {
        let session = MemorySession::default();
        assert_eq!(spawn(Struct(session.clone())).await.as_deref(), Some("eyJ"));
        assert_eq!(spawn(Arc::new(Struct(session.clone()))).await.as_deref(), Some("eyJ"));
        assert_eq!(spawn(Enum::Owned(session.clone())).await.as_deref(), Some("eyJ"));
        let shared = Enum::Shared(Arc::new(session.clone()), "shared:".to_owned());
        assert_eq!(spawn(shared).await.as_deref(), Some("eyJ"));

        assert_eq!(session.read("all:was_here".into()).await.unwrap().as_deref(), Some("yes"));
        assert_eq!(session.read("shared:was_here".into()).await.unwrap().as_deref(), Some("yes"));
        assert_eq!(session.read("id_token".into()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_storage_over_any_session_may_be_moved_into_a_task() {
        async fn spawn_over<H: SessionHandle + Send + Sync + 'static>(session: H) -> Option<String> {
            spawn(Struct(session)).await
        }
        assert_eq!(spawn_over(MemorySession::default()).await.as_deref(), Some("eyJ"));
        assert_eq!(spawn_over(Arc::new(MemorySession::default())).await.as_deref(), Some("eyJ"));
    }
}
