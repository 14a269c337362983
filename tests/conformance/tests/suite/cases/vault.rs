//! What is tried with a vault, and what it promises.

use std::sync::Arc;

use super::{Case, cases, named};
use crate::script::set;
use crate::site::{Site, Visitor};

cases! {
    the_cookie_holds_a_ticket_only: "The cookie, with an item of 64 KiB in the vault",
}

/// Cases with the same outcome under every library.
pub(crate) const PROMISES: &[(&str, &str)] = &[
    ("two_hundred_writers", "keeps all writes"),
    ("two_hundred_writers_in_two_processes", "keeps all writes"),
    ("twenty_writers_of_one_item", "keeps all writes"),
    ("late_after_a_sign_out", "stays signed out"),
    ("late_after_a_sign_out_in_two_processes", "stays signed out"),
    ("a_process_that_has_the_session_in_use", "sees the write"),
    ("what_ok_means", "immediately"),
    ("what_ok_means_deferred", "immediately"),
    ("a_500_after_a_write", "kept"),
    ("a_500_after_a_deferred_write", "kept"),
    ("an_err_after_a_write", "kept"),
    ("a_panic_after_a_write", "kept"),
    ("reloading", "`Ok(true)`: sees the write"),
    ("a_reader_beside_a_writer", "keeps the write"),
    ("the_cookie_holds_a_ticket_only", "below 1 KiB"),
    ("a_missing_item_is_none", "`None`"),
    ("an_empty_string_is_an_item", "kept"),
    ("unicode_comes_back", "kept"),
    ("json_text_comes_back_byte_for_byte", "kept"),
    ("a_value_of_64_kib_comes_back", "kept"),
    ("an_item_is_overwritten", "replaced"),
    ("an_item_is_removed", "removed"),
    ("removing_what_is_not_there_is_ok", "`Ok`"),
    ("a_hundred_changes_are_made", "all applied"),
    ("changes_are_made_in_order", "in order"),
    ("a_request_reads_its_own_writes", "seen"),
    ("a_later_request_reads_it", "seen"),
    ("two_visitors_are_separate", "sees nothing"),
    ("two_prefixes_are_separate", "sees nothing"),
    ("the_server_survives_a_panic", "served"),
];

/// Cases whose outcome depends on when the library saves the ticket, and on whether it can renew a session's id.
pub(crate) const DIFFERENCES: &[&str] = &[
    "late_after_a_renewal",
    "late_after_a_renewal_in_two_processes",
    "a_500_after_a_first_write",
    "an_err_after_a_first_write",
    "a_panic_after_a_first_write",
    "renewing",
    "a_500_after_renewing",
    "an_err_after_renewing",
    "a_panic_after_renewing",
    "renewing_in_another_process",
];

/// Every case that is tried with a vault.
pub(crate) fn cases() -> impl Iterator<Item = &'static Case> {
    let promises = PROMISES.iter().map(|(name, _)| name);
    promises.chain(DIFFERENCES).map(|name| named(name))
}

async fn the_cookie_holds_a_ticket_only(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::at(&server);

    visitor.done([set("key", &"0123456789abcdef".repeat(4096))]).await;

    let cookie = visitor.cookie().expect("a cookie");
    assert!(cookie.len() < 1024, "{} bytes", cookie.len());
    "below 1 KiB"
}
