//! Records in MongoDB.
//!
//! A record is a document. Its fields are in two parts each, since a filter cannot compare the first bytes of a binary
//! value:
//!
//! ```text
//! { _id: "…", fields: { k: { version: …, content: … }, iYQ: … }, expires_at: … }
//! ```
//!
//! # Concurrency
//!
//! One `updateOne` is the whole compare-and-change. MongoDB changes a document atomically, and matches the filter again if
//! another write came first. An update that inserts a record conflicts with one that is there by its `_id`.
//!
//! # The driver
//!
//! The behaviour of mongodb 3.9 that this file relies on (`client/executor.rs`, `cmap/worker.rs`):
//!
//! - Without `retry_writes`, an update is sent once, unless the server has refused to begin with it.
//! - An answer has no time limit. A connection whose answer nobody waits for any longer is closed instead of used again.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use mongodb_3::bson::spec::BinarySubtype;
use mongodb_3::bson::{Binary, Bson, Document, doc};
use mongodb_3::error::{Error, ErrorKind, WriteFailure};
use mongodb_3::options::{
    Acknowledgment, ClientOptions, CollectionOptions, IndexOptions, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb_3::{Client, Collection, Database, IndexModel};
use tokio::time::timeout;

use crate::store::{self, GUARD, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

/// How long to wait for a server that can be written to, and for a connection to it.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the primary waits for a majority of the servers.
const MAJORITY_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a call may take, both operations and the wait for a connection included.
const CALL_TIMEOUT: Duration = Duration::from_secs(4);

const COLLECTION: &str = "logto_vault";

/// MongoDB's code for a document whose `_id` is taken.
const DUPLICATE_KEY: i32 = 11_000;

/// A [`VaultStore`] in MongoDB 4.2 or later. Requires the feature `mongodb-3`, and Rust 1.88.
///
/// Clones share one pool of connections, which replaces broken ones. A record is a document in the collection
/// `logto_vault`; a call is one operation, or two if it conflicts.
///
/// ```no_run
/// use logto_vault::MongoVault;
///
/// # async fn connect() -> Result<(), logto_vault::store::StoreError> {
/// let store = MongoVault::connect("mongodb://app:password@127.0.0.1:27017/app").await?;
/// store.create_index().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Expiry
///
/// Expired records are ignored, by the server's clock. The index that [`create_index`](Self::create_index) creates lets
/// MongoDB delete them, which it does once a minute.
///
/// # Durability
///
/// A write that returns `Ok` is in the journals of a majority of the servers, so a failover does not lose it. Reads go to
/// the primary, since a secondary may return a record that has ended.
///
/// MongoDB limits a document, and so a record, to 16 MiB.
///
/// # TLS
///
/// A URL with `tls=true` works: the driver is built with rustls. For a `mongodb+srv://` URL, depend on `mongodb` yourself
/// and enable its feature `dns-resolver`:
///
/// ```toml
/// mongodb = { version = "3", default-features = false, features = ["dns-resolver"] }
/// ```
#[derive(Clone)]
pub struct MongoVault {
    records: Collection<Document>,
    timeout: Duration,
}

impl MongoVault {
    /// Connects to the database that a `mongodb://` URL names.
    ///
    /// A call fails if there is no primary for two seconds, or if it takes [four seconds](Self::with_timeout) in all. The
    /// driver's time-outs are those of the URL if it sets any. For other settings see [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// Fails if the URL is invalid or names no database, or if MongoDB cannot be reached now.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        // Without the driver's error, which quotes parts of the URL, and so perhaps of a password.
        let invalid = |_| StoreError::new("invalid URL: not of the form mongodb://user:password@host:port/database");
        let mut options = ClientOptions::parse(url).await.map_err(invalid)?;
        options.server_selection_timeout.get_or_insert(SELECTION_TIMEOUT);
        options.connect_timeout.get_or_insert(CONNECTION_TIMEOUT);
        options.retry_writes = Some(false);
        let client = Client::with_options(options).map_err(StoreError::new)?;
        let database = client.default_database().ok_or_else(|| StoreError::new("the URL names no database"))?;
        let store = Self::new(&database);
        store.in_time(async { database.run_command(doc! { "ping": 1 }).await.map_err(StoreError::new) }).await?;
        Ok(store)
    }

    /// Creates a store in a database of a client with settings of your own.
    ///
    /// - Limit the client's `server_selection_timeout`, which is 30 seconds by default. A call fails earlier, by its own
    ///   [time-out](Self::with_timeout), but then without the reason.
    /// - Turn `retry_writes` off: the vault repeats what has to be repeated.
    ///
    /// The database's read preference and write concern do not matter. Reads go to the primary, and writes wait for a
    /// majority.
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use logto_vault::MongoVault;
    /// # use mongodb_3 as mongodb;
    /// use mongodb::Client;
    /// use mongodb::options::ClientOptions;
    ///
    /// # async fn connect() -> mongodb::error::Result<()> {
    /// let mut options = ClientOptions::parse("mongodb://app:password@127.0.0.1:27017").await?;
    /// options.server_selection_timeout = Some(Duration::from_secs(2));
    /// options.retry_writes = Some(false);
    /// options.max_pool_size = Some(20);
    /// let store = MongoVault::new(&Client::with_options(options)?.database("app"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(database: &Database) -> Self {
        let majority =
            WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(MAJORITY_TIMEOUT).build();
        let options = CollectionOptions::builder()
            .write_concern(majority)
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        Self { records: database.collection_with_options(COLLECTION, options), timeout: CALL_TIMEOUT }
    }

    /// Sets how long a call may take, four seconds by default. The driver itself waits for an answer without a limit.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Creates the index by which MongoDB deletes expired records, if it does not exist.
    ///
    /// Call it when the app starts. Several processes may call it at once.
    ///
    /// # Errors
    ///
    /// Fails if MongoDB fails, or if its user must not create indexes.
    pub async fn create_index(&self) -> Result<(), StoreError> {
        let options = IndexOptions::builder().expire_after(Duration::ZERO).build();
        let index = IndexModel::builder().keys(doc! { "expires_at": 1 }).options(options).build();
        self.in_time(async { self.records.create_index(index).await.map_err(StoreError::new) }).await?;
        Ok(())
    }

    async fn in_time<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        timeout(self.timeout, call).await.map_err(StoreError::new)?
    }

    /// Returns a record's fields of these names, or all of them.
    async fn record(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        let mut shown = doc! { "remaining": { "$subtract": ["$expires_at", now()] } };
        match names {
            Some(names) => shown.extend(names.iter().map(|name| (format!("fields.{name}"), Bson::from(1)))),
            None => drop(shown.insert("fields", 1)),
        }
        let one = doc! { "_id": id.encode(), "$expr": is_alive() };
        let found = self.records.aggregate([doc! { "$match": one }, doc! { "$project": shown }]).await;
        let mut found = found.map_err(StoreError::new)?;
        if !found.advance().await.map_err(StoreError::new)? {
            return Ok(Record::default());
        }
        let document = found.deserialize_current().map_err(StoreError::new)?;
        let remaining = document.get_i64("remaining").map_err(StoreError::new)?;
        // There are none if it has none of the names.
        let fields = document.get("fields").map(decode).transpose()?.unwrap_or_default();
        Ok(Record { fields, remaining: Some(Duration::from_millis(remaining.unsigned_abs())) })
    }

    /// Applies a swap if the record is as the steps expect.
    async fn apply(&self, id: &Id, swap: &Swap) -> Result<bool, StoreError> {
        let puts = swap.steps.iter().filter_map(|step| Some((step.name.clone(), encode(step.put.as_ref()?))));
        let puts: Document = puts.collect();
        // What is replaced by nothing is to expire at once.
        let lifetime = if swap.replaces && puts.is_empty() { Duration::ZERO } else { swap.lifetime };
        let until = after(lifetime);
        let creates = !puts.is_empty() && swap.steps.iter().all(|step| step.expected.is_none());
        let filter = if creates { can_create(swap) } else { is_as_expected(swap) };
        let puts = doc! { "$literal": puts };
        let change = if swap.replaces {
            doc! { "fields": puts, "expires_at": until }
        } else {
            let fields = doc! { "$cond": [is_alive(), "$fields", {}] };
            doc! { "fields": { "$mergeObjects": [fields, puts] }, "expires_at": { "$max": ["$expires_at", until] } }
        };
        self.update(id, filter, change, creates).await
    }

    async fn compare_and_change(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        let names: Vec<_> = swap.steps.iter().map(|step| &*step.name).collect();
        // It takes a concurrent change for each further round, such as the end of the lifetime.
        loop {
            if self.apply(id, swap).await? {
                return Ok(Swapped::Done);
            }
            let now = self.record(id, (!swap.replaces).then_some(&*names)).await?;
            if let Some(swapped) = swap.judge(&now.fields) {
                return Ok(swapped);
            }
            if now.remaining.is_none() && swap.steps.iter().all(|step| step.put.is_none()) {
                return Ok(Swapped::Done);
            }
        }
    }

    async fn replace_by_marker(
        &self,
        id: &Id,
        expected: Option<Version>,
        keep: Duration,
    ) -> Result<Swapped, StoreError> {
        let mut filter = doc! { "$expr": is_alive() };
        if let Some(expected) = &expected {
            filter.insert(version_of(GUARD), binary(expected.as_bytes()));
        }
        let marker = doc! { GUARD: encode(Version::random().as_bytes()) };
        let change = doc! { "fields": { "$literal": marker }, "expires_at": after(keep) };
        if self.update(id, filter, change, false).await? || expected.is_none() {
            return Ok(Swapped::Done);
        }
        let mut now = self.record(id, Some(&[GUARD])).await?;
        Ok(Swapped::Conflict(vec![now.fields.remove(GUARD)]))
    }

    /// Changes a record, or creates it, if it matches a filter.
    async fn update(&self, id: &Id, mut filter: Document, change: Document, creates: bool) -> Result<bool, StoreError> {
        filter.insert("_id", id.encode());
        match self.records.update_one(filter, vec![doc! { "$set": change }]).upsert(creates).await {
            Ok(updated) => Ok(updated.matched_count > 0 || updated.upserted_id.is_some()),
            // There is a record, which does not match.
            Err(error) if is_duplicate(&error) => Ok(false),
            Err(error) => Err(StoreError::new(error)),
        }
    }
}

