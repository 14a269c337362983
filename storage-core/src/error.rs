//! The error type of storages and session handles.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

/// The result of a storage operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The error of a failed storage operation.
///
/// It names the [operation](Error::operation) and the [key](Error::key), has a [kind](Error::kind) to branch on, and
/// keeps the session library's error as its [`source`](StdError::source). Apart from that source, it never contains an
/// item's value, which may be a token.
///
/// If you implement [`SessionHandle`](crate::SessionHandle) or [`LogtoStorage`](crate::LogtoStorage) by hand, create
/// errors with [`session`](Error::session), [`not_a_string`](Error::not_a_string),
/// [`unsupported`](Error::unsupported), [`conflict`](Error::conflict) or [`ended`](Error::ended), and add details with [`with_operation`](Error::with_operation) and
/// [`with_key`](Error::with_key):
///
/// ```
/// use logto_storage_core::{Error, ErrorKind, Operation};
///
/// let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
/// let error = Error::session(refused).with_operation(Operation::Get).with_key("logto_id_token");
///
/// assert_eq!(error.kind(), ErrorKind::Session);
/// assert_eq!(error.to_string(), r#"cannot get "logto_id_token": the session failed"#);
/// assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "connection refused");
/// ```
pub struct Error(Box<Inner>);

// Boxed to keep `Result` small.
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
    Conflict,
    Ended,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The session library or its store failed. The library's error is the `source`.
    Session,
    /// The value under the key is not a string, so other code wrote it.
    NotAString,
    /// A value is longer than the storage's `max_len`. Nothing was written.
    TooLarge {
        /// The value's length in bytes of UTF-8.
        len: usize,
        /// The storage's limit in bytes of UTF-8.
        max_len: usize,
    },
    /// The session library does not support the operation. Nothing was changed.
    Unsupported,
    /// An item is not as it was [seen](crate::Seen), so another request has written it. Nothing was changed.
    Conflict,
    /// The sign-in that this request belongs to has ended: another request has signed out, or renewed the session.
    /// Nothing was changed.
    Ended,
}

/// A storage operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// Reading an item.
    Get,
    /// Writing an item.
    Set,
    /// Removing an item.
    Remove,
    /// Applying several changes.
    Apply,
    /// Applying changes and renewing the session's id.
    Renew,
    /// Reading the session from its store again.
    Reload,
    /// Applying several changes if some items are as they were seen.
    ApplyIf,
}

impl Error {
    /// Creates the error for a session library, or the store behind it, that failed with `source`.
    ///
    /// ```
    /// use logto_storage_core::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::session("connection refused").kind(), ErrorKind::Session);
    /// ```
    pub fn session(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(Cause::Session(source.into()))
    }

    /// Creates the error for a value under `key` that is not a string.
    ///
    /// ```
    /// use logto_storage_core::{Error, Operation};
    ///
    /// let error = Error::not_a_string("counter").with_operation(Operation::Get);
    /// assert_eq!(error.to_string(), r#"cannot get "counter": the value is not a string"#);
    /// ```
    pub fn not_a_string(key: impl Into<String>) -> Self {
        Self::new(Cause::NotAString).with_key(key)
    }

    /// Creates the error for a value of `len` bytes that exceeds the limit of `max_len` bytes.
    ///
    /// ```
    /// use logto_storage_core::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::too_large(6, 4).kind(), ErrorKind::TooLarge { len: 6, max_len: 4 });
    /// ```
    pub fn too_large(len: usize, max_len: usize) -> Self {
        Self::new(Cause::TooLarge { len, max_len })
    }

    /// Creates the error for an operation that the session does not support. `reason` says why, or what to do instead.
    ///
    /// ```
    /// use logto_storage_core::{Error, Operation};
    ///
    /// let error = Error::unsupported("these sessions never change their id").with_operation(Operation::Renew);
    /// assert_eq!(error.to_string(), "cannot renew the session: these sessions never change their id");
    /// ```
    pub fn unsupported(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Cause::Unsupported(reason.into()))
    }

    /// Creates the error for a conditional change that was refused because an item is not as it was seen.
    ///
    /// ```
    /// use logto_storage_core::{Error, Operation};
    ///
    /// let error = Error::conflict().with_operation(Operation::ApplyIf);
    /// assert_eq!(error.to_string(), "cannot apply the changes: another request has changed an item");
    /// ```
    pub fn conflict() -> Self {
        Self::new(Cause::Conflict)
    }

    /// Creates the error for a change that was refused because the sign-in of this request has ended.
    ///
    /// ```
    /// use logto_storage_core::{Error, ErrorKind};
    ///
    /// assert_eq!(Error::ended().kind(), ErrorKind::Ended);
    /// ```
    pub fn ended() -> Self {
        Self::new(Cause::Ended)
    }

    /// Adds the operation that failed.
    ///
    /// ```
    /// use logto_storage_core::{Error, Operation};
    ///
    /// let error = Error::session("connection refused").with_operation(Operation::Reload);
    /// assert_eq!(error.operation(), Some(Operation::Reload));
    /// ```
    #[must_use]
    pub fn with_operation(mut self, operation: Operation) -> Self {
        self.0.operation = Some(operation);
        self
    }

    /// Adds the key of the item, as it is in the session.
    ///
    /// ```
    /// use logto_storage_core::Error;
    ///
    /// let error = Error::session("connection refused").with_key("tenant-a:logto_id_token");
    /// assert_eq!(error.key(), Some("tenant-a:logto_id_token"));
    /// ```
    #[must_use]
    pub fn with_key(mut self, key: impl Into<String>) -> Self {
        self.0.key = Some(key.into());
        self
    }

    /// Returns the kind of the error.
    ///
    /// ```
    /// use logto_storage_core::{Error, ErrorKind};
    ///
    /// fn is_outage(error: &Error) -> bool {
    ///     error.kind() == ErrorKind::Session
    /// }
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match self.0.cause {
            Cause::Session(_) => ErrorKind::Session,
            Cause::NotAString => ErrorKind::NotAString,
            Cause::TooLarge { len, max_len } => ErrorKind::TooLarge { len, max_len },
            Cause::Unsupported(_) => ErrorKind::Unsupported,
            Cause::Conflict => ErrorKind::Conflict,
            Cause::Ended => ErrorKind::Ended,
        }
    }

    /// Returns the operation that failed, if known.
    pub fn operation(&self) -> Option<Operation> {
        self.0.operation
    }

    /// Returns the key of the item as it is in the session, prefix included.
    ///
    /// Returns `None` if the error is not about one item, as when saving several changes fails.
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
            Some(Operation::Apply | Operation::ApplyIf) => "cannot apply the changes",
            Some(Operation::Renew) => "cannot renew the session",
            Some(Operation::Reload) => "cannot reload the session",
            None => "cannot use the session",
        })?;
        // A key may come from a request, such as a tenant's name in a prefix. Quoting keeps it from forging log lines.
        match (key, operation) {
            (None, _) => (),
            (Some(key), Some(Operation::Get | Operation::Set | Operation::Remove)) => write!(f, " {key:?}")?,
            (Some(key), _) => write!(f, " ({key:?})")?,
        }
        match cause {
            Cause::Session(_) => f.write_str(": the session failed"),
            Cause::NotAString => f.write_str(": the value is not a string"),
            Cause::TooLarge { len, max_len } => {
                write!(f, ": the value has {len} bytes, more than the limit of {max_len}")
            }
            Cause::Unsupported(reason) => write!(f, ": {reason}"),
            Cause::Conflict => f.write_str(": another request has changed an item"),
            Cause::Ended => f.write_str(": the sign-in has ended"),
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
