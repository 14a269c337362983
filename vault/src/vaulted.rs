//! The session of a request, whose items are in a vault, and how it reads its record.

use std::fmt;

use logto_storage_core::{Error, Result, SessionHandle};
use tokio::sync::Mutex;

use crate::record::OpenRecord;
use crate::store::{GUARD, Id, StoreError, Swap, Swapped, VaultStore};
use crate::ticket::{TICKET_KEY, Ticket};
use crate::vault::Vault;

/// A session whose items are in a vault. The session itself holds nothing but a ticket.
///
/// Derive a storage for it as for any session:
///
/// ```
/// use logto_storage_core::{LogtoStorage, MemorySession};
/// use logto_vault::{MemoryVault, Vault, Vaulted};
///
/// #[derive(LogtoStorage)]
/// struct SessionStorage {
///     session: Vaulted<MemorySession, MemoryVault>,
/// }
///
/// # fn handler(session: MemorySession, vault: &Vault<MemoryVault>) -> impl logto_storage_core::SessionHandle {
/// // For each request:
/// let session = Vaulted::new(session, vault.clone());
/// # session
/// # }
/// ```
///
/// # Reads
///
/// An instance belongs to one request. It reads the record once, keeps what it has read, and reads again after
/// [`reload`](SessionHandle::reload). A read in the last half of a record's life extends it.
///
/// If a browser has sent tickets to several records (see [`TicketCookie`](crate::TicketCookie)), they are read one after
/// the other until one opens, eight at most. The instance then stays with that record.
///
/// # Writes
///
/// When a write returns `Ok`, the store has all of it, whatever the handler or the session library does next, and
/// whether or not the write was deferred. Only a later write of the same item, a renewal or the end of the record
/// changes it. A write that fails with a [`Session`](logto_storage_core::ErrorKind::Session) error has been applied as a
/// whole or not at all, and is not applied after a later write of the same item has returned.
///
/// A write fails with [`Ended`](logto_storage_core::ErrorKind::Ended) if the record that this request has read has ended
/// or was renewed in the meantime, or if it has read nothing and its ticket opens no record. A session without a record
/// gets one with its first item, and the session library has to save the ticket: see its handle for when that happens.
///
/// # Renewal
///
/// A renewal gives the record a new ticket and a new data key, and the session a new id. All earlier tickets are then
/// worthless. A renewal that fails leaves the user as before, or signed out; if only the store's response was lost, it has
/// taken effect.
///
/// A renewal that leaves no item ends the record, together with what other requests write at the same time. If it fails,
/// the record may still end later, unless another renewal comes first.
///
/// # Items in the session
///
/// A session without a ticket may hold items from before the vault was introduced. They are read from the session, and
/// moved to the vault by the first write. Access tokens are not moved: the SDK fetches new ones.
pub struct Vaulted<H, S> {
    pub(crate) session: H,
    pub(crate) vault: Vault<S>,
    pub(crate) seen: Mutex<Seen>,
}

/// What this request knows.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) record: State,
    /// The ticket that the session had when this request began, or that this request has given to it. Some libraries let
    /// concurrent requests share a session: another ticket in it belongs to another sign-in.
    pub(crate) ticket: Option<String>,
    /// The record that this request has opened. It stays with it, even if its session has tickets to others.
    pub(crate) record_id: Option<Id>,
    /// Whether this request has read a record that it has not ended itself.
    pub(crate) was_alive: bool,
    /// Whether the caller has read anything, if only that nobody is signed in.
    pub(crate) has_read: bool,
}

#[derive(Default)]
pub(crate) enum State {
    /// Nothing is known yet, or any more.
    #[default]
    Unread,
    /// There is no ticket, or it opens nothing.
    Missing,
    Open(OpenRecord),
}

impl Seen {
    /// Takes another ticket, which may be to another record.
    pub(crate) fn take_ticket(&mut self, ticket: Option<String>) {
        (self.ticket, self.record_id) = (ticket, None);
    }
}

impl<H, S> Vaulted<H, S> {
    /// Creates the session of one request.
    pub fn new(session: H, vault: Vault<S>) -> Self {
        Self { session, vault, seen: Mutex::default() }
    }

    /// Returns the session that holds the ticket.
    pub fn session(&self) -> &H {
        &self.session
    }
}

impl<H: SessionHandle + Sync, S: VaultStore> Vaulted<H, S> {
    /// Reads the named fields unless they are known. `None` for the names reads all fields, also if they were known.
    pub(crate) async fn ensure(&self, seen: &mut Seen, names: Option<&[String]>) -> Result<()> {
        match &seen.record {
            State::Missing => return Ok(()),
            State::Open(record) if names.is_some_and(|names| record.knows(names)) => return Ok(()),
            State::Open(_) | State::Unread => {}
        }
        let mut tickets = self.tickets(seen).await?;
        let mut opened = None;
        while let Some(first) = tickets.first() {
            let id = *first.id();
            opened = self.read_record(seen, &id, &tickets, names).await.map_err(Error::session)?;
            if opened.is_some() {
                (seen.record_id, seen.was_alive) = (Some(id), true);
                break;
            }
            tickets.retain(|ticket| *ticket.id() != id);
        }
        seen.record = opened.map_or(State::Missing, State::Open);
        Ok(())
    }

    /// The tickets to the records that may be this request's. A session has tickets to one record, but a browser may send
    /// several ticket cookies.
    pub(crate) async fn tickets(&self, seen: &mut Seen) -> Result<Vec<Ticket>> {
        if seen.ticket.is_none() {
            seen.ticket = self.session.read(TICKET_KEY.into()).await?;
        }
        let mut tickets = seen.ticket.as_deref().map(Ticket::parse_list).unwrap_or_default();
        if let Some(id) = seen.record_id {
            tickets.retain(|ticket| *ticket.id() == id);
        }
        Ok(tickets)
    }

    async fn read_record(
        &self,
        seen: &mut Seen,
        id: &Id,
        tickets: &[Ticket],
        names: Option<&[String]>,
    ) -> Result<Option<OpenRecord>, StoreError> {
        let store = self.vault.store();
        let guard_and_names = names.map(|names| {
            let names = names.iter().map(String::as_str);
            [GUARD].into_iter().chain(names).collect::<Vec<_>>()
        });
        let read = store.read(id, guard_and_names.as_deref()).await?;
        let Some(mut record) = OpenRecord::open(tickets, self.vault.keys(), &read) else { return Ok(None) };
        match std::mem::replace(&mut seen.record, State::Unread) {
            State::Open(known) if known.guard_version == record.guard_version => record = known,
            State::Open(_) | State::Missing | State::Unread => {}
        }
        match names {
            Some(names) => {
                for name in names {
                    record.learn(name, read.fields.get(name).map(Vec::as_slice));
                }
            }
            None => record.learn_all(&read),
        }
        let lifetime = self.vault.lifetime_of(record.guard.is_signed_in);
        if read.remaining.is_some_and(|remaining| remaining < lifetime / 2) {
            let guard = record.guard.clone();
            let swap = Swap::new([record.guard_step(&guard, self.vault.keys())], lifetime);
            // Nothing depends on it: a later read tries again.
            if let Ok(Swapped::Done) = store.swap(record.ticket.id(), &swap).await {
                record.guard_is(guard, &swap.steps[0]);
            }
        }
        Ok(Some(record))
    }
}

/// Leaves the session and the items out.
impl<H, S: fmt::Debug> fmt::Debug for Vaulted<H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vaulted").field("vault", &self.vault).finish_non_exhaustive()
    }
}
