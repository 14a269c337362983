//! Renewals, and what goes on at the same time.

use std::sync::{Arc, Mutex};

use logto_storage_core::{ErrorKind, MemorySession, SessionHandle};

use super::{page, read, read_with, renew, sign_in, vault, write};
use crate::tests::test_store::{Fault, TestStore};
use crate::tests::web::{Browser, SAVINGS, Saving};
use crate::{Vault, Vaulted};

#[tokio::test]
async fn sign_out_keeps_what_another_request_has_written_since_this_one_has_signed_in() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    let request = page(&browser, &vault);
    renew(&request, &[("a", Some("1"))]).await.unwrap();
    write(&page(&browser, &vault), &[("b", Some("2"))]).await.unwrap();

    renew(&request, &[("a", None)]).await.unwrap();

    assert_eq!(read(&page(&browser, &vault), "b").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn renewal_keeps_what_another_request_writes_between_its_read_and_its_swap() {
    for saving in SAVINGS {
        let (store, vault) = vault();
        let browser = Browser::new(saving);
        sign_in(&browser, &vault, &[("a", "1"), ("b", "1"), ("c", "1")]).await;
        let (renewal, other) = (page(&browser, &vault), page(&browser, &vault));
        store.calls();
        store.before_change(0, async move {
            write(&other, &[("b", Some("2")), ("c", None), ("d", Some("2"))]).await.unwrap();
        });

        renew(&renewal, &[("a", Some("3"))]).await.unwrap();
        renewal.session().end(false);

        let next = page(&browser, &vault);
        for (key, value) in [("a", Some("3")), ("b", Some("2")), ("c", None), ("d", Some("2"))] {
            assert_eq!(read(&next, key).await.as_deref(), value, "{saving:?}: {key}");
        }
    }
}

#[tokio::test]
async fn session_has_one_ticket_of_43_characters_after_a_renewal() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = Browser::new(saving);
        let mut tickets = Vec::new();
        for value in ["1", "2", "3"] {
            sign_in(&browser, &vault, &[("a", value)]).await;
            tickets.push(browser.ticket().unwrap());
        }
        assert_eq!([43; 3], [0, 1, 2].map(|index| tickets[index].len()), "{saving:?}");
        for (ticket, value) in tickets.iter().zip([None, None, Some("3")]) {
            assert_eq!(read_with(ticket, &vault, "a").await.as_deref(), value, "{saving:?}");
        }
    }
}

#[tokio::test]
async fn sign_out_keeps_what_another_tenant_has_signed_in_between_its_read_and_its_end() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let (sign_out, other) = (page(&browser, &vault), Arc::new(page(&browser, &vault)));
    let first = Arc::clone(&other);
    store.calls();
    store.before_change(0, async move { renew(&first, &[("b", Some("2"))]).await.unwrap() });

    // Its ticket is dead: the other tenant's sign-in has replaced it.
    assert_eq!(renew(&sign_out, &[("a", None)]).await, Ok(()));

    let ticket = other.session().tickets().last().unwrap().text.clone().unwrap();
    assert_eq!(read_with(&ticket, &vault, "b").await.as_deref(), Some("2"));
}

/// Lets a renewal fail whose request is still on its way. Returns the tickets in the session: a new one, which nobody can
/// use yet, and the old one.
async fn delayed_renewal(browser: &Browser, store: &TestStore, vault: &Vault<TestStore>) -> String {
    sign_in(browser, vault, &[("a", "1"), ("b", "2")]).await;
    store.calls();
    store.fail(1, Fault::Late);
    assert_eq!(renew(&page(browser, vault), &[("a", Some("3"))]).await, Err(ErrorKind::Session));
    store.calls();
    let announced = browser.ticket().unwrap();
    assert_eq!(read_with(&announced, vault, "a").await.as_deref(), Some("1"));
    store.calls();
    announced
}

