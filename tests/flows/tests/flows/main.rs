//! From sign-in to sign-out over HTTP: a small app on `logto-client`, a browser, and a real provider.

mod app;
mod app_process;
mod callback;
mod concurrency;
mod gates;
mod items;
mod processes;
mod provider;
mod refresh;
mod sessions;
mod sign_in;
mod sign_out;
mod storages;
mod tokens;
mod vault;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use servers::{Postgres, Redis, Trials};

use crate::provider::On;
use crate::vault::fleet::Store;
use crate::vault::{deployments, interrupted, late_saves, races, restarts, writers};

/// How long anything may take that is over in a moment, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

fn main() -> ExitCode {
    if app_process::is_child() {
        return app_process::child();
    }
    servers::run(
        Trials::new()
            .group("OidcProvider", on_each_provider(On::OidcProvider))
            .group("OidcProvider", on_a_provider_that_changes_while_it_runs())
            .group("DevProvider", on_each_provider(On::DevProvider))
            .group("DevProvider", on_a_provider_that_can_be_held_up())
            .group("redis", on_processes_that_come_and_go())
            .group("postgres", on_processes_that_come_and_go_over_postgres()),
    )
}

fn on_each_provider(on: On) -> Trials {
    servers::trials! {
        |test| block_on(test(on));
        on.available() =>
            sign_in [
                a_user_signs_in,
                the_claims_are_those_of_the_scopes,
                the_app_chooses_where_the_user_goes_on,
                the_session_gets_a_new_id_and_the_old_one_is_dead,
                a_planted_session_id_is_worth_nothing_after_the_sign_in,
                a_user_who_denies_is_not_signed_in_and_may_try_again,
                an_unregistered_redirect_uri_is_refused_by_the_provider,
                a_resource_that_the_provider_does_not_have_is_told_at_the_sign_in,
                a_public_client_signs_in,
                an_endpoint_may_have_a_path,
                signing_in_again_keeps_one_record,
                another_user_takes_over_the_session,
                beginning_a_sign_in_signs_nobody_out_unless_asked_to,
                raw_json_in_a_cookie_of_the_providers_does_no_harm,
            ],
            callback [
                a_used_callback_is_refused_and_the_user_stays_signed_in,
                a_callback_in_another_browser_is_refused,
                a_callback_with_another_code_fails_and_is_used_up,
                a_code_is_sent_to_the_provider_once,
            ],
            tokens [
                the_plain_access_token_is_for_user_info,
                each_resource_has_a_token_of_its_own,
                each_organization_has_a_token_of_its_own,
                a_resource_and_an_organization_go_together,
                user_info_has_what_the_id_token_has_not,
                an_unlisted_resource_is_an_error,
                an_organization_takes_its_scope,
                an_organization_of_others_is_refused_and_the_user_stays_signed_in,
                without_consent_there_is_no_refresh_token,
                nobody_gets_tokens_who_is_not_signed_in,
                a_token_is_asked_for_once,
            ],
            refresh [
                an_expired_token_is_renewed,
                a_rotated_refresh_token_is_stored,
                a_stolen_refresh_token_ends_the_session_when_it_is_used,
                a_refresh_token_works_on_for_some_seconds_after_its_rotation,
            ],
            sign_out [
                signing_out_empties_the_session_and_renews_its_id,
                signing_out_revokes_the_refresh_token,
                a_user_signs_in_again_after_signing_out,
                another_user_signs_in_after_signing_out,
                signing_out_twice_does_no_harm,
                cleared_tokens_are_gone_and_access_tokens_come_back,
            ],
            concurrency [
                a_page_gets_the_tokens_of_six_organizations_at_once,
                fifty_requests_get_one_token_by_one_request,
                a_slow_page_that_brings_a_session_back_brings_dead_tokens,
                a_page_that_began_before_another_process_refreshed_sees_that,
            ],
            storages [
                a_storage_that_cannot_renew_is_refused_before_the_user_signs_in,
                the_session_of_a_visitor_who_never_signs_in_lives_an_hour,
                a_storage_that_cannot_renew_works_where_that_is_not_required,
                a_storage_chosen_at_run_time_works,
                a_session_in_memory_works,
                a_session_of_actix_web_works,
            ];
        on.available().and(Redis::available()) =>
            processes [
                two_processes_refresh_at_once_and_the_user_stays_signed_in,
                a_process_sees_what_the_other_has_done,
            ],
            late_saves [
                a_page_that_ends_after_a_sign_out_does_not_undo_it,
                fifty_pages_that_end_after_a_sign_out_do_not_undo_it,
                a_page_that_has_changed_the_session_sees_a_refresh_of_another_process,
                a_page_that_ends_late_brings_no_used_refresh_token_back,
            ],
            races [
                many_requests_of_two_processes_exchange_a_refresh_token_once,
            ],
            writers [
                two_hundred_writers_of_a_process_lose_nothing,
                two_hundred_writers_of_two_processes_lose_nothing,
                two_hundred_increments_of_one_item_are_counted,
                fifty_writers_that_are_late_for_a_sign_out_write_nothing,
            ];
    }
}

