//! The storage that Logto's SDK keeps a user's items in.

use std::future::{Future, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::{Change, Error, Operation, Result, Seen};

/// A key/value storage for a signed-in user's items, such as tokens.
///
/// It corresponds to the `Storage` interface of Logto's other SDKs (`GetItem` and `SetItem` in Go). Derive it for a
/// struct that holds a web session (feature `derive`), or implement it by hand:
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// use logto_storage_core::{LogtoStorage, Result};
///
/// #[derive(Default)]
/// struct Items(Mutex<HashMap<String, String>>);
///
/// impl LogtoStorage for Items {
///     async fn get_item(&self, key: &str) -> Result<Option<String>> {
///         Ok(self.0.lock().unwrap().get(key).cloned())
///     }
///
///     async fn set_item(&self, key: &str, value: &str) -> Result<()> {
///         self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
///         Ok(())
///     }
///
///     async fn remove_item(&self, key: &str) -> Result<()> {
///         self.0.lock().unwrap().remove(key);
///         Ok(())
///     }
/// }
/// ```
///
/// The futures are `Send` even if the storage itself is not, so generic code can run in axum handlers and spawned
/// tasks. For a storage whose type is chosen at run time, see [`DynStorage`](crate::DynStorage).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a storage for Logto's items",
    label = "`LogtoStorage` is not implemented for this type",
    note = "to implement it, add `#[derive(LogtoStorage)]` to a struct that holds the session (feature `derive`)"
)]
pub trait LogtoStorage {
    /// Returns the item under `key`, or `None` if it is missing. An empty string is an item.
    ///
    /// ```
    /// use logto_storage_core::{LogtoStorage, Result};
    ///
    /// async fn is_signed_in(storage: &impl LogtoStorage) -> Result<bool> {
    ///     Ok(storage.get_item("logto_id_token").await?.is_some())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Session`](crate::ErrorKind::Session) if the session cannot be read, and with
    /// [`NotAString`](crate::ErrorKind::NotAString) if the value under the key is not a string.
    fn get_item(&self, key: &str) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Sets the item under `key` to `value`, replacing any previous value.
    ///
    /// ```
    /// use logto_storage_core::{LogtoStorage, Result};
    ///
    /// async fn greet(storage: &impl LogtoStorage) -> Result<()> {
    ///     storage.set_item("greeting", "hello").await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Session`](crate::ErrorKind::Session) if the session cannot be read or saved, and with
    /// [`TooLarge`](crate::ErrorKind::TooLarge) if the value exceeds the storage's limit.
    fn set_item<'a>(&'a self, key: &'a str, value: &'a str) -> impl Future<Output = Result<()>> + Send;

    /// Removes the item under `key`. Removing a missing item is not an error.
    ///
    /// ```
    /// use logto_storage_core::{LogtoStorage, Result};
    ///
    /// async fn forget(storage: &impl LogtoStorage) -> Result<()> {
    ///     storage.remove_item("logto_id_token").await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Session`](crate::ErrorKind::Session) if the session cannot be read or saved.
    fn remove_item<'a>(&'a self, key: &'a str) -> impl Future<Output = Result<()>> + Send;

    /// Applies all changes in order. A derived storage applies them in one save, all or none.
    ///
    /// The default implementation applies them one by one and stops at the first error. It calls
    /// [`set_item`](Self::set_item) and [`remove_item`](Self::remove_item) for every change before it awaits the first
    /// future, so a storage that acts when called rather than when awaited must implement this method.
    ///
    /// ```
    /// use logto_storage_core::{Change, LogtoStorage, Result};
    ///
    /// async fn store(storage: &impl LogtoStorage, id_token: &str) -> Result<()> {
    ///     storage.apply(&[Change::set("logto_id_token", id_token), Change::remove("logto_sign_in_session")]).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails like [`set_item`](Self::set_item).
    fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        // An `async` block that holds `self` would require `Self: Sync`. The steps' futures are `Send` already.
        enum Step<S, R> {
            Set(S),
            Remove(R),
        }
        let steps: Vec<_> = changes
            .iter()
            .map(|change| match *change {
                Change::Set { key, value } => Step::Set(self.set_item(key, value)),
                Change::Remove { key } => Step::Remove(self.remove_item(key)),
            })
            .collect();
        async move {
            for step in steps {
                match step {
                    Step::Set(set) => set.await?,
                    Step::Remove(remove) => remove.await?,
                }
            }
            Ok(())
        }
    }

    /// Applies all changes as [`apply`](Self::apply) does, if every item in `seen` is still as it was seen.
    ///
    /// Another request, or another process, may write between your read and your write. This method compares and
    /// changes in one step, so that neither write is lost. Most sessions are saved as a whole and cannot do that. The
    /// default implementation always fails. See [`Seen`] for an example.
    ///
    /// # Errors
    ///
    /// Fails like [`apply`](Self::apply), and without any change:
    ///
    /// - with [`Conflict`](crate::ErrorKind::Conflict) if an item is not as it was seen,
    /// - with [`Ended`](crate::ErrorKind::Ended) if the sign-in of this request has ended,
    /// - with [`Unsupported`](crate::ErrorKind::Unsupported) if the storage cannot compare.
    fn apply_if<'a>(
        &'a self,
        seen: &'a [Seen<'a>],
        changes: &'a [Change<'a>],
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = (seen, changes);
        ready(Err(Error::unsupported("this storage does not implement `apply_if`").with_operation(Operation::ApplyIf)))
    }

    /// Applies all changes as [`apply`](Self::apply) does, and lets the session expire after `lifetime` if it held
    /// nothing before.
    ///
    /// The SDK starts a sign-in with it: a visitor who never comes back should not occupy the session store for weeks.
    /// Storages that cannot set the lifetime of one session apply the changes only, as the default implementation does.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use logto_storage_core::{Change, LogtoStorage, Result};
    ///
    /// async fn begin(storage: &impl LogtoStorage, sign_in: &str) -> Result<()> {
    ///     let an_hour = Duration::from_secs(3600);
    ///     storage.apply_expiring(&[Change::set("logto_sign_in_session", sign_in)], an_hour).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails like [`apply`](Self::apply).
    fn apply_expiring<'a>(
        &'a self,
        changes: &'a [Change<'a>],
        lifetime: Duration,
    ) -> impl Future<Output = Result<()>> + Send {
        let _ = lifetime;
        self.apply(changes)
    }

    /// Applies all changes and renews the session's id in the same save.
    ///
    /// The old id becomes worthless, which prevents session fixation. The SDK renews the id at sign-in and sign-out.
    ///
    /// ```
    /// use logto_storage_core::{Change, LogtoStorage, Result};
    ///
    /// async fn sign_in(storage: &impl LogtoStorage, id_token: &str) -> Result<()> {
    ///     storage.renew(&[Change::set("logto_id_token", id_token)]).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails like [`set_item`](Self::set_item), and with [`Unsupported`](crate::ErrorKind::Unsupported), without any
    /// change, if the session cannot renew its id. The default implementation always fails that way.
    fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        let _ = changes;
        ready(Err(Error::unsupported("this storage does not implement `renew`").with_operation(Operation::Renew)))
    }

    /// Returns an error if [`renew`](Self::renew) is not supported. Changes nothing.
    ///
    /// The SDK asks when a sign-in starts, so that a storage without renewals is found out before the user has signed in.
    /// Implement it together with `renew`: the default implementation fails like that of `renew`.
    ///
    /// ```
    /// use logto_storage_core::LogtoStorage;
    ///
    /// fn is_safe_from_fixation(storage: &impl LogtoStorage) -> bool {
    ///     storage.check_renewal().is_ok()
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Unsupported`](crate::ErrorKind::Unsupported).
    fn check_renewal(&self) -> Result<()> {
        let problem = "this storage does not implement `renew` and `check_renewal`";
        Err(Error::unsupported(problem).with_operation(Operation::Renew))
    }

    /// Reads the session from its store again, to see what other requests have written in the meantime.
    ///
    /// Returns whether the session was read. It is not read if that would discard changes, or if there is no record to
    /// read. The default implementation returns `false`.
    ///
    /// Do not call this while another operation on the same session is in progress.
    ///
    /// ```
    /// use logto_storage_core::{LogtoStorage, Result};
    ///
    /// async fn latest_id_token(storage: &impl LogtoStorage) -> Result<Option<String>> {
    ///     storage.reload().await?;
    ///     storage.get_item("logto_id_token").await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails with [`Session`](crate::ErrorKind::Session) if the session cannot be read. It then keeps the items that it
    /// already had.
    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        ready(Ok(false))
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<S: LogtoStorage + ?Sized> LogtoStorage for $pointer {
            fn get_item(&self, key: &str) -> impl Future<Output = Result<Option<String>>> + Send {
                (**self).get_item(key)
            }

            fn set_item<'a>(&'a self, key: &'a str, value: &'a str) -> impl Future<Output = Result<()>> + Send {
                (**self).set_item(key, value)
            }

            fn remove_item<'a>(&'a self, key: &'a str) -> impl Future<Output = Result<()>> + Send {
                (**self).remove_item(key)
            }

            fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
                (**self).apply(changes)
            }

            fn apply_if<'a>(
                &'a self,
                seen: &'a [Seen<'a>],
                changes: &'a [Change<'a>],
            ) -> impl Future<Output = Result<()>> + Send {
                (**self).apply_if(seen, changes)
            }

            fn apply_expiring<'a>(
                &'a self,
                changes: &'a [Change<'a>],
                lifetime: Duration,
            ) -> impl Future<Output = Result<()>> + Send {
                (**self).apply_expiring(changes, lifetime)
            }

            fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
                (**self).renew(changes)
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

forward!(&S, Box<S>, Rc<S>, Arc<S>);
