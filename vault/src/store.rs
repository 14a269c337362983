//! What a vault requires of its store.
//!
//! A store keeps records by [`Id`]. A record is a set of named fields that expire together. The first 12 bytes of a
//! field are its [`Version`], and the store knows nothing else about a field's content.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The name of the field that guards a record: every change of a record expects its version.
pub(crate) const GUARD: &str = "k";

/// The longest lifetime of a record, about 100 years. Clocks and stores fail on much longer ones.
const MAX_LIFETIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Not part of the public API. Open to the project's own tests, which need stores that fail.
#[doc(hidden)]
pub mod sealed {
    /// See [`VaultStore`](super::VaultStore).
    pub trait Sealed {}
}

/// A store of records that are only changed by compare-and-change.
///
/// A record that never existed, has expired or was ended without a marker has no field.
///
/// The trait is sealed: it will get more methods, for indexes that end the sessions of a user. Use one of the stores of
/// this crate.
///
/// ```
/// use std::time::Duration;
///
/// use logto_vault::store::{Id, Step, Swap, Swapped};
/// use logto_vault::{MemoryVault, VaultStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), logto_vault::store::StoreError> {
/// let store = MemoryVault::default();
/// let id = Id::random();
///
/// let create = Swap::new([Step::put("name", None, b"version 0001: value")], Duration::from_secs(60));
/// assert_eq!(store.swap(&id, &create).await?, Swapped::Done);
///
/// // A second creation finds what the first one has written.
/// let create = Swap::new([Step::put("name", None, b"version 0002: value")], Duration::from_secs(60));
/// let now = Swapped::Conflict(vec![Some(b"version 0001: value".to_vec())]);
/// assert_eq!(store.swap(&id, &create).await?, now);
/// # Ok(())
/// # }
/// ```
pub trait VaultStore: sealed::Sealed + Send + Sync + 'static {
    /// Reads the named fields of a record, or all of them, as they are at one moment.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read.
    fn read(&self, id: &Id, names: Option<&[&str]>) -> impl Future<Output = Result<Record, StoreError>> + Send;

    /// Changes a record if it is as the steps expect, in one atomic operation. See [`Swap`].
    ///
    /// A swap that was already applied returns [`Swapped::Done`] and changes nothing.
    ///
    /// # Errors
    ///
    /// Fails if the store fails. The swap may then have been applied, or be applied later.
    fn swap(&self, id: &Id, swap: &Swap) -> impl Future<Output = Result<Swapped, StoreError>> + Send;

    /// Ends a record: replaces its fields by a marker, which prevents a delayed swap from creating the record again.
    ///
    /// The marker is a field `k` of 12 random bytes that expires after `keep`. With `expected`, the record is only
    /// ended if its field `k` has that version; the conflict otherwise has one entry, the field `k`. A record without
    /// any field is left as it is, which is a conflict only with `expected`.
    ///
    /// # Errors
    ///
    /// Fails if the store fails. The record may then have ended, or end later.
    fn end(
        &self,
        id: &Id,
        expected: Option<Version>,
        keep: Duration,
    ) -> impl Future<Output = Result<Swapped, StoreError>> + Send;
}

/// The id of a record: 16 random bytes.
///
/// The id alone opens no item. `Debug` prints it in base64url, as it is in the store.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Id([u8; Self::LEN]);

impl Id {
    pub(crate) const LEN: usize = 16;

    /// Creates a random id.
    pub fn random() -> Self {
        Self(random())
    }

    /// Creates an id from its bytes.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Returns the id in base64url.
    pub(crate) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.encode())
    }
}

/// The version of a field: its first 12 bytes, which are random and different for each value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version([u8; Self::LEN]);

impl Version {
    pub(crate) const LEN: usize = 12;

    /// Creates a random version.
    pub fn random() -> Self {
        Self(random())
    }

    /// Returns the version of a field, or `None` if the field is shorter than a version.
    ///
    /// ```
    /// use logto_vault::store::Version;
    ///
    /// assert_eq!(Version::of(b"0123456789ab").unwrap().as_bytes(), b"0123456789ab");
    /// assert_eq!(Version::of(b"0123456789a"), None);
    /// ```
    pub fn of(field: &[u8]) -> Option<Self> {
        field.first_chunk().copied().map(Self)
    }

    /// Returns the bytes of the version.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({})", URL_SAFE_NO_PAD.encode(self.0))
    }
}

/// What a [`Swap`] expects of one field, and what it changes the field to.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// The name of the field. A vault's names are `k` and, for items, `i` followed by base64url: no store has to escape
    /// them.
    pub name: String,
    /// The version that the field must have. `None`: there must be no such field.
    pub expected: Option<Version>,
    /// The new field, at least as long as a version. `None`: the field is only looked at.
    pub put: Option<Vec<u8>>,
}

