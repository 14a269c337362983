//! A session store for tower-sessions 0.15 over MongoDB's own driver. This file is the whole of it: copy it to where
//! you need it. It takes `async-trait`, `mongodb` 3, `serde_json` (feature `float_roundtrip`, without which the last
//! digit of a float may change), `tokio` (feature `time`) and `tower-sessions`.

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

/// Keeps the sessions of tower-sessions in a collection of MongoDB, one document a session:
///
/// | field | type | what it holds |
/// |---|---|---|
/// | `_id` | string | the session's id, as in the cookie |
/// | `data` | string | the session's data as JSON text |
/// | `expires` | date | when the session ends, in whole milliseconds (what is beyond them is cut off) |
///
/// Call [`migrate`](Self::migrate) once at the start of the program. Clones share one collection and its connections.
///
/// A write is over when most of the servers have it in their journals (`{ w: "majority", j: true }`), and reads go to
/// the primary: what one program has written any other reads at once, and a crash loses none of it. This holds whatever
/// the client's own options say.
///
/// # Errors
///
/// - [`Error::Backend`]: MongoDB cannot be reached, refuses the operation, or does not answer [in
///   time](Self::with_timeout). Nobody knows then whether a write was made.
/// - [`Error::Encode`]: the session's data is larger than [`MAX_DATA_LEN`](Self::MAX_DATA_LEN). Nothing was written.
/// - [`Error::Decode`]: there is a document under the session's id, but it is none that this store has written; or its
///   data is nested more than 127 levels deep, which `serde_json` does not read.
///
/// None of them has a session's data or id in it.
#[derive(Clone)]
pub struct MongoStore {
    sessions: Collection<Document>,
    timeout: Duration,
}

/// How often a write is tried again that has met another document with the same id. Ids are random numbers of 128 bits:
/// even one such meeting is not to be expected.
const TRIES: usize = 4;

impl MongoStore {
    /// How large a session's data may be, in bytes of JSON text: MongoDB's limit for a document, 16 MiB, less 1 KiB
    /// for what else is in it.
    pub const MAX_DATA_LEN: usize = 16 * 1024 * 1024 - 1024;

    /// A store in this collection, which should have nothing else in it. Nothing is sent yet: whether MongoDB can be
    /// reached shows with the first operation.
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

    /// How long an operation may take in all: looking for a server, connecting, and waiting for the answer. 10 seconds
    /// unless told.
    ///
    /// The driver itself has no limit for the wait for an answer. Where its limits for the rest are shorter than this
    /// one (`serverSelectionTimeoutMS` is 30 seconds by default) the error tells more of the reason.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Makes the index by which MongoDB removes sessions that have ended, within a minute or so. That it is there
    /// already is no error.
    ///
    /// # Errors
    ///
    /// [`Error::Backend`], also if the field `expires` has an index with other options.
    pub async fn migrate(&self) -> Result<()> {
        // The date in the document is when it goes; 0 seconds are added to that.
        let options = IndexOptions::builder().expire_after(Duration::ZERO).build();
        let index = IndexModel::builder().keys(doc! { "expires": 1 }).options(options).build();
        self.in_time(async { self.sessions.create_index(index).await.map(drop).map_err(|error| backend(&error)) }).await
    }

    /// An operation given up here has its connection closed by the driver, so that a late answer meets nobody.
    async fn in_time<T>(&self, operation: impl Future<Output = Result<T>>) -> Result<T> {
        let late = |_| Error::Backend(format!("MongoDB has not answered within {:?}", self.timeout));
        timeout(self.timeout, operation).await.map_err(late)?
    }
}

#[async_trait]
impl SessionStore for MongoStore {
    /// Never touches a record that is there: if the id is taken, even by an expired one, the new record gets another.
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
                    // Since MongoDB looked, another request has inserted one. The next try replaces that.
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
        // MongoDB removes what has expired once a minute: until then it is here that it is gone.
        Ok((record.expiry_date > OffsetDateTime::now_utc()).then_some(record))
    }

    async fn delete(&self, session_id: &Id) -> Result<()> {
        let delete = async { self.sessions.delete_one(by_id(session_id)).await.map_err(|error| backend(&error)) };
        self.in_time(delete).await.map(drop)
    }
}

/// The collection's name. The driver's own `Debug` shows the whole client.
impl fmt::Debug for MongoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let collection = self.sessions.namespace().to_string();
        f.debug_struct("MongoStore").field("collection", &collection).field("timeout", &self.timeout).finish()
    }
}

fn by_id(id: &Id) -> Document {
    doc! { "_id": id.to_string() }
}

/// The data goes in as JSON text, not as BSON: BSON has no whole numbers above `i64::MAX` and no NUL in a key, and
/// MongoDB has a meaning of its own for keys with dots and dollars. Text comes out as it went in.
fn to_document(record: &Record) -> Result<Document> {
    let data = serde_json::to_string(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
    if data.len() > MongoStore::MAX_DATA_LEN {
        let (len, max) = (data.len(), MongoStore::MAX_DATA_LEN);
        return Err(Error::Encode(format!("the session's data has {len} bytes of JSON, more than the {max} allowed")));
    }
    let expiry = record.expiry_date;
    // The milliseconds of a point in time before 1970 count forwards from its second, too.
    let expires = DateTime::from_millis(expiry.unix_timestamp() * 1000 + i64::from(expiry.millisecond()));
    Ok(doc! { "_id": record.id.to_string(), "data": data, "expires": expires })
}

fn to_record(id: Id, document: &Document) -> Result<Record> {
    let data = document.get_str("data").map_err(|error| corrupt("data", error))?;
    // Of a parser's errors only the place is told: what they say of a wrong value quotes it.
    let data: HashMap<_, _> = serde_json::from_str(data)
        .map_err(|error| corrupt("data", format_args!("no JSON object (column {})", error.column())))?;
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
    Error::Backend(format!("MongoDB has refused {TRIES} writes since there is a document with the same key"))
}

/// Of what MongoDB refuses only the code is told: its messages quote the operation, with the session's id and data.
fn backend(error: &MongoError) -> Error {
    Error::Backend(match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(error)) => format!("MongoDB refused a write (code {})", error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            format!("MongoDB could not make sure of a write (code {}, {})", error.code, error.code_name)
        }
        ErrorKind::Command(error) => format!("MongoDB refused a command (code {}, {})", error.code, error.code_name),
        // The driver's own words: of a connection, as a rule.
        kind => kind.to_string(),
    })
}
