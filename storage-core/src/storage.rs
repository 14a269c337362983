//! What Logto's SDK asks of a storage.

use std::future::{Future, ready};
use std::rc::Rc;
use std::sync::Arc;

use crate::{Change, Error, Operation, Result};

/// Where Logto keeps a signed-in user's items: the Rust form of the `Storage` interface of Logto's SDKs
/// (`GetItem`/`SetItem` in Go).
///
/// Derive it for a struct that holds a session (feature `derive`), or write it by hand:
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
/// Every method returns a future that is `Send`, so that generic code can be an axum handler or be spawned, and
/// whatever the storage itself is. For a storage whose type is not known at compile time see
/// [`DynStorage`](crate::DynStorage).
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a storage for Logto's items",
    label = "`LogtoStorage` is not implemented for this type",
    note = "put `#[derive(LogtoStorage)]` on a struct that holds the session (feature `derive`)"
)]
pub trait LogtoStorage {
    /// The item under `key`; `None` if there is none. An empty string is an item.
    ///
    /// # Errors
    ///
    /// [`Session`](crate::ErrorKind::Session) if the session cannot be read,
    /// [`NotAString`](crate::ErrorKind::NotAString) if something else is under the key.
    fn get_item(&self, key: &str) -> impl Future<Output = Result<Option<String>>> + Send;

    /// Puts `value` under `key`, whether or not there was an item.
    ///
    /// # Errors
    ///
    /// [`Session`](crate::ErrorKind::Session) if the session cannot be read or saved,
    /// [`TooLarge`](crate::ErrorKind::TooLarge) if the storage has a limit and the value is over it.
    fn set_item<'a>(&'a self, key: &'a str, value: &'a str) -> impl Future<Output = Result<()>> + Send;

    /// Removes the item under `key`. That there is none is no error.
    ///
    /// # Errors
    ///
    /// [`Session`](crate::ErrorKind::Session) if the session cannot be read or saved.
    fn remove_item<'a>(&'a self, key: &'a str) -> impl Future<Output = Result<()>> + Send;

    /// Makes all changes, in order. A derived storage makes them in one save, all or none.
    ///
    /// The default makes them one by one and stops at the first error. It calls [`set_item`](Self::set_item) and
    /// [`remove_item`](Self::remove_item) for every change before it awaits the first one: a storage that acts when
    /// called, not when awaited, has to write its own.
    ///
    /// # Errors
    ///
    /// Those of [`set_item`](Self::set_item).
    fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        // An `async` block over `self` would ask for `Self: Sync`; the futures are `Send` by themselves.
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

    /// Makes all changes, and gives the session a new id in the same save. Whoever knew the old id (it may have been
    /// planted: session fixation) then holds nothing. The SDK calls it at sign-in and at sign-out.
    ///
    /// # Errors
    ///
    /// Those of [`set_item`](Self::set_item), and [`Unsupported`](crate::ErrorKind::Unsupported) if the session cannot
    /// change its id; nothing has changed then. The default answers that.
    fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        let _ = changes;
        ready(Err(Error::unsupported("this storage has no `renew`, so it cannot give the session a new id")
            .during(Operation::Renew)))
    }

    /// Reads the session again from its store, to see what other requests have written meanwhile.
    ///
    /// `Ok(true)`: it was read. `Ok(false)`: it was not, since there are changes which that would lose, or there is
    /// nothing to read; the default answers that. Not to be called while another operation on the same session is
    /// under way.
    ///
    /// # Errors
    ///
    /// [`Session`](crate::ErrorKind::Session) if the session cannot be read. What was read before stays.
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

            fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
                (**self).renew(changes)
            }

            fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
                (**self).reload()
            }
        }
    )*};
}

forward!(&S, Box<S>, Rc<S>, Arc<S>);
