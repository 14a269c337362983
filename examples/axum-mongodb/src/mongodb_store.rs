//! A session store for tower-sessions 0.15 over MongoDB's own driver.
//!
//! It is self-contained: copy this file into your project. It requires `async-trait`, `mongodb` 3, `serde_json`
//! (feature `float_roundtrip`, without which the last digit of a float may change), `tokio` (feature `time`) and
//! `tower-sessions`.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use mongodb::bson::{DateTime, Document, doc};
use mongodb::error::{Error as MongoError, ErrorKind, WriteFailure};
use mongodb::options::{
    Acknowledgment, CollectionOptions, IndexOptions, ReadPreference, SelectionCriteria, WriteConcern,
};
use mongodb::{Collection, IndexModel};
use tokio::time::timeout;
use tower_sessions::SessionStore;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};

/// Stores sessions in a MongoDB collection, one document per session:
///
/// | field | type | what it holds |
/// |---|---|---|
/// | `_id` | string | the session's id, as in the cookie |
/// | `data` | string | the session's data as JSON text |
/// | `expires` | date | when the session expires, truncated to milliseconds |
///
/// Call [`migrate`](Self::migrate) once at startup. Clones share one collection and its connections.
///
/// Writes wait for the journals of a majority of the servers (`{ w: "majority", j: true }`), and reads go to the
/// primary: other programs see a write at once, and no crash loses it. The client's own options do not change this.
///
/// # Errors
///
/// - [`Error::Backend`]: MongoDB cannot be reached, refuses the operation, or does not answer [in
///   time](Self::with_timeout). A write may have been made.
/// - [`Error::Encode`]: the session's data is larger than [`MAX_DATA_LEN`](Self::MAX_DATA_LEN). Nothing was written.
/// - [`Error::Decode`]: this store did not write the document under the session's id, or its data is nested more than
///   127 levels deep, which `serde_json` does not parse.
///
/// No error contains a session's data or id.
#[derive(Clone)]
pub struct MongoStore {
    sessions: Collection<Document>,
    timeout: Duration,
}

/// The number of attempts for a write that conflicts with another document of the same id. Ids are random numbers of
/// 128 bits, so even one conflict is unlikely.
const TRIES: usize = 4;

impl MongoStore {
    /// The maximum size of a session's data in bytes of JSON: MongoDB's limit for a document, 16 MiB, less 1 KiB for
    /// the other fields.
    pub const MAX_DATA_LEN: usize = 16 * 1024 * 1024 - 1024;

    /// Creates a store in the collection, which should contain nothing else. Does not connect to MongoDB yet.
    #[must_use]
    pub fn new(collection: &Collection<Document>) -> Self {
        let durable = WriteConcern::builder().w(Acknowledgment::Majority).journal(true).build();
        let options = CollectionOptions::builder()
            .write_concern(durable)
            .selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))
            .build();
        let name = collection.namespace();
        let sessions = collection.client().database(&name.db).collection_with_options(&name.coll, options);
        Self { sessions, timeout: Duration::from_secs(10) }
    }

    /// Sets the time limit of an operation: server selection, connecting, and waiting for the response. The default is
    /// 10 seconds.
    ///
    /// The driver itself does not limit the wait for a response. If the driver's other limits are shorter than this one
    /// (`serverSelectionTimeoutMS` is 30 seconds by default), errors have more detail.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Creates the index by which MongoDB removes expired sessions, within a minute or so. Does nothing if it exists.
    ///
    /// # Errors
    ///
    /// [`Error::Backend`], also if the field `expires` has an index with other options.
    pub async fn migrate(&self) -> Result<()> {
        // Documents expire 0 seconds after their date.
        let options = IndexOptions::builder().expire_after(Duration::ZERO).build();
        let index = IndexModel::builder().keys(doc! { "expires": 1 }).options(options).build();
        self.in_time(async { self.sessions.create_index(index).await.map(drop).map_err(|error| backend(&error)) }).await
    }

    /// The driver closes the connection of an operation that is cancelled here, so no later operation reads its
    /// response.
    async fn in_time<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let late = |_| Error::Backend(format!("MongoDB has not answered within {:?}", self.timeout));
        timeout(self.timeout, operation).await.map_err(late)?
    }
}

