//! One request of the browser: its calls, and their record.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use logto_storage_core::{AllSeen, Change, Changes, ErrorKind, Result, Seen, SessionHandle};
use tokio::time::Instant;

use super::Mutant;
use super::call::{Act, Call, ID_TOKEN, Item, KEYS, Knowledge, Outcome, REFRESH_TOKEN, Value, Values};
use super::network::Network;
use super::provider::Provider;
use crate::tests::web::{Browser, Request};
use crate::{Vault, Vaulted};

/// After so many calls no request begins another action, since the checker tries the orders of all of them.
const ENOUGH_CALLS: usize = 220;

/// What all requests share.
pub(crate) struct World {
    pub(crate) browser: Browser,
    pub(crate) network: Network,
    pub(crate) mutant: Mutant,
    pub(crate) provider: Mutex<Provider>,
    pub(crate) calls: Mutex<Vec<Call>>,
    started: Instant,
    events: AtomicU32,
    values: AtomicU32,
}

impl World {
    pub(crate) fn new(browser: Browser, network: Network, mutant: Mutant) -> Self {
        let (provider, calls, started) = (Mutex::default(), Mutex::default(), Instant::now());
        let (events, values) = (AtomicU32::new(0), AtomicU32::new(1));
        Self { browser, network, mutant, provider, calls, started, events, values }
    }

