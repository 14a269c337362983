//! Whether a history could also have happened one call after the other: the search of Wing and Gong.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::call::{Act, Item, KEYS, Knowledge, Outcome, Value, Values};
use super::history::{Effect, Op, TicketNumber};

/// How many states the search visits at most.
const MAX_CONFIGURATIONS: usize = 1_000_000;

const MAX_OPS: usize = 320;

/// A record between two calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    life: Life,
    items: [Value; KEYS.len()],
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Life {
    Unborn,
    Alive(TicketNumber),
    Dead,
}

/// Which calls have taken place.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Done([u64; MAX_OPS / 64]);

impl Done {
    fn contains(&self, index: usize) -> bool {
        self.0[index / 64] & 1 << (index % 64) != 0
    }

    fn with(mut self, index: usize) -> Self {
        self.0[index / 64] |= 1 << (index % 64);
        self
    }
}

impl State {
    const UNBORN: Self = Self { life: Life::Unborn, items: [None; KEYS.len()] };
    const DEAD: Self = Self { life: Life::Dead, items: [None; KEYS.len()] };

    fn is_alive_for(&self, op: &Op) -> bool {
        matches!(self.life, Life::Alive(ticket) if op.held & 1 << ticket != 0)
    }

    fn has(&self, values: &Values) -> bool {
        values.iter().all(|(item, value)| self.items[*item] == *value)
    }

    fn changed_by(mut self, op: &Op) -> Self {
        for (item, value) in op.act.changes() {
            self.items[*item] = *value;
        }
        self
    }

    fn renewed_by(self, op: &Op, ticket: TicketNumber) -> Self {
        Self { life: Life::Alive(ticket), ..self.changed_by(op) }
    }
}

/// Why a history is not known to be linearizable.
pub(crate) enum Problem<'a> {
    /// No order explains all results. This is the first call that has no place.
    NoOrder(&'a Op),
    /// There are too many orders to try. Use fewer calls.
    TooLong,
}

