//! [`SessionHandle`] for `salvo::session::Session`.

use std::borrow::Cow;
use std::future::{Future, ready};

use salvo_session_1::Session;
use serde_json::Value;

use super::json;
use crate::{Changes, Error, Operation, Result, SessionHandle};

/// Requires the feature `salvo-1`. Use a clone of the session in the depot: clones share their items.
///
/// # Saving
///
/// Every write is deferred: the library's handler saves the session when yours has returned, whatever the response is.
/// If your handler panics, its writes are lost. If the save fails, the response is a 503, although the write returned
/// `Ok`. The session is saved as a whole, so the last of two concurrent requests to end wins. By default that includes
/// requests that only read; build the library's handler with `save_unchanged(false)` to change it.
///
/// The library's `MemoryStore` hands out its records instead of copying them, so with it all requests share one session
/// and see a write at once.
///
/// Setting an item fails after your code has destroyed the session.
///
/// # Renewal
///
/// A renewal fails with [`Unsupported`](crate::ErrorKind::Unsupported): the library's `regenerate` gives a session a new
/// id, but leaves the old one valid, with all its items.
///
/// # Security
///
/// The library's `Debug` output of a session contains its values, tokens included. Keep it out of logs.
impl SessionHandle for Session {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // Values are JSON texts. `get` would return `None` for a value of another type. Invalid JSON is not a string either.
        let value = self.get_raw(&key).map(|text| serde_json::from_str(&text).unwrap_or(Value::Null));
        ready(json::item(value, &key))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(write(self, changes))
    }

    fn check_renewal(&self) -> Result<()> {
        let reason = "salvo does not invalidate the old session id";
        Err(Error::unsupported(reason).with_operation(Operation::Renew))
    }
}

fn write(session: &Session, changes: Changes<'_>) -> Result<()> {
    if changes.renews_id() {
        session.check_renewal()?;
    }
    if session.is_destroyed() && changes.iter().any(|(_, value)| value.is_some()) {
        return Err(changes.failed("the session was destroyed by this request"));
    }
    // The library's methods require `&mut`, but the items are behind a lock that all clones share.
    let mut session = session.clone();
    for (key, value) in changes.iter() {
        match value {
            Some(value) => session.insert_raw(&key, Value::from(value).to_string()),
            None => session.remove(&key),
        }
    }
    Ok(())
}