#[tokio::test]
async fn sign_out_kills_the_ticket_of_a_delayed_renewal_whenever_that_arrives() {
    for arrives_before in 0..3 {
        let (store, vault) = vault();
        let browser = Browser::new(Saving::Immediate);
        let announced = delayed_renewal(&browser, &store, &vault).await;
        let late = store.clone();
        store.before_change(arrives_before, async move { drop(late.deliver_late().await) });

        assert_eq!(renew(&page(&browser, &vault), &[("a", None)]).await, Ok(()));
        store.deliver_late().await;

        assert_eq!(read_with(&announced, &vault, "b").await, None, "{arrives_before}");
        assert_eq!(read(&page(&browser, &vault), "b").await.as_deref(), Some("2"), "{arrives_before}");
    }
}

#[tokio::test]
async fn tickets_of_failed_renewals_stay_in_the_session_until_one_succeeds() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    let announced = delayed_renewal(&browser, &store, &vault).await;
    store.fail(1, Fault::RequestLost);
    assert_eq!(renew(&page(&browser, &vault), &[("a", Some("4"))]).await, Err(ErrorKind::Session));
    store.calls();

    store.deliver_late().await;
    assert_eq!(read(&page(&browser, &vault), "a").await.as_deref(), Some("3"));
    assert_eq!(renew(&page(&browser, &vault), &[("a", None)]).await, Ok(()));

    assert_eq!(read_with(&announced, &vault, "b").await, None);
    assert_eq!(read(&page(&browser, &vault), "b").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn sign_in_renews_the_record_that_another_request_has_left_in_a_shared_session() {
    let (store, vault) = vault();
    let session = MemorySession::default();
    let page = || Vaulted::new(session.clone(), vault.clone());
    renew(&page(), &[("a", Some("1"))]).await.unwrap();
    store.calls();
    let (sign_out, sign_in) = (page(), page());
    store.before_change(0, async move {
        renew(&sign_out, &[("a", None)]).await.unwrap();
        renew(&sign_in, &[("a", Some("2")), ("b", Some("2"))]).await.unwrap();
    });

    assert_eq!(renew(&page(), &[("a", Some("3"))]).await, Ok(()));

    assert_eq!(read(&page(), "a").await.as_deref(), Some("3"));
    assert_eq!(read(&page(), "b").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn late_request_does_not_write_to_the_record_of_a_later_sign_in_in_a_shared_session() {
    let (_, vault) = vault();
    let session = MemorySession::default();
    let page = || Vaulted::new(session.clone(), vault.clone());
    renew(&page(), &[("a", Some("1"))]).await.unwrap();
    let (writer, reader) = (page(), page());
    for late in [&writer, &reader] {
        assert_eq!(read(late, "a").await.as_deref(), Some("1"));
    }
    renew(&page(), &[("a", None)]).await.unwrap();
    renew(&page(), &[("a", Some("2"))]).await.unwrap();

    assert_eq!(write(&writer, &[("a", Some("3"))]).await, Err(ErrorKind::Ended));
    assert!(reader.reload().await.unwrap());
    assert_eq!(read(&reader, "a").await, None);
    assert_eq!(read(&page(), "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn request_that_has_both_tickets_goes_on_after_the_renewal() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1"), ("b", "2")]).await;
    store.calls();
    let (started, started_browser, started_vault) = (Arc::new(Mutex::new(None)), browser.clone(), vault.clone());
    let slot = Arc::clone(&started);
    store.before_change(0, async move {
        let page = page(&started_browser, &started_vault);
        assert_eq!(read(&page, "a").await.as_deref(), Some("1"));
        *slot.lock().unwrap() = Some(page);
    });
    renew(&page(&browser, &vault), &[("a", Some("3"))]).await.unwrap();

    let page = started.lock().unwrap().take().unwrap();
    assert_eq!(read(&page, "b").await.as_deref(), Some("2"));
    assert_eq!(write(&page, &[("b", Some("4"))]).await, Ok(()));
}