fn on_a_provider_that_changes_while_it_runs() -> Trials {
    servers::trials! {
        |test| block_on(test(On::OidcProvider));
        On::OidcProvider.available() =>
            callback [
                two_tabs_can_sign_in_in_the_order_they_were_opened,
                two_tabs_can_sign_in_in_the_other_order,
            ],
            refresh [
                a_response_without_a_refresh_token_keeps_the_old_one,
                an_expired_refresh_token_ends_the_session,
                a_user_signs_in_again_after_the_session_has_ended,
            ],
            concurrency [
                fifty_tasks_get_one_token_by_one_request,
                six_requests_get_six_tokens_and_stay_signed_in,
                after_six_requests_the_session_has_the_newest_refresh_token,
                a_sign_out_beats_a_refresh_that_is_under_way,
            ];
    }
}

fn on_a_provider_that_can_be_held_up() -> Trials {
    servers::trials! {
        |test| block_on(test(On::DevProvider));
        Redis::available() =>
            interrupted [
                a_slow_provider_is_asked_by_one_process_only,
                a_process_that_is_told_to_end_completes_its_refresh,
                another_process_takes_over_from_one_that_is_killed_before_it_sends,
                another_process_takes_over_from_one_that_is_stopped_before_it_sends,
                another_process_takes_over_from_one_that_is_killed_before_its_request_arrives,
                a_request_that_arrives_after_another_process_took_over_undoes_nothing,
                another_process_takes_over_from_one_that_is_killed_before_it_stores_the_response,
                another_process_takes_over_from_one_that_is_stopped_before_it_stores_the_response,
                nobody_waits_for_a_killed_process_and_the_user_is_signed_out,
                without_grace_a_killed_process_signs_the_user_out,
                without_grace_a_stopped_process_signs_the_user_out,
            ],
            late_saves [
                a_refresh_that_ends_after_a_sign_out_does_not_undo_it,
                a_refresh_undoes_nothing_that_was_written_while_it_waited,
                a_callback_undoes_nothing_that_was_written_while_it_waited,
            ];
    }
}

fn on_processes_that_come_and_go() -> Trials {
    servers::trials! {
        |test| block_on(test(Store::Redis));
        Redis::available() =>
            deployments [
                a_rolling_deployment_signs_nobody_out,
                an_application_key_is_replaced_and_nobody_is_signed_out,
                a_key_that_is_removed_early_signs_out_only_users_whose_records_it_had_sealed,
            ],
            restarts [
                two_processes_that_are_killed_sign_nobody_out_without_cause,
                three_processes_that_are_killed_sign_nobody_out_without_cause,
                four_processes_that_are_killed_sign_nobody_out_without_cause,
                without_grace_only_users_of_an_interrupted_process_are_signed_out,
            ];
    }
}

fn on_processes_that_come_and_go_over_postgres() -> Trials {
    servers::trials! {
        |test| block_on(test(Store::Postgres));
        Redis::available().and(Postgres::available()) =>
            restarts [
                four_processes_that_are_killed_sign_nobody_out_without_cause,
                without_grace_only_users_of_an_interrupted_process_are_signed_out,
            ];
    }
}

/// Runs a test on a runtime of its own.
fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}
