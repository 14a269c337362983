use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, ready};
use std::rc::Rc;
use std::thread;

use logto_storage_core::{AllSeen, Change, Changes, Error, ErrorKind, Operation, Result, Seen, SessionHandle};

use crate::ThreadBound;

/// A session as actix-session's: neither `Send` nor `Sync`.
#[derive(Clone, Default)]
struct Session(Rc<RefCell<HashMap<String, String>>>);

impl SessionHandle for Session {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        ready(Ok(self.0.borrow().get(&*key).cloned()))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        for (key, value) in changes.iter() {
            self.0.borrow_mut().insert(key.into(), value.unwrap_or_default().to_owned());
        }
        ready(Ok(()))
    }

    fn write_if<'a>(&'a self, seen: AllSeen<'a>, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        let is_as_seen = seen.iter().all(|(key, value)| self.0.borrow().get(&*key).map(String::as_str) == value);
        let writing = if is_as_seen { Ok(self.write(changes)) } else { Err(Error::conflict()) };
        async move { writing?.await }
    }

    fn check_renewal(&self) -> Result<()> {
        Err(Error::unsupported("these sessions never change their id"))
    }

    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        ready(Ok(true))
    }
}

const SET: Changes<'_> = Changes::one(Change::set("key", "value"));

fn is_send<T: Send>(future: T) -> T {
    future
}

#[tokio::test]
async fn session_works_on_its_thread_and_its_futures_are_send() {
    fn is_shared<T: Send + Sync + 'static>(_: &T) {}
    let session = ThreadBound::new(Session::default());
    is_shared(&session);

    is_send(session.write(SET)).await.unwrap();

    assert_eq!(is_send(session.read("key".into())).await.unwrap().as_deref(), Some("value"));
    assert!(is_send(session.reload()).await.unwrap());
    assert_eq!(session.get().unwrap().0.borrow().len(), 1);
    assert_eq!(format!("{session:?}"), "ThreadBound { .. }");
}

#[tokio::test]
async fn session_answers_itself_whether_it_compares_and_renews() {
    let session = ThreadBound::new(Session::default());
    let missing = [Seen::new("key", None)];

    is_send(session.write_if(AllSeen::new(&missing), SET)).await.unwrap();

    let again = session.write_if(AllSeen::new(&missing), SET).await;
    assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(
        session.check_renewal().unwrap_err().to_string(),
        "cannot use the session: these sessions never change their id"
    );
}

#[tokio::test]
async fn calls_on_another_thread_are_unsupported_and_change_nothing() {
    let inner = Session::default();
    let session = ThreadBound::new(inner.clone());

    let errors = thread::scope(|scope| {
        let calls = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            assert!(session.get().is_none());
            runtime.block_on(async {
                [
                    session.read("key".into()).await.unwrap_err(),
                    session.write(SET).await.unwrap_err(),
                    session.write(SET.renewing()).await.unwrap_err(),
                    session.write_if(AllSeen::new(&[]), SET).await.unwrap_err(),
                    session.check_renewal().unwrap_err(),
                    session.reload().await.unwrap_err(),
                ]
            })
        });
        calls.join().unwrap()
    });

    let operations =
        [Operation::Get, Operation::Set, Operation::Renew, Operation::ApplyIf, Operation::Renew, Operation::Reload];
    assert_eq!(errors.each_ref().map(|error| error.operation().unwrap()), operations);
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Unsupported));
    assert_eq!(errors[0].key(), Some("key"));
    assert!(inner.0.borrow().is_empty());
}

#[test]
fn session_is_dropped_on_its_thread() {
    let inner = Session::default();
    drop(ThreadBound::new(inner.clone()));
    assert_eq!(Rc::strong_count(&inner.0), 1);
}

#[test]
fn session_is_leaked_on_another_thread_without_a_panic() {
    let inner = Session::default();
    let session = ThreadBound::new(inner.clone());
    thread::spawn(move || drop(session)).join().expect("no panic");
    assert_eq!(Rc::strong_count(&inner.0), 2);
}
