//! Changes to a storage, and the form in which a session handle receives them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::{Error, Operation, Result};

/// A change to one item of a storage.
///
/// ```
/// use logto_storage_core::{Change, LogtoStorage};
///
/// /// Signs out: removes both items and renews the session's id in one save.
/// async fn forget(storage: &impl LogtoStorage) -> logto_storage_core::Result<()> {
///     storage.renew(&[Change::remove("logto_id_token"), Change::remove("logto_refresh_token")]).await
/// }
/// ```
///
/// The `Debug` output contains the key and the value's length, but not the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// Sets the item to `value`, replacing any previous value.
    Set {
        /// The item's key.
        key: &'a str,
        /// The item's new value.
        value: &'a str,
    },
    /// Removes the item. Removing a missing item is not an error.
    Remove {
        /// The item's key.
        key: &'a str,
    },
}

impl<'a> Change<'a> {
    /// Creates a change that sets the item under `key` to `value`.
    ///
    /// ```
    /// use logto_storage_core::Change;
    ///
    /// let change = Change::set("logto_id_token", "eyJ…");
    /// assert_eq!(format!("{change:?}"), r#"Set { key: "logto_id_token", len: 6 }"#);
    /// ```
    pub const fn set(key: &'a str, value: &'a str) -> Self {
        Self::Set { key, value }
    }

    /// Creates a change that removes the item under `key`.
    ///
    /// ```
    /// use logto_storage_core::Change;
    ///
    /// assert_eq!(Change::remove("logto_id_token"), Change::Remove { key: "logto_id_token" });
    /// ```
    pub const fn remove(key: &'a str) -> Self {
        Self::Remove { key }
    }

    const fn parts(self) -> (&'a str, Option<&'a str>) {
        match self {
            Self::Set { key, value } => (key, Some(value)),
            Self::Remove { key } => (key, None),
        }
    }
}

impl fmt::Debug for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { key, value } => f.debug_struct("Set").field("key", key).field("len", &value.len()).finish(),
            Self::Remove { key } => f.debug_struct("Remove").field("key", key).finish(),
        }
    }
}

/// The changes that a [`SessionHandle`](crate::SessionHandle) writes in one call.
///
/// Besides the changes it holds the prefix of their keys, and whether to [save](Changes::saves_now) at once and to
/// [renew](Changes::renews_id) the session's id.
///
/// ```
/// use logto_storage_core::{Change, Changes};
///
/// let changes = [Change::set("logto_id_token", "eyJ…"), Change::remove("logto_sign_in_session")];
/// let changes = Changes::all(&changes).prefixed("tenant-a:");
///
/// let seen: Vec<_> = changes.iter().map(|(key, value)| (key.into_owned(), value)).collect();
/// assert_eq!(
///     seen,
///     [
///         ("tenant-a:logto_id_token".to_owned(), Some("eyJ…")),
///         ("tenant-a:logto_sign_in_session".to_owned(), None),
///     ]
/// );
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    items: Items<'a>,
    prefix: Option<&'a str>,
    deferred: bool,
    renewing: bool,
    lifetime: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Items<'a> {
    One(Change<'a>),
    All(&'a [Change<'a>]),
}

