//! What the tests share.

#[cfg(any(
    feature = "mongodb-3",
    feature = "postgres-sqlx-0_8",
    feature = "redis-1",
    feature = "sqlite-sqlx-0_8"
))]
use std::error::Error;
use std::time::Duration;

use logto_vault::VaultStore;
use logto_vault::store::{Id, Record, Step, Swap, Swapped, Version};

/// How long a test waits for what has to happen.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// A lifetime that outlasts a test.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// The name of a record's guard.
pub(crate) const GUARD: &str = "k";

/// Runs a test on a runtime of its own.
pub(crate) fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

/// A field with a version of its own.
pub(crate) fn field(content: impl AsRef<[u8]>) -> Vec<u8> {
    [Version::random().as_bytes(), content.as_ref()].concat()
}

pub(crate) fn content(field: &[u8]) -> &[u8] {
    &field[12..]
}

/// A step that looks at a field that is to be unchanged.
pub(crate) fn look(name: &str, expected: &[u8]) -> Step {
    Step::look(name, Version::of(expected))
}

/// A step that creates a field.
pub(crate) fn create(name: &str, field: &[u8]) -> Step {
    Step::put(name, None, field)
}

/// A step that changes a field.
pub(crate) fn change(name: &str, from: &[u8], to: &[u8]) -> Step {
    Step::put(name, Version::of(from), to)
}

pub(crate) async fn swap(store: &impl VaultStore, id: &Id, steps: impl Into<Vec<Step>>) -> Swapped {
    store.swap(id, &Swap::new(steps, LONG)).await.unwrap()
}

pub(crate) async fn replace(store: &impl VaultStore, id: &Id, steps: impl Into<Vec<Step>>) -> Swapped {
    store.swap(id, &Swap::replacing(steps, LONG)).await.unwrap()
}

pub(crate) async fn read(store: &impl VaultStore, id: &Id) -> Record {
    store.read(id, None).await.unwrap()
}

/// Creates a record with these fields.
pub(crate) async fn record(store: &impl VaultStore, fields: &[(&str, &[u8])]) -> Id {
    let id = Id::random();
    let steps: Vec<_> = fields.iter().map(|(name, field)| create(name, field)).collect();
    assert_eq!(swap(store, &id, steps).await, Swapped::Done);
    id
}

/// Fails unless the record has exactly these fields.
#[track_caller]
pub(crate) fn assert_fields(record: &Record, fields: &[(&str, &[u8])]) {
    let expected = fields.iter().map(|(name, field)| ((*name).to_owned(), field.to_vec())).collect();
    assert!(record.fields == expected, "{record:?}");
}

/// A conflict with these fields.
pub(crate) fn conflict(fields: &[Option<&[u8]>]) -> Swapped {
    Swapped::Conflict(fields.iter().map(|field| field.map(<[u8]>::to_vec)).collect())
}

/// All that an error says, and its causes.
#[cfg(any(feature = "mongodb-3", feature = "postgres-sqlx-0_8", feature = "redis-1", feature = "sqlite-sqlx-0_8"))]
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes: Vec<_> = std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    format!("{error:?}: {}", causes.join(": "))
}
