//! The settings of a vault: its store, the application's keys, and how long a sign-in lives.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::boxed::BoxVault;
use crate::seal::ApplicationKeys;
use crate::store::VaultStore;

/// How long a record lives that holds nothing but pending sign-ins: as long as Logto keeps its sign-in form.
const PENDING_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// How long a sign-in lives by default: as long as Logto's refresh tokens.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// The shortest application key, in bytes: the strength of AES-256.
const MIN_KEY_LEN: usize = 32;

/// A store and the settings of the records in it.
///
/// Create one when the program starts, and one [`Vaulted`](crate::Vaulted) session per request. Clones share the store.
///
/// ```
/// use logto_vault::{MemoryVault, Vault};
///
/// let vault = Vault::new(MemoryVault::default());
/// ```
#[derive(Clone)]
pub struct Vault<S> {
    settings: Arc<Settings<S>>,
}

#[derive(Clone)]
struct Settings<S> {
    store: S,
    keys: ApplicationKeys,
    lifetime: Duration,
}

impl<S: VaultStore> Vault<S> {
    /// Creates a vault without application keys, in which a sign-in lives for 14 days after its last use.
    pub fn new(store: S) -> Self {
        let keys = ApplicationKeys::default();
        Self { settings: Arc::new(Settings { store, keys, lifetime: DEFAULT_LIFETIME }) }
    }
}

impl<S: Clone> Vault<S> {
    /// Sets the application's keys: the first encrypts, and all of them decrypt.
    ///
    /// The ticket in the session already decrypts its record. An application key matters if whoever reads the store can
    /// also read the sessions, for instance because both are in one Redis.
    ///
    /// To replace a key, deploy the list `[old, new]` to all processes, then `[new, old]`, and remove the old key once the
    /// vault's [lifetime](Self::lifetime) has passed. By then every record has expired or is encrypted with the new key,
    /// which happens at the next write and whenever a read extends the record's lifetime. If you remove the old key earlier,
    /// users whose records it still encrypts are signed out. Setting the first key signs everybody out.
    ///
    /// ```
    /// use logto_vault::{MemoryVault, Vault};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let key_from_environment = "d2hlcmUgYXBwbGljYXRpb25zIGtlZXAgc2VjcmV0cw";
    /// let vault = Vault::new(MemoryVault::default()).application_keys([key_from_environment])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if a key has fewer than 32 bytes. Use at least 32 random bytes, or their text in hexadecimal or base64.
    pub fn application_keys(
        self,
        keys: impl IntoIterator<Item = impl Into<Vec<u8>>>,
    ) -> Result<Self, InvalidApplicationKey> {
        let keys: Vec<Vec<u8>> = keys.into_iter().map(Into::into).collect();
        match keys.iter().position(|key| key.len() < MIN_KEY_LEN) {
            Some(index) => Err(InvalidApplicationKey { index, len: keys[index].len() }),
            None => Ok(self.with(|settings| settings.keys = ApplicationKeys::new(keys))),
        }
    }

    /// Returns the same vault, without the type of its store.
    ///
    /// ```
    /// use logto_vault::{BoxVault, MemoryVault, Vault};
    ///
    /// let vault: Vault<BoxVault> = Vault::new(MemoryVault::default()).boxed();
    /// ```
    pub fn boxed(self) -> Vault<BoxVault>
    where
        S: VaultStore,
    {
        let Settings { store, keys, lifetime } = Arc::unwrap_or_clone(self.settings);
        Vault { settings: Arc::new(Settings { store: BoxVault::new(store), keys, lifetime }) }
    }

    /// Sets how long a sign-in lives after its last use.
    ///
    /// A pending sign-in lives for an hour.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use logto_vault::{MemoryVault, Vault};
    ///
    /// let vault = Vault::new(MemoryVault::default()).lifetime(Duration::from_secs(24 * 60 * 60));
    /// ```
    #[must_use]
    pub fn lifetime(self, lifetime: Duration) -> Self {
        self.with(|settings| settings.lifetime = lifetime)
    }

    fn with(mut self, change: impl FnOnce(&mut Settings<S>)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S> Vault<S> {
    pub(crate) fn store(&self) -> &S {
        &self.settings.store
    }

    pub(crate) fn keys(&self) -> &ApplicationKeys {
        &self.settings.keys
    }

    pub(crate) fn lifetime_of(&self, is_signed_in: bool) -> Duration {
        if is_signed_in { self.settings.lifetime } else { PENDING_LIFETIME }
    }
}

impl<S: fmt::Debug> fmt::Debug for Vault<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { store, keys, lifetime } = &*self.settings;
        f.debug_struct("Vault").field("store", store).field("keys", keys).field("lifetime", lifetime).finish()
    }
}

/// The error of an application key that is too short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidApplicationKey {
    index: usize,
    len: usize,
}

impl fmt::Display for InvalidApplicationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, len } = self;
        write!(f, "the application key at index {index} has {len} bytes: use at least {MIN_KEY_LEN} random bytes")
    }
}

impl StdError for InvalidApplicationKey {}