#[async_trait]
impl SessionStore for MongoStore {
    /// Never overwrites a record: if the id is taken, even by an expired one, the new record gets another id.
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.in_time(async {
            for _ in 0..TRIES {
                match self.sessions.insert_one(to_document(record)?).await {
                    Ok(_) => return Ok(()),
                    Err(error) if is_duplicate(&error) => record.id = Id::default(),
                    Err(error) => return Err(backend(&error)),
                }
            }
            Err(duplicates())
        })
        .await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let document = to_document(record)?;
        self.in_time(async {
            for _ in 0..TRIES {
                match self.sessions.replace_one(by_id(&record.id), &document).upsert(true).await {
                    Ok(_) => return Ok(()),
                    // Another request inserted the document concurrently. The next attempt replaces it.
                    Err(error) if is_duplicate(&error) => {}
                    Err(error) => return Err(backend(&error)),
                }
            }
            Err(duplicates())
        })
        .await
    }

    async fn load(&self, session_id: &Id) -> Result<Option<Record>> {
        let find = async { self.sessions.find_one(by_id(session_id)).await.map_err(|error| backend(&error)) };
        let Some(document) = self.in_time(find).await? else { return Ok(None) };
        let record = to_record(*session_id, &document)?;
        // MongoDB removes expired documents only once a minute.
        Ok((record.expiry_date > OffsetDateTime::now_utc()).then_some(record))
    }

    async fn delete(&self, session_id: &Id) -> Result<()> {
        let delete = async { self.sessions.delete_one(by_id(session_id)).await.map_err(|error| backend(&error)) };
        self.in_time(delete).await.map(drop)
    }
}

/// Shows the collection's name. The driver's own `Debug` shows the whole client.
impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collection = self.sessions.namespace().to_string();
        f.debug_struct("MongoStore").field("collection", &collection).field("timeout", &self.timeout).finish()
    }
}

fn by_id(id: &Id) -> Document {
    doc! { "_id": id.to_string() }
}

/// Stores the data as JSON text, which MongoDB returns unchanged. BSON has no integers above `i64::MAX` and no NUL in
/// keys, and MongoDB gives keys with dots and dollars a special meaning.
fn to_document(record: &Record) -> Result<Document> {
    let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    if data.len() > MongoStore::MAX_DATA_LEN {
        let (len, max) = (data.len(), MongoStore::MAX_DATA_LEN);
        return Err(Error::Encode(format!("the session's data has {len} bytes of JSON, more than the {max} allowed")));
    }
    let expiry = record.expiry_date;
    // Before 1970, too, milliseconds count forward from the second.
    let expires = DateTime::from_millis(expiry.unix_timestamp() * 1000 + i64::from(expiry.millisecond()));
    Ok(doc! { "_id": record.id.to_string(), "data": data, "expires": expires })
}

fn to_record(id: Id, document: &Document) -> Result<Record> {
    let data = document.get_str("data").map_err(|error| corrupt("data", error))?;
    // Only the column: serde_json's messages quote invalid values.
    let data: HashMap<_, _> = serde_json::from_str(data)
        .map_err(|error| corrupt("data", format_args!("not a JSON object (column {})", error.column())))?;
    let expires = document.get_datetime("expires").map_err(|error| corrupt("expires", error))?;
    let expiry_date = OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires.timestamp_millis()) * 1_000_000)
        .map_err(|error| corrupt("expires", error))?;
    Ok(Record { id, data, expiry_date })
}

fn corrupt(field: &str, problem: impl fmt::Display) -> Error {
    Error::Decode(format!("field `{field}` of a session's document: {problem}"))
}

fn is_duplicate(error: &MongoError) -> bool {
    const DUPLICATE_KEY: i32 = 11000;
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => error.code == DUPLICATE_KEY,
        ErrorKind::Command(error) => error.code == DUPLICATE_KEY,
        _ => false,
    }
}

fn duplicates() -> Error {
    Error::Backend(format!("MongoDB refused {TRIES} writes because a document has the same key"))
}

/// Reports only the code of an error from MongoDB: the message quotes the operation, with the session's id and data.
fn backend(error: &MongoError) -> Error {
    Error::Backend(match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => format!("MongoDB refused a write (code {})", error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            format!("MongoDB did not confirm a write (code {}, {})", error.code, error.code_name)
        }
        ErrorKind::Command(error) => format!("MongoDB refused a command (code {}, {})", error.code, error.code_name),
        // Errors of the driver, mostly about connections.
        kind => kind.to_string(),
    })
}
