//! [`SessionHandle`] for `actix_session::Session`.

use std::borrow::Cow;
use std::future::{Future, ready};

use actix_session_0_11::{Session, SessionStatus};

use crate::{Changes, Error, Operation, Result, SessionHandle};

/// With feature `actix-session-0_11`.
///
/// The middleware saves a changed session when the handler has answered, whatever the answer is: "immediate" is
/// "deferred" here. What a handler wrote before it panicked is lost. If the save fails, so does the request, though the
/// write was `Ok`; of two requests at the same time the last one to end wins, with the whole session.
///
/// A renewal takes place then, too: the middleware deletes the old record and saves the new one. After a panic it does
/// not take place.
///
/// A session that the app has purged takes no values any more: writing one is an error. Writing while the app holds what
/// `Session::entries` returned is a panic of the library's.
impl SessionHandle for Session {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // Values are JSON texts. All that can go wrong is that the text is of another type, which the error would quote.
        ready(self.get(&key).map_err(|_| Error::not_a_string(key).during(Operation::Get)))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(write(self, changes))
    }
}

fn write(session: &Session, changes: Changes<'_>) -> Result<()> {
    // The library answers Ok, and drops the value.
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
