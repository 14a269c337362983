//! [`SessionHandle`] for `tower_sessions::Session`.
//!
//! The parent module defines which version of the library `tower_sessions_core` is. The library's behaviour that this
//! file relies on:
//!
//! - The record is read from the store once per request, at its first use, and written as a whole: the last of two
//!   concurrent requests to save wins.
//! - Its layer saves a modified session again when the handler has returned, unless the response is a 5xx. Values whose
//!   save failed must therefore be taken out of the record.
//! - `cycle_id` deletes the old record and leaves the session without an id until it is saved.
//! - `set_expiry` holds for the current request only. The layer's setting returns with the next one.
//! - `load` reads the store before it locks the record, and discards unsaved changes.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::super::json;
use super::tower_sessions_core::{Expiry, Session};
use crate::{Changes, Error, Operation, Result, SessionHandle};

/// Requires the feature `tower-sessions-0_15` or `tower-sessions-0_14`, for the session of that version.
///
/// # Saving
///
/// When an immediate write returns `Ok`, the store has it, whatever the handler does next. A deferred write is saved by
/// the library's layer at the end of the response, unless the response is a 5xx.
///
/// The layer also saves the session again after an immediate write. If that fails, the visitor gets a 500 with an empty
/// body, although the write is in the store. A new visitor gets no cookie with a 5xx, so what was written for them is
/// lost.
///
/// # Failed saves
///
/// If a save fails, the session's items are restored, both for this request and for the layer's save. If only the
/// store's response is lost (a time-out), the store may still have the changes, or apply them later and overwrite what
/// was written in the meantime, because a save writes the whole record. If the call's future is dropped, nothing is
/// restored, and the layer's save may write the changes.
///
/// # Lifetime
///
/// A [lifetime](Changes::lifetime) shortens the expiry of a new visitor's session and its cookie. The layer's setting
/// applies again when a later request saves the session. If your code adds values to the session later in the same
/// request, call `set_expiry` to keep them for longer.
///
/// # Renewal
///
/// A renewal calls the store's `delete` for the old id and `create` for the new one, which is not atomic. If `create`
/// fails, for example because the store is full, the session is gone and the user is signed out. The user is also signed
/// out if the browser never learns the new id, because the store's response is lost, the handler panics or the response
/// is a 5xx. The session of a new visitor has no old id to delete.
///
/// After `flush`, a session has no record. A later write keeps the old id unless it is a renewal.
///
/// # Reload
///
/// A reload reads the store only if nothing, including your own code, has changed the session in this request: the
/// library considers a session modified even after it was saved. Do not reload while another operation on the session is
/// in progress.
///
/// # Unreadable records
///
/// If the record cannot be read, every operation fails and the record is not overwritten. Call `flush` to delete it.
///
/// # Security
///
/// The library's `Debug` output of a session contains its values, tokens included. Keep it out of logs.
impl SessionHandle for Session {
    #[expect(clippy::manual_async_fn, reason = "an `async fn` would move the key once more")]
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
        async move {
            match self.get_value(&key).await {
                Ok(value) => json::item(value, &key),
                Err(error) => Err(Error::session(error).with_operation(Operation::Get).with_key(&*key)),
            }
        }
    }

    async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
        // The session of a new visitor: it has no old id to delete. (A flushed session has no id either, but is modified,
        // and its record keeps the old id.)
        let is_new = changes.renews_id() && self.id().is_none() && !self.is_modified();
        if let Some(lifetime) = changes.lifetime() {
            shorten(self, lifetime).await;
        }
        let mut undo = Undo::default();
        // A labelled block rather than an `async` block with `?`: a nested future would slow down every write.
        let written = 'written: {
            let mut ends_with_set = false;
            for (key, value) in changes.iter() {
                ends_with_set = value.is_some();
                let before = match value {
                    // `insert_value` returns `None` both for a missing value and for an equal one.
                    Some(_) => self.get_value(&key).await,
                    None => self.remove_value(&key).await,
                };
                match before {
                    Ok(before) => undo.push(before),
                    Err(error) => break 'written Err(error),
                }
                if let Some(value) = value {
                    if let Err(error) = self.insert_value(&key, Value::from(value)).await {
                        break 'written Err(error);
                    }
                }
            }
            if changes.renews_id() && !is_new {
                if let Err(error) = self.cycle_id().await {
                    break 'written Err(error);
                }
            }
            // An empty session that was never stored does not need a record.
            if changes.saves_now() && (changes.renews_id() || ends_with_set || !self.is_empty().await) {
                self.save().await
            } else {
                Ok(())
            }
        };
        if written.is_err() {
            undo.restore(self, changes).await;
        }
        written.map_err(|error| changes.failed(error))
    }

    async fn reload(&self) -> Result<bool> {
        // Without an id there is no record to read. (`load` would return `Ok` and log a warning.)
        if self.is_modified() || self.id().is_none() {
            return Ok(false);
        }
        match self.load().await {
            Ok(()) => Ok(true),
            Err(error) => Err(Error::session(error).with_operation(Operation::Reload)),
        }
    }
}

/// Lets a session that holds nothing yet expire after `lifetime`.
async fn shorten(session: &Session, lifetime: Duration) {
    if session.is_empty().await && session.expiry_age() > lifetime {
        if let Ok(lifetime) = lifetime.try_into() {
            session.set_expiry(Some(Expiry::OnInactivity(lifetime)));
        }
    }
}

/// The values that a write has replaced so far, in the order of its changes.
#[derive(Default)]
struct Undo {
    /// Separate from `others`: most writes have one change, which then needs no allocation.
    #[expect(clippy::option_option, reason = "the inner one is `None` if the item was missing")]
    first: Option<Option<Value>>,
    others: Vec<Option<Value>>,
}

impl Undo {
    fn push(&mut self, before: Option<Value>) {
        match self.first {
            None => self.first = Some(before),
            Some(_) => self.others.push(before),
        }
    }

    /// Restores the replaced values, the last one first.
    async fn restore(self, session: &Session, changes: Changes<'_>) {
        let replaced: Vec<_> = changes.iter().zip(self.first.into_iter().chain(self.others)).collect();
        for ((key, _), before) in replaced.into_iter().rev() {
            // This only fails if the record has to be read again, and then it does not contain the new values.
            let _ = match before {
                Some(before) => session.insert_value(&key, before).await,
                None => session.remove_value(&key).await,
            };
        }
    }
}
