//! What requests do, as it is recorded.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::tests::web::{HeldTicket, Request};

/// The items of all requests. A read of the ID token reads the refresh token at the same moment.
pub(crate) const KEYS: [&str; 5] =
    ["logto_id_token", "logto_refresh_token", "logto_refresh_lease", "logto_sign_in_session", "tenant-b:cart"];
pub(crate) const ID_TOKEN: Item = 0;
pub(crate) const REFRESH_TOKEN: Item = 1;
pub(crate) const LEASE: Item = 2;
pub(crate) const SIGN_IN_SESSION: Item = 3;
pub(crate) const CART: Item = 4;

/// An index in [`KEYS`].
pub(crate) type Item = usize;

/// The value of an item. No value is written twice.
pub(crate) type Value = Option<u32>;

pub(crate) type Values = Vec<(Item, Value)>;

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Act {
    /// One read of the store.
    Read(Values),
    Write(Values),
    WriteIf {
        seen: Values,
        changes: Values,
    },
    Renew(Values),
}

impl Act {
    pub(crate) fn is_read(&self) -> bool {
        matches!(self, Self::Read(_))
    }

    /// The changes that it asks for.
    pub(crate) fn changes(&self) -> &[(Item, Value)] {
        match self {
            Self::Read(_) => &[],
            Self::Write(changes) | Self::WriteIf { changes, .. } | Self::Renew(changes) => changes,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Ok,
    Conflict,
    Ended,
    /// The store failed, or the client has hung up.
    Unknown,
}

/// A call of one request. Times are numbers in the order of all events.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) client: usize,
    pub(crate) act: Act,
    pub(crate) outcome: Outcome,
    /// What the request knew before the call.
    pub(crate) knew: Knowledge,
    pub(crate) session: Arc<Request>,
    /// The values of the ticket during the call, as a range in those of the session. The end is open if the client has
    /// hung up.
    pub(crate) tickets: (usize, Option<usize>),
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Knowledge {
    /// It has not read anything.
    Nothing,
    /// It has read, and not seen a record.
    Nobody,
    /// It has seen its record alive.
    Alive,
}

impl Call {
    pub(crate) fn held_tickets(&self) -> Vec<HeldTicket> {
        let (first, end) = self.tickets;
        let tickets = self.session.tickets();
        tickets[first..end.unwrap_or(tickets.len())].to_vec()
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(values) => write!(f, "read {}", List(values)),
            Self::Write(changes) => write!(f, "write {}", List(changes)),
            Self::WriteIf { seen, changes } => write!(f, "write {} if {}", List(changes), List(seen)),
            Self::Renew(changes) => write!(f, "renew {}", List(changes)),
        }
    }
}

struct List<'a>(&'a [(Item, Value)]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (item, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            let name = ["id", "refresh", "lease", "pending", "cart"][*item];
            match value {
                Some(value) => write!(f, "{separator}{name}={value}")?,
                None => write!(f, "{separator}no {name}")?,
            }
        }
        Ok(())
    }
}
