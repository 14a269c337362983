//! A store that is chosen at run time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::BoxFuture;

use crate::store::{self, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

/// A [`VaultStore`] whose type is chosen at run time.
///
/// Clones share the store. Every call allocates its future.
///
/// ```
/// use logto_vault::{BoxVault, MemoryVault};
///
/// fn store(redis_url: Option<&str>) -> BoxVault {
///     match redis_url {
///         // `RedisVault::connect` with the feature `redis-1`
///         Some(url) => unimplemented!("{url}"),
///         None => BoxVault::new(MemoryVault::default()),
///     }
/// }
/// # store(None);
/// ```
#[derive(Clone)]
pub struct BoxVault(Arc<dyn DynStore>);

impl BoxVault {
    /// Creates a store that hides the type of `store`.
    pub fn new(store: impl VaultStore) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for BoxVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoxVault").finish_non_exhaustive()
    }
}

impl store::sealed::Sealed for BoxVault {}

impl VaultStore for BoxVault {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.0.dyn_read(id, names).await
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        self.0.dyn_swap(id, swap).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.0.dyn_end(id, expected, keep).await
    }
}

/// The dyn-compatible companion of [`VaultStore`].
trait DynStore: Send + Sync {
    fn dyn_read<'a>(&'a self, id: &'a Id, names: Option<&'a [&'a str]>) -> BoxFuture<'a, Result<Record, StoreError>>;

    fn dyn_swap<'a>(&'a self, id: &'a Id, swap: &'a Swap) -> BoxFuture<'a, Result<Swapped, StoreError>>;

    fn dyn_end<'a>(
        &'a self,
        id: &'a Id,
        expected: Option<Version>,
        keep: Duration,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>>;
}

impl<S: VaultStore> DynStore for S {
    fn dyn_read<'a>(&'a self, id: &'a Id, names: Option<&'a [&'a str]>) -> BoxFuture<'a, Result<Record, StoreError>> {
        Box::pin(self.read(id, names))
    }

    fn dyn_swap<'a>(&'a self, id: &'a Id, swap: &'a Swap) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(self.swap(id, swap))
    }

    fn dyn_end<'a>(
        &'a self,
        id: &'a Id,
        expected: Option<Version>,
        keep: Duration,
    ) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(self.end(id, expected, keep))
    }
}
