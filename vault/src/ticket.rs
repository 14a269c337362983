//! The ticket: what the web session holds instead of the items.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::store::{Id, random};

/// The session key of the ticket.
pub(crate) const TICKET_KEY: &str = "logto_vault";

/// The separator of tickets. Not in the alphabet of base64url.
const SEPARATOR: char = '.';

/// How many tickets the session holds at most, if renewals fail again and again.
const MAX_TICKETS: usize = 8;

const SECRET_LEN: usize = 16;

/// The length of a ticket as text.
const TEXT_LEN: usize = (Id::LEN + SECRET_LEN) * 4 / 3 + 1;

/// The length of the longest list of tickets.
pub(crate) const MAX_LIST_LEN: usize = MAX_TICKETS * (TEXT_LEN + SEPARATOR.len_utf8()) - SEPARATOR.len_utf8();

/// Names a record, and has the secret that opens it.
///
/// As text it is 43 characters of base64url. During a renewal the session holds two tickets, the new one first, since
/// only the record decides which of them opens it. If the outcome of a renewal is unknown, both stay until another one
/// has succeeded.
#[derive(Clone, Copy)]
#[cfg_attr(test, derive(PartialEq, Eq))]
pub(crate) struct Ticket {
    id: Id,
    secret: [u8; SECRET_LEN],
}

impl Ticket {
    /// Creates a ticket for a new record.
    pub(crate) fn random() -> Self {
        Self::for_record(Id::random())
    }

    /// Creates a new ticket for a record that already exists.
    pub(crate) fn for_record(id: Id) -> Self {
        Self { id, secret: random() }
    }

    /// Parses tickets, and ignores whatever is malformed.
    pub(crate) fn parse_list(text: &str) -> Vec<Self> {
        text.split(SEPARATOR).filter_map(Self::parse).take(MAX_TICKETS).collect()
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; Id::LEN + SECRET_LEN] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (id, secret) = bytes.split_first_chunk()?;
        Some(Self { id: Id::from_bytes(*id), secret: secret.try_into().ok()? })
    }

    /// Returns the ticket as text.
    pub(crate) fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode([&self.id.as_bytes()[..], &self.secret].concat())
    }

    /// Returns the text that the session holds while `self` replaces `old`, or one of the `newer` tickets does.
    pub(crate) fn encode_with_others(&self, newer: &[Self], old: &Self) -> String {
        let newer = newer.iter().take(MAX_TICKETS - 2);
        Self::encode_list([self].into_iter().chain(newer).chain([old]))
    }

    /// Returns a list of tickets as text. Leaves out those that are too many.
    pub(crate) fn encode_list<'a>(tickets: impl IntoIterator<Item = &'a Self>) -> String {
        let tickets = tickets.into_iter().take(MAX_TICKETS).map(Self::encode);
        tickets.collect::<Vec<_>>().join(&SEPARATOR.to_string())
    }

    pub(crate) fn id(&self) -> &Id {
        &self.id
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").field("id", &self.id).finish_non_exhaustive()
    }
}
