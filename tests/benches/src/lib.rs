//! What the benches share.
//!
//! `cargo bench -p benches --bench NAME` measures, and prints tables; with `UPDATE_DOCS=1` it writes them to
//! `docs/BENCHMARKS.md`, too. Any other run of a bench (`cargo test --benches`) only checks, and is quick.

pub mod adapters;
pub mod items;
pub mod operations;
pub mod project;
pub mod report;
pub mod stores;
pub mod timing;
pub mod written_out;

pub use timing::at_once;

/// Whether this is `cargo bench`.
pub fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}
