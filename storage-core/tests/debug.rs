//! What `Debug` prints: no values, which may be tokens, but enough for a log line.

use std::borrow::Cow;

use logto_storage_core::{Change, Changes, Error, MemorySession, Operation, Seen, SessionHandle};

#[test]
fn a_change_shows_its_key_and_the_length_of_its_value() {
    assert_eq!(format!("{:?}", Change::set("key", "s3cr3t")), r#"Set { key: "key", len: 6 }"#);
    assert_eq!(format!("{:?}", Change::remove("key")), r#"Remove { key: "key" }"#);

    let changes = format!("{:?}", Changes::one(Change::set("key", "s3cr3t")).prefixed("tenant-a:"));
    assert!(changes.contains(r#"Set { key: "key", len: 6 }"#) && changes.contains("tenant-a:"), "{changes}");
}

#[test]
fn an_item_that_was_seen_shows_its_key_and_the_length_of_its_value() {
    assert_eq!(format!("{:?}", Seen::new("key", Some("s3cr3t"))), r#"Seen { key: "key", len: Some(6) }"#);
    assert_eq!(format!("{:?}", Seen::new("key", None)), r#"Seen { key: "key", len: None }"#);
}

#[test]
fn an_error_shows_the_operation_the_key_and_the_cause() {
    let error = Error::session("connection refused").with_operation(Operation::Get).with_key("key");
    assert_eq!(
        format!("{error:?}"),
        r#"Error { operation: Some(Get), key: Some("key"), cause: Session("connection refused") }"#
    );
}

#[tokio::test]
async fn a_session_in_memory_shows_its_keys() {
    let session = MemorySession::default();
    session.write(Changes::one(Change::set("key", "s3cr3t"))).await.unwrap();
    assert_eq!(session.read(Cow::Borrowed("key")).await.unwrap().as_deref(), Some("s3cr3t"));

    assert_eq!(format!("{session:?}"), r#"MemorySession { keys: ["key"] }"#);
}
