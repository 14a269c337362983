//! What is to be changed in a storage, and how a session handle gets to see it.

use std::borrow::Cow;
use std::fmt;

use crate::{Error, Operation, Result};

/// One change to a storage: an item is set, or removed.
///
/// ```
/// use logto_storage_core::{Change, LogtoStorage};
///
/// /// Signs out: both items go, in one save, and the session gets a new id.
/// async fn forget(storage: &impl LogtoStorage) -> logto_storage_core::Result<()> {
///     storage.renew(&[Change::remove("logto_id_token"), Change::remove("logto_refresh_token")]).await
/// }
/// ```
///
/// Its `Debug` shows the key, and of the value only its length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Change<'a> {
    /// The item becomes `value`, whether or not it was there.
    Set {
        /// The item's key.
        key: &'a str,
        /// The item's new value.
        value: &'a str,
    },
    /// The item goes. That it was not there is no error.
    Remove {
        /// The item's key.
        key: &'a str,
    },
}

impl<'a> Change<'a> {
    /// The item under `key` becomes `value`.
    pub const fn set(key: &'a str, value: &'a str) -> Self {
        Self::Set { key, value }
    }

    /// The item under `key` goes.
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

/// What a [`SessionHandle`](crate::SessionHandle) is to write in one go: one change or several, under keys that have
/// the storage's prefix, with the wish to [save](Changes::saves_now) them now and to
/// [renew](Changes::renews_id) the session's id.
///
/// Iterating yields each change in order as the item's full key and its new value (`None`: remove it), and allocates
/// only where there is a prefix.
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
}

#[derive(Clone, Copy, Debug)]
enum Items<'a> {
    One(Change<'a>),
    All(&'a [Change<'a>]),
}

impl<'a> Changes<'a> {
    /// One change, saved now.
    pub const fn one(change: Change<'a>) -> Self {
        Self { items: Items::One(change), prefix: None, deferred: false, renewing: false }
    }

    /// These changes in their order, saved now, all of them or none.
    pub const fn all(changes: &'a [Change<'a>]) -> Self {
        Self { items: Items::All(changes), prefix: None, deferred: false, renewing: false }
    }

    /// With this before every key.
    #[must_use]
    pub const fn prefixed(self, prefix: &'a str) -> Self {
        Self { prefix: Some(prefix), ..self }
    }

    /// Leaves saving to the web framework, at the end of the response.
    #[must_use]
    pub const fn deferred(self) -> Self {
        Self { deferred: true, ..self }
    }

    /// Gives the session a new id too, in the same save.
    #[must_use]
    pub const fn renewing(self) -> Self {
        Self { renewing: true, ..self }
    }

    /// Passes the changes on if none of their values has more than `max_len` bytes of UTF-8.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge), with the key of the first value that has more.
    pub fn limited(self, max_len: usize) -> Result<Self> {
        let too_large = |change: &Change<'_>| change.parts().1.is_some_and(|value| value.len() > max_len);
        match self.unprefixed().find(too_large).map(Change::parts) {
            Some((key, Some(value))) => {
                let error = Error::too_large(value.len(), max_len).during(self.operation());
                Err(error.with_key(prefixed(self.prefix, key)))
            }
            _ => Ok(self),
        }
    }

    /// Whether the changes are to be in the session's store when the call returns. A library that only saves at the
    /// end of the response cannot do so, and may ignore it.
    pub const fn saves_now(&self) -> bool {
        !self.deferred || self.renewing
    }

    /// Whether the session is to get a new id, in the same save. A library that has no way to make the old id
    /// useless answers [`Error::unsupported`], and changes nothing.
    pub const fn renews_id(&self) -> bool {
        self.renewing
    }

    /// Each change: the item's key, prefix included, and its new value, or `None` where it is to be removed.
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

    /// Which operation of the storage this is, for its errors.
    pub const fn operation(&self) -> Operation {
        match self.items {
            _ if self.renewing => Operation::Renew,
            Items::One(Change::Set { .. }) => Operation::Set,
            Items::One(Change::Remove { .. }) => Operation::Remove,
            Items::All(_) => Operation::Apply,
        }
    }

    /// The error to answer with when the session library failed with `source` on these changes: of kind
    /// [`Session`](crate::ErrorKind::Session), with the operation, and the key if there is only one change.
    pub fn failed(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let error = Error::session(source).during(self.operation());
        match self.items {
            Items::One(_) => self.iter().fold(error, |error, (key, _)| error.with_key(key)),
            Items::All(_) => error,
        }
    }
}

#[inline]
fn prefixed<'a>(prefix: Option<&str>, key: &'a str) -> Cow<'a, str> {
    match prefix {
        Some(prefix) => Cow::Owned([prefix, key].concat()),
        None => Cow::Borrowed(key),
    }
}
