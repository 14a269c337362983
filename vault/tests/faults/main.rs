//! Faults between a session in a vault and its store, and of the store's server.
//!
//! Whatever fails: a write is applied as a whole or not at all, and what was acknowledged stays. `docs/FAULTS.md` names these
//! tests.

mod attempt;
mod fixture;
mod held;
mod network;
mod outages;
mod server;
mod writers;

use std::env;
use std::process::ExitCode;

use servers::Trials;

use crate::server::On;

fn main() -> ExitCode {
    servers::run(
        Trials::new()
            .group("redis", on(On::Redis))
            .group("redis", on_redis_alone())
            .group("postgres", on(On::Postgres)),
    )
}

fn on(on: On) -> Trials {
    servers::trials! {
        |test| block_on(test(on));
        on.available() =>
            network [
                request_that_is_cut_at_any_byte_is_applied_as_a_whole_or_not_at_all,
                response_that_is_cut_at_any_byte_leaves_a_whole_write,
                response_that_is_lost_fails_in_time_and_leaves_a_whole_write,
                request_that_has_to_begin_anew_is_whole_after_a_cut_at_any_byte,
                slow_network_makes_slow_requests,
                network_slower_than_the_time_out_fails_in_time_and_delivers_whole_writes_later,
            ],
            held [late_request_changes_nothing_after_what_was_acknowledged],
            outages [
                paused_server_fails_requests_in_time_and_works_again,
                read_only_server_refuses_writes_and_can_be_read,
                server_without_a_free_connection_fails_in_time_and_works_again,
            ],
            writers [
                nothing_acknowledged_is_lost_when_the_server_is_killed,
                nothing_acknowledged_is_lost_when_the_server_is_paused,
            ];
    }
}

fn on_redis_alone() -> Trials {
    servers::trials! {
        |test| block_on(test());
        On::Redis.available() =>
            outages [full_redis_refuses_writes_as_a_whole_and_works_again];
    }
}

/// Runs a test on a runtime of its own.
fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

/// Whether to try each byte, instead of some.
fn is_exhaustive() -> bool {
    env::var_os("LOGTO_VAULT_EXHAUSTIVE").is_some_and(|value| value == "1")
}
