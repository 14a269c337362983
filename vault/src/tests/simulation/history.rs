//! The histories of single records, from the calls of all requests.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use super::call::{Act, Call, Knowledge, Outcome};
use crate::store::Id;
use crate::tests::web::HeldTicket;
use crate::ticket::Ticket;

/// The number of a ticket in its history.
pub(crate) type TicketNumber = u8;

/// What a call may have done to one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It has created the record, with this ticket.
    Created(TicketNumber),
    /// It returned `Ok`, and left this ticket in the session.
    Done(Option<TicketNumber>),
    /// It has found the record dead, and created or found another one.
    Elsewhere,
    Refused(Outcome),
    /// With the ticket that it has announced to the session.
    Unknown(Option<TicketNumber>),
}

/// A call, as one record sees it.
#[derive(Clone)]
pub(crate) struct Op {
    pub(crate) client: usize,
    pub(crate) act: Act,
    pub(crate) effect: Effect,
    pub(crate) knew: Knowledge,
    /// The tickets that the request held, as bits.
    pub(crate) held: u128,
    pub(crate) start: u32,
    pub(crate) returned: u32,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

impl Op {
    /// When it had taken place. `None`: nobody knows, or never.
    pub(crate) fn end(&self) -> Option<u32> {
        (!matches!(self.effect, Effect::Unknown(_))).then_some(self.returned)
    }

    pub(crate) fn only_removes(&self) -> bool {
        self.act.changes().iter().all(|(_, value)| value.is_none())
    }
}

#[derive(Default)]
pub(crate) struct History {
    pub(crate) ops: Vec<Op>,
    numbers: HashMap<String, TicketNumber>,
}

impl History {
    fn number(&mut self, ticket: &Ticket) -> TicketNumber {
        let next = self.numbers.len().try_into().expect("few tickets");
        *self.numbers.entry(ticket.encode()).or_insert(next)
    }
}

/// One history for each record.
pub(crate) fn of_records(calls: &[Call]) -> Vec<History> {
    let mut histories: HashMap<Id, History> = HashMap::new();
    for call in calls.iter().filter(|call| call.outcome == Outcome::Ok || !call.act.is_read()) {
        let held = call.held_tickets();
        let tickets: Vec<Vec<Ticket>> = held.iter().map(parse).collect();
        let mut ids: Vec<Id> = Vec::new();
        for ticket in tickets.iter().flatten() {
            if !ids.contains(ticket.id()) {
                ids.push(*ticket.id());
            }
        }
        // A session that was read again may have had the ticket of another record meanwhile.
        let last = tickets.iter().flatten().last().map(|ticket| *ticket.id());
        for id in &ids {
            let history = histories.entry(*id).or_default();
            let of_record: Vec<(bool, Vec<TicketNumber>)> = held
                .iter()
                .zip(&tickets)
                .map(|(held, tickets)| {
                    let own = tickets.iter().filter(|ticket| ticket.id() == id);
                    (held.is_own, own.map(|ticket| history.number(ticket)).collect())
                })
                .collect();
            let effect = if Some(*id) == last { effect(call.outcome, &of_record) } else { Effect::Elsewhere };
            history.ops.push(Op {
                client: call.client,
                act: call.act.clone(),
                effect,
                knew: call.knew,
                held: of_record.iter().flat_map(|(_, tickets)| tickets).fold(0, |held, ticket| held | 1 << ticket),
                start: call.start,
                returned: call.end,
                from: call.from,
                to: call.to,
            });
        }
    }
    let mut histories: Vec<_> = histories.into_values().collect();
    for history in &mut histories {
        history.ops.sort_by_key(|op| op.start);
    }
    histories.sort_by_key(|history| history.ops.first().map(|op| op.start));
    histories
}

fn parse(held: &HeldTicket) -> Vec<Ticket> {
    held.text.as_deref().map(Ticket::parse_list).unwrap_or_default()
}

/// `tickets` are the values of the ticket during the call: whether this request has written it, and the record's tickets.
fn effect(outcome: Outcome, tickets: &[(bool, Vec<TicketNumber>)]) -> Effect {
    let (first, last) = (tickets.first(), tickets.last());
    match outcome {
        Outcome::Ok => {
            let now = last.and_then(|(_, tickets)| tickets.first().copied());
            let is_new = first.is_none_or(|(_, tickets)| tickets.is_empty());
            let introduced = tickets.iter().skip(1).find(|(_, tickets)| !tickets.is_empty());
            match now {
                Some(ticket) if is_new && introduced.is_some_and(|(is_own, _)| *is_own) => Effect::Created(ticket),
                now => Effect::Done(now),
            }
        }
        Outcome::Conflict | Outcome::Ended => Effect::Refused(outcome),
        Outcome::Unknown => {
            let own = tickets.iter().skip(1).rev().find(|(is_own, tickets)| *is_own && tickets.len() > 1);
            Effect::Unknown(own.and_then(|(_, tickets)| tickets.first().copied()))
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client, act, effect, knew, held, start, returned, from, to } = self;
        let held: Vec<_> = (0..u128::BITS).filter(|ticket| held & 1 << ticket != 0).collect();
        let (from, to) = (from.as_secs_f64(), to.as_secs_f64());
        write!(f, "client {client} {from:6.3}-{to:6.3} s [{start}-{returned}] ")?;
        write!(f, "tickets {held:?}, has seen {knew:?}: {act} -> {effect:?}")
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ops.iter().try_for_each(|op| writeln!(f, "  {op}"))
    }
}
