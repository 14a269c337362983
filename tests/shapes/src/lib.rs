//! What the tests in `tests/` share: what every storage does, and a handle that tells how it was called.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use logto_storage_core::{
    AllSeen, Change, Changes, Error, ErrorKind, LogtoStorage, MemorySession, Operation, Result, Seen, SessionHandle,
};

/// Goes through all methods of `storage`, which keeps its items in `session`, under keys that begin with `prefix`.
///
/// # Panics
///
/// If one of them does anything else than it should.
pub async fn assert_keeps_items(storage: &(impl LogtoStorage + ?Sized), session: &MemorySession, prefix: &str) {
    let get = async |key| storage.get_item(key).await.unwrap();
    let held = async |key| session.read(Cow::Owned([prefix, key].concat())).await.unwrap();

    assert_eq!(get("id_token").await, None, "nothing is there to begin with");

    storage.set_item("id_token", "eyJ").await.unwrap();
    storage.set_item("empty", "").await.unwrap();
    assert_eq!(get("id_token").await.as_deref(), Some("eyJ"), "what was set is got back");
    assert_eq!(get("empty").await.as_deref(), Some(""), "an empty string is an item");
    assert_eq!(held("id_token").await.as_deref(), Some("eyJ"), "the session has it, under the storage's prefix");

    storage.remove_item("id_token").await.unwrap();
    assert_eq!(get("id_token").await, None, "what was removed is gone");
    assert_eq!(held("id_token").await, None, "from the session, too");
    storage.remove_item("id_token").await.unwrap();

    let changes = [Change::set("a", "1"), Change::set("b", "2"), Change::remove("a"), Change::remove("empty")];
    storage.apply(&changes).await.unwrap();
    assert_eq!(get("a").await, None, "changes are made in order");
    assert_eq!(held("b").await.as_deref(), Some("2"), "changes go under the storage's prefix");
    assert_eq!(get("empty").await, None, "every change is made");

    storage.renew(&[Change::remove("b"), Change::set("c", "3")]).await.unwrap();
    assert_eq!(get("b").await, None, "a renewal removes");
    assert_eq!(held("c").await.as_deref(), Some("3"), "a renewal sets, under the storage's prefix");
    storage.remove_item("c").await.unwrap();

    storage.apply_expiring(&[Change::set("d", "4")], Duration::from_secs(90)).await.unwrap();
    assert_eq!(held("d").await.as_deref(), Some("4"), "a lifetime changes nothing about the items");
    let seen = [Seen::new("d", Some("4")), Seen::new("e", None)];
    match storage.apply_if(&seen, &[Change::set("e", "5"), Change::remove("d")]).await {
        Ok(()) => {
            assert_eq!(held("e").await.as_deref(), Some("5"), "what is as it was seen is changed");
            assert_eq!(held("d").await, None);
            let refused = storage.apply_if(&seen, &[Change::set("e", "6")]).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Conflict, "what is not as it was seen is not changed");
            assert_eq!(held("e").await.as_deref(), Some("5"));
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Unsupported, "a handle need not compare");
            assert_eq!(held("e").await, None, "and then changes nothing");
        }
    }
    storage.apply(&[Change::remove("d"), Change::remove("e")]).await.unwrap();

    storage.check_renewal().unwrap();
    assert!(!storage.reload().await.unwrap(), "a session in memory has no store to be read from");
}

/// A session in memory that remembers how it was called. Clones share all they know.
#[derive(Clone, Default)]
pub struct Recorder {
    session: MemorySession,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// One call of a [`Recorder`].
#[derive(Debug, PartialEq, Eq)]
pub enum Call {
    /// Of `read`, with this key.
    Read(String),
    /// Of `write`.
    Write {
        /// Each key with its new value; `None`: it is removed.
        items: Vec<(String, Option<String>)>,
        /// [`Changes::saves_now`]
        saves_now: bool,
        /// [`Changes::renews_id`]
        renews_id: bool,
        /// [`Changes::lifetime`]
        lifetime: Option<Duration>,
    },
    /// Of `write_if`, with each key and the value that was seen. The `write` follows.
    WriteIf(Vec<(String, Option<String>)>),
    /// Of `check_renewal`.
    CheckRenewal,
    /// Of `reload`.
    Reload,
}

impl Recorder {
    /// The calls since the last time that it was asked.
    ///
    /// # Panics
    ///
    /// If a test has panicked meanwhile.
    pub fn take_calls(&self) -> Vec<Call> {
        mem::take(&mut *self.calls.lock().unwrap())
    }

    fn record(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }
}

impl Call {
    /// A `write` that is to be saved now, and leaves the session's id alone.
    pub fn write<const N: usize>(items: [(&str, Option<&str>); N]) -> Self {
        Self::Write { items: owned(items), saves_now: true, renews_id: false, lifetime: None }
    }

    /// The same `write`, to expire after this time.
    #[must_use]
    pub fn expiring_after(self, lifetime: Duration) -> Self {
        match self {
            Self::Write { items, saves_now, renews_id, .. } => {
                Self::Write { items, saves_now, renews_id, lifetime: Some(lifetime) }
            }
            other => other,
        }
    }

    /// A `write_if` that depends on these items.
    pub fn write_if<const N: usize>(seen: [(&str, Option<&str>); N]) -> Self {
        Self::WriteIf(owned(seen))
    }

    /// The same `write`, with a new id.
    #[must_use]
    pub fn renewing(self) -> Self {
        match self {
            Self::Write { items, lifetime, .. } => Self::Write { items, saves_now: true, renews_id: true, lifetime },
            other => other,
        }
    }

    /// The same `write`, saved by the web framework.
    #[must_use]
    pub fn deferred(self) -> Self {
        match self {
            Self::Write { items, renews_id, lifetime, .. } => {
                Self::Write { items, saves_now: false, renews_id, lifetime }
            }
            other => other,
        }
    }
}

fn owned<'a>(items: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> Vec<(String, Option<String>)> {
    items.into_iter().map(|(key, value)| (key.to_owned(), value.map(str::to_owned))).collect()
}

impl SessionHandle for Recorder {
    async fn read(&self, key: Cow<'_, str>) -> Result<Option<String>> {
        self.record(Call::Read(key.clone().into_owned()));
        self.session.read(key).await
    }

    async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
        let items = changes.iter().map(|(key, value)| (key.into_owned(), value.map(str::to_owned))).collect();
        self.record(Call::Write {
            items,
            saves_now: changes.saves_now(),
            renews_id: changes.renews_id(),
            lifetime: changes.lifetime(),
        });
        self.session.write(changes).await
    }

    async fn write_if<'a>(&'a self, seen: AllSeen<'a>, changes: Changes<'a>) -> Result<()> {
        let items = seen.iter().map(|(key, value)| (key.into_owned(), value.map(str::to_owned))).collect();
        self.record(Call::WriteIf(items));
        self.write(changes).await
    }

    /// An error, unlike the trait's default.
    fn check_renewal(&self) -> Result<()> {
        self.record(Call::CheckRenewal);
        Err(Error::unsupported("it only records").with_operation(Operation::Renew))
    }

    /// `true`, unlike what the trait's default answers.
    async fn reload(&self) -> Result<bool> {
        self.record(Call::Reload);
        Ok(true)
    }
}
