//! No value ever gets into `Debug` or `Display`: a canary stands for the token, wherever one can be.

use std::error::Error as StdError;
use std::fmt::Debug;

use logto_storage_core::{Change, Changes, Error, LogtoStorage, MemorySession, SessionHandle};
use serde_json::json;

use super::Immediate;
use super::store::{Call, Fault, Store};
use crate::tower_sessions::Session;

const CANARY: &str = "canary-token-eyJhbGciOiJFUzM4NCJ9";

#[derive(LogtoStorage)]
#[logto(max_len = 4)]
struct Limited {
    session: Session,
}

fn assert_silent(thing: &impl Debug) {
    for text in [format!("{thing:?}"), format!("{thing:#?}")] {
        assert!(!text.contains("canary"), "a value in {text}");
    }
}

fn assert_error_silent(error: &Error) {
    assert_silent(error);
    assert_silent(&error.kind());
    assert_silent(&error.operation());
    let mut cause: Option<&dyn StdError> = Some(error);
    while let Some(error) = cause {
        assert!(!error.to_string().contains("canary"), "a value in {error}");
        cause = error.source();
    }
}

#[tokio::test]
async fn no_public_type_shows_a_value() {
    let change = Change::set("key", CANARY);
    assert_silent(&change);
    assert_silent(&Changes::one(change).prefixed("tenant-a:").deferred());
    assert_silent(&Changes::all(&[change, Change::remove("key")]).renewing());

    let session = MemorySession::default();
    session.write(Changes::one(change)).await.unwrap();
    assert_silent(&session);
}

#[tokio::test]
async fn no_error_shows_a_value() {
    let store = Store::default();
    let id = store.with_record(&[("key", CANARY)]);
    let change = [Change::set("key", CANARY)];
    for (call, fault) in [(Call::Load, Fault::Refused), (Call::Save, Fault::Refused), (Call::Save, Fault::AnswerLost)] {
        let storage = Immediate { session: store.session(Some(id)) };
        store.fail_next(call, fault);
        assert_error_silent(&storage.set_item("key", CANARY).await.unwrap_err());
        store.fail_next(call, fault);
        assert_error_silent(&Immediate { session: store.session(Some(id)) }.apply(&change).await.unwrap_err());
    }
    for call in [Call::Load, Call::Delete, Call::Create] {
        let id = store.with_record(&[("key", CANARY)]);
        store.fail_next(call, Fault::Refused);
        assert_error_silent(&Immediate { session: store.session(Some(id)) }.renew(&change).await.unwrap_err());
    }
    store.fail_next(Call::Create, Fault::Refused);
    assert_error_silent(&Immediate { session: store.session(None) }.set_item("key", CANARY).await.unwrap_err());
    store.fail_next(Call::Load, Fault::Refused);
    let reloaded = Immediate { session: store.session(Some(id)) };
    assert_error_silent(&reloaded.reload().await.unwrap_err());

    let session = store.session(None);
    for value in [json!({ CANARY: CANARY }), json!([CANARY])] {
        session.insert_value("key", value).await.unwrap();
        assert_error_silent(&Immediate { session: session.clone() }.get_item("key").await.unwrap_err());
    }
    let limited = Limited { session };
    assert_error_silent(&limited.set_item("key", CANARY).await.unwrap_err());
    assert_error_silent(&limited.apply(&change).await.unwrap_err());
    assert_error_silent(&limited.renew(&change).await.unwrap_err());
}
