//! A store behind a network that loses requests and responses, and delivers requests late and twice.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

use super::Mutant;
use super::random::Random;
use crate::MemoryVault;
use crate::store::{self, GUARD, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

const TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) type Faults = BTreeMap<&'static str, u64>;

#[derive(Clone)]
pub(crate) struct Network {
    inner: MemoryVault,
    mutant: Mutant,
    shared: Arc<Mutex<Shared>>,
    is_reliable: bool,
}

struct Shared {
    random: Random,
    /// One in so many changes has a fault.
    faults_one_in: u64,
    faults: Faults,
}

/// What happens to a request that changes the store.
#[derive(Clone, Copy)]
enum Fate {
    Normal,
    RequestLost,
    ResponseLost,
    Late,
    Twice,
}

/// A request that changes the store.
#[derive(Clone)]
enum Request {
    Swap(Swap),
    End(Option<Version>, Duration),
}

impl Network {
    pub(crate) fn new(mut random: Random, mutant: Mutant) -> Self {
        let faults_one_in = random.pick(&[3, 6, 12, 50]);
        let shared = Shared { random, faults_one_in, faults: Faults::new() };
        Self { inner: MemoryVault::default(), mutant, shared: Arc::new(Mutex::new(shared)), is_reliable: false }
    }

    /// The same store over a network without faults or delays.
    pub(crate) fn reliable(&self) -> Self {
        Self { is_reliable: true, ..self.clone() }
    }

    pub(crate) fn faults(&self) -> Faults {
        self.shared.lock().unwrap().faults.clone()
    }

    fn with_random<T>(&self, choose: impl FnOnce(&mut Random) -> T) -> T {
        choose(&mut self.shared.lock().unwrap().random)
    }

    async fn travel(&self) {
        if !self.is_reliable {
            let duration = self.with_random(|random| random.millis(1..40));
            sleep(duration).await;
        }
    }

    /// Whether this request has a fault, which is then counted.
    fn fate(&self, fates: &[(Fate, &'static str)]) -> Fate {
        let mut shared = self.shared.lock().unwrap();
        // Of each kind, but for reads not so many that no request gets on.
        let one_in = shared.faults_one_in * if fates.len() == 1 { 4 } else { 1 };
        if self.is_reliable || !shared.random.one_in(one_in) {
            return Fate::Normal;
        }
        let (fate, name) = shared.random.pick(fates);
        *shared.faults.entry(name).or_default() += 1;
        fate
    }

    async fn send(&self, id: &Id, request: Request, fate: Fate) -> Result<Swapped, StoreError> {
        self.travel().await;
        match fate {
            Fate::RequestLost => time_out(TIMEOUT).await,
            Fate::ResponseLost => {
                drop(self.deliver(id, &request).await?);
                time_out(TIMEOUT).await
            }
            Fate::Late => {
                self.deliver_later(*id, request);
                let waits = self.with_random(|random| random.pick(&[Duration::from_millis(100), TIMEOUT]));
                time_out(waits).await
            }
            Fate::Twice => {
                let response = self.deliver(id, &request).await;
                self.deliver_later(*id, request);
                self.travel().await;
                response
            }
            Fate::Normal => {
                let response = self.deliver(id, &request).await;
                self.travel().await;
                response
            }
        }
    }

    fn deliver_later(&self, id: Id, request: Request) {
        let delay = self.with_random(|random| random.millis(50..6000));
        let network = self.clone();
        tokio::spawn(async move {
            sleep(delay).await;
            network.deliver(&id, &request).await
        });
    }

    async fn deliver(&self, id: &Id, request: &Request) -> Result<Swapped, StoreError> {
        match request {
            Request::Swap(swap) => {
                let mut swap = swap.clone();
                let now = self.inner.read(id, None).await?;
                for step in &mut swap.steps {
                    let is_ignored = match self.mutant {
                        Mutant::ItemVersionsIgnored => step.name != GUARD,
                        Mutant::GuardIgnored => step.name == GUARD,
                        _ => false,
                    };
                    if is_ignored {
                        step.expected = now.fields.get(&step.name).and_then(|field| Version::of(field));
                    }
                }
                self.inner.swap(id, &swap).await
            }
            Request::End(expected, keep) => {
                let expected = expected.filter(|_| self.mutant != Mutant::EndsAnything);
                self.inner.end(id, expected, *keep).await
            }
        }
    }
}

async fn time_out(waits: Duration) -> Result<Swapped, StoreError> {
    sleep(waits).await;
    Err(StoreError::new("no response"))
}

impl store::sealed::Sealed for Network {}

impl VaultStore for Network {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.travel().await;
        if let Fate::RequestLost = self.fate(&[(Fate::RequestLost, "read lost")]) {
            drop(time_out(TIMEOUT).await?);
        }
        let record = self.inner.read(id, names).await;
        self.travel().await;
        record
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        let fate = self.fate(&[
            (Fate::RequestLost, "swap lost"),
            (Fate::ResponseLost, "response to a swap lost"),
            (Fate::Late, "swap late"),
            (Fate::Twice, "swap twice"),
        ]);
        self.send(id, Request::Swap(swap.clone()), fate).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        let fate = self.fate(&[
            (Fate::RequestLost, "end lost"),
            (Fate::ResponseLost, "response to an end lost"),
            (Fate::Late, "end late"),
            (Fate::Twice, "end twice"),
        ]);
        self.send(id, Request::End(expected, keep), fate).await
    }
}
