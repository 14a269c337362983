//! The interface between a derived storage and a session library.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::rc::Rc;
use std::sync::Arc;

use crate::{AllSeen, Changes, Error, Operation, Result};

/// A handle to a web session, which a derived storage reads and writes.
///
/// It is implemented for the session types that the [features](crate#features) name, for
/// [`MemorySession`](crate::MemorySession), and for `&H`, `Box<H>`, `Rc<H>` and `Arc<H>` where `H` is a handle. To use
/// another crate's session, wrap it in a newtype:
///
/// ```
/// use std::borrow::Cow;
///
/// use logto_storage_core::{Changes, Error, Operation, Result, SessionHandle};
/// # mod their {
/// #     use std::{collections::HashMap, io};
/// #     #[derive(Default)]
/// #     pub struct Session(std::sync::Mutex<HashMap<String, String>>);
/// #     impl Session {
/// #         pub async fn fetch(&self, key: &str) -> io::Result<Option<String>> {
/// #             Ok(self.0.lock().unwrap().get(key).cloned())
/// #         }
/// #         pub async fn store(&self, items: &[(String, Option<String>)]) -> io::Result<()> {
/// #             let mut held = self.0.lock().unwrap();
/// #             for (key, value) in items {
/// #                 match value {
/// #                     Some(value) => held.insert(key.clone(), value.clone()),
/// #                     None => held.remove(key),
/// #                 };
/// #             }
/// #             Ok(())
/// #         }
/// #     }
/// # }
///
/// struct Handle(their::Session);
///
/// impl SessionHandle for Handle {
///     async fn read(&self, key: Cow<'_, str>) -> Result<Option<String>> {
///         let item = self.0.fetch(&key).await;
///         item.map_err(|error| Error::session(error).with_operation(Operation::Get).with_key(key))
///     }
///
///     async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
///         if changes.renews_id() {
///             self.check_renewal()?;
///         }
///         let items: Vec<_> = changes.iter().map(|(key, value)| (key.into(), value.map(str::to_owned))).collect();
///         self.0.store(&items).await.map_err(|error| changes.failed(error))
///     }
///
///     fn check_renewal(&self) -> Result<()> {
///         Err(Error::unsupported("their sessions never change their id").with_operation(Operation::Renew))
///     }
/// }
/// # use logto_storage_core::Change;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// #     let handle = Handle(their::Session::default());
/// #     handle.write(Changes::one(Change::set("key", "value"))).await.unwrap();
/// #     assert_eq!(handle.read("key".into()).await.unwrap().as_deref(), Some("value"));
/// #     assert!(handle.write(Changes::all(&[]).renewing()).await.is_err());
/// # }
/// ```
///
/// The methods are named unlike those of session types (`read`, not `get`), so importing the trait never changes which
/// method a call on a session resolves to.
///
/// A session that is not `Sync`, such as one built on `Rc`, can still be a handle: do the work when called and return
/// [`std::future::ready`] from a plain `fn … -> impl Future + Send`. An `async fn` would capture `&self`, which is only
/// `Send` if the session is `Sync`. The same applies to a handle that is generic over its session.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session handle",
    label = "`SessionHandle` is not implemented for this type",
    note = "if it is a session library's type, enable the feature of `logto-client` (or of `logto-storage-core`, if you \
            depend on it directly) that names the library and its version: `tower-sessions-0_15`, \
            `tower-sessions-0_14`, `actix-session-0_11`, `axum_session-0_22`, `poem-3` or `salvo-1`",
    note = "if that feature is enabled, compare the versions: the same type of another version of the library is \
            another type",
    note = "for any other session, write `struct Handle(TheirSession);` and `impl SessionHandle for Handle`",
    note = "a cookie jar is not a session handle: browsers limit a cookie to 4096 bytes, which Logto's tokens outgrow, \
            so keep the session on the server"
)]
pub trait SessionHandle {
    /// Returns the string under `key`, or `None` if it is missing.
    ///
    /// ```
    /// use logto_storage_core::{Result, SessionHandle};
    ///
    /// async fn is_signed_in(session: &impl SessionHandle) -> Result<bool> {
    ///     Ok(session.read("logto_id_token".into()).await?.is_some())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Error::session`](crate::Error::session) if the session cannot be read, and with
    /// [`Error::not_a_string`](crate::Error::not_a_string) if the value under the key is not a string.
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Applies the changes in order, all or none, and saves and renews as [`Changes`] requests.
    ///
    /// ```
    /// use logto_storage_core::{Change, Changes, Result, SessionHandle};
    ///
    /// async fn forget(session: &impl SessionHandle) -> Result<()> {
    ///     session.write(Changes::one(Change::remove("logto_id_token")).renewing()).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Changes::failed`] if the session cannot be read or saved; the session then shows none of the new
    /// values. Fails with [`Error::unsupported`](crate::Error::unsupported), without any change, if the changes renew
    /// the id and the library cannot invalidate the old one.
    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send;

