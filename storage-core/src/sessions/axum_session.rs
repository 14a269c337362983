//! [`SessionHandle`] for `axum_session::Session`.

use std::borrow::Cow;
use std::fmt::Debug;
use std::future::{Future, ready};

use super::json;
use crate::{Changes, Result, SessionHandle};
use axum_session_0_22::{DatabasePool, Session};

/// Requires the feature `axum_session-0_22`.
///
/// **Use it with a single process only.** Another process that has the session in its memory keeps using that copy: it
/// does not see this process's writes, and there the old id of a renewed or ended session still gives access to the
/// items. After a handler has panicked, `destroy` does not end its session; a renewal does.
///
/// # Saving
///
/// Every write is deferred. The library keeps active sessions in the memory of the process, where all requests see a
/// write at once, and its layer saves a changed session to the database when the handler has returned, whatever the
/// response is. If the handler panics, its writes are saved with the next request. If the save fails, the request fails,
/// although the write returned `Ok` and stays in memory.
///
/// A renewal takes effect at the same time: the layer deletes the old record and saves a new one. If the handler panics,
/// the id is renewed with the session's next request.
///
/// If the layer is in manual mode and your code has not created the session's data, items are missing and writes fail.
/// A session that your code has destroyed accepts values, but drops them when the handler has returned.
///
/// # Security
///
/// The library's `Debug` output of a session contains its values, tokens included. Keep it out of logs.
impl<T> SessionHandle for Session<T>
where
    T: DatabasePool + Clone + Debug + Sync + Send + 'static,
{
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // `get::<String>` would return `None` for a value of another type.
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
    // The library would log a warning and drop the value.
    if !session.data_exists() {
        return Err(changes.failed("the session has no data: it was not created, or another request renewed it"));
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
