//! What a request knows of its record.

use std::collections::HashMap;

use crate::seal::{ApplicationKeys, Guard, Item};
use crate::store::{GUARD, Record, Step, Version};
use crate::ticket::Ticket;

/// An open record, as far as this request has read it.
pub(crate) struct OpenRecord {
    pub(crate) ticket: Ticket,
    pub(crate) guard: Guard,
    pub(crate) guard_version: Version,
    /// Whether the guard is sealed with the first application key.
    is_sealed_with_first_key: bool,
    /// The newer tickets that the session has: those of renewals that may still be on their way.
    pub(crate) newer: Vec<Ticket>,
    /// By field name. `None`: there is no such field.
    items: HashMap<String, Option<SeenItem>>,
    /// Whether `items` has every field.
    is_complete: bool,
}

/// An item, or the mark of a removed one.
pub(crate) struct SeenItem {
    pub(crate) version: Version,
    /// `None` if the item was removed, or the field cannot be opened.
    pub(crate) value: Option<String>,
}

impl OpenRecord {
    /// Opens a record that was read by one of the tickets, without its items.
    pub(crate) fn open(tickets: &[Ticket], keys: &ApplicationKeys, record: &Record) -> Option<Self> {
        let field = record.fields.get(GUARD)?;
        let guard_version = Version::of(field)?;
        let open = |(index, ticket): (_, &Ticket)| Some((index, *ticket, Guard::open(ticket, keys, field)?));
        let (index, ticket, (guard, is_sealed_with_first_key)) = tickets.iter().enumerate().find_map(open)?;
        Some(Self {
            ticket,
            guard,
            guard_version,
            is_sealed_with_first_key,
            newer: tickets[..index].to_vec(),
            items: HashMap::new(),
            is_complete: false,
        })
    }

    /// Creates a record that holds nothing yet.
    pub(crate) fn new(ticket: Ticket, guard: Guard, sealed_guard: &[u8]) -> Self {
        let guard_version = Version::of(sealed_guard).expect("sealed fields begin with a version");
        Self {
            ticket,
            guard,
            guard_version,
            is_sealed_with_first_key: true,
            newer: Vec::new(),
            items: HashMap::new(),
            is_complete: true,
        }
    }

    /// Expects the guard. Puts it again if it has changed, or if an application key has come before the one that it is sealed
    /// with. Its data key stays, so that the record stays open for the requests that hold the ticket.
    pub(crate) fn guard_step(&self, guard: &Guard, keys: &ApplicationKeys) -> Step {
        if self.is_sealed_with_first_key && guard.is_signed_in == self.guard.is_signed_in {
            Step::look(GUARD, Some(self.guard_version))
        } else {
            Step::put(GUARD, Some(self.guard_version), guard.seal(&self.ticket, keys))
        }
    }

    /// Takes in that a swap with this step was done.
    pub(crate) fn guard_is(&mut self, guard: Guard, step: &Step) {
        self.guard = guard;
        if let Some(version) = step.put.as_deref().and_then(Version::of) {
            self.guard_version = version;
            self.is_sealed_with_first_key = true;
        }
    }

    /// Seals an item for this record, and takes it in. Without a value, the field is dropped by a swap that replaces.
    pub(crate) fn step(&mut self, name: &str, expected: Option<Version>, value: Option<&str>) -> Step {
        let Some(value) = value else { return Step::look(name, expected) };
        let field = self.guard.data_key.seal(self.ticket.id(), name, Some(value.as_bytes()));
        self.wrote(name.to_owned(), Version::of(&field), Some(value.to_owned()));
        Step::put(name, expected, field)
    }

    pub(crate) fn knows(&self, names: &[String]) -> bool {
        self.is_complete || names.iter().all(|name| self.items.contains_key(name))
    }

    /// Takes in a field as it was read.
    pub(crate) fn learn(&mut self, name: &str, field: Option<&[u8]>) {
        let item = field.and_then(|field| {
            let value = match self.guard.data_key.open(self.ticket.id(), name, field) {
                Some(Item::Value(value)) => String::from_utf8(value).ok(),
                Some(Item::Removed) | None => None,
            };
            Some(SeenItem { version: Version::of(field)?, value })
        });
        self.items.insert(name.to_owned(), item);
    }

    /// Takes in all fields of the record.
    pub(crate) fn learn_all(&mut self, record: &Record) {
        self.items.clear();
        for (name, field) in record.fields.iter().filter(|(name, _)| *name != GUARD) {
            self.learn(name, Some(field));
        }
        self.is_complete = true;
    }

    /// Takes in what this request has written.
    pub(crate) fn wrote(&mut self, name: String, version: Option<Version>, value: Option<String>) {
        self.items.insert(name, version.map(|version| SeenItem { version, value }));
    }

    /// `None` if there is no such field.
    pub(crate) fn item(&self, name: &str) -> Option<&SeenItem> {
        self.items.get(name)?.as_ref()
    }

    /// All fields that are known to exist.
    pub(crate) fn items(&self) -> impl Iterator<Item = (&str, &SeenItem)> {
        self.items.iter().filter_map(|(name, item)| Some((name.as_str(), item.as_ref()?)))
    }
}
