//! [`SessionHandle`] for `poem::session::Session`.

use std::borrow::Cow;
use std::future::{Future, ready};

use super::json;
use crate::{Changes, Result, SessionHandle};
use poem_3::session::{Session, SessionStatus};

/// Requires the feature `poem-3`.
///
/// # Saving
///
/// Every write is deferred: the middleware saves a changed session when the handler has returned `Ok`, with any status,
/// 500 included. If the handler returns `Err` or panics, its writes are lost. If the save fails, the request fails,
/// although the write returned `Ok`. The session is saved as a whole, so the last of two concurrent requests to end wins.
///
/// A renewal takes effect at the same time: the middleware deletes the old record and saves a new one. If the handler
/// returns `Err` or panics, the id is not renewed.
///
/// Setting an item fails after your code has purged the session.
///
/// # Security
///
/// The library's `Debug` output of a session contains its values, tokens included. Keep it out of logs.
impl SessionHandle for Session {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // `get::<String>` would return `None` for a value of another type.
        ready(json::item(self.get(&key), &key))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(write(self, changes))
    }
}

fn write(session: &Session, changes: Changes<'_>) -> Result<()> {
    // The library would drop the value silently.
    if session.status() == SessionStatus::Purged && changes.iter().any(|(_, value)| value.is_some()) {
        return Err(changes.failed("the session was purged by this request"));
    }
    for (key, value) in changes.iter() {
        match value {
            Some(value) => session.set(&key, value),
            None => session.remove(&key),
        }
    }
    if changes.renews_id() {
        session.renew();
    }
    Ok(())
}
