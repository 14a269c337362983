//! Times in pairs.
//!
//! A machine's speed drifts by more than what is to be told apart, and a harness that measures one candidate after the
//! other takes the drift for a difference. Here all candidates have a turn in every round, in changing order, and a
//! ratio is taken within a round.

use std::env;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// Something to time: runs as often as it is told.
pub type Candidate<'a> = Box<dyn FnMut(u64) + 'a>;

pub struct Timing {
    /// Of one run.
    pub value: Spread,
    /// To the first candidate in the same round.
    pub ratio: Spread,
}

/// The quartiles.
#[derive(Clone, Copy, Debug)]
pub struct Spread {
    pub low: f64,
    pub median: f64,
    pub high: f64,
}

/// How much is done.
#[derive(Clone, Copy)]
pub struct Effort {
    pub rounds: usize,
    /// How long one candidate's turn takes.
    pub turn: Duration,
}

impl Effort {
    /// Enough to measure, or, when this is no `cargo bench`, to see that it works.
    pub fn new() -> Self {
        if crate::is_bench() {
            Self { rounds: 201, turn: Duration::from_millis(1) }
        } else {
            Self { rounds: 1, turn: Duration::ZERO }
        }
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self::new()
    }
}

/// Times the candidates, in nanoseconds a run. The first one is what the others are compared with.
pub fn compare(effort: Effort, mut candidates: Vec<Candidate<'_>>) -> Vec<Timing> {
    let times = calibrate(effort.turn, &mut candidates);
    rounds(effort.rounds, candidates.len(), |index| {
        let start = Instant::now();
        candidates[index](times);
        per_run(start.elapsed(), times)
    })
}

/// Takes each candidate's value in every round.
pub fn rounds(rounds: usize, candidates: usize, mut value: impl FnMut(usize) -> f64) -> Vec<Timing> {
    let mut all = vec![Vec::new(); candidates];
    for round in 0..rounds {
        for turn in 0..candidates {
            let index = (round + turn) % candidates;
            all[index].push(value(index));
        }
    }
    let first = all[0].clone();
    let timing = |values: Vec<f64>| Timing {
        ratio: Spread::of(values.iter().zip(&first).map(|(this, first)| this / first).collect()),
        value: Spread::of(values),
    };
    all.into_iter().map(timing).collect()
}

/// How many runs fill the turn of the slowest.
pub fn calibrate(turn: Duration, candidates: &mut [Candidate<'_>]) -> u64 {
    let mut times = 1;
    loop {
        let longest = candidates.iter_mut().map(|candidate| {
            let start = Instant::now();
            candidate(times);
            start.elapsed()
        });
        if longest.max() >= Some(turn) {
            return times;
        }
        times *= 2;
    }
}

/// How many rounds of what takes long: `RUNS`, or else the default.
///
/// # Panics
///
/// If `RUNS` is no number.
pub fn runs(default: usize) -> usize {
    env::var("RUNS").map_or(default, |runs| runs.parse().expect("RUNS is a number"))
}

/// Nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "a turn is far shorter than what a float counts exactly")]
pub fn per_run(elapsed: Duration, times: u64) -> f64 {
    elapsed.as_nanos() as f64 / times as f64
}

impl Spread {
    /// # Panics
    ///
    /// If there is none.
    pub fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let quartile = |n: usize| all[(all.len() - 1) * n / 4];
        Self { low: quartile(1), median: quartile(2), high: quartile(3) }
    }
}

/// The output of a future that waits for nothing, as those on memory: no runtime is part of what is measured.
///
/// # Panics
///
/// If it waits.
pub fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits for something"),
    }
}
