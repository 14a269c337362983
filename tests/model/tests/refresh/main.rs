//! A model of the refresh across processes (`docs/ARCHITECTURE.md`, "A refresh"). Stateright visits every state that some
//! processes, a provider that rotates refresh tokens, a sign-out and a few faults can bring about.
//!
//! | in the model | in `client/src/session` |
//! |---|---|
//! | `Step(_, Idle)` | `refresh` reads the session and finds no access token |
//! | `Step(_, Waiting)` | `wait_for_lease`, `take_lease`; or `look_again` finds the other's access token |
//! | `Step(_, Held)` | `look_again` and `is_fresh` in `wait_for_lease`, then `request_refresh` |
//! | `RenewLease` | `renew_lease` |
//! | `Exchange`, `unstored` | the provider, and `follow_rotation`: what the process's `Grant` remembers |
//! | `Step(_, Answered)` | the end of `exchange`, and the first write of `accept`, with the fence |
//! | `Step(_, Rotated)` | the rest of `accept`, and `store_issued` |
//! | `Step(_, Refused)` | `invalid_grant` in `exchange`, then `ended` |
//! | `finish` | `release_lease`, if the process has a lease |
//! | `HangUp` | the handler is dropped, the task of `request_refresh` is not |
//! | `BeginSignOut`, `RevokeGrant`, `EndRecord` | `sign_out`, and `end_record` in `vault/src/renewal.rs` |
//! | `SignInAgain` | the callback, which renews the record |
//!
//! What the model assumes:
//!
//! - A read and the compare-and-change after it are one action: if anything has changed in between, the write does nothing.
//! - The clock ticks every second, when each process that is not stalled has done its work. So the token endpoint may be
//!   slow. Where the code is slow elsewhere, in the store or at the key set, the model's process is stalled.
//! - A process does not stall between its look at the age of the lease and the request.
//! - After a fault that may have left a replaced refresh token in the store, the provider answers within a tick.

mod model;
mod properties;
mod state;

use stateright::{Checker, CheckerBuilder, HasDiscoveries, Model};

use model::{Mutant, Refresh};

fn checker(processes: usize, faults: usize, has_grace: bool, mutant: Option<Mutant>) -> CheckerBuilder<Refresh> {
    Refresh { processes, faults, has_grace, mutant }.checker()
}

fn every_state_is_as_promised(processes: usize, faults: usize, has_grace: bool) {
    let checker = checker(processes, faults, has_grace, None).finish_when(HasDiscoveries::AnyFailures);
    let checker = checker.spawn_bfs().join();
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn two_processes_with_two_faults_keep_the_promises() {
    every_state_is_as_promised(2, 2, false);
}

#[test]
fn two_processes_with_two_faults_keep_the_promises_within_a_grace() {
    every_state_is_as_promised(2, 2, true);
}

#[test]
fn three_processes_with_a_fault_keep_the_promises() {
    every_state_is_as_promised(3, 1, false);
}

#[test]
fn three_processes_with_a_fault_keep_the_promises_within_a_grace() {
    every_state_is_as_promised(3, 1, true);
}

/// Each rule is needed: without it, some history breaks the promise.
fn is_broken(property: &'static str, mutant: Mutant, has_grace: bool) {
    let checker = checker(2, 1, has_grace, Some(mutant)).finish_when(HasDiscoveries::AnyOf([property].into()));
    let history = checker.spawn_bfs().join().assert_any_discovery(property);
    println!("{:?}", history.into_actions());
}

#[test]
fn without_the_fence_an_older_refresh_token_is_stored() {
    is_broken(properties::NEVER_OLDER, Mutant::StoresWithoutFence, true);
}

#[test]
fn without_the_lease_two_processes_exchange_one_token() {
    is_broken(properties::ONE_EXCHANGE, Mutant::SendsWithoutLease, true);
    is_broken(properties::NO_CAUSE_NO_END, Mutant::SendsWithoutLease, false);
}

#[test]
fn a_holder_that_sends_after_it_has_stalled_signs_the_user_out() {
    is_broken(properties::ONE_EXCHANGE, Mutant::SendsUnderOldLease, true);
    is_broken(properties::NO_CAUSE_NO_END, Mutant::SendsUnderOldLease, false);
}

#[test]
fn a_takeover_after_the_grace_is_too_late() {
    is_broken(properties::GRACE_SAVES, Mutant::TakesOverTooLate, true);
}

#[test]
fn a_request_that_ends_the_lease_of_another_lets_a_third_one_send() {
    is_broken(properties::ONE_EXCHANGE, Mutant::EndsAnyLease, true);
    is_broken(properties::NO_CAUSE_NO_END, Mutant::EndsAnyLease, false);
}

#[test]
fn a_refused_token_that_stays_is_tried_for_ever() {
    is_broken(properties::ENDS_CLEANLY, Mutant::KeepsRefusedToken, true);
}

#[test]
fn an_end_without_the_version_of_the_guard_ends_the_next_sign_in() {
    is_broken(properties::NEXT_STAYS, Mutant::EndsAnyGuard, true);
}

#[test]
fn a_refresh_that_creates_the_record_again_undoes_the_sign_out() {
    is_broken(properties::SIGN_OUT_IS_FINAL, Mutant::RecreatesRecord, true);
}
