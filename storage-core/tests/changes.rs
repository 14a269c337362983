//! What a session handle learns from the changes it is given.

use std::borrow::Cow;

use logto_storage_core::{Change, Changes, ErrorKind, Operation};

const SEVERAL: &[Change] = &[Change::set("a", "1"), Change::remove("b"), Change::set("a", "")];

#[test]
fn they_come_in_order_and_borrow_their_keys() {
    let seen: Vec<_> = Changes::all(SEVERAL).iter().collect();

    assert_eq!(seen, [("a".into(), Some("1")), ("b".into(), None), ("a".into(), Some(""))]);
    assert!(seen.iter().all(|(key, _)| matches!(key, Cow::Borrowed(_))));
}

#[test]
fn a_prefix_goes_before_every_key() {
    let keys: Vec<_> = Changes::all(SEVERAL).prefixed("tenant-a:").iter().map(|(key, _)| key).collect();

    assert_eq!(keys, ["tenant-a:a", "tenant-a:b", "tenant-a:a"]);
}

#[test]
fn they_are_saved_now_unless_deferred_and_a_renewal_always_is() {
    let one = Changes::one(Change::remove("a"));

    assert!(one.saves_now() && !one.renews_id());
    assert!(!one.deferred().saves_now());
    assert!(one.renewing().saves_now() && one.renewing().renews_id());
    assert!(one.deferred().renewing().saves_now());
}

#[test]
fn they_say_which_operation_they_are() {
    assert_eq!(Changes::one(Change::set("a", "1")).operation(), Operation::Set);
    assert_eq!(Changes::one(Change::remove("a")).operation(), Operation::Remove);
    assert_eq!(Changes::all(SEVERAL).operation(), Operation::Apply);
    assert_eq!(Changes::all(SEVERAL).renewing().operation(), Operation::Renew);
}

#[test]
fn a_limit_counts_bytes_and_names_the_first_value_over_it() {
    let changes = [Change::remove("long key without a value"), Change::set("fits", "éé"), Change::set("over", "ééé")];

    assert!(Changes::all(&changes[..2]).limited(4).is_ok());
    let error = Changes::all(&changes).prefixed("p:").limited(4).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge { len: 6, max_len: 4 });
    assert_eq!((error.operation(), error.key()), (Some(Operation::Apply), Some("p:over")));
    assert_eq!(
        error.to_string(),
        r#"cannot apply the changes ("p:over"): the value has 6 bytes, more than the limit of 4"#
    );
}

#[test]
fn a_key_cannot_forge_a_line_of_a_log() {
    let error = Changes::one(Change::remove("a\nINFO all is well")).failed("refused");

    assert_eq!(error.to_string(), r#"cannot remove "a\nINFO all is well": the session failed"#);
}
