//! Requests that come too late, with sessions that are saved too late.

use logto_storage_core::{Change, Changes, ErrorKind, SessionHandle};

use super::{Page, page, read, read_with, renew, sign_in, vault, write, write_if};
use crate::Vault;
use crate::tests::test_store::TestStore;
use crate::tests::web::{Browser, SAVINGS};

/// Starts requests that have seen the record alive, and change their sessions as well.
async fn slow_pages(browser: &Browser, vault: &Vault<TestStore>, count: usize) -> Vec<Page> {
    let mut pages = Vec::new();
    for _ in 0..count {
        let page = page(browser, vault);
        assert_eq!(read(&page, "a").await.as_deref(), Some("1"));
        page.session().write(Changes::one(Change::set("flash", "Hello")).deferred()).await.unwrap();
        pages.push(page);
    }
    pages
}

#[tokio::test]
async fn late_save_of_a_session_brings_back_a_dead_ticket_only() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = Browser::new(saving);
        sign_in(&browser, &vault, &[("a", "1")]).await;
        let before = browser.ticket();
        let slow = slow_pages(&browser, &vault, 1).await;
        let sign_out = page(&browser, &vault);
        renew(&sign_out, &[("a", None)]).await.unwrap();
        sign_out.session().end(false);
        assert_eq!(browser.ticket(), None);

        slow[0].session().end(false);

        assert_eq!(browser.ticket(), before, "{saving:?}: the library has saved the whole session");
        assert_eq!(read(&page(&browser, &vault), "a").await, None, "{saving:?}");
    }
}

/// Lets 50 late requests write, and save their sessions. Returns what they got.
async fn write_late(slow: Vec<Page>) -> Vec<Result<(), ErrorKind>> {
    let mut results = Vec::new();
    for (index, page) in slow.into_iter().enumerate() {
        let items = [("a", Some("late")), ("late", Some("late"))];
        results.push(match index % 3 {
            0 => write(&page, &items).await,
            1 => write(&page, &[("a", None)]).await,
            _ => write_if(&page, &[("late", None)], &items).await,
        });
        page.session().end(false);
    }
    results
}

#[tokio::test]
async fn fifty_late_writers_after_a_sign_out_have_come_to_its_end() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = Browser::new(saving);
        sign_in(&browser, &vault, &[("a", "1")]).await;
        let ticket = browser.ticket().unwrap();
        let slow = slow_pages(&browser, &vault, 50).await;
        renew(&page(&browser, &vault), &[("a", None)]).await.unwrap();

        assert_eq!(write_late(slow).await, [Err(ErrorKind::Ended); 50]);

        assert_eq!(browser.ticket().as_ref(), Some(&ticket), "{saving:?}: no other ticket than the dead one");
        for key in ["a", "late"] {
            assert_eq!(read(&page(&browser, &vault), key).await, None, "{saving:?}: {key}");
        }
    }
}

#[tokio::test]
async fn fifty_late_writers_after_a_renewal_have_come_to_its_end() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = Browser::new(saving);
        sign_in(&browser, &vault, &[("a", "1")]).await;
        let slow = slow_pages(&browser, &vault, 50).await;
        let renewal = page(&browser, &vault);
        renew(&renewal, &[("a", Some("2"))]).await.unwrap();
        renewal.session().end(false);
        let ticket = browser.ticket().unwrap();

        assert_eq!(write_late(slow).await, [Err(ErrorKind::Ended); 50]);

        for (key, value) in [("a", Some("2")), ("late", None)] {
            assert_eq!(read_with(&ticket, &vault, key).await.as_deref(), value, "{saving:?}: {key}");
        }
        // The library has saved a dead ticket over the good one: signed out, but not signed in to anything else.
        assert_eq!(read(&page(&browser, &vault), "a").await, None, "{saving:?}");
    }
}

#[tokio::test]
async fn write_whose_first_operation_meets_a_dead_ticket_has_come_to_the_end_of_its_sign_in() {
    for saving in SAVINGS {
        let (store, vault) = vault();
        let browser = Browser::new(saving);
        sign_in(&browser, &vault, &[("a", "1")]).await;
        let late = [page(&browser, &vault), page(&browser, &vault), page(&browser, &vault)];
        renew(&page(&browser, &vault), &[("a", None)]).await.unwrap();
        store.calls();

        assert_eq!(write(&late[0], &[("a", Some("late"))]).await, Err(ErrorKind::Ended));
        // Nor does a second attempt.
        assert_eq!(write(&late[0], &[("a", Some("late"))]).await, Err(ErrorKind::Ended));
        assert_eq!(write(&late[1], &[("a", None)]).await, Err(ErrorKind::Ended));
        assert_eq!(write_if(&late[2], &[("a", None)], &[("a", Some("late"))]).await, Err(ErrorKind::Ended));

        assert!(!store.calls().contains(&"swap"), "{saving:?}: nothing was changed");
    }
}

#[tokio::test]
async fn request_that_has_read_that_nobody_is_signed_in_creates_another_record() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = Browser::new(saving);
        sign_in(&browser, &vault, &[("a", "1")]).await;
        let dead = browser.ticket().unwrap();
        let anew = page(&browser, &vault);
        renew(&page(&browser, &vault), &[("a", None)]).await.unwrap();

        assert_eq!(read(&anew, "a").await, None);
        assert_eq!(write(&anew, &[("a", Some("2"))]).await, Ok(()));
        anew.session().end(false);

        assert_eq!(read(&page(&browser, &vault), "a").await.as_deref(), Some("2"), "{saving:?}");
        assert_eq!(read_with(&dead, &vault, "a").await, None, "{saving:?}");
    }
}

#[tokio::test]
async fn sign_in_by_a_dead_ticket_creates_another_record() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = Browser::new(saving);
        sign_in(&browser, &vault, &[("a", "1"), ("b", "1")]).await;
        let slow = slow_pages(&browser, &vault, 1).await;
        renew(&page(&browser, &vault), &[("a", None), ("b", None)]).await.unwrap();

        // The callback of a sign-in that began before.
        assert_eq!(renew(&slow[0], &[("a", Some("2"))]).await, Ok(()));
        slow[0].session().end(false);

        let next = page(&browser, &vault);
        assert_eq!(read(&next, "a").await.as_deref(), Some("2"), "{saving:?}");
        assert_eq!(read(&next, "b").await, None, "{saving:?}");
    }
}
