//! What verified access tokens cost, beside `jwt-authorizer` and `axum-jwt-auth`.
//!
//! `cargo run --release --manifest-path tests/api-peers/Cargo.toml` measures in a minute or two, and prints tables. With
//! the argument `build` it measures builds instead, with `RUNS` as the number of rounds. With `quick` it only checks that
//! all of it works. `UPDATE_DOCS=1` writes the tables to `docs/BENCHMARKS.md`, too.

mod builds;
mod memory;
#[expect(dead_code, unreachable_pub, reason = "shared with the package `benches`")]
#[path = "../../benches/src/project.rs"]
mod project;
#[expect(dead_code, unreachable_pub, reason = "shared with the package `benches`")]
#[path = "../../benches/src/report.rs"]
mod report;
mod routes;
mod setup;
#[expect(dead_code, unreachable_pub, reason = "shared with the package `benches`")]
#[path = "../../benches/src/timing.rs"]
mod timing;
mod verification;

use std::env;

use crate::report::Report;
use crate::setup::Setup;

const COMMAND: &str = "cargo run --release --manifest-path tests/api-peers/Cargo.toml";

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run_time(),
        ["quick"] => {
            assert!(env::var_os("UPDATE_DOCS").is_none(), "UPDATE_DOCS is for a whole run, not for `quick`");
            run_time();
        }
        ["build"] => builds::run(),
        _ => panic!("no such arguments: {arguments:?}; there are `quick` and `build`"),
    }
}

fn run_time() {
    let mut report = Report::by(COMMAND);
    let setup = Setup::new();
    verification::run(&mut report, &setup);
    routes::run(&mut report, &setup);
    memory::run(&mut report, &setup);
    report.finish();
}

/// Whether it measures.
fn is_bench() -> bool {
    !env::args().any(|argument| argument == "quick")
}
