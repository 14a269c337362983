//! The derive in a crate without a prelude.

#![no_implicit_prelude]

use ::logto_storage_core::{LogtoStorage, MemorySession};
use ::shapes::assert_keeps_items;
use ::std::clone::Clone;
use ::std::convert::Into;
use ::std::default::Default;

#[derive(LogtoStorage)]
#[logto(prefix = "all:", save = "deferred", max_len = 100)]
struct Struct {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(max_len = 100, crate = "::logto_storage_core")]
enum Enum<H, P> {
    Plain(H),
    Prefixed(#[logto(session)] MemorySession, #[logto(prefix)] P),
}

#[derive(LogtoStorage)]
#[logto(crate = "self::sdk")]
struct Generic<'r, H: ?::std::marker::Sized>(&'r H);

mod sdk {
    pub(crate) use ::logto_storage_core::{
        AllSeen, Change, Changes, LogtoStorage, Result, Seen, SessionHandle, attributes,
    };
}

type Text = ::std::sync::Arc<str>;

#[::tokio::test(crate = "::tokio")]
async fn structs_and_enums_keep_items() {
    let session = MemorySession::default();
    let plain = Enum::<_, Text>::Plain(session.clone());
    let prefixed: Enum<MemorySession, Text> = Enum::Prefixed(session.clone(), "p:".into());
    assert_keeps_items(&Struct { session: session.clone() }, &session, "all:").await;
    assert_keeps_items(&plain, &session, "").await;
    assert_keeps_items(&prefixed, &session, "p:").await;
    assert_keeps_items(&Generic(&session), &session, "").await;
}
