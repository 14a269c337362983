//! One contract for all stores, and what is particular to each of them.
//!
//! A new store gets a line in `main` that opens it, empty or shared: every test uses records of its own.

mod contents;
mod ends;
mod fixture;
mod lifetimes;
#[cfg(feature = "mongodb-3")]
mod mongodb;
#[cfg(feature = "postgres-sqlx-0_8")]
mod postgres;
mod races;
mod reads;
#[cfg(feature = "redis-1")]
mod redis;
#[cfg(feature = "redis-1-cluster")]
mod redis_cluster;
mod replacements;
#[cfg(feature = "sqlite-sqlx-0_8")]
mod sqlite;
mod swaps;

use std::process::ExitCode;

use logto_storage_core::BoxFuture;
use logto_vault::{BoxVault, MemoryVault, VaultStore};
use servers::{Missing, Trials};

fn main() -> ExitCode {
    let trials = Trials::new()
        .group("memory", contract(Ok(()), || Box::pin(async { ((), MemoryVault::default()) })))
        .group("boxed", contract(Ok(()), || Box::pin(async { ((), BoxVault::new(MemoryVault::default())) })));
    #[cfg(feature = "mongodb-3")]
    let trials = trials
        .group("mongodb", contract(servers::Mongodb::available(), mongodb::open))
        .group("mongodb", mongodb::trials());
    #[cfg(feature = "postgres-sqlx-0_8")]
    let trials = trials
        .group("postgres", contract(servers::Postgres::available(), postgres::open))
        .group("postgres", postgres::trials());
    #[cfg(feature = "redis-1")]
    let trials = trials
        .group("redis", contract(servers::Redis::available(), redis::open))
        .group("redis", redis::trials())
        .group("valkey", contract(servers::Redis::valkey_available(), redis::open_valkey));
    #[cfg(feature = "redis-1-cluster")]
    let trials = trials
        .group("redis_cluster", contract(servers::Redis::available(), redis_cluster::open))
        .group("redis_cluster", redis_cluster::trials());
    #[cfg(feature = "sqlite-sqlx-0_8")]
    let trials = trials.group("sqlite", contract(Ok(()), sqlite::open)).group("sqlite", sqlite::trials());
    servers::run(trials)
}

/// Lists the contract's tests for the store that `open` opens, beside the server that it needs.
fn contract<S: VaultStore + Clone, Server: 'static>(
    available: Result<(), Missing>,
    open: fn() -> BoxFuture<'static, (Server, S)>,
) -> Trials {
    servers::trials! {
        |test| fixture::block_on(async {
            let (_server, store) = open().await;
            test(store).await;
        });
        available =>
            reads [
                missing_record_has_no_fields_and_no_lifetime,
                some_fields_or_all_are_read,
                fields_that_change_together_are_read_together,
            ],
            swaps [
                fields_are_created_and_changed,
                other_fields_stay,
                conflict_changes_nothing_and_returns_what_is_there,
                field_that_is_only_looked_at_must_match_and_stays,
                swap_that_is_sent_again_is_done_and_changes_nothing,
                swap_that_is_sent_again_after_a_later_one_is_a_conflict,
                swap_without_steps_is_done,
                ambiguous_swap_is_an_error,
            ],
            replacements [
                replaced_record_holds_exactly_what_was_put,
                replacement_can_create_a_record,
                replacement_requires_that_there_is_no_other_field,
                replacement_requires_the_expected_versions,
                replacement_that_is_sent_again_is_done,
                replacement_by_nothing_leaves_no_record,
            ],
            ends [
                ended_record_is_a_marker_only,
                nothing_late_gets_past_the_marker,
                end_requires_the_expected_guard,
                end_without_expectation_always_ends,
                end_of_nothing_leaves_nothing,
                record_without_a_guard_is_ended_without_expectation_only,
                marker_lives_exactly_as_long_as_asked,
            ],
            lifetimes [
                lifetime_is_extended_and_never_shortened,
                lifetime_is_extended_by_a_look,
                replacement_sets_the_lifetime_exactly,
                swap_that_is_sent_again_does_not_extend_the_lifetime,
                conflict_does_not_extend_the_lifetime,
                expired_record_has_no_field,
                expired_marker_lets_a_record_be_created,
                lifetime_can_be_zero_and_without_bounds,
            ],
            contents [
                every_item_key_has_a_field_of_its_own,
                fields_hold_any_bytes_from_none_to_a_mebibyte,
                versions_are_compared_byte_by_byte,
                record_holds_thousands_of_fields,
            ],
            races [
                no_increment_of_many_writers_is_lost,
                one_of_many_creations_wins,
                one_of_many_replacements_wins,
                no_writer_changes_a_record_that_has_ended,
            ];
    }
}
