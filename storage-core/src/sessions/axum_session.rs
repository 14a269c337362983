//! [`SessionHandle`] for `axum_session::Session`.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::{Future, ready};

use super::json;
use crate::{Changes, Result, SessionHandle};
use axum_session_0_22::{DatabasePool, Session};

/// With feature `axum_session-0_22`.
///
/// The library keeps the sessions in use in the memory of the process, where all requests to it see a write at once. Its
/// layer saves a changed session to the database when the handler has answered, whatever the answer is: "immediate" is
/// "deferred" here. What a handler wrote before it panicked is not saved until another request is answered. If the save
/// fails, so does the request, though the write was `Ok` and stays in the memory of the process.
///
/// A renewal takes place then, too: the layer deletes the old record and saves the new one. After a panic it takes place
/// with the next request of the session.
///
/// **Use it with one process only.** Another process that has the session in its memory goes on with that: it does not see
/// the writes of this one, and the old id of a renewed or ended session still gets the items there. After a handler has
/// panicked `destroy` does not end its session either; a renewal does.
///
/// Where the layer is in manual mode and the app has not created the session's data, there are no items, and writing is an
/// error. A session that the app has destroyed takes values, and drops them when the handler has answered.
///
/// The library's own `Debug` of a session prints its values, tokens included: keep it out of logs.
impl<T> SessionHandle for Session<T>
where
    T: DatabasePool + Clone + Debug + Sync + Send + 'static,
{
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // `get::<String>` would have `None` for a value of another type.
        ready(json::item(self.get(&key), &key))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(write(self, changes))
    }
}

fn write<T>(session: &Session<T>, changes: Changes<'_>) -> Result<()>
where
    T: DatabasePool + Clone + Debug + Sync + Send + 'static,
{
    // The library logs a warning, and drops the value.
    if !session.data_exists() {
        return Err(changes.failed("the session has no data: it was not created, or it was renewed meanwhile"));
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