impl<'a> Changes<'a> {
    /// Creates a write of a single change, to be saved at once.
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes, Operation};
    ///
    /// let changes = Changes::one(Change::remove("logto_id_token"));
    /// assert!(changes.saves_now());
    /// assert_eq!(changes.operation(), Operation::Remove);
    /// ```
    pub const fn one(change: Change<'a>) -> Self {
        Self::new(Items::One(change))
    }

    /// Creates a write of several changes, in order and all or none, to be saved at once.
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes, Operation};
    ///
    /// let changes = [Change::set("logto_id_token", "eyJ…"), Change::remove("logto_sign_in_session")];
    /// assert_eq!(Changes::all(&changes).operation(), Operation::Apply);
    /// ```
    pub const fn all(changes: &'a [Change<'a>]) -> Self {
        Self::new(Items::All(changes))
    }

    const fn new(items: Items<'a>) -> Self {
        Self { items, prefix: None, deferred: false, renewing: false, lifetime: None }
    }

    /// Puts `prefix` before every key.
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes};
    ///
    /// let changes = Changes::one(Change::remove("logto_id_token")).prefixed("tenant-a:");
    /// assert!(changes.iter().all(|(key, _)| key == "tenant-a:logto_id_token"));
    /// ```
    #[must_use]
    pub const fn prefixed(self, prefix: &'a str) -> Self {
        Self { prefix: Some(prefix), ..self }
    }

    /// Leaves saving to the web framework, which saves the session at the end of the response.
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes};
    ///
    /// assert!(!Changes::one(Change::remove("logto_id_token")).deferred().saves_now());
    /// ```
    #[must_use]
    pub const fn deferred(self) -> Self {
        Self { deferred: true, ..self }
    }

    /// Renews the session's id in the same save. A renewal is never [deferred](Self::deferred).
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes};
    ///
    /// let changes = Changes::one(Change::set("logto_id_token", "eyJ…")).deferred().renewing();
    /// assert!(changes.renews_id() && changes.saves_now());
    /// ```
    #[must_use]
    pub const fn renewing(self) -> Self {
        Self { renewing: true, ..self }
    }

    /// Lets the session expire after `lifetime` if these changes are the first that it holds.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use logto_storage_core::{Change, Changes};
    ///
    /// let an_hour = Duration::from_secs(3600);
    /// let changes = Changes::one(Change::set("logto_sign_in_session", "{}")).expiring_after(an_hour);
    /// assert_eq!(changes.lifetime(), Some(an_hour));
    /// ```
    #[must_use]
    pub const fn expiring_after(self, lifetime: Duration) -> Self {
        Self { lifetime: Some(lifetime), ..self }
    }

    /// Returns the changes unless one of their values is longer than `max_len` bytes of UTF-8.
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes, ErrorKind};
    ///
    /// let error = Changes::one(Change::set("logto_id_token", "12345")).limited(4).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::TooLarge { len: 5, max_len: 4 });
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge) and the key of the first value that is too long.
    pub fn limited(self, max_len: usize) -> Result<Self> {
        let too_large = |change: &Change<'_>| change.parts().1.is_some_and(|value| value.len() > max_len);
        match self.unprefixed().find(too_large).map(Change::parts) {
            Some((key, Some(value))) => {
                let error = Error::too_large(value.len(), max_len).with_operation(self.operation());
                Err(error.with_key(prefixed(self.prefix, key)))
            }
            _ => Ok(self),
        }
    }

    /// Returns whether the changes should be in the session's store when the call returns.
    ///
    /// A library that can only save at the end of the response may ignore this.
    pub const fn saves_now(&self) -> bool {
        !self.deferred || self.renewing
    }

    /// Returns whether the session should get a new id in the same save.
    ///
    /// A library that cannot invalidate the old id must fail with [`Error::unsupported`] and change nothing.
    pub const fn renews_id(&self) -> bool {
        self.renewing
    }

    /// Returns after how long the session may expire if these changes are the first that it holds.
    ///
    /// Meant for visitors who have only started to sign in. A library that cannot set the lifetime of one session may
    /// ignore it.
    pub const fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }

    /// Iterates over the changes in order.
    ///
    /// Each change is the item's key, prefix included, and its new value; `None` means that the item is to be removed.
    /// Keys are allocated only if there is a prefix. See [`Changes`] for an example.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'a, str>, Option<&'a str>)> + use<'a> {
        let prefix = self.prefix;
        self.unprefixed().map(Change::parts).map(move |(key, value)| (prefixed(prefix, key), value))
    }

    #[inline]
    fn unprefixed(&self) -> impl Iterator<Item = Change<'a>> + use<'a> {
        let items = self.items;
        let len = match items {
            Items::One(_) => 1,
            Items::All(changes) => changes.len(),
        };
        (0..len).map(move |index| match items {
            Items::One(change) => change,
            Items::All(changes) => changes[index],
        })
    }

    /// Returns the storage operation that these changes belong to.
    pub const fn operation(&self) -> Operation {
        match self.items {
            _ if self.renewing => Operation::Renew,
            Items::One(Change::Set { .. }) => Operation::Set,
            Items::One(Change::Remove { .. }) => Operation::Remove,
            Items::All(_) => Operation::Apply,
        }
    }

    /// Creates the error for a write that the session library failed with `source`.
    ///
    /// Its kind is [`Session`](crate::ErrorKind::Session). It names the operation, and the key if there is a single
    /// change.
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes};
    ///
    /// let error = Changes::one(Change::remove("logto_id_token")).failed("connection refused");
    /// assert_eq!(error.to_string(), r#"cannot remove "logto_id_token": the session failed"#);
    /// ```
    pub fn failed(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let error = Error::session(source).with_operation(self.operation());
        match self.items {
            Items::One(_) => self.iter().fold(error, |error, (key, _)| error.with_key(key)),
            Items::All(_) => error,
        }
    }
}

