//! [`SessionHandle`] for `salvo::session::Session`.

use std::borrow::Cow;
use std::future::{Future, ready};

use salvo_session_1::Session;
use serde_json::Value;

use super::json;
use crate::{Changes, Error, Operation, Result, SessionHandle};

/// With feature `salvo-1`. Take a clone of what the depot has: clones share their items.
///
/// The handler of the library saves the session when yours has answered, whatever the answer is: "immediate" is "deferred"
/// here. What a handler wrote before it panicked is lost. If the save fails, the request is answered with 503, though the
/// write was `Ok`; of two requests at the same time the last one to end wins, with the whole session. By default that
/// holds for a request that only reads, too: build the library's handler with `save_unchanged(false)`. (Its `MemoryStore`
/// lends records out instead of copying them: there all requests share one session, and see a write at once.)
///
/// A renewal is [`Unsupported`](crate::ErrorKind::Unsupported): the library's `regenerate` gives a session a new id, but
/// leaves the old one valid, with all its items.
///
/// A session that the app has destroyed takes no values any more: writing one is an error. The library's own `Debug` of a
/// session prints its values, tokens included: keep it out of logs.
impl SessionHandle for Session {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        // Values are JSON texts. `get` would have `None` for a value of another type. What is no JSON is no string, either.
        let value = self.get_raw(&key).map(|text| serde_json::from_str(&text).unwrap_or(Value::Null));
        ready(json::item(value, &key))
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
        ready(write(self, changes))
    }
}

fn write(session: &Session, changes: Changes<'_>) -> Result<()> {
    if changes.renews_id() {
        let reason = "salvo's sessions can change their id, but the old one stays valid";
        return Err(Error::unsupported(reason).during(Operation::Renew));
    }
    if session.is_destroyed() && changes.iter().any(|(_, value)| value.is_some()) {
        return Err(changes.failed("the session was destroyed by this request"));
    }
    // The library asks for `&mut`, though the items are behind a lock that all clones share.
    let mut session = session.clone();
    for (key, value) in changes.iter() {
        match value {
            Some(value) => session.insert_raw(&key, Value::from(value).to_string()),
            None => session.remove(&key),
        }
    }
    Ok(())
}
