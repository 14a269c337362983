//! A crate that forbids lints, the one against deprecated items among them: an `allow` of the derive would be an error.

#![forbid(
    warnings,
    deprecated,
    deprecated_in_future,
    elided_lifetimes_in_paths,
    future_incompatible,
    missing_docs,
    nonstandard_style,
    single_use_lifetimes,
    trivial_casts,
    unsafe_code,
    unused,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    clippy::all,
    clippy::pedantic,
    clippy::nursery
)]

use logto_storage_core::{LogtoStorage, MemorySession};
use shapes::assert_keeps_items;

/// A struct.
#[derive(LogtoStorage)]
#[logto(prefix = "all:", save = "deferred", max_len = 100)]
pub struct Struct<'r, H: ?Sized> {
    /// The session.
    pub session: &'r H,
}

/// An enum.
#[derive(LogtoStorage)]
#[logto(max_len = 100)]
pub enum Enum<P> {
    /// Without a prefix.
    Plain(MemorySession),
    /// With a prefix.
    Prefixed(#[logto(session)] MemorySession, #[logto(prefix)] P),
}

// Without `#[tokio::test]`, which allows lints.
#[test]
fn what_is_derived_keeps_items() {
    let session = MemorySession::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert_keeps_items(&Struct { session: &session }, &session, "all:").await;
        assert_keeps_items(&Enum::<String>::Plain(session.clone()), &session, "").await;
        assert_keeps_items(&Enum::Prefixed(session.clone(), "p:"), &session, "p:").await;
    });
}
