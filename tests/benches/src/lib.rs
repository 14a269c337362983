//! What the benches share.
//!
//! `cargo bench -p benches --bench NAME` measures, and prints tables; with `UPDATE_DOCS=1` it writes them to
//! `docs/BENCHMARKS.md`, too. Any other run of a bench (`cargo test --benches`) only checks, and is quick.

pub mod adapters;
pub mod items;
pub mod operations;
pub mod report;
pub mod stores;
pub mod timing;
pub mod written_out;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Whether this is `cargo bench`.
pub fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
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
