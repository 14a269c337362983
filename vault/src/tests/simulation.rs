//! Requests of one browser over a store that fails in every way, on a paused clock. Each seed is another course of
//! events, and each history of a record is checked to be linearizable, and more strictly.
//!
//! The number of seeds is 500, or that of `LOGTO_VAULT_SEEDS`.

mod call;
mod checker;
mod clients;
mod history;
mod lease;
mod network;
mod page;
mod provider;
mod random;

use std::env;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::Builder;

use self::call::Outcome;
use self::checker::{Checker, Problem};
use self::network::{Faults, Network};
use self::page::World;
use self::random::Random;
use crate::tests::web::{Browser, SAVINGS};

/// A way to break the vault, which the simulation must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    None,
    /// The store ignores the versions of items.
    ItemVersionsIgnored,
    /// The store ignores the version of the guard.
    GuardIgnored,
    /// The store ends a record whatever the version of its guard.
    EndsAnything,
    /// The holder of a lease stores its result whatever the refresh token is by now.
    NoFence,
}

/// What came of all seeds.
#[derive(Debug, Default)]
struct Report {
    calls: usize,
    conflicts: usize,
    ended: usize,
    unknown: usize,
    histories: usize,
    exchanges: usize,
    faults: Faults,
    not_linearizable: usize,
    late_writes: usize,
    tokens_exchanged_twice: usize,
    tokens_not_the_newest: usize,
    broken_seeds: usize,
}

const SEEDS: u64 = 500;

/// Runs seeds, and prints the first one that breaks a promise.
fn run(seeds: u64) -> Report {
    let started = Instant::now();
    let mut report = Report::default();
    for seed in 0..seeds {
        let problems = report.add(&simulate(seed, Mutant::None));
        if !problems.is_empty() && report.broken_seeds == 1 {
            println!("seed {seed}:\n{problems}");
        }
    }
    println!("{seeds} seeds in {:?}: {report:#?}", started.elapsed());
    report
}

/// Whether the problem is found in a mutant.
fn is_noticed(mutant: Mutant, has_problem: impl Fn(&Report) -> bool) -> bool {
    let mut report = Report::default();
    (0..SEEDS).any(|seed| {
        report.add(&simulate(seed, mutant));
        has_problem(&report)
    })
}

/// Runs one seed on a clock of its own.
fn simulate(seed: u64, mutant: Mutant) -> Arc<World> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let mut random = Random::new(seed);
        let browser = Browser::new(random.pick(&SAVINGS));
        let world = Arc::new(World::new(browser, Network::new(random, mutant), mutant));
        clients::run(&world, seed).await;
        world
    })
}

impl Report {
    /// Adds what has happened, and describes what must not happen.
    fn add(&mut self, world: &World) -> Problems {
        let calls = world.calls.lock().unwrap();
        let count = |outcome| calls.iter().filter(|call| call.outcome == outcome && !call.act.is_read()).count();
        self.calls += calls.len();
        self.conflicts += count(Outcome::Conflict);
        self.ended += count(Outcome::Ended);
        self.unknown += count(Outcome::Unknown);
        for (fault, count) in world.network.faults() {
            *self.faults.entry(fault).or_default() += count;
        }
        let mut problems = Problems::default();
        for history in history::of_records(&calls) {
            self.histories += 1;
            let checker = Checker::new(&history.ops);
            match checker.check() {
                Ok(()) => {}
                Err(Problem::NoOrder(op)) => {
                    self.not_linearizable += 1;
                    problems.0.push(format!("no order explains {op}\nin\n{history}"));
                }
                Err(Problem::TooLong) => problems.0.push(format!("there are too many orders to try for\n{history}")),
            }
            if let Some(op) = checker.late_write() {
                self.late_writes += 1;
                problems.0.push(format!("after a later write there is still {op}\nin\n{history}"));
            }
        }
        let provider = world.provider.lock().unwrap();
        let (twice, not_the_newest) = (provider.exchanged_twice(), provider.not_the_newest(&calls));
        self.exchanges += provider.exchanges();
        self.tokens_exchanged_twice += twice.len();
        self.tokens_not_the_newest += not_the_newest.len();
        if !twice.is_empty() || !not_the_newest.is_empty() {
            let faults = format!("exchanged twice: {twice:?}, read though not the newest: {not_the_newest:?}");
            problems.0.push(format!("tokens {faults}, in"));
            problems.0.extend(history::of_records(&calls).iter().map(ToString::to_string));
        }
        self.broken_seeds += usize::from(!problems.is_empty());
        problems
    }
}

#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

#[test]
fn requests_over_a_store_that_fails_break_no_promise() {
    let seeds = env::var("LOGTO_VAULT_SEEDS").map_or(SEEDS, |seeds| seeds.parse().expect("a number of seeds"));
    assert_eq!(run(seeds).broken_seeds, 0);
}

#[test]
fn store_that_ignores_the_versions_of_items_is_noticed() {
    assert!(is_noticed(Mutant::ItemVersionsIgnored, |report| {
        report.not_linearizable > 0 && report.late_writes > 0 && report.tokens_exchanged_twice > 0
    }));
}

#[test]
fn store_that_ignores_the_guard_is_noticed() {
    assert!(is_noticed(Mutant::GuardIgnored, |report| report.not_linearizable > 0));
}

#[test]
fn store_that_ends_whatever_is_there_is_noticed() {
    assert!(is_noticed(Mutant::EndsAnything, |report| report.not_linearizable > 0));
}

#[test]
fn holder_without_a_fence_is_noticed() {
    assert!(is_noticed(Mutant::NoFence, |report| report.tokens_not_the_newest > 0));
}

#[test]
fn seed_determines_what_happens() {
    let histories = |seed| {
        let world = simulate(seed, Mutant::None);
        let calls = world.calls.lock().unwrap();
        history::of_records(&calls).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for seed in 0..20 {
        assert_eq!(histories(seed), histories(seed));
    }
    assert_ne!(histories(0), histories(1));
}
