//! From sign-in to sign-out with a vault under every session library, over real HTTP.
//!
//! Each request is served by a client of its own, as if it came to another process each time. So nothing but the vault keeps
//! what `docs/VAULT.md` promises. What differs between libraries is compared with the table there. A test is named
//! `library::module::behaviour`.

mod app;
mod apps;
mod cases;
mod store;
mod table;
mod world;

use std::process::ExitCode;

use servers::{Trials, block_on};

use crate::apps::{LIBRARIES, Library};
use crate::cases::{endings, faults, first_writes, late, sign_ins};

fn main() -> ExitCode {
    let docs = servers::trials! {
        Ok(()) => table [the_table_has_the_libraries_and_the_rows_that_are_observed];
    };
    let libraries = LIBRARIES.into_iter();
    servers::run(libraries.fold(docs, |trials, library| trials.group(library.name, under(library))))
}

fn under(library: Library) -> Trials {
    servers::trials! {
        |test| block_on(test(library));
        Ok(()) =>
            sign_ins [
                large_tokens_leave_the_cookie_small,
                a_sign_out_ends_the_record_and_every_old_cookie,
                the_cookie_from_before_a_sign_in_is_not_signed_in_unless_the_session_keeps_its_id,
            ],
            faults [
                a_first_sign_in_survives_a_store_that_fails_in_the_callback,
                a_second_sign_in_survives_a_store_that_fails_in_the_callback,
                a_user_survives_a_store_that_fails_in_a_refresh,
                a_user_survives_a_store_that_fails_in_the_sign_out,
            ],
            endings [
                a_callback_whose_handler_fails_signs_the_user_in_or_nobody,
                a_refresh_whose_handler_fails_is_stored,
                a_sign_out_whose_handler_fails_ends_the_record,
            ],
            late [
                fifty_late_pages_after_a_sign_out_sign_nobody_in,
                fifty_late_pages_after_another_sign_in_bring_nobody_back,
            ],
            first_writes [
                two_tabs_of_a_new_visitor_can_start_a_sign_in_at_once,
                two_tabs_of_a_session_without_a_ticket_can_start_a_sign_in_at_once,
            ];
    }
}
