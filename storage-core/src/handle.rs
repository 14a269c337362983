//! What a storage asks of a session library.

use std::borrow::Cow;
use std::future::{Future, ready};
use std::rc::Rc;
use std::sync::Arc;

use crate::{Changes, Result};

/// A session library's type, as a derived storage uses it.
///
/// It is implemented for the types of the libraries that the [features](crate#features) name, for
/// [`MemorySession`](crate::MemorySession), and for `&H`, `Box<H>`, `Rc<H>` and `Arc<H>` of any handle `H`. For a type
/// of another crate write a newtype:
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
///         item.map_err(|error| Error::session(error).during(Operation::Get).with_key(key))
///     }
///
///     async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
///         if changes.renews_id() {
///             return Err(Error::unsupported("their sessions keep one id for life").during(Operation::Renew));
///         }
///         let items: Vec<_> = changes.iter().map(|(key, value)| (key.into(), value.map(str::to_owned))).collect();
///         self.0.store(&items).await.map_err(|error| changes.failed(error))
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
/// The methods have names of their own, unlike those that session types tend to have, so that a call on a session
/// never picks the trait's method by accident. A session that is neither `Send` nor `Sync` (one built on `Rc`) can be
/// a handle as long as the futures are `Send`: do the work when called, and return [`std::future::ready`]. A generic
/// handle does likewise, as a plain `fn … -> impl Future + Send`: an `async fn` holds `&self`, which is `Send` only where
/// the type parameter is `Sync`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session handle",
    label = "`SessionHandle` is not implemented for this type",
    note = "for a session library's own type turn on the feature of `logto-storage-core` that is named for the \
            library and its version: `tower-sessions-0_15`, `tower-sessions-0_14`, `actix-session-0_11`, \
            `axum_session-0_22`, `poem-3` or `salvo-1`",
    note = "for any other session write `struct Handle(TheirSession);` and `impl SessionHandle for Handle`",
    note = "a cookie jar is no session handle on purpose: Logto's tokens outgrow the 4096 bytes that a browser keeps \
            of a cookie, so keep the session on the server"
)]
pub trait SessionHandle {
    /// The string under `key`, or `None` if there is nothing.
    ///
    /// # Errors
    ///
    /// [`Error::session`](crate::Error::session) if the session cannot be read,
    /// [`Error::not_a_string`](crate::Error::not_a_string) if something else is under the key.
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Makes the changes, in order, all or none, as [`Changes`] says.
    ///
    /// # Errors
    ///
    /// [`Changes::failed`] if the session cannot be read or saved; it shows none of the new values then.
    /// [`Error::unsupported`](crate::Error::unsupported) if a new id is asked for and the library cannot make the old one
    /// useless; nothing has changed then.
    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send;

    /// Reads the session again from its store, unless this would lose a change; says whether it did.
    ///
    /// # Errors
    ///
    /// [`Error::session`](crate::Error::session) if the session cannot be read; what was read before stays.
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

            fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
                (**self).reload()
            }
        }
    )*};
}

forward!(&H, Box<H>, Rc<H>, Arc<H>);
