//! How a session in a vault writes.

use std::collections::BTreeSet;
use std::time::Duration;

use logto_storage_core::{AllSeen, Change, Changes, Error, Operation, Result, SessionHandle};
use tokio::time::Instant;

use crate::record::OpenRecord;
use crate::seal::{Guard, field_name};
use crate::store::{Step, StoreError, Swap, Swapped, VaultStore, Version};
use crate::ticket::Ticket;
use crate::vaulted::{Seen, State, Vaulted};

/// How long a write is tried again while other requests change the same items.
const MAX_RETRYING: Duration = Duration::from_secs(5);

/// The item of pending sign-ins. A record that holds nothing else is short-lived.
pub(crate) const SIGN_IN_SESSION: &str = "logto_sign_in_session";

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
    pub(crate) changes: Changes<'a>,
    pub(crate) items: Vec<(String, Option<&'a str>)>,
    pub(crate) expected: Vec<(String, Option<&'a str>)>,
    is_conditional: bool,
}

/// What came of an attempt.
pub(crate) enum Attempt {
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
    pub(crate) fn names(&self) -> Vec<String> {
        self.items.iter().chain(&self.expected).map(|(key, _)| field_name(key)).collect()
    }

    /// Whether it sets anything but pending sign-ins.
    pub(crate) fn signs_in(&self) -> bool {
        self.items.iter().any(|(key, value)| value.is_some() && !key.ends_with(SIGN_IN_SESSION))
    }

    /// The keys that the session may have instead of the vault, and whether their items are moved.
    pub(crate) fn movable_keys(&self) -> Vec<(String, bool)> {
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

    pub(crate) fn only_removes(&self) -> bool {
        self.items.iter().all(|(_, value)| value.is_none())
    }

    /// Whether the items that it depends on are as they were seen.
    fn is_expected_in(&self, record: &OpenRecord) -> bool {
        let value = |key: &str| record.item(&field_name(key)).and_then(|item| item.value.as_deref());
        self.expected.iter().all(|(key, expected)| value(key) == *expected)
    }

    pub(crate) fn operation(&self) -> Operation {
        if self.is_conditional { Operation::ApplyIf } else { self.changes.operation() }
    }

    pub(crate) fn failed(&self, error: StoreError) -> Error {
        self.changes.failed(error).with_operation(self.operation())
    }

    /// The same change of the session: with a new id if the write renews, and saved when it is.
    pub(crate) fn of_session<'b>(&self, changes: &'b [Change<'b>]) -> Changes<'b> {
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
        let started = Instant::now();
        let names = write.names();
        let mut announced = None;
        let mut is_stale = matches!(seen.record, State::Open(_));
        loop {
            // A renewal writes all items again.
            let names = (!write.changes.renews_id()).then_some(names.as_slice());
            let ensured = self.ensure(&mut seen, names).await;
            ensured.map_err(|error| error.with_operation(write.operation()))?;
            // Until the write has succeeded, nothing is known: it may fail, or its caller may go away.
            let attempt = match std::mem::replace(&mut seen.record, State::Unread) {
                // What was read earlier may have changed.
                State::Open(record) if is_stale && !write.is_expected_in(&record) => Attempt::Again,
                State::Open(record) => self.change_record(&mut seen, record, &write, &mut announced).await?,
                State::Missing => {
                    // It was for a record that has ended. There may be another one by now.
                    announced = None;
                    self.change_missing(&mut seen, &write).await?
                }
                State::Unread => Attempt::Again,
            };
            is_stale = false;
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
        if !write.is_expected_in(&record) {
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
        let guard = Guard { is_signed_in: record.guard.is_signed_in || write.signs_in(), ..record.guard.clone() };
        let mut steps = vec![record.guard_step(&guard, self.vault.keys())];
        for (key, value) in &write.items {
            let name = field_name(key);
            let version = record.item(&name).map(|item| item.version);
            // Also the removal of a missing item: a failed write of the item may still be on its way.
            let field = guard.data_key.seal(&id, &name, value.map(str::as_bytes));
            steps.push(Step::put(name, version, field));
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
                record.guard_is(guard, &swap.steps[0]);
                let versions = swap.steps.iter().skip(1).map(|step| step.put.as_deref().and_then(Version::of));
                for ((key, value), version) in write.items.iter().zip(versions) {
                    record.wrote(field_name(key), version, value.map(str::to_owned));
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
}
