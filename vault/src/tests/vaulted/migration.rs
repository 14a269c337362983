//! Sessions from before the vault was introduced.

use logto_storage_core::ErrorKind;

use super::{page, read, renew, vault, write, write_if};
use crate::Vault;
use crate::tests::test_store::{Fault, TestStore};
use crate::tests::web::{Browser, SAVINGS, Saving};

const OLD: [(&str, &str); 4] = [
    ("logto_id_token", "id"),
    ("logto_refresh_token", "refresh"),
    ("logto_sign_in_session", "pending"),
    ("logto_access_token_map", "map"),
];

/// A session that holds the items itself: those of two tenants, and something of the app.
fn old_session(saving: Saving) -> Browser {
    let browser = Browser::new(saving);
    for prefix in ["a:", "b:"] {
        for (key, value) in OLD {
            browser.set(&format!("{prefix}{key}"), &format!("{prefix}{value}"));
        }
    }
    browser.set("flash", "Hello");
    browser
}

/// Checks which items of a tenant a new request reads, and whether they are in the session.
async fn check(browser: &Browser, vault: &Vault<TestStore>, prefix: &str, expected: &[(&str, Option<&str>, bool)]) {
    let page = page(browser, vault);
    for (name, value, is_in_session) in expected {
        let key = format!("{prefix}{name}");
        assert_eq!(read(&page, &key).await.as_deref(), *value, "{key}");
        assert_eq!(browser.item(&key).is_some(), *is_in_session, "{key} in the session");
    }
}

#[tokio::test]
async fn items_in_the_session_are_read_without_the_store_and_left_there() {
    let (store, vault) = vault();
    let browser = old_session(Saving::AtEnd);
    let request = page(&browser, &vault);

    for (key, value) in OLD {
        assert_eq!(read(&request, &format!("a:{key}")).await, Some(format!("a:{value}")));
    }
    request.session().end(false);

    assert!(store.calls().is_empty());
    assert_eq!(browser.ticket(), None);
}

#[tokio::test]
async fn first_write_moves_the_items_of_its_prefix_except_access_tokens() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = old_session(saving);
        let request = page(&browser, &vault);
        assert_eq!(read(&request, "a:logto_id_token").await.as_deref(), Some("a:id"));

        write(&request, &[("a:logto_refresh_token", Some("rotated"))]).await.unwrap();
        // The request that has moved them reads them, too.
        assert_eq!(read(&request, "a:logto_id_token").await.as_deref(), Some("a:id"));
        request.session().end(false);

        check(
            &browser,
            &vault,
            "a:",
            &[
                ("logto_id_token", Some("a:id"), false),
                ("logto_refresh_token", Some("rotated"), false),
                ("logto_sign_in_session", Some("a:pending"), false),
                ("logto_access_token_map", None, false),
            ],
        )
        .await;
        for (key, value) in OLD {
            assert_eq!(browser.item(&format!("b:{key}")), Some(format!("b:{value}")), "of the other prefix");
        }
        assert_eq!(browser.item("flash").as_deref(), Some("Hello"));
    }
}

#[tokio::test]
async fn sign_in_moves_what_it_does_not_replace() {
    let (_, vault) = vault();
    let browser = old_session(Saving::AtEnd);
    let request = page(&browser, &vault);

    let changes = [("a:logto_id_token", Some("new")), ("a:logto_sign_in_session", None)];
    renew(&request, &changes).await.unwrap();
    request.session().end(false);

    check(
        &browser,
        &vault,
        "a:",
        &[
            ("logto_id_token", Some("new"), false),
            ("logto_refresh_token", Some("a:refresh"), false),
            ("logto_sign_in_session", None, false),
            ("logto_access_token_map", None, false),
        ],
    )
    .await;
}

#[tokio::test]
async fn removals_and_a_sign_out_remove_items_from_the_session_without_a_record() {
    let (store, vault) = vault();
    let browser = old_session(Saving::Immediate);

    write(&page(&browser, &vault), &[("a:logto_access_token_map", None)]).await.unwrap();
    assert_eq!(browser.item("a:logto_access_token_map"), None);
    let keys = OLD.map(|(key, _)| format!("a:{key}"));
    renew(&page(&browser, &vault), &keys.each_ref().map(|key| (key.as_str(), None))).await.unwrap();

    for (key, _) in OLD {
        assert_eq!(browser.item(&format!("a:{key}")), None);
        assert!(browser.item(&format!("b:{key}")).is_some());
    }
    assert!(store.calls().is_empty());
}

#[tokio::test]
async fn condition_is_compared_with_items_in_the_session() {
    let (_, vault) = vault();
    let browser = old_session(Saving::Immediate);
    let changes = [("a:logto_refresh_token", Some("rotated"))];
    let next = || page(&browser, &vault);

    for seen in [Some("other"), None] {
        let written = write_if(&next(), &[("a:logto_refresh_token", seen)], &changes).await;
        assert_eq!(written, Err(ErrorKind::Conflict));
    }
    assert_eq!(browser.ticket(), None);

    let seen = [("a:logto_refresh_token", Some("a:refresh")), ("a:lease", None)];
    assert_eq!(write_if(&next(), &seen, &changes).await, Ok(()));
    assert_eq!(read(&next(), "a:logto_refresh_token").await.as_deref(), Some("rotated"));
}

#[tokio::test]
async fn failed_move_leaves_the_items_in_the_session() {
    for fault in [Fault::RequestLost, Fault::ResponseLost, Fault::Late] {
        let (store, vault) = vault();
        let browser = old_session(Saving::Immediate);
        store.fail(0, fault);

        let written = write(&page(&browser, &vault), &[("a:logto_refresh_token", Some("rotated"))]).await;
        store.deliver_late().await;

        assert_eq!(written, Err(ErrorKind::Session));
        let expected = [("logto_id_token", Some("a:id"), true), ("logto_refresh_token", Some("a:refresh"), true)];
        check(&browser, &vault, "a:", &expected).await;
    }
}

#[tokio::test]
async fn two_first_writes_move_the_items_once_if_the_session_can_be_read_again() {
    let (store, vault) = vault();
    let browser = old_session(Saving::Immediate);
    let (first, second) = (page(&browser, &vault), page(&browser, &vault));
    for request in [&first, &second] {
        assert_eq!(read(request, "a:logto_refresh_token").await.as_deref(), Some("a:refresh"));
    }

    write(&first, &[("a:first", Some("1")), ("a:logto_id_token", Some("new"))]).await.unwrap();
    write(&second, &[("a:second", Some("2"))]).await.unwrap();

    let next = page(&browser, &vault);
    for (key, value) in
        [("first", "1"), ("second", "2"), ("logto_id_token", "new"), ("logto_refresh_token", "a:refresh")]
    {
        assert_eq!(read(&next, &format!("a:{key}")).await.as_deref(), Some(value));
    }
    assert_eq!(store.calls().iter().filter(|call| **call == "swap").count(), 2);
}
