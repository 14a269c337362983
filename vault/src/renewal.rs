//! How a session in a vault renews its record, and ends it.

use std::time::Duration;

use logto_storage_core::{Change, Changes, Result, SessionHandle};

use crate::record::OpenRecord;
use crate::seal::{DataKey, Guard, field_name};
use crate::store::{GUARD, Step, Swap, Swapped, VaultStore};
use crate::ticket::{TICKET_KEY, Ticket};
use crate::vaulted::{Seen, State, Vaulted};
use crate::write::{Attempt, Write};

/// How long the end of a record is remembered, so that a delayed write does not create it again. Stores answer or time
/// out within seconds.
pub(crate) const END_MARKER_LIFETIME: Duration = Duration::from_secs(60 * 60);

impl<H: SessionHandle + Sync, S: VaultStore> Vaulted<H, S> {
    /// Gives the record a new ticket and a new data key.
    ///
    /// The session gets the new ticket first, beside the old one. The record then decides which of them is good, so if the
    /// second half fails the user is as before.
    pub(crate) async fn renew_record(
        &self,
        seen: &mut Seen,
        record: OpenRecord,
        write: &Write<'_>,
        announced: &mut Option<Ticket>,
    ) -> Result<Attempt> {
        let id = *record.ticket.id();
        let ticket = if let Some(ticket) = announced {
            *ticket
        } else {
            let ticket = Ticket::for_record(id);
            let all = ticket.encode_with_others(&record.newer, &record.ticket);
            self.session.write(write.of_session(&[Change::set(TICKET_KEY, &all)])).await?;
            seen.take_ticket(Some(all));
            *announced.insert(ticket)
        };
        let guard = Guard { data_key: DataKey::random(), is_signed_in: record.guard.is_signed_in || write.signs_in() };
        let sealed_guard = guard.seal(&ticket, self.vault.keys());
        let mut renewed = OpenRecord::new(ticket, guard, &sealed_guard);
        let mut steps = vec![Step::put(GUARD, Some(record.guard_version), sealed_guard)];
        let written: Vec<_> = write.items.iter().map(|(key, value)| (field_name(key), *value)).collect();
        for (name, item) in record.items() {
            let value = match written.iter().find(|(written, _)| written == name) {
                Some((_, value)) => *value,
                None => item.value.as_deref(),
            };
            steps.push(renewed.step(name, Some(item.version), value));
        }
        for (name, value) in &written {
            if record.item(name).is_none() && value.is_some() {
                steps.push(renewed.step(name, None, *value));
            }
        }
        let swap = Swap::replacing(steps, self.vault.lifetime_of(renewed.guard.is_signed_in));
        match self.vault.store().swap(&id, &swap).await.map_err(|error| write.failed(error))? {
            Swapped::Done => {
                seen.record = State::Open(renewed);
                // The other tickets open nothing now. If they stay in the session, no harm is done.
                let only = ticket.encode();
                let _ = self.session.write(Changes::one(Change::set(TICKET_KEY, &only)).deferred()).await;
                seen.take_ticket(Some(only));
                Ok(Attempt::Done)
            }
            Swapped::Conflict(_) => Ok(Attempt::Again),
        }
    }

    /// Ends the record, which nothing is left in.
    pub(crate) async fn end_record(&self, seen: &mut Seen, record: &OpenRecord, write: &Write<'_>) -> Result<Attempt> {
        let ended = self.vault.store().end(record.ticket.id(), Some(record.guard_version), END_MARKER_LIFETIME).await;
        match ended.map_err(|error| write.failed(error))? {
            Swapped::Done => {
                seen.take_ticket(None);
                seen.was_alive = false;
                self.session.write(write.of_session(&[Change::remove(TICKET_KEY)])).await?;
                Ok(Attempt::Done)
            }
            Swapped::Conflict(_) => Ok(Attempt::Again),
        }
    }
}
