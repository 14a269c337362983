//! The app as its users meet it: the real program, over HTTP.

mod boundaries;
mod gateway;
mod pages;
mod problems;
mod sessions;
mod settings;
mod sign_in;
mod stores;
mod visitor;

use std::process::ExitCode;

use servers::{Mongodb, Postgres, Redis};

fn main() -> ExitCode {
    servers::run(servers::trials! {
        Ok(()) =>
            settings [
                without_any_it_starts_with_a_provider_of_its_own,
                with_a_logto_it_says_what_to_register_there,
                part_of_a_logto_is_refused_and_what_is_missing_is_named,
                what_cannot_be_used_is_refused_in_one_line,
                a_taken_port_is_refused_in_one_line,
                a_store_that_is_none_is_refused_in_one_line,
                a_store_that_is_not_there_is_refused_in_one_line,
                told_to_end_it_ends_well,
            ],
            sign_in [
                a_name_is_enough,
                an_account_can_be_created,
                it_leads_back_to_the_page_that_was_asked_for,
                it_never_leads_to_another_site,
                the_host_header_changes_nothing,
                a_denied_one_gets_advice_and_can_be_tried_again,
                a_callback_of_another_browser_gets_advice,
                a_callback_that_is_loaded_again_leads_home,
                of_two_that_run_at_once_the_first_to_end_lands_on_the_last_begun,
                with_a_redirect_for_unknown_sessions_the_other_tab_signs_in_as_well,
                another_logto_works_as_well,
                after_the_provider_has_ended_it_one_is_asked_again,
            ],
            sessions [
                the_cookie_is_only_for_http_and_survives_the_way_back_from_logto,
                over_https_the_cookie_is_secure,
                the_ticket_changes_at_sign_in_and_the_old_one_is_dead,
                the_ticket_is_dead_after_sign_out,
                a_visit_alone_sets_no_cookie,
                another_site_cannot_sign_anybody_out,
                a_link_shows_a_button_to_sign_out_with,
            ],
            pages [
                the_home_page_is_for_everybody,
                claims_are_those_of_the_id_token,
                user_info_is_what_the_provider_says,
                an_access_token_is_for_the_api_that_was_chosen,
                an_api_that_is_unknown_is_told_of,
                each_organization_has_its_name_and_a_token,
                an_organization_that_refuses_a_token_does_not_fail_the_page,
                no_permissions_are_shown_in_words,
                empty_lists_are_shown_in_words,
                times_are_shown_as_dates,
                who_is_no_member_is_told_so,
                what_users_call_themselves_is_text,
                no_page_shows_a_token,
                there_is_a_page_for_what_is_not_there,
            ],
            problems [
                a_page_that_fails_keeps_the_navigation_and_can_be_tried_again,
                an_error_page_shows_developers_the_error_and_its_causes,
                a_request_that_is_not_for_a_page_is_answered_with_json,
                a_cancelled_sign_in_has_a_calm_page,
                while_logto_is_down_nobody_is_sent_there,
                a_logto_that_is_down_is_not_asked_for_each_page,
                a_sign_out_while_logto_is_down_is_made_up_for_there,
            ],
            boundaries [
                every_response_is_protected,
                over_https_it_stays_https,
                who_is_not_signed_in_sees_no_private_page,
                what_is_no_page_is_answered_401,
            ];
        Ok(()) => stores [with_sqlite_a_sign_in_outlives_the_app, a_session_of_a_provider_that_is_gone_is_asked_to_sign_in];
        Redis::available() => stores [with_redis_a_sign_in_outlives_the_app, with_a_redis_cluster_a_sign_in_outlives_the_app, without_redis_requests_fail_soon_and_with_it_they_work_again, two_apps_on_redis_share_their_users, a_restart_of_redis_between_requests_signs_nobody_out];
        Redis::available().and(stores::openssl_available()) => stores [with_redis_over_tls_a_sign_in_outlives_the_app];
        Mongodb::own_available() => stores [with_mongodb_a_sign_in_outlives_the_app];
        Postgres::available() => stores [with_postgres_a_sign_in_outlives_the_app, without_postgres_requests_fail_soon_and_with_it_they_work_again];
    })
}