impl Step {
    /// Creates a step that only looks at a field.
    pub fn look(name: impl Into<String>, expected: Option<Version>) -> Self {
        Self { name: name.into(), expected, put: None }
    }

    /// Creates a step that sets a field.
    pub fn put(name: impl Into<String>, expected: Option<Version>, field: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), expected, put: Some(field.into()) }
    }
}

/// Prints the new field's length instead of its content.
impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, expected, put } = self;
        let len = put.as_ref().map(Vec::len);
        f.debug_struct("Step").field("name", name).field("expected", expected).field("put_len", &len).finish()
    }
}

/// A change of several fields of a record, applied as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swap {
    /// The steps. Each has a name of its own.
    pub steps: Vec<Step>,
    /// How long the record lives from now on. It is only ever extended, unless the swap `replaces` the record.
    pub lifetime: Duration,
    /// Whether the swap replaces the record as a whole.
    ///
    /// The record must then hold exactly the fields that the steps expect, and afterwards holds exactly those that they
    /// put: a field that is only looked at is dropped. The lifetime is set exactly.
    pub replaces: bool,
}

impl Swap {
    /// Creates a swap that leaves all other fields of the record as they are.
    pub fn new(steps: impl Into<Vec<Step>>, lifetime: Duration) -> Self {
        Self { steps: steps.into(), lifetime, replaces: false }
    }

    /// Creates a swap that [replaces](Self::replaces) the record.
    pub fn replacing(steps: impl Into<Vec<Step>>, lifetime: Duration) -> Self {
        Self { replaces: true, ..Self::new(steps, lifetime) }
    }

    /// Fails if a store could not tell what the swap means: two steps for one field, or a new field without a version.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.steps.iter().filter_map(|step| step.put.as_ref()).any(|field| Version::of(field).is_none()) {
            return Err(StoreError::new("a new field is shorter than its version"));
        }
        let mut names = HashSet::new();
        if !self.steps.iter().all(|step| names.insert(&step.name)) {
            return Err(StoreError::new("two steps are for the same field"));
        }
        Ok(())
    }

    /// Returns the outcome of the swap for a record with these fields, or `None` if the swap is to be applied.
    ///
    /// The fields are all of the record's, or, unless the swap replaces it, at least those that the steps name.
    pub(crate) fn judge(&self, fields: &HashMap<String, Vec<u8>>) -> Option<Swapped> {
        let version = |step: &Step| fields.get(&step.name).and_then(|field| Version::of(field));
        let put = |step: &Step| step.put.as_deref().and_then(Version::of);
        if self.steps.iter().any(|step| put(step).is_some_and(|put| version(step) == Some(put))) {
            return Some(Swapped::Done);
        }
        let has_others = || fields.len() > self.steps.iter().filter(|step| step.expected.is_some()).count();
        if self.steps.iter().all(|step| version(step) == step.expected) && !(self.replaces && has_others()) {
            return None;
        }
        Some(Swapped::Conflict(self.steps.iter().map(|step| fields.get(&step.name).cloned()).collect()))
    }
}

/// The outcome of a swap.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "a conflict has changed nothing"]
pub enum Swapped {
    /// The record is changed.
    Done,
    /// The record is not as expected, and nothing was changed.
    ///
    /// Holds the fields that are there now, one entry per step, in order. If all of them are as expected, the swap
    /// [replaces](Swap::replaces) the record, which has another field.
    Conflict(Vec<Option<Vec<u8>>>),
}

/// Prints the fields' lengths instead of their content.
impl fmt::Debug for Swapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("Done"),
            Self::Conflict(now) => {
                let lens: Vec<_> = now.iter().map(|field| field.as_ref().map(Vec::len)).collect();
                f.debug_tuple("Conflict").field(&lens).finish()
            }
        }
    }
}

/// Fields of a record.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The fields that exist, by name.
    pub fields: HashMap<String, Vec<u8>>,
    /// How long the record lives on if nothing extends it. `None` if there is no record.
    pub remaining: Option<Duration>,
}

/// Prints the fields' lengths instead of their content.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fields, remaining } = self;
        let lens: HashMap<_, _> = fields.iter().map(|(name, field)| (name, field.len())).collect();
        f.debug_struct("Record").field("fields", &lens).field("remaining", remaining).finish()
    }
}

/// The error of a store that failed.
///
/// The store's own error is the [`source`](StdError::source).
pub struct StoreError(Box<dyn StdError + Send + Sync>);

impl StoreError {
    /// Creates the error for a store that failed with `source`.
    pub fn new(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(source.into())
    }
}

impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StoreError").field(&self.0).finish()
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vault's store failed")
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// Limits a lifetime to what every clock and store can handle.
pub(crate) fn bounded(lifetime: Duration) -> Duration {
    lifetime.min(MAX_LIFETIME)
}

/// Returns random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // Cannot fail: AWS-LC aborts the process if the system has no randomness.
    aws_lc_rs::rand::fill(&mut bytes).expect("randomness");
    bytes
}
