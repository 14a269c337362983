//! What holds whatever the library is: each case panics where it does not.

use std::sync::Arc;

use serde_json::{Value, json};

use super::cases;
use crate::script::{Answer, End, Script, Step, changes, get, item, remove, set};
use crate::site::{Site, Visitor};

cases! {
    a_missing_item_is_none: "A missing item",
    an_empty_string_is_an_item: "The empty string",
    unicode_comes_back: "Unicode, control characters, NUL",
    json_text_comes_back_byte_for_byte: "A value that is JSON text",
    a_value_of_64_kib_comes_back: "A value of 64 KiB",
    an_item_is_overwritten: "Setting an item again",
    an_item_is_removed: "Removing an item",
    removing_what_is_not_there_is_ok: "Removing a missing item",
    a_hundred_changes_are_made: "100 changes in one `apply`",
    changes_are_made_in_order: "Changes to one key in one `apply`",
    a_foreign_object_is_not_a_string: "The app's own JSON object under the key",
    a_foreign_number_is_not_a_string: "The app's own number under the key",
    a_foreign_null_is_not_a_string: "The app's own `null` under the key",
    a_request_reads_its_own_writes: "Reading an item that the same request wrote",
    a_later_request_reads_it: "Reading it in a later request, in another process",
    two_visitors_are_separate: "Another visitor",
    two_prefixes_are_separate: "Another prefix in the same session",
    an_ended_session_is_empty: "The cookie of a session that the app ended",
    removing_from_an_ended_session_is_ok: "Removing an item after the app ended the session",
    the_server_survives_a_panic: "Other requests after a handler panicked",
}

async fn a_missing_item_is_none(site: Arc<Site>) -> &'static str {
    let server = site.start();

    assert_eq!(Visitor::at(&server).item("key").await, None);
    assert_eq!(Visitor::with_session(&server).await.item("key").await, None);
    "`None`"
}

async fn an_empty_string_is_an_item(site: Arc<Site>) -> &'static str {
    assert_comes_back(&site, "").await;
    "kept"
}

async fn unicode_comes_back(site: Arc<Site>) -> &'static str {
    for value in ["Grüße, 世界! 👩‍👩‍👧‍👦", "\u{0}\u{1}\t\r\n\u{7f}\u{2028}\u{feff}", r#"" \ \u0000 '"#]
    {
        assert_comes_back(&site, value).await;
    }
    "kept"
}

async fn json_text_comes_back_byte_for_byte(site: Arc<Site>) -> &'static str {
    for value in [r#"{ "b": 1.0,  "a": [null] }"#, "null", r#""quoted""#, "1e2", "{"] {
        assert_comes_back(&site, value).await;
    }
    "kept"
}

async fn a_value_of_64_kib_comes_back(site: Arc<Site>) -> &'static str {
    assert_comes_back(&site, &"0123456789abcdef".repeat(4096)).await;
    assert_comes_back(&site, &"日本".repeat(65_536 / 6)).await;
    "kept"
}

/// In the same request, in a later one, and in another process.
async fn assert_comes_back(site: &Arc<Site>, value: &str) {
    let server = site.start();
    let visitor = Visitor::at(&server);

    assert_eq!(visitor.run([set("key", value), get("key")]).await, [Answer::Done, item(value)]);
    assert_eq!(visitor.item("key").await.as_deref(), Some(value));
    assert_eq!(visitor.moved_to(&site.start()).item("key").await.as_deref(), Some(value));
}

async fn an_item_is_overwritten(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;

    visitor.done([set("first", "2")]).await;
    assert_eq!(visitor.item("first").await.as_deref(), Some("2"));
    visitor.done([set("first", "3"), set("first", "4")]).await;
    assert_eq!(visitor.item("first").await.as_deref(), Some("4"));
    "replaced"
}

async fn an_item_is_removed(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    visitor.done([set("other", "2")]).await;

    assert_eq!(visitor.run([remove("first"), get("first")]).await, [Answer::Done, Answer::Item(None)]);

    assert_eq!(visitor.item("first").await, None);
    assert_eq!(visitor.item("other").await.as_deref(), Some("2"));
    assert_eq!(visitor.moved_to(&site.start()).item("first").await, None);
    "removed"
}

async fn removing_what_is_not_there_is_ok(site: Arc<Site>) -> &'static str {
    let server = site.start();
    Visitor::at(&server).done([remove("key")]).await;

    let visitor = Visitor::with_session(&server).await;
    visitor.done([remove("key"), Step::Apply(changes(&[("key", None)]))]).await;
    assert_eq!(visitor.item("first").await.as_deref(), Some("1"));
    "`Ok`"
}

async fn a_hundred_changes_are_made(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let keys: Vec<_> = (0..99).map(|number| format!("key {number}")).collect();
    let mut all: Vec<_> = keys.iter().map(|key| (key.as_str(), Some(key.as_str()))).collect();
    all.push(("first", None));

    visitor.done([Step::Apply(changes(&all))]).await;

    assert_eq!(visitor.item("first").await, None);
    let read: Vec<_> = keys.iter().map(|key| get(key)).collect();
    let kept: Vec<_> = keys.iter().map(|key| item(key)).collect();
    assert_eq!(visitor.run(Script::from(read)).await, kept);
    "all applied"
}