/// An item as a request has seen it, for a change that depends on it.
///
/// ```
/// use logto_storage_core::{Change, ErrorKind, LogtoStorage, Result, Seen};
///
/// /// Counts, without losing what other requests count at the same time.
/// async fn count(storage: &impl LogtoStorage) -> Result<u64> {
///     loop {
///         let seen = storage.get_item("count").await?;
///         let count = seen.as_deref().and_then(|count| count.parse().ok()).unwrap_or(0) + 1;
///         let next = count.to_string();
///         match storage.apply_if(&[Seen::new("count", seen.as_deref())], &[Change::set("count", &next)]).await {
///             Ok(()) => return Ok(count),
///             Err(error) if error.kind() == ErrorKind::Conflict => storage.reload().await?,
///             Err(error) => return Err(error),
///         };
///     }
/// }
/// ```
///
/// The `Debug` output contains the key and the value's length, but not the value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seen<'a> {
    key: &'a str,
    value: Option<&'a str>,
}

impl<'a> Seen<'a> {
    /// Creates the item under `key` as it was seen. `None` means that it was missing.
    pub const fn new(key: &'a str, value: Option<&'a str>) -> Self {
        Self { key, value }
    }
}

impl fmt::Debug for Seen<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").field("key", &self.key).field("len", &self.value.map(str::len)).finish()
    }
}

/// The items that a [conditional write](crate::SessionHandle::write_if) depends on.
///
/// Besides the items it holds the prefix of their keys.
///
/// ```
/// use logto_storage_core::{AllSeen, Seen};
///
/// let seen = [Seen::new("logto_refresh_token", Some("secret"))];
/// let seen = AllSeen::new(&seen).prefixed("tenant-a:");
///
/// let items: Vec<_> = seen.iter().map(|(key, value)| (key.into_owned(), value)).collect();
/// assert_eq!(items, [("tenant-a:logto_refresh_token".to_owned(), Some("secret"))]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AllSeen<'a> {
    items: &'a [Seen<'a>],
    prefix: Option<&'a str>,
}

impl<'a> AllSeen<'a> {
    /// Creates the condition that all items are as they were seen.
    pub const fn new(items: &'a [Seen<'a>]) -> Self {
        Self { items, prefix: None }
    }

    /// Puts `prefix` before every key.
    #[must_use]
    pub const fn prefixed(self, prefix: &'a str) -> Self {
        Self { prefix: Some(prefix), ..self }
    }

    /// Iterates over the items: the key, prefix included, and the value that was seen, or `None` if it was missing.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'a, str>, Option<&'a str>)> + use<'a> {
        let prefix = self.prefix;
        self.items.iter().map(move |seen| (prefixed(prefix, seen.key), seen.value))
    }
}

#[inline]
fn prefixed<'a>(prefix: Option<&str>, key: &'a str) -> Cow<'a, str> {
    match prefix {
        Some(prefix) => Cow::Owned([prefix, key].concat()),
        None => Cow::Borrowed(key),
    }
}
