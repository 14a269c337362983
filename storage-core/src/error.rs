//! The one error type of storages and session handles.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// What a storage's operations return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a storage could not do what it was asked to.
///
/// It says which [operation](Error::operation) failed, on which [key](Error::key), of what [kind](Error::kind) the
/// failure is, and keeps the session library's own error as its [`source`](StdError::source). An item's value (a
/// token, as a rule) is never part of it.
///
/// Whoever implements [`SessionHandle`](crate::SessionHandle) or [`LogtoStorage`](crate::LogtoStorage) by hand makes
/// one with [`session`](Error::session), [`not_a_string`](Error::not_a_string) or
/// [`unsupported`](Error::unsupported), and adds what is known with [`during`](Error::during) and
/// [`with_key`](Error::with_key):
///
/// ```
/// use logto_storage_core::{Error, ErrorKind, Operation};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = Error::session(refused).during(Operation::Get).with_key("logto_id_token");
///
/// assert_eq!(error.kind(), ErrorKind::Session);
/// assert_eq!(error.to_string(), r#"cannot get "logto_id_token": the session failed"#);
/// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "connection refused");
/// ```
pub struct Error(Box<Inner>);

// Boxed, so that the `Result` of a call that went well stays small.
struct Inner {
    operation: Option<Operation>,
    key: Option<String>,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Session(Box<dyn StdError + Send + Sync>),
    NotAString,
    TooLarge { len: usize, max_len: usize },
    Unsupported(Cow<'static, str>),
}

/// What went wrong, for code that branches on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session library or its store failed; its own error is the `source`.
    Session,
    /// The session holds a value under the key that is no string, so somebody else wrote it.
    NotAString,
    /// A value is longer than the storage's `max_len`. Nothing was written.
    TooLarge {
        /// The value's length in bytes of UTF-8.
        len: usize,
        /// The most that the storage takes, in bytes of UTF-8.
        max_len: usize,
    },
    /// The session library has no way to do this. Nothing was changed.
    Unsupported,
}

/// What a storage was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Reading an item.
    Get,
    /// Writing an item.
    Set,
    /// Removing an item.
    Remove,
    /// Making several changes.
    Apply,
    /// Making changes and giving the session a new id.
    Renew,
    /// Reading the whole session again.
    Reload,
}

impl Error {
    /// The session library, or the store behind it, failed with `source`.
    pub fn session(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Cause::Session(source.into()))
    }

    /// The session holds something under `key` that is no string.
    pub fn not_a_string(key: impl Into<String>) -> Self {
        Self::new(Cause::NotAString).with_key(key)
    }

    /// A value of `len` bytes was refused, since the storage takes `max_len` at most.
    pub fn too_large(len: usize, max_len: usize) -> Self {
        Self::new(Cause::TooLarge { len, max_len })
    }

    /// The session cannot do this at all; `reason` says why, or what to do instead.
    pub fn unsupported(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Cause::Unsupported(reason.into()))
    }

    /// Says what the storage was doing.
    #[must_use]
    pub fn during(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Says which item it was about, by the key that the session knows it under.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.0.key = Some(key.into());
        self
    }

    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self.0.cause {
            Cause::Session(_) => ErrorKind::Session,
            Cause::NotAString => ErrorKind::NotAString,
            Cause::TooLarge { len, max_len } => ErrorKind::TooLarge { len, max_len },
            Cause::Unsupported(_) => ErrorKind::Unsupported,
        }
    }

    /// What the storage was doing, where it said so.
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// The key as the session knows it, prefix included. There is none where several changes were saved, or where
    /// the session was read as a whole.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    fn new(cause: Cause) -> Self {
        Self(Box::new(Inner { operation: None, key: None, cause }))
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, key, cause } = &*self.0;
        f.debug_struct("Error").field("operation", operation).field("key", key).field("cause", cause).finish()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { operation, key, cause } = &*self.0;
        f.write_str(match operation {
            Some(Operation::Get) => "cannot get",
            Some(Operation::Set) => "cannot set",
            Some(Operation::Remove) => "cannot remove",
            Some(Operation::Apply) => "cannot apply the changes",
            Some(Operation::Renew) => "cannot renew the session",
            Some(Operation::Reload) => "cannot reload the session",
            None => "cannot use the session",
        })?;
        // A key may come from a request (a tenant's name in a prefix): quoted, it cannot forge a line of a log.
        match (key, operation) {
            (None, _) => (),
            (Some(key), Some(Operation::Get | Operation::Set | Operation::Remove)) => write!(f, " {key:?}")?,
            (Some(key), _) => write!(f, " ({key:?})")?,
        }
        match cause {
            Cause::Session(_) => f.write_str(": the session failed"),
            Cause::NotAString => f.write_str(": its value is not a string"),
            Cause::TooLarge { len, max_len } => {
                write!(f, ": the value has {len} bytes, more than the limit of {max_len}")
            }
            Cause::Unsupported(reason) => write!(f, ": {reason}"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.cause {
            Cause::Session(source) => Some(&**source),
            _ => None,
        }
    }
}
