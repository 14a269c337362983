//! [`SessionHandle`] for `actix_session::Session`.

use std::borrow::Cow;
use std::future::{Future, ready};

use actix_session_0_11::{Session, SessionStatus};

use crate::{Changes, Error, Operation, Result, SessionHandle};

/// Requires the feature `actix-session-0_11`.
///
/// # Saving
///
/// Every write is deferred: the middleware saves a changed session when the handler has returned, whatever the response
/// is. If the handler panics, its writes are lost. If the save fails, the request fails, although the write returned
/// `Ok`. The session is saved as a whole, so the last of two concurrent requests to end wins.
///
/// A renewal takes effect at the same time: the middleware deletes the old record and saves a new one. If the handler
/// panics, the id is not renewed.
///
/// Setting an item fails after your code has purged the session. The library panics if a write happens while your code
/// holds the result of `Session::entries`.
impl SessionHandle for Session {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // `get` only fails if the JSON value is not a string. The library's error would quote the value.
        ready(self.get(&key).map_err(|_| Error::not_a_string(key).with_operation(Operation::Get)))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(write(self, changes))
    }
}

fn write(session: &Session, changes: Changes<'_>) -> Result<()> {
    // The library would return `Ok` and drop the value.
    if session.status() == SessionStatus::Purged && changes.iter().any(|(_, value)| value.is_some()) {
        return Err(changes.failed("the session was purged by this request"));
    }
    for (key, value) in changes.iter() {
        match value {
            Some(value) => session.insert(key, value).map_err(|error| changes.failed(error.to_string()))?,
            None => drop(session.remove(&key)),
        }
    }
    if changes.renews_id() {
        session.renew();
    }
    Ok(())
}
