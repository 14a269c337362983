//! Faults that production has, and what is lost by them. No write that was acknowledged is lost, except with the whole
//! session (the user is signed out, which is safe), or where an older write comes through after its time-out.
//! `docs/FAULTS.md` tells it all by these tests' names.

mod app;
mod corrupt;
mod gone;
mod killed;
mod proxy;
mod raw;
mod refusing;
mod settings;
mod visitor;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use servers::Redis;

/// How long a test waits for what has to happen.
const LIMIT: Duration = Duration::from_secs(30);

/// What a busy machine may add to a time-out.
const SLACK: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    servers::run(servers::trials! {
        |test| block_on(test());
        Redis::available() =>
            killed [
                a_read_fails_while_the_store_is_down_and_works_again_after,
                a_write_fails_while_the_store_is_down_and_works_again_after,
                a_new_visitor_gets_no_session_while_the_store_is_down,
                of_two_applies_with_a_kill_between_them_the_first_stays,
                a_kill_after_the_write_is_an_empty_page_and_the_write_stays,
                no_acknowledged_write_is_lost_whenever_the_store_is_killed,
                an_app_is_told_at_its_start_that_the_store_is_down,
            ],
            wire [
                an_apply_cut_short_is_there_as_a_whole_or_not_at_all,
                a_failed_write_is_not_made_up_for_at_the_end_of_the_response,
                a_write_whose_answer_is_lost_fails_and_is_there_as_a_whole,
                a_renewal_whose_answer_is_lost_signs_the_user_out,
                a_slow_store_makes_a_slow_page,
                a_store_slower_than_the_time_out_is_an_error_and_the_write_comes_as_a_whole,
                a_write_that_a_client_leaves_is_there_as_a_whole,
                of_two_applies_that_a_client_leaves_between_the_first_stays,
                a_write_that_lands_after_its_time_out_undoes_what_was_written_since,
            ],
            corrupt [
                bad_bytes_are_an_error_and_stay_until_the_user_gets_out,
                an_empty_value_is_an_error_and_stays_until_the_user_gets_out,
                a_record_of_a_newer_format_is_an_error_and_stays_until_the_user_gets_out,
            ],
            refusing [
                a_full_store_refuses_writes_and_keeps_what_it_has,
                a_renewal_in_a_full_store_signs_the_user_out,
                a_replica_refuses_writes_and_can_be_read,
            ],
            gone [
                a_record_evicted_between_requests_signs_the_user_out,
                a_record_expired_between_requests_signs_the_user_out,
                a_record_evicted_in_mid_request_is_an_error_and_signs_the_user_out,
                a_record_expired_in_mid_request_is_an_error_and_signs_the_user_out,
                a_page_that_ends_after_a_renewal_fails_and_does_not_bring_the_old_record_back,
            ],
            settings [
                without_a_reconnect_policy_the_app_stays_broken_though_the_store_is_back,
                with_default_settings_a_request_waits_as_long_as_the_store_is_down,
                with_default_settings_a_lost_answer_is_waited_for_without_end,
                a_dead_connection_is_used_on_and_on_if_commands_time_out_first,
            ];
    })
}

/// Runs a test on a runtime of its own, which its app shares.
fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}
