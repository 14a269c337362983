//! Processes of one app that are killed, stopped and started again while browsers use them.

use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use servers::{Postgres, Redis};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::app_process::{AppProcess, Instructions};
use crate::provider::{Provider, Setup};
use crate::vault::ledger::Ledger;

/// Where the items are. The web sessions are in Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Redis,
    Postgres,
}

pub(super) struct Fleet {
    pub(super) provider: Provider,
    pub(super) ledger: Ledger,
    instructions: Instructions,
    processes: Mutex<Vec<Arc<AppProcess>>>,
    /// The URLs of the processes that a deployment has replaced.
    told_to_end: Mutex<Vec<String>>,
    interruptions: Mutex<Vec<Interruption>>,
    requests: Mutex<Vec<Sent>>,
    _provider: JoinSet<()>,
    _redis: Redis,
    _postgres: Option<Postgres>,
}

/// A process that was killed or stopped.
struct Interruption {
    url: String,
    at: Instant,
    is_kill: bool,
}

/// A request of a user's, from when it was sent until it was answered or its process was gone.
pub(super) struct Sent {
    pub(super) user: &'static str,
    pub(super) url: String,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

impl Fleet {
    pub(super) async fn start(store: Store, processes: usize, setup: &Setup, keys: &[&str]) -> Self {
        let redis = Redis::start(&[]);
        let postgres = (store == Store::Postgres).then(Postgres::start);
        let mut first = AppProcess::start().await;
        let (provider, ledger, server) = Ledger::start(setup, &first.url).await;
        let vault = postgres.as_ref().map_or_else(|| redis.url(), Postgres::url);
        let endpoint = provider.endpoint().to_owned();
        let app_url = first.url.clone();
        let instructions =
            Instructions { endpoint, redis: redis.url(), vault: Some(vault), keys: owned(keys), app_url };
        first.instruct(&instructions).await;
        let fleet = Self {
            provider,
            ledger,
            instructions,
            processes: Mutex::new(vec![Arc::new(first)]),
            told_to_end: Mutex::default(),
            interruptions: Mutex::default(),
            requests: Mutex::default(),
            _provider: server,
            _redis: redis,
            _postgres: postgres,
        };
        for _ in 1..processes {
            let process = Self::another_process(&fleet.instructions).await;
            fleet.processes.lock().unwrap().push(process);
        }
        fleet
    }

    async fn another_process(instructions: &Instructions) -> Arc<AppProcess> {
        let mut process = AppProcess::start().await;
        process.instruct(instructions).await;
        Arc::new(process)
    }

    /// Replaces one process after the other. Users get to the new one before the old one is told to end.
    pub(super) async fn replace_each(&self, keys: &[&str]) {
        let instructions = Instructions { keys: owned(keys), ..self.instructions.clone() };
        for index in 0..self.urls().len() {
            let another = Self::another_process(&instructions).await;
            let process = mem::replace(&mut self.processes.lock().unwrap()[index], another);
            self.told_to_end.lock().unwrap().push(process.url.clone());
            Arc::into_inner(process).expect("nobody else uses it").end().await;
        }
    }

    pub(super) fn is_told_to_end(&self, url: &str) -> bool {
        self.told_to_end.lock().unwrap().iter().any(|told| told == url)
    }

    pub(super) fn urls(&self) -> Vec<String> {
        self.processes.lock().unwrap().iter().map(|process| process.url.clone()).collect()
    }

    /// Where users come back to, on whichever process.
    pub(super) fn callback_path<'a>(&self, url: &'a str) -> Option<&'a str> {
        url.strip_prefix(&self.instructions.app_url).filter(|path| path.starts_with("/callback"))
    }

    /// Kills a process or stops it for a while, again and again. In the end all of them run.
    pub(super) async fn interrupt_until(&self, end: Instant, mut random: Rng) {
        while Instant::now() < end {
            sleep(Duration::from_millis(random.u64(800..2_500))).await;
            let (index, process) = {
                let processes = self.processes.lock().unwrap();
                let index = random.usize(..processes.len());
                (index, processes[index].clone())
            };
            let is_kill = self.interruptions() == (0, 0) || random.u8(..4) > 0;
            let interruption = Interruption { url: process.url.clone(), at: Instant::now(), is_kill };
            self.interruptions.lock().unwrap().push(interruption);
            if is_kill {
                process.signal("KILL").await;
                sleep(Duration::from_millis(random.u64(..300))).await;
                let another = Self::another_process(&self.instructions).await;
                self.processes.lock().unwrap()[index] = another;
            } else {
                process.signal("STOP").await;
                sleep(Duration::from_millis(random.u64(2_200..2_800))).await;
                process.signal("CONT").await;
            }
        }
    }

    pub(super) fn sent(&self, request: Sent) {
        self.requests.lock().unwrap().push(request);
    }

    /// Whether a process was interrupted, before `second`, that may have exchanged a user's refresh token at `first`.
    pub(super) fn was_interrupted(&self, user: &str, first: Instant, second: Instant) -> bool {
        // Between the client's clock and the provider's is the way from one to the other.
        let slack = Duration::from_secs(1);
        let (requests, interruptions) = (self.requests.lock().unwrap(), self.interruptions.lock().unwrap());
        let may_have_exchanged = |sent: &&Sent| sent.user == user && sent.start <= first && first <= sent.end + slack;
        requests.iter().filter(may_have_exchanged).any(|sent| {
            let is_cause = |at| sent.start <= at && at <= second;
            interruptions.iter().any(|interruption| interruption.url == sent.url && is_cause(interruption.at))
        })
    }

    /// How often processes were killed, and how often they were stopped.
    pub(super) fn interruptions(&self) -> (usize, usize) {
        let interruptions = self.interruptions.lock().unwrap();
        let kills = interruptions.iter().filter(|interruption| interruption.is_kill).count();
        (kills, interruptions.len() - kills)
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(ToString::to_string).collect()
}