/// The calls on one record, in the order of their starts.
pub(crate) struct Checker<'a> {
    ops: &'a [Op],
    /// When the call that wrote a value had returned. `None`: nobody knows.
    written: HashMap<u32, Option<u32>>,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(ops: &'a [Op]) -> Self {
        let values = |op: &Op| op.act.changes().iter().filter_map(|(_, value)| *value).collect::<Vec<_>>();
        let written = ops.iter().flat_map(|op| values(op).into_iter().map(|value| (value, op.end()))).collect();
        Self { ops, written }
    }

    /// Searches for an order that explains all results.
    pub(crate) fn check(&self) -> Result<(), Problem<'a>> {
        if self.ops.len() > MAX_OPS {
            return Err(Problem::TooLong);
        }
        let mut searched = HashSet::new();
        let mut open = vec![(Done::default(), State::UNBORN)];
        let mut furthest = 0;
        while let Some((done, state)) = open.pop() {
            let (done, horizon) = self.observe(done, state);
            let Some(horizon) = horizon else { return Ok(()) };
            furthest = furthest.max(horizon);
            if !searched.insert((done, state)) {
                continue;
            }
            if searched.len() > MAX_CONFIGURATIONS {
                return Err(Problem::TooLong);
            }
            let mut next: Vec<_> = self.possible(done, horizon).collect();
            // The search looks at the last one first: at what has taken place for sure, in the order of the returns.
            next.sort_by_key(|(_, op)| Reverse(op.end().unwrap_or(u32::MAX)));
            for (index, op) in next {
                open.extend(self.after(state, op).into_iter().map(|state| (done.with(index), state)));
            }
        }
        let first = self.ops.iter().find(|op| op.end() == Some(furthest));
        Err(Problem::NoOrder(first.expect("a call that has returned then")))
    }

    /// Lets all calls take place that can only change nothing, and fit the state: later they fit no better. Returns until
    /// when the next change must take place, or `None` if all calls have taken place that must.
    fn observe(&self, mut done: Done, state: State) -> (Done, Option<u32>) {
        loop {
            let missing = self.ops.iter().enumerate().filter(|(index, _)| !done.contains(*index));
            let Some(horizon) = missing.filter_map(|(_, op)| op.end()).min() else { return (done, None) };
            let mut fitting = self.possible(done, horizon).filter(|(_, op)| is_observed(state, op));
            match fitting.next() {
                Some((index, _)) => done = done.with(index),
                None => return (done, Some(horizon)),
            }
        }
    }

    fn possible(&self, done: Done, horizon: u32) -> impl Iterator<Item = (usize, &'a Op)> {
        let started = self.ops.iter().enumerate().take_while(move |(_, op)| op.start <= horizon);
        started.filter(move |(index, _)| !done.contains(*index))
    }

    /// The states that a call may change this one to.
    fn after(&self, state: State, op: &Op) -> Vec<State> {
        if let Effect::Created(ticket) = op.effect {
            return if state.life == Life::Unborn { vec![state.renewed_by(op, ticket)] } else { Vec::new() };
        }
        if !state.is_alive_for(op) {
            return if state.life != Life::Unborn && removes_nothing(op) { vec![state] } else { Vec::new() };
        }
        match (&op.act, &op.effect) {
            (Act::Write(_), Effect::Done(_) | Effect::Unknown(_)) => vec![state.changed_by(op)],
            (Act::WriteIf { seen, .. }, Effect::Done(_) | Effect::Unknown(_)) if state.has(seen) => {
                vec![state.changed_by(op)]
            }
            (Act::Renew(_), Effect::Done(Some(ticket))) => renewal(state, op, *ticket).into_iter().collect(),
            (Act::Renew(_), Effect::Done(None)) => self.end(state, op).into_iter().collect(),
            (Act::Renew(_), Effect::Unknown(announced)) => {
                let renewal = announced.and_then(|ticket| renewal(state, op, ticket));
                renewal.into_iter().chain(self.end(state, op)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A sign-out ends the record if nothing is left when it looks, and takes with it what is written from then on.
    fn end(&self, state: State, op: &Op) -> Option<State> {
        let mut left = state.changed_by(op).items.into_iter().flatten();
        let was_there = |value: u32| self.written.get(&value).copied().flatten().is_some_and(|end| end < op.start);
        (op.only_removes() && !left.any(was_there)).then_some(State::DEAD)
    }

    /// A failed write whose value was seen after an acknowledged one of the same item that had begun after the failure.
    pub(crate) fn late_write(&self) -> Option<&'a Op> {
        self.ops.iter().filter(|op| matches!(op.effect, Effect::Unknown(_))).find(|failed| {
            failed.act.changes().iter().any(|(item, value)| {
                let later = self.ops.iter().filter(|op| op.start > failed.returned && has_changed(op, *item));
                let overwritten = later.map(|op| op.returned).min();
                let is_seen = |op: &Op| value.is_some() && has_seen(op, *item, *value);
                overwritten.is_some_and(|end| self.ops.iter().any(|op| op.start > end && is_seen(op)))
            })
        })
    }
}

/// Whether it may have returned `Ok` for a dead record, where there is nothing to remove.
fn removes_nothing(op: &Op) -> bool {
    match (&op.act, &op.effect) {
        (Act::Renew(_), Effect::Done(None)) => true,
        // It has read that nobody is signed in.
        (Act::Write(_) | Act::WriteIf { .. }, Effect::Done(_)) => op.only_removes() && op.knew == Knowledge::Nobody,
        _ => false,
    }
}

fn renewal(state: State, op: &Op, ticket: TicketNumber) -> Option<State> {
    let renewed = state.renewed_by(op, ticket);
    let is_end = op.only_removes() && renewed.items == State::DEAD.items;
    (!is_end).then_some(renewed)
}

/// Whether it is a call that changes nothing, and fits the state.
fn is_observed(state: State, op: &Op) -> bool {
    if state.life == Life::Unborn {
        return false;
    }
    let is_alive = state.is_alive_for(op);
    match (&op.act, &op.effect) {
        (Act::Read(values), Effect::Done(_)) if is_alive => state.has(values),
        (Act::Read(values), Effect::Done(_)) => values.iter().all(|(_, value)| value.is_none()),
        (Act::WriteIf { seen, .. }, Effect::Refused(Outcome::Conflict)) => !is_alive || !state.has(seen),
        // Only a request that has read that nobody is signed in may begin anew.
        (Act::Write(_) | Act::WriteIf { .. }, Effect::Elsewhere) => !is_alive && op.knew == Knowledge::Nobody,
        (Act::Write(_) | Act::WriteIf { .. }, Effect::Refused(Outcome::Ended)) | (Act::Renew(_), Effect::Elsewhere) => {
            !is_alive
        }
        _ => false,
    }
}

/// Whether a call has changed the item for sure: removals also return `Ok` if there is nothing.
fn has_changed(op: &Op, item: Item) -> bool {
    let has_acted = match (&op.act, &op.effect) {
        (_, Effect::Created(_)) => true,
        (Act::Renew(_), Effect::Done(now)) => now.is_some(),
        (_, Effect::Done(_)) => !op.only_removes() || op.knew == Knowledge::Alive,
        _ => false,
    };
    has_acted && op.act.changes().iter().any(|(changed, _)| *changed == item)
}

fn has_seen(op: &Op, item: Item, value: Value) -> bool {
    let values = match (&op.act, &op.effect) {
        (Act::Read(values), Effect::Done(_)) => values,
        (Act::WriteIf { seen, .. }, Effect::Done(_)) => seen,
        _ => return false,
    };
    values.contains(&(item, value))
}
