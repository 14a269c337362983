//! Faults between a session in a vault and Redis, and of Redis.
//!
//! Whatever fails: a write is applied as a whole or not at all, and what was acknowledged stays.

mod attempt;
mod fixture;
mod held;
mod network;
mod outages;
mod writers;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use servers::Redis;

/// An action makes at most two calls, the second of which may wait for a connection: four seconds as documented, and as
/// many for a busy machine.
const TIME_OUT: Duration = Duration::from_secs(8);

fn main() -> ExitCode {
    servers::run(servers::trials! {
        |test| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test());
        Redis::available() =>
            network [
                request_that_is_cut_at_any_byte_is_applied_as_a_whole_or_not_at_all,
                response_that_is_cut_at_any_byte_leaves_a_whole_write,
                response_that_is_lost_fails_in_time_and_leaves_a_whole_write,
                script_is_loaded_again_at_any_byte,
                slow_network_makes_slow_requests,
                network_slower_than_the_time_out_fails_in_time_and_delivers_whole_writes_later,
            ],
            held [late_request_changes_nothing_after_what_was_acknowledged],
            outages [
                paused_redis_fails_requests_in_time_and_works_again,
                full_redis_refuses_writes_as_a_whole_and_works_again,
            ],
            writers [nothing_acknowledged_is_lost_when_redis_is_killed];
    })
}

/// Whether to try each byte, instead of some.
fn is_exhaustive() -> bool {
    env::var_os("LOGTO_VAULT_EXHAUSTIVE").is_some_and(|value| value == "1")
}