    /// The number of this event in the order of all events.
    pub(crate) fn event(&self) -> u32 {
        self.events.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn new_value(&self) -> u32 {
        self.values.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.calls.lock().unwrap().len() >= ENOUGH_CALLS
    }

    /// Ends the calls of a request whose client has hung up.
    pub(crate) fn hung_up(&self, session: &Arc<Request>) {
        let (end, to) = (self.event(), self.elapsed());
        let mut calls = self.calls.lock().unwrap();
        for call in calls.iter_mut().filter(|call| Arc::ptr_eq(&call.session, session) && call.end == u32::MAX) {
            (call.end, call.to) = (end, to);
        }
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

pub(crate) struct Page {
    pub(crate) world: Arc<World>,
    pub(crate) session: Arc<Request>,
    handle: Vaulted<Arc<Request>, Network>,
    client: usize,
    knows: Knowledge,
    /// Whether anything was read or written, so that it has to be read again.
    is_used: bool,
}

impl Page {
    pub(crate) fn new(world: &Arc<World>, client: usize, session: Arc<Request>, network: Network) -> Self {
        let handle = Vaulted::new(Arc::clone(&session), Vault::new(network));
        Self { world: Arc::clone(world), session, handle, client, knows: Knowledge::Nothing, is_used: false }
    }

    /// Reads an item from the store. `None` if the store fails.
    pub(crate) async fn read(&mut self, item: Item) -> Option<Value> {
        self.read_all(&[item]).await.map(|values| values[0].1)
    }

    /// Reads the ID token and the refresh token as of one moment.
    pub(crate) async fn read_tokens(&mut self) -> Option<(Value, Value)> {
        let values = self.read_all(&[ID_TOKEN, REFRESH_TOKEN]).await?;
        Some((values[0].1, values[1].1))
    }

    /// Reads items that are read at once, or that nobody changes meanwhile.
    pub(crate) async fn read_all(&mut self, items: &[Item]) -> Option<Values> {
        if self.is_used {
            self.handle.reload().await.expect("the session never fails");
        }
        self.read_unknown(items).await
    }

    /// Reads items that were not read since the last reload. Those that were are still known.
    pub(crate) async fn read_unknown(&mut self, items: &[Item]) -> Option<Values> {
        self.is_used = true;
        let call = self.begin(Act::Read(items.iter().map(|item| (*item, None)).collect()));
        let mut values = Values::new();
        for item in items {
            let text = self.handle.read(KEYS[*item].into()).await.ok()?;
            values.push((*item, text.map(|text| text.parse().expect("a number"))));
        }
        if values.iter().any(|(_, value)| value.is_some()) {
            self.knows = Knowledge::Alive;
        } else if self.knows == Knowledge::Nothing {
            self.knows = Knowledge::Nobody;
        }
        self.world.calls.lock().unwrap()[call].act = Act::Read(values.clone());
        self.end(call, Outcome::Ok);
        Some(values)
    }

    pub(crate) async fn write(&mut self, changes: &[(Item, Value)], is_deferred: bool) -> Outcome {
        let texts = Texts::new(changes);
        let all = texts.changes();
        let all = if is_deferred { Changes::all(&all).deferred() } else { Changes::all(&all) };
        let call = self.begin(Act::Write(changes.to_vec()));
        let written = self.handle.write(all).await;
        self.finish(call, written)
    }

    pub(crate) async fn write_if(&mut self, seen: &[(Item, Value)], changes: &[(Item, Value)]) -> Outcome {
        let (texts, expected) = (Texts::new(changes), Texts::new(seen));
        let call = self.begin(Act::WriteIf { seen: seen.to_vec(), changes: changes.to_vec() });
        let written = self.handle.write_if(AllSeen::new(&expected.seen()), Changes::all(&texts.changes())).await;
        self.finish(call, written)
    }

    pub(crate) async fn renew(&mut self, changes: &[(Item, Value)]) -> Outcome {
        let texts = Texts::new(changes);
        let call = self.begin(Act::Renew(changes.to_vec()));
        let written = self.handle.write(Changes::all(&texts.changes()).renewing()).await;
        self.finish(call, written)
    }

    /// Records a call as if it never returned, as is the case if the client hangs up.
    fn begin(&self, act: Act) -> usize {
        let mut calls = self.world.calls.lock().unwrap();
        let (start, from) = (self.world.event(), self.world.elapsed());
        calls.push(Call {
            client: self.client,
            act,
            outcome: Outcome::Unknown,
            knew: self.knows,
            session: Arc::clone(&self.session),
            tickets: (self.session.tickets().len() - 1, None),
            start,
            end: u32::MAX,
            from,
            to: from,
        });
        calls.len() - 1
    }

    fn end(&self, call: usize, outcome: Outcome) {
        let (end, to) = (self.world.event(), self.world.elapsed());
        let call = &mut self.world.calls.lock().unwrap()[call];
        call.tickets.1 = Some(self.session.tickets().len());
        (call.outcome, call.end, call.to) = (outcome, end, to);
    }

    fn finish(&mut self, call: usize, written: Result<()>) -> Outcome {
        self.is_used = true;
        let outcome = match written.map_err(|error| error.kind()) {
            Ok(()) => Outcome::Ok,
            Err(ErrorKind::Conflict) => Outcome::Conflict,
            Err(ErrorKind::Ended) => Outcome::Ended,
            Err(ErrorKind::Session) => Outcome::Unknown,
            Err(kind) => panic!("{kind:?}"),
        };
        self.end(call, outcome);
        let sets = self.world.calls.lock().unwrap()[call].act.changes().iter().any(|(_, value)| value.is_some());
        // A request that has seen nobody may remove what is not there.
        if outcome == Outcome::Ok && (sets || self.knows != Knowledge::Nobody) {
            let has_ticket = self.session.tickets().last().is_some_and(|ticket| ticket.text.is_some());
            self.knows = if has_ticket { Knowledge::Alive } else { Knowledge::Nobody };
        }
        outcome
    }
}

/// The texts of values, which changes borrow.
struct Texts(Vec<(Item, Option<String>)>);

impl Texts {
    fn new(values: &[(Item, Value)]) -> Self {
        Self(values.iter().map(|(item, value)| (*item, value.map(|value| value.to_string()))).collect())
    }

    fn changes(&self) -> Vec<Change<'_>> {
        self.0
            .iter()
            .map(|(item, text)| match text {
                Some(text) => Change::set(KEYS[*item], text),
                None => Change::remove(KEYS[*item]),
            })
            .collect()
    }

    fn seen(&self) -> Vec<Seen<'_>> {
        self.0.iter().map(|(item, text)| Seen::new(KEYS[*item], text.as_deref())).collect()
    }
}
