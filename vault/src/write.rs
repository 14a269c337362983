//! How a session in a vault writes.

use std::collections::BTreeSet;
use std::time::Duration;

use logto_storage_core::{AllSeen, Change, Changes, Error, Operation, Result, SessionHandle};
use tokio::time::Instant;

use crate::record::OpenRecord;
use crate::seal::{DataKey, Guard, field_name};
use crate::store::{GUARD, Step, StoreError, Swap, Swapped, VaultStore, Version};
use crate::ticket::{TICKET_KEY, Ticket};
use crate::vaulted::{Seen, State, Vaulted};

/// How long a write is tried again while other requests change the same items.
const MAX_RETRYING: Duration = Duration::from_secs(5);

/// How long the end of a record is remembered, so that a delayed write does not create it again. Stores answer or time
/// out within seconds.
const END_MARKER_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// The item of pending sign-ins. A record that holds nothing else is short-lived.
const SIGN_IN_SESSION: &str = "logto_sign_in_session";

/// The items that may be in the session from before the vault was introduced, and whether they are moved. Access tokens
/// are not.
const SDK_ITEMS: [(&str, bool); 5] = [
    (SIGN_IN_SESSION, true),
    ("logto_id_token", true),
    ("logto_refresh_token", true),
    ("logto_access_token_map", false),
    ("logto_refresh_lease", false),
];

/// The key of an access token, but for its target.
const ACCESS_TOKEN: &str = "logto_access_token:";

