//! How a session in a vault writes while it has no record.

use logto_storage_core::{Change, Error, Result, SessionHandle};

use crate::record::OpenRecord;
use crate::renewal::END_MARKER_LIFETIME;
use crate::seal::{DataKey, Guard, field_name};
use crate::store::{GUARD, Step, Swap, Swapped, VaultStore};
use crate::ticket::{TICKET_KEY, Ticket};
use crate::vaulted::{Seen, State, Vaulted};
use crate::write::{Attempt, SIGN_IN_SESSION, Write};

impl<H: SessionHandle + Sync, S: VaultStore> Vaulted<H, S> {
    /// Changes a session without a record.
    pub(crate) async fn change_missing(&self, seen: &mut Seen, write: &Write<'_>) -> Result<Attempt> {
        // A request that has not read that nobody is signed in belongs to whomever its ticket was for.
        let is_late = seen.was_alive || seen.ticket.is_some() && !seen.has_read;
        if is_late && !write.changes.renews_id() {
            return Err(Error::ended().with_operation(write.operation()));
        }
        if !write.only_removes() {
            // Another request of this session may have created a record meanwhile, or changed the session's items.
            self.session.reload().await?;
            let ticket = self.session.read(TICKET_KEY.into()).await?;
            if ticket != seen.ticket {
                seen.take_ticket(ticket);
                return Ok(Attempt::Again);
            }
        }
        for (key, expected) in &write.expected {
            let value = if seen.ticket.is_none() { self.session.read(key.into()).await? } else { None };
            if value.as_deref() != *expected {
                return Err(Error::conflict().with_operation(write.operation()));
            }
        }
        if write.only_removes() {
            self.remove_from_session(seen, write).await
        } else {
            self.create_record(seen, write).await
        }
    }

    /// Removes items from before the vault was introduced, and with a renewal also a ticket that opens nothing.
    async fn remove_from_session(&self, seen: &mut Seen, write: &Write<'_>) -> Result<Attempt> {
        let mut changes = Vec::new();
        if write.changes.renews_id() && seen.ticket.is_some() {
            changes.push(Change::remove(TICKET_KEY));
        }
        for (key, _) in &write.items {
            if self.session.read(key.into()).await?.is_some() {
                changes.push(Change::remove(key));
            }
        }
        if !changes.is_empty() || write.changes.renews_id() {
            self.session.write(write.of_session(&changes)).await?;
        }
        if write.changes.renews_id() {
            seen.take_ticket(None);
            seen.was_alive = false;
        }
        Ok(Attempt::Done)
    }

    /// Creates a record, and moves to it what the session holds from before the vault was introduced.
    async fn create_record(&self, seen: &mut Seen, write: &Write<'_>) -> Result<Attempt> {
        let moved = if seen.ticket.is_some() { Vec::new() } else { self.items_to_move(write).await? };
        let is_signed_in =
            write.signs_in() || moved.iter().any(|(key, value)| value.is_some() && !key.ends_with(SIGN_IN_SESSION));
        let ticket = Ticket::random();
        let guard = Guard { data_key: DataKey::random(), is_signed_in };
        let sealed_guard = guard.seal(&ticket, self.vault.keys());
        let mut record = OpenRecord::new(ticket, guard, &sealed_guard);
        let mut steps = vec![Step::put(GUARD, None, sealed_guard)];
        let moved_items = moved.iter().map(|(key, value)| (key, value.as_deref()));
        for (key, value) in write.items.iter().map(|(key, value)| (key, *value)).chain(moved_items) {
            if value.is_some() {
                steps.push(record.step(&field_name(key), None, value));
            }
        }
        let lifetime = self.vault.lifetime_of(is_signed_in);
        match self
            .vault
            .store()
            .swap(ticket.id(), &Swap::new(steps, lifetime))
            .await
            .map_err(|error| write.failed(error))?
        {
            Swapped::Done => {}
            // Somebody else has the same random id.
            Swapped::Conflict(_) => return Ok(Attempt::Again),
        }
        let text = ticket.encode();
        let mut changes = vec![Change::set(TICKET_KEY, &text)];
        changes.extend(moved.iter().map(|(key, _)| Change::remove(key)));
        let mut changes = write.of_session(&changes);
        if !is_signed_in {
            changes = changes.expiring_after(lifetime);
        }
        if let Err(error) = self.session.write(changes).await {
            // Nobody has its ticket. If it cannot be ended either, it expires.
            let _ = self.vault.store().end(ticket.id(), Some(record.guard_version), END_MARKER_LIFETIME).await;
            return Err(error);
        }
        seen.take_ticket(Some(text));
        seen.was_alive = true;
        seen.record = State::Open(record);
        Ok(Attempt::Done)
    }

    /// The items that are in the session instead of the vault. `None` for those that are only removed from it.
    async fn items_to_move(&self, write: &Write<'_>) -> Result<Vec<(String, Option<String>)>> {
        let mut items = Vec::new();
        for (key, is_moved) in write.movable_keys() {
            if let Some(value) = self.session.read((&key).into()).await? {
                items.push((key, is_moved.then_some(value)));
            }
        }
        Ok(items)
    }
}