async fn changes_are_made_in_order(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::at(&server);

    let all = [("a", Some("1")), ("a", None), ("b", None), ("b", Some("2")), ("c", Some("3")), ("c", Some("4"))];
    visitor.done([Step::Apply(changes(&all))]).await;

    let read = visitor.run([get("a"), get("b"), get("c")]).await;
    assert_eq!(read, [Answer::Item(None), item("2"), item("4")]);
    "in order"
}

async fn a_foreign_object_is_not_a_string(site: Arc<Site>) -> &'static str {
    assert_not_a_string(&site, &json!({ "a": ["string"] })).await
}

async fn a_foreign_number_is_not_a_string(site: Arc<Site>) -> &'static str {
    assert_not_a_string(&site, &json!(1)).await
}

async fn a_foreign_null_is_not_a_string(site: Arc<Site>) -> &'static str {
    assert_not_a_string(&site, &Value::Null).await
}

async fn assert_not_a_string(site: &Arc<Site>, value: &Value) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let foreign = || Step::WriteForeign("key".to_owned(), value.clone());
    let error = Answer::Failed("NotAString".to_owned());

    assert_eq!(visitor.run([foreign(), get("key")]).await, [Answer::Done, error.clone()]);
    assert_eq!(visitor.step(get("key")).await, error);
    assert_eq!(visitor.item("first").await.as_deref(), Some("1"));
    // It is in nobody's way.
    visitor.done([set("key", "ours")]).await;
    assert_eq!(visitor.item("key").await.as_deref(), Some("ours"));
    visitor.done([foreign(), remove("key")]).await;
    assert_eq!(visitor.item("key").await, None);
    "`NotAString`"
}

async fn a_request_reads_its_own_writes(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let script = || {
        Script::from([
            set("key", "1"),
            get("key"),
            Step::Apply(changes(&[("key", Some("2")), ("first", None)])),
            get("key"),
            get("first"),
            remove("key"),
            get("key"),
        ])
    };
    let answers =
        [Answer::Done, item("1"), Answer::Done, item("2"), Answer::Item(None), Answer::Done, Answer::Item(None)];

    assert_eq!(Visitor::with_session(&server).await.run(script()).await, answers);
    assert_eq!(Visitor::with_session(&server).await.run(script().deferred()).await, answers);
    "seen"
}

async fn a_later_request_reads_it(site: Arc<Site>) -> &'static str {
    let server = site.start();
    for script in [Script::from([set("key", "1")]), Script::from([set("key", "1")]).deferred()] {
        let visitor = Visitor::at(&server);

        visitor.done(script).await;

        assert_eq!(visitor.item("key").await.as_deref(), Some("1"));
        assert_eq!(visitor.moved_to(&site.start()).item("key").await.as_deref(), Some("1"));
    }
    "seen"
}

async fn two_visitors_are_separate(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let (one, other) = (Visitor::at(&server), Visitor::at(&server));

    one.done([set("key", "one")]).await;
    assert_eq!(other.item("key").await, None);
    other.done([set("key", "other")]).await;

    assert_eq!(one.item("key").await.as_deref(), Some("one"));
    assert_eq!(other.item("key").await.as_deref(), Some("other"));
    "sees nothing"
}

async fn two_prefixes_are_separate(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::at(&server);
    let read = |prefix| visitor.run(Script::from([get("key")]).prefixed(prefix));

    visitor.done(Script::from([set("key", "a's")]).prefixed("a:")).await;
    assert_eq!(read("b:").await, [Answer::Item(None)]);
    assert_eq!(visitor.item("key").await, None);
    visitor.done(Script::from([set("key", "b's")]).prefixed("b:").deferred()).await;

    assert_eq!(read("a:").await, [item("a's")]);
    assert_eq!(read("b:").await, [item("b's")]);
    visitor.done(Script::from([remove("key")]).prefixed("a:")).await;
    assert_eq!(read("a:").await, [Answer::Item(None)]);
    assert_eq!(visitor.item("b:key").await.as_deref(), Some("b's"));
    "sees nothing"
}

async fn an_ended_session_is_empty(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let cookie = visitor.cookie().expect("a cookie");

    visitor.done([Step::EndSession]).await;

    assert_eq!(visitor.item("first").await, None);
    assert_eq!(Visitor::with_cookie(&server, &cookie).item("first").await, None);
    assert_eq!(Visitor::with_cookie(&site.start(), &cookie).item("first").await, None);
    "invalid"
}

async fn removing_from_an_ended_session_is_ok(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    let cookie = visitor.cookie().expect("a cookie");

    visitor.done([Step::EndSession, remove("first"), Step::Apply(changes(&[("first", None)]))]).await;

    assert_eq!(Visitor::with_cookie(&server, &cookie).item("first").await, None);
    "`Ok`"
}

async fn the_server_survives_a_panic(site: Arc<Site>) -> &'static str {
    let server = site.start();
    let visitor = Visitor::with_session(&server).await;
    for _ in 0..8 {
        let response = visitor.send(&Script::from([set("key", "1")]).ending(End::Panic)).await;
        assert!(!response.is_ok_and(|response| response.status().is_success()));
    }

    assert_eq!(visitor.item("first").await.as_deref(), Some("1"));
    visitor.done([set("key", "2")]).await;
    assert_eq!(visitor.item("key").await.as_deref(), Some("2"));
    "served"
}
