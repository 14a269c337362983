//! The dyn-compatible companion of [`LogtoStorage`].

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::{Change, LogtoStorage, Result, Seen};

/// The boxed future that the methods of [`DynStorage`] return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The dyn-compatible form of [`LogtoStorage`], for a storage whose type is chosen at run time.
///
/// It is implemented for every [`LogtoStorage`] that is `Send + Sync`, and `dyn DynStorage` implements [`LogtoStorage`]
/// in turn: pass a `Box<dyn DynStorage>` or an `Arc<dyn DynStorage>` wherever a storage is expected. Every call
/// allocates its future.
///
/// ```
/// use logto_storage_core::{DynStorage, LogtoStorage, Result};
///
/// async fn is_signed_in(storage: &(impl LogtoStorage + ?Sized)) -> Result<bool> {
///     Ok(storage.get_item("logto_id_token").await?.is_some())
/// }
///
/// async fn any_is_signed_in(storages: &[Box<dyn DynStorage>]) -> Result<bool> {
///     for storage in storages {
///         if is_signed_in(storage).await? {
///             return Ok(true);
///         }
///     }
///     Ok(false)
/// }
/// ```
pub trait DynStorage: Send + Sync {
    /// Calls [`LogtoStorage::get_item`].
    fn dyn_get_item<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<String>>>;

    /// Calls [`LogtoStorage::set_item`].
    fn dyn_set_item<'a>(&'a self, key: &'a str, value: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Calls [`LogtoStorage::remove_item`].
    fn dyn_remove_item<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<()>>;

    /// Calls [`LogtoStorage::apply`].
    fn dyn_apply<'a>(&'a self, changes: &'a [Change<'a>]) -> BoxFuture<'a, Result<()>>;

    /// Calls [`LogtoStorage::apply_if`].
    fn dyn_apply_if<'a>(&'a self, seen: &'a [Seen<'a>], changes: &'a [Change<'a>]) -> BoxFuture<'a, Result<()>>;

    /// Calls [`LogtoStorage::apply_expiring`].
    fn dyn_apply_expiring<'a>(&'a self, changes: &'a [Change<'a>], lifetime: Duration) -> BoxFuture<'a, Result<()>>;

    /// Calls [`LogtoStorage::renew`].
    fn dyn_renew<'a>(&'a self, changes: &'a [Change<'a>]) -> BoxFuture<'a, Result<()>>;

    /// Calls [`LogtoStorage::check_renewal`].
    ///
    /// # Errors
    ///
    /// Fails with [`Unsupported`](crate::ErrorKind::Unsupported).
    fn dyn_check_renewal(&self) -> Result<()>;

    /// Calls [`LogtoStorage::reload`].
    fn dyn_reload(&self) -> BoxFuture<'_, Result<bool>>;
}

impl<S: LogtoStorage + Send + Sync> DynStorage for S {
    fn dyn_get_item<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<String>>> {
        Box::pin(self.get_item(key))
    }

    fn dyn_set_item<'a>(&'a self, key: &'a str, value: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.set_item(key, value))
    }

    fn dyn_remove_item<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.remove_item(key))
    }

    fn dyn_apply<'a>(&'a self, changes: &'a [Change<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.apply(changes))
    }

    fn dyn_apply_if<'a>(&'a self, seen: &'a [Seen<'a>], changes: &'a [Change<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.apply_if(seen, changes))
    }

    fn dyn_apply_expiring<'a>(&'a self, changes: &'a [Change<'a>], lifetime: Duration) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.apply_expiring(changes, lifetime))
    }

    fn dyn_renew<'a>(&'a self, changes: &'a [Change<'a>]) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.renew(changes))
    }

    fn dyn_check_renewal(&self) -> Result<()> {
        self.check_renewal()
    }

    fn dyn_reload(&self) -> BoxFuture<'_, Result<bool>> {
        Box::pin(self.reload())
    }
}

impl LogtoStorage for dyn DynStorage + '_ {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        self.dyn_get_item(key).await
    }

    fn set_item<'a>(&'a self, key: &'a str, value: &'a str) -> impl Future<Output = Result<()>> + Send {
        self.dyn_set_item(key, value)
    }

    fn remove_item<'a>(&'a self, key: &'a str) -> impl Future<Output = Result<()>> + Send {
        self.dyn_remove_item(key)
    }

    fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        self.dyn_apply(changes)
    }

    fn apply_if<'a>(
        &'a self,
        seen: &'a [Seen<'a>],
        changes: &'a [Change<'a>],
    ) -> impl Future<Output = Result<()>> + Send {
        self.dyn_apply_if(seen, changes)
    }

    fn apply_expiring<'a>(
        &'a self,
        changes: &'a [Change<'a>],
        lifetime: Duration,
    ) -> impl Future<Output = Result<()>> + Send {
        self.dyn_apply_expiring(changes, lifetime)
    }

    fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> impl Future<Output = Result<()>> + Send {
        self.dyn_renew(changes)
    }

    fn check_renewal(&self) -> Result<()> {
        self.dyn_check_renewal()
    }

    fn reload(&self) -> impl Future<Output = Result<bool>> + Send {
        self.dyn_reload()
    }
}