/// A write: the last change of each item, and the items that it depends on.
pub(crate) struct Write<'a> {
    changes: Changes<'a>,
    items: Vec<(String, Option<&'a str>)>,
    expected: Vec<(String, Option<&'a str>)>,
    is_conditional: bool,
}

/// What came of an attempt.
enum Attempt {
    Done,
    /// Another request was first.
    Again,
}

impl<'a> Write<'a> {
    pub(crate) fn new(seen: Option<AllSeen<'a>>, changes: Changes<'a>) -> Self {
        let mut items: Vec<(String, Option<&str>)> = Vec::new();
        for (key, value) in changes.iter() {
            match items.iter_mut().find(|(known, _)| *known == key) {
                Some((_, last)) => *last = value,
                None => items.push((key.into_owned(), value)),
            }
        }
        let is_conditional = seen.is_some();
        let expected = seen.iter().flat_map(AllSeen::iter).map(|(key, value)| (key.into_owned(), value)).collect();
        Self { changes, items, expected, is_conditional }
    }

    /// The names of all fields that the write is about.
    fn names(&self) -> Vec<String> {
        self.items.iter().chain(&self.expected).map(|(key, _)| field_name(key)).collect()
    }

    /// Whether it sets anything but pending sign-ins.
    fn signs_in(&self) -> bool {
        self.items.iter().any(|(key, value)| value.is_some() && !key.ends_with(SIGN_IN_SESSION))
    }

    /// The keys that the session may have instead of the vault, and whether their items are moved.
    fn movable_keys(&self) -> Vec<(String, bool)> {
        let mut keys: Vec<_> = self.items.iter().map(|(key, _)| (key.clone(), false)).collect();
        let all = self.items.iter().chain(&self.expected).map(|(key, _)| key.as_str());
        let prefixes: BTreeSet<_> = all.filter_map(prefix).collect();
        for prefix in prefixes {
            for (name, is_moved) in SDK_ITEMS {
                let key = [prefix, name].concat();
                if !keys.iter().any(|(known, _)| *known == key) {
                    keys.push((key, is_moved));
                }
            }
        }
        keys
    }

    fn only_removes(&self) -> bool {
        self.items.iter().all(|(_, value)| value.is_none())
    }

    fn operation(&self) -> Operation {
        if self.is_conditional { Operation::ApplyIf } else { self.changes.operation() }
    }

    fn failed(&self, error: StoreError) -> Error {
        self.changes.failed(error).with_operation(self.operation())
    }

    /// The same change of the session: with a new id if the write renews, and saved when it is.
    fn of_session<'b>(&self, changes: &'b [Change<'b>]) -> Changes<'b> {
        let changes = Changes::all(changes);
        match (self.changes.renews_id(), self.changes.saves_now()) {
            (true, _) => changes.renewing(),
            (false, true) => changes,
            (false, false) => changes.deferred(),
        }
    }
}

/// The prefix of an item of the SDK.
fn prefix(key: &str) -> Option<&str> {
    let fixed = SDK_ITEMS.iter().find_map(|(name, _)| key.strip_suffix(name));
    fixed.or_else(|| key.split_once(ACCESS_TOKEN).map(|(prefix, _)| prefix))
}

impl<H: SessionHandle + Sync, S: VaultStore> Vaulted<H, S> {
    pub(crate) async fn change(&self, write: Write<'_>) -> Result<()> {
        let mut seen = self.seen.lock().await;
        let is_first = matches!(seen.record, State::Unread) && !seen.was_alive;
        let started = Instant::now();
        let names = write.names();
        let mut announced = None;
        loop {
            // A renewal writes all items again.
            let names = (!write.changes.renews_id()).then_some(names.as_slice());
            let ensured = self.ensure(&mut seen, names).await;
            ensured.map_err(|error| error.with_operation(write.operation()))?;
            // Until the write has succeeded, nothing is known: it may fail, or its caller may go away.
            let attempt = match std::mem::replace(&mut seen.record, State::Unread) {
                State::Open(record) => self.change_record(&mut seen, record, &write, &mut announced).await?,
                State::Missing { ticket } => self.change_missing(&mut seen, ticket, &write, is_first).await?,
                State::Unread => Attempt::Again,
            };
            match attempt {
                Attempt::Done => return Ok(()),
                Attempt::Again if started.elapsed() < MAX_RETRYING => {}
                Attempt::Again => return Err(write.failed(StoreError::new("other requests change the same items"))),
            }
        }
    }

    /// Changes the record. `announced` is the new ticket that the session already has from an earlier attempt.
    async fn change_record(
        &self,
        seen: &mut Seen,
        record: OpenRecord,
        write: &Write<'_>,
        announced: &mut Option<Ticket>,
    ) -> Result<Attempt> {
        let value = |key: &str| record.item(&field_name(key)).and_then(|item| item.value.as_deref());
        if write.expected.iter().any(|(key, expected)| value(key) != *expected) {
            return Err(Error::conflict().with_operation(write.operation()));
        }
        if !write.changes.renews_id() {
            return self.swap_items(seen, record, write).await;
        }
        let written = write.names();
        let keeps =
            record.items().any(|(name, item)| item.value.is_some() && !written.iter().any(|other| other == name));
        if write.only_removes() && !keeps {
            self.end_record(seen, &record, write).await
        } else {
            self.renew_record(seen, record, write, announced).await
        }
    }

    async fn swap_items(&self, seen: &mut Seen, mut record: OpenRecord, write: &Write<'_>) -> Result<Attempt> {
        let id = *record.ticket.id();
        let signs_in = write.signs_in() && !record.guard.is_signed_in;
        let guard = Guard { is_signed_in: record.guard.is_signed_in || signs_in, ..record.guard.clone() };
        let mut steps = vec![if signs_in {
            // The same key with another lifetime. It stays open for the requests that hold the ticket.
            Step::put(GUARD, Some(record.guard_version), guard.seal(&record.ticket, self.vault.keys()))
        } else {
            Step::look(GUARD, Some(record.guard_version))
        }];
        for (key, value) in &write.items {
            let name = field_name(key);
            let version = record.item(&name).map(|item| item.version);
            steps.push(if value.is_none() && version.is_none() {
                Step::look(name, None)
            } else {
                let field = guard.data_key.seal(&id, &name, value.map(str::as_bytes));
                Step::put(name, version, field)
            });
        }
        for (key, _) in &write.expected {
            let name = field_name(key);
            if !steps.iter().any(|step| step.name == name) {
                let version = record.item(&name).map(|item| item.version);
                steps.push(Step::look(name, version));
            }
        }
        let swap = Swap::new(steps, self.vault.lifetime_of(guard.is_signed_in));
        match self.vault.store().swap(&id, &swap).await.map_err(|error| write.failed(error))? {
            Swapped::Done => {
                let versions = swap.steps.iter().map(|step| step.put.as_deref().and_then(Version::of));
                let mut versions = versions.collect::<Vec<_>>().into_iter();
                if let Some(version) = versions.next().flatten() {
                    record.guard_version = version;
                }
                record.guard = guard;
                for ((key, value), version) in write.items.iter().zip(versions) {
                    if let Some(version) = version {
                        record.wrote(field_name(key), version, value.map(str::to_owned));
                    }
                }
                seen.record = State::Open(record);
                Ok(Attempt::Done)
            }
            Swapped::Conflict(now) => {
                let is_current =
                    now.first().and_then(Option::as_deref).and_then(Version::of) == Some(record.guard_version);
                if is_current {
                    for (step, field) in swap.steps.iter().zip(&now).skip(1) {
                        record.learn(&step.name, field.as_deref());
                    }
                    seen.record = State::Open(record);
                }
                Ok(Attempt::Again)
            }
        }
    }

    /// Gives the record a new ticket and a new data key.
    ///
    /// The session gets both tickets first. The record then decides which of them is good, so if the second half fails
    /// the user is as before.
    async fn renew_record(
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
            let both = ticket.encode_with_old(&record.ticket);
            self.session.write(write.of_session(&[Change::set(TICKET_KEY, &both)])).await?;
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
                // The old ticket opens nothing now. If it stays in the session, no harm is done.
                let only = ticket.encode();
                let _ = self.session.write(Changes::one(Change::set(TICKET_KEY, &only)).deferred()).await;
                Ok(Attempt::Done)
            }
            Swapped::Conflict(_) => Ok(Attempt::Again),
        }
    }

    /// Ends the record, which nothing is left in.
    async fn end_record(&self, seen: &mut Seen, record: &OpenRecord, write: &Write<'_>) -> Result<Attempt> {
        let ended = self.vault.store().end(record.ticket.id(), Some(record.guard_version), END_MARKER_LIFETIME).await;
        match ended.map_err(|error| write.failed(error))? {
            Swapped::Done => {
                seen.was_alive = false;
                self.session.write(write.of_session(&[Change::remove(TICKET_KEY)])).await?;
                Ok(Attempt::Done)
            }
            Swapped::Conflict(_) => Ok(Attempt::Again),
        }
    }

    /// Changes a session without a record.
    async fn change_missing(
        &self,
        seen: &mut Seen,
        ticket: Option<String>,
        write: &Write<'_>,
        is_first: bool,
    ) -> Result<Attempt> {
        if seen.was_alive && !write.changes.renews_id() {
            return Err(Error::ended().with_operation(write.operation()));
        }
        for (key, expected) in &write.expected {
            let value = if ticket.is_none() { self.session.read(key.into()).await? } else { None };
            if value.as_deref() != *expected {
                return Err(Error::conflict().with_operation(write.operation()));
            }
        }
        if write.only_removes() {
            return self.remove_from_session(ticket.is_some(), write).await;
        }
        // A write that has read nothing belongs to whoever the ticket was for.
        if ticket.is_some() && is_first && !write.changes.renews_id() {
            return Err(Error::ended().with_operation(write.operation()));
        }
        // Another request of this session may have created a record meanwhile.
        self.session.reload().await?;
        if self.session.read(TICKET_KEY.into()).await? != ticket {
            return Ok(Attempt::Again);
        }
        self.create_record(seen, ticket.is_some(), write).await
    }

    async fn remove_from_session(&self, has_ticket: bool, write: &Write<'_>) -> Result<Attempt> {
        let mut changes = Vec::new();
        if has_ticket {
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
        Ok(Attempt::Done)
    }

    /// Creates a record, and moves to it what the session holds from before the vault was introduced.
    async fn create_record(&self, seen: &mut Seen, has_ticket: bool, write: &Write<'_>) -> Result<Attempt> {
        let moved = if has_ticket { Vec::new() } else { self.items_to_move(write).await? };
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