    /// Applies the changes as [`write`](Self::write) does, if every item in `seen` is still as it was seen when the
    /// changes reach the store.
    ///
    /// Web sessions are saved as a whole, so they cannot compare: the default implementation always fails.
    ///
    /// ```
    /// use logto_storage_core::{AllSeen, Change, Changes, ErrorKind, MemorySession, Seen, SessionHandle};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> logto_storage_core::Result<()> {
    /// let session = MemorySession::default();
    /// let seen = [Seen::new("lock", None)];
    /// session.write_if(AllSeen::new(&seen), Changes::one(Change::set("lock", "mine"))).await?;
    ///
    /// let again = session.write_if(AllSeen::new(&seen), Changes::one(Change::set("lock", "theirs"))).await;
    /// assert_eq!(again.unwrap_err().kind(), ErrorKind::Conflict);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails like [`write`](Self::write), with [`Error::conflict`](crate::Error::conflict) or
    /// [`Error::ended`](crate::Error::ended) without any change, and with
    /// [`Error::unsupported`](crate::Error::unsupported) if the session cannot compare.
    fn write_if<'a>(&'a self, seen: AllSeen<'a>, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        let _ = (seen, changes);
        ready(Err(Error::unsupported("this session cannot compare items").with_operation(Operation::ApplyIf)))
    }

    /// Returns an error if [`write`](Self::write) cannot renew the session's id, so that callers learn it before they
    /// depend on a renewal. Changes nothing.
    ///
    /// The default implementation returns `Ok`.
    ///
    /// ```
    /// use logto_storage_core::{MemorySession, SessionHandle};
    ///
    /// assert!(MemorySession::default().check_renewal().is_ok());
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Error::unsupported`](crate::Error::unsupported).
    fn check_renewal(&self) -> Result<()> {
        Ok(())
    }

    /// Reads the session from its store again, unless that would discard changes, and returns whether it did.
    ///
    /// The default implementation returns `false`.
    ///
    /// ```
    /// use logto_storage_core::{MemorySession, SessionHandle};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> logto_storage_core::Result<()> {
    /// // A session in memory has no store to read from.
    /// assert!(!MemorySession::default().reload().await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Error::session`](crate::Error::session) if the session cannot be read. It then keeps the items that
    /// it already had.
    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        ready(Ok(false))
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<H: SessionHandle + ?Sized> SessionHandle for $pointer {
            fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
                (**self).read(key)
            }

            fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
                (**self).write(changes)
            }

            fn write_if<'a>(
                &'a self,
                seen: AllSeen<'a>,
                changes: Changes<'a>,
            ) -> impl Future<Output = Result<()>> + Send {
                (**self).write_if(seen, changes)
            }

            fn check_renewal(&self) -> Result<()> {
                (**self).check_renewal()
            }

            fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
                (**self).reload()
            }
        }
    )*};
}

forward!(&H, Box<H>, Rc<H>, Arc<H>);
