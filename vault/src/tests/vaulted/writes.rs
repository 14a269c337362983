//! Writes, and requests that come too late.

use logto_storage_core::ErrorKind;

use super::{page, read, read_with, renew, sign_in, vault, write, write_if};
use crate::tests::test_store::Fault;
use crate::tests::web::{Browser, Saving};

#[tokio::test]
async fn last_change_of_an_item_counts() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    for _ in 0..2 {
        // The first time, it creates the record.
        let changes = [("a", Some("1")), ("b", None), ("a", None), ("b", Some("2")), ("a", Some("3"))];
        write(&page(&browser, &vault), &changes).await.unwrap();
        assert_eq!(read(&page(&browser, &vault), "a").await.as_deref(), Some("3"));
        assert_eq!(read(&page(&browser, &vault), "b").await.as_deref(), Some("2"));
    }
}

#[tokio::test]
async fn failed_write_is_not_applied_after_the_item_was_removed_though_it_was_missing() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let (first, second) = (page(&browser, &vault), page(&browser, &vault));
    store.calls();

    store.fail(1, Fault::Late);
    assert_eq!(write(&first, &[("b", Some("2"))]).await, Err(ErrorKind::Session));
    assert_eq!(write(&second, &[("b", None)]).await, Ok(()));
    store.deliver_late().await;

    assert_eq!(read(&page(&browser, &vault), "b").await, None);
}

#[tokio::test]
async fn removal_by_a_request_whose_ticket_is_dead_is_refused_and_leaves_the_session_alone() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1"), ("b", "2")]).await;
    let (late, reader) = (page(&browser, &vault), page(&browser, &vault));
    let renewal = page(&browser, &vault);
    renew(&renewal, &[("a", Some("3"))]).await.unwrap();
    renewal.session().end(false);

    assert_eq!(write(&late, &[("b", None)]).await, Err(ErrorKind::Ended));
    // One that has read nothing has nothing to remove.
    assert_eq!(read(&reader, "b").await, None);
    assert_eq!(write(&reader, &[("b", None)]).await, Ok(()));
    late.session().end(false);
    reader.session().end(false);

    assert_eq!(read(&page(&browser, &vault), "b").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn condition_is_compared_with_what_is_there_now() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let (stale, other) = (page(&browser, &vault), page(&browser, &vault));
    assert_eq!(read(&stale, "a").await.as_deref(), Some("1"));
    write(&other, &[("a", Some("2"))]).await.unwrap();

    // What another request has told.
    assert_eq!(write_if(&stale, &[("a", Some("2"))], &[("a", Some("3"))]).await, Ok(()));

    assert_eq!(read(&page(&browser, &vault), "a").await.as_deref(), Some("3"));
}

#[tokio::test]
async fn request_whose_record_has_ended_reads_nothing_from_the_session() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::AtEnd);
    // From before the vault was introduced, of a prefix that was not written since.
    browser.set("tenant:logto_id_token", "old");
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let (late, sign_out) = (page(&browser, &vault), page(&browser, &vault));
    assert_eq!(read(&late, "a").await.as_deref(), Some("1"));
    renew(&sign_out, &[("a", None)]).await.unwrap();

    assert_eq!(read(&late, "tenant:logto_id_token").await, None);
}

#[tokio::test]
async fn sign_out_by_a_dead_ticket_removes_it_from_the_session_and_lets_the_request_begin_anew() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let (late, sign_out) = (page(&browser, &vault), page(&browser, &vault));
    assert_eq!(read(&late, "a").await.as_deref(), Some("1"));
    renew(&sign_out, &[("a", None)]).await.unwrap();

    assert_eq!(renew(&late, &[("a", None)]).await, Ok(()));
    assert_eq!(browser.ticket(), None);
    assert_eq!(write(&late, &[("b", Some("2"))]).await, Ok(()));

    assert_eq!(read_with(&browser.ticket().unwrap(), &vault, "b").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn request_that_has_read_that_nobody_is_signed_in_may_try_again_to_begin_anew() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::AtEnd);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let request = page(&browser, &vault);
    renew(&page(&browser, &vault), &[("a", None)]).await.unwrap();
    assert_eq!(read(&request, "a").await, None);
    store.calls();

    store.fail(0, Fault::RequestLost);
    assert_eq!(write(&request, &[("a", Some("2"))]).await, Err(ErrorKind::Session));
    assert_eq!(write(&request, &[("a", Some("2"))]).await, Ok(()));
    request.session().end(false);

    assert_eq!(read(&page(&browser, &vault), "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn condition_on_an_item_in_the_session_is_compared_after_a_reload() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    browser.set("logto_refresh_token", "1");
    let request = page(&browser, &vault);
    assert_eq!(read(&request, "logto_refresh_token").await.as_deref(), Some("1"));
    // A process without a vault rotates the token.
    browser.set("logto_refresh_token", "2");

    let seen = [("logto_refresh_token", Some("1"))];
    assert_eq!(write_if(&request, &seen, &[("lease", Some("mine"))]).await, Err(ErrorKind::Conflict));
}