impl fmt::Debug for MongoVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoVault").field("collection", &self.records.namespace().to_string()).finish_non_exhaustive()
    }
}

impl store::sealed::Sealed for MongoVault {}

impl VaultStore for MongoVault {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.in_time(self.record(id, names)).await
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        swap.check()?;
        self.in_time(self.compare_and_change(id, swap)).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.in_time(self.replace_by_marker(id, expected, keep)).await
    }
}

/// Matches a record that has expired, or, unless the swap replaces it, has none of the fields. Without a record, MongoDB
/// creates it.
fn can_create(swap: &Swap) -> Document {
    let has_expired = doc! { "$expr": { "$not": [is_alive()] } };
    if swap.replaces {
        has_expired
    } else {
        doc! { "$or": [has_expired, fields_as_expected(swap)] }
    }
}

/// Matches a record that is as the steps expect, and, if the swap replaces it, has no other field.
fn is_as_expected(swap: &Swap) -> Document {
    let mut filter = fields_as_expected(swap);
    let mut conditions = vec![is_alive()];
    if swap.replaces {
        let count = swap.steps.iter().filter(|step| step.expected.is_some()).count();
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        conditions.push(doc! { "$eq": [{ "$size": { "$objectToArray": "$fields" } }, count] });
    }
    filter.insert("$expr", doc! { "$and": conditions });
    filter
}

