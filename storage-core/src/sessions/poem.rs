//! [`SessionHandle`] for `poem::session::Session`.

use std::borrow::Cow;
use std::future::{Future, ready};

use super::json;
use crate::{Changes, Result, SessionHandle};
use poem_3::session::{Session, SessionStatus};

/// With feature `poem-3`.
///
/// The middleware saves a changed session when the handler has answered: "immediate" is "deferred" here. It saves with
/// `Ok` of any status, 500 included, but not where the handler returns `Err` or panics: what was written then is lost. If
/// the save fails, so does the request, though the write was `Ok`; of two requests at the same time the last one to end
/// wins, with the whole session.
///
/// A renewal takes place then, too: the middleware deletes the old record and saves the new one. After an `Err` or a panic
/// it does not take place.
///
/// A session that the app has purged takes no values any more: writing one is an error. The library's own `Debug` of a
/// session prints its values, tokens included: keep it out of logs.
impl SessionHandle for Session {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // `get::<String>` would have `None` for a value of another type.
        ready(json::item(self.get(&key), &key))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(write(self, changes))
    }
}

fn write(session: &Session, changes: Changes<'_>) -> Result<()> {
    // The library drops the value, and says nothing.
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
