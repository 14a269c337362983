//! [`SessionHandle`] for `tower_sessions::Session`.
//!
//! What the library does, and what follows from it here:
//!
//! - The record is read from the store once a request, at its first use, and written as a whole: the last of two
//!   requests to save wins.
//! - Its layer saves a modified session once more when the handler has answered, unless the answer is a 5xx. Values
//!   whose save has failed are therefore taken out of the record again.
//! - `cycle_id` deletes the old record and leaves the session without an id until it is saved.
//! - `load` reads the store before it takes the lock on the record, and drops unsaved changes.

use std::borrow::Cow;

use serde_json::Value;

use super::json;
use crate::{Changes, Error, Operation, Result, SessionHandle};

macro_rules! handle {
    ($core:ident, $feature:literal) => {
        /// With
        #[doc = concat!("feature `", $feature, "`.")]
        ///
        /// **What Ok means.** When an "immediate" write returns `Ok` the store has it, whatever the handler does then. A
        /// "deferred" one is saved by the library's layer at the end of the response, unless that is a 5xx. The layer
        /// saves an immediate write then, too: if that fails the visitor gets a 500 with an empty body, though the write
        /// is there. With a 5xx a new visitor gets no cookie, so that nobody finds what was written.
        ///
        /// **A failed save.** The session's items are put back as they were before, for this request and for the layer's
        /// save. Where only the store's answer got lost (a time-out) the store may have the changes, now or a while
        /// later, and undo with them what was written meanwhile: a save is the whole record. Where the call's future was
        /// dropped nothing is put back: the layer's save, if it comes to that, writes the changes.
        ///
        /// **A renewal** calls the store's `delete` for the old id and `create` for the new one, and nothing makes the
        /// two one step: if `create` fails (a full store allows the first, and refuses the second) the session is gone,
        /// and its user signed out. So is a user whose browser never learns the new id, since the answer of the store
        /// got lost, or the handler panics or answers 5xx. The session of a new visitor has no old id, and is created.
        ///
        /// **After `flush`** a session has no record any more, but goes on with its old id if an item is set then, unless
        /// that is done by a renewal.
        ///
        /// **A reload** is done while nothing was changed since the request began, by us or by the app; the library keeps
        /// calling a session modified after it was saved. It must not run beside another operation of the session.
        ///
        /// **A record that cannot be read** makes every operation fail, and is not overwritten. `flush` gets rid of it.
        ///
        /// The library's own `Debug` of a session prints its values, tokens included: keep it out of logs.
        impl SessionHandle for $core::Session {
            // Not an `async fn`, which would move the key once more.
            fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
                async move {
                    match self.get_value(&key).await {
                        Ok(value) => json::item(value, &key),
                        Err(error) => Err(Error::session(error).during(Operation::Get).with_key(&*key)),
                    }
                }
            }

            async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
                // A visitor's, with an id that nobody has seen yet. (One that the app has flushed has no id either, but
                // its record keeps the old one.)
                let is_new = changes.renews_id() && self.id().is_none() && !self.is_modified();
                // The first by itself: most writes have one change, and need no vector.
                let (mut first_replaced, mut replaced) = (None, Vec::new());
                // No `async` block for the sake of `?`: it would be a future inside this one, and is felt in every write.
                let written = 'written: {
                    let mut ends_with_set = false;
                    for (key, value) in changes.iter() {
                        ends_with_set = value.is_some();
                        let before = match value {
                            // `insert_value` says the same of what was not there and of what was the same.
                            Some(_) => self.get_value(&key).await,
                            None => self.remove_value(&key).await,
                        };
                        match before {
                            Ok(before) if first_replaced.is_none() => first_replaced = Some(before),
                            Ok(before) => replaced.push(before),
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
                    // A visitor's session that was never stored and holds nothing is not worth a record.
                    if changes.saves_now() && (changes.renews_id() || ends_with_set || !self.is_empty().await) {
                        self.save().await
                    } else {
                        Ok(())
                    }
                };
                if written.is_err() {
                    let replaced: Vec<_> = changes.iter().zip(first_replaced.into_iter().chain(replaced)).collect();
                    for ((key, _), before) in replaced.into_iter().rev() {
                        // Fails only where the record has to be read again, and then it has none of our values.
                        let _ = match before {
                            Some(before) => self.insert_value(&key, before).await,
                            None => self.remove_value(&key).await,
                        };
                    }
                }
                written.map_err(|error| changes.failed(error))
            }

            async fn reload(&self) -> Result<bool> {
                // Without an id there is no record to read. (`load` would say Ok, and log a warning.)
                if self.is_modified() || self.id().is_none() {
                    return Ok(false);
                }
                match self.load().await {
                    Ok(()) => Ok(true),
                    Err(error) => Err(Error::session(error).during(Operation::Reload)),
                }
            }
        }
    };
}

#[cfg(feature = "tower-sessions-0_14")]
handle!(tower_sessions_core_0_14, "tower-sessions-0_14");
#[cfg(feature = "tower-sessions-0_15")]
handle!(tower_sessions_core_0_15, "tower-sessions-0_15");