fn fields_as_expected(swap: &Swap) -> Document {
    let condition = |name: &str, expected: Option<&Version>| match expected {
        Some(version) => (version_of(name), Bson::from(binary(version.as_bytes()))),
        None => (format!("fields.{name}"), Bson::from(doc! { "$exists": false })),
    };
    swap.steps.iter().map(|step| condition(&step.name, step.expected.as_ref())).collect()
}

fn version_of(name: &str) -> String {
    format!("fields.{name}.version")
}

/// Whether a record has not expired.
fn is_alive() -> Document {
    doc! { "$gt": ["$expires_at", now()] }
}

/// The server's time.
fn now() -> Document {
    // The way through a number changes nothing in MongoDB. secantusdb cannot compare `$$NOW` itself with a stored date.
    doc! { "$toDate": { "$toLong": "$$NOW" } }
}

fn after(lifetime: Duration) -> Document {
    // Cannot fail: lifetimes are bounded.
    doc! { "$add": [now(), i64::try_from(store::bounded(lifetime).as_millis()).unwrap_or(i64::MAX)] }
}

fn binary(bytes: &[u8]) -> Binary {
    Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() }
}

fn encode(field: impl AsRef<[u8]>) -> Bson {
    let (version, content) = field.as_ref().split_at(Version::LEN);
    doc! { "version": binary(version), "content": binary(content) }.into()
}

fn decode(fields: &Bson) -> Result<HashMap<String, Vec<u8>>, StoreError> {
    let field = |field: &Bson| {
        let field = field.as_document()?;
        let part = |name| field.get_binary_generic(name).ok();
        Some([&**part("version")?, part("content")?].concat())
    };
    let fields =
        fields.as_document().map(|fields| fields.iter().map(|(name, value)| Some((name.clone(), field(value)?))));
    fields.and_then(Iterator::collect).ok_or_else(|| StoreError::new("a record is not of this store's form"))
}

fn is_duplicate(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::Write(WriteFailure::WriteError(error)) if error.code == DUPLICATE_KEY)
}
