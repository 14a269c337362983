//! How long a record lives, on a clock that the tests set.

use std::borrow::Cow;
use std::sync::Mutex;
use std::time::Duration;

use logto_storage_core::{Changes, ErrorKind, MemorySession, Result, SessionHandle};
use tokio::time::advance;

use super::{page, read, read_with, renew, sign_in, vault, write};
use crate::store::VaultStore;
use crate::tests::test_store::TestStore;
use crate::tests::web::{Browser, Saving};
use crate::ticket::Ticket;
use crate::{Vault, Vaulted};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PENDING: &str = "tenant:logto_sign_in_session";

/// How long the record of the browser's ticket lives on.
async fn remaining(store: &TestStore, browser: &Browser) -> Option<Duration> {
    let ticket = Ticket::parse_list(&browser.ticket().unwrap())[0];
    store.read(ticket.id(), None).await.unwrap().remaining
}

#[tokio::test(start_paused = true)]
async fn record_of_pending_sign_ins_lives_for_an_hour_and_that_of_a_sign_in_for_two_weeks() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    write(&page(&browser, &vault), &[(PENDING, Some("1"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(HOUR));
    advance(10 * MINUTE).await;
    write(&page(&browser, &vault), &[(PENDING, Some("2")), ("other", None)]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(HOUR), "another pending sign-in");

    renew(&page(&browser, &vault), &[(PENDING, None), ("logto_id_token", Some("1"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(14 * DAY));

    // From now on it lives as long, whatever is written.
    advance(DAY).await;
    write(&page(&browser, &vault), &[(PENDING, Some("3"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(14 * DAY));
}

#[tokio::test(start_paused = true)]
async fn sign_in_without_a_renewal_gives_a_record_its_lifetime() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    write(&page(&browser, &vault), &[(PENDING, Some("1"))]).await.unwrap();

    write(&page(&browser, &vault), &[("logto_id_token", Some("1"))]).await.unwrap();

    assert_eq!(remaining(&store, &browser).await, Some(14 * DAY));
    advance(DAY).await;
    write(&page(&browser, &vault), &[(PENDING, Some("2"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(14 * DAY));
}

#[tokio::test(start_paused = true)]
async fn sign_in_that_is_moved_beside_a_pending_one_keeps_its_lifetime() {
    for (item, lifetime) in [("tenant:logto_id_token", 14 * DAY), ("tenant:logto_access_token_map", HOUR)] {
        let (store, vault) = vault();
        let browser = Browser::new(Saving::Immediate);
        browser.set(item, "1");

        write(&page(&browser, &vault), &[(PENDING, Some("1"))]).await.unwrap();

        assert_eq!(remaining(&store, &browser).await, Some(lifetime), "{item}");
    }
}

/// A session that notes for how long it may live.
#[derive(Default)]
struct Noting {
    session: MemorySession,
    lifetimes: Mutex<Vec<Option<Duration>>>,
}

impl SessionHandle for Noting {
    async fn read(&self, key: Cow<'_, str>) -> Result<Option<String>> {
        self.session.read(key).await
    }

    async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
        self.lifetimes.lock().unwrap().push(changes.lifetime());
        self.session.write(changes).await
    }
}

#[tokio::test]
async fn session_of_a_pending_sign_in_may_expire_after_an_hour() {
    let (_, vault) = vault();
    for (key, lifetime) in [(PENDING, Some(HOUR)), ("logto_id_token", None)] {
        let session = Noting::default();
        write(&Vaulted::new(&session, vault.clone()), &[(key, Some("1"))]).await.unwrap();
        assert_eq!(*session.lifetimes.lock().unwrap(), [lifetime], "{key}");
    }
}

#[tokio::test(start_paused = true)]
async fn write_of_anything_else_makes_a_pending_record_last() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    write(&page(&browser, &vault), &[(PENDING, Some("1"))]).await.unwrap();
    let started_before = page(&browser, &vault);
    assert_eq!(read(&started_before, PENDING).await.as_deref(), Some("1"));

    write(&page(&browser, &vault), &[("cart", Some("1"))]).await.unwrap();

    assert_eq!(remaining(&store, &browser).await, Some(14 * DAY));
    // The ticket is the same, so nobody is late.
    write(&started_before, &[("other", Some("2"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(14 * DAY));
    for (key, value) in [(PENDING, "1"), ("cart", "1"), ("other", "2")] {
        assert_eq!(read(&page(&browser, &vault), key).await.as_deref(), Some(value));
    }
}

#[tokio::test(start_paused = true)]
async fn record_that_is_created_with_more_than_pending_sign_ins_lasts() {
    for items in [&[("cart", Some("1"))][..], &[(PENDING, Some("1")), ("cart", Some("1"))]] {
        let (store, vault) = vault();
        let browser = Browser::new(Saving::Immediate);
        write(&page(&browser, &vault), items).await.unwrap();
        assert_eq!(remaining(&store, &browser).await, Some(14 * DAY));
    }
}

#[tokio::test(start_paused = true)]
async fn configured_lifetime_is_that_of_sign_ins_only() {
    let store = TestStore::default();
    let vault = Vault::new(store.clone()).lifetime(3 * DAY);
    let browser = Browser::new(Saving::Immediate);
    write(&page(&browser, &vault), &[(PENDING, Some("1"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(HOUR));
    sign_in(&browser, &vault, &[("a", "1")]).await;
    assert_eq!(remaining(&store, &browser).await, Some(3 * DAY));
}

#[tokio::test(start_paused = true)]
async fn read_in_the_last_half_of_its_life_extends_a_record() {
    for (key, lifetime) in [(PENDING, HOUR), ("logto_id_token", 14 * DAY)] {
        let (store, vault) = vault();
        let browser = Browser::new(Saving::Immediate);
        write(&page(&browser, &vault), &[(key, Some("1"))]).await.unwrap();

        advance(lifetime / 2).await;
        store.calls();
        assert_eq!(read(&page(&browser, &vault), key).await.as_deref(), Some("1"));
        assert_eq!(store.calls(), ["read"], "{key}: not yet");
        assert_eq!(remaining(&store, &browser).await, Some(lifetime / 2), "{key}");

        advance(MINUTE).await;
        let request = page(&browser, &vault);
        assert_eq!(read(&request, key).await.as_deref(), Some("1"));
        assert_eq!(remaining(&store, &browser).await, Some(lifetime), "{key}");
        // The request goes on as if it had only read.
        assert_eq!(write(&request, &[(key, Some("2"))]).await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn write_extends_a_record_and_never_shortens_it_but_a_renewal_sets_its_lifetime() {
    let store = TestStore::default();
    let long = Vault::new(store.clone()).lifetime(30 * DAY);
    let short = Vault::new(store.clone()).lifetime(DAY);
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &long, &[("a", "1")]).await;

    advance(MINUTE).await;
    write(&page(&browser, &long), &[("a", Some("2"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(30 * DAY));
    write(&page(&browser, &short), &[("a", Some("3"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(30 * DAY));

    renew(&page(&browser, &short), &[("a", Some("4"))]).await.unwrap();
    assert_eq!(remaining(&store, &browser).await, Some(DAY));
}

#[tokio::test(start_paused = true)]
async fn end_of_a_record_is_remembered_for_an_hour() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let ticket = Ticket::parse_list(&browser.ticket().unwrap())[0];

    renew(&page(&browser, &vault), &[("a", None)]).await.unwrap();

    assert_eq!(store.read(ticket.id(), None).await.unwrap().remaining, Some(HOUR));
}

#[tokio::test(start_paused = true)]
async fn expired_record_is_as_one_that_has_ended() {
    let (_, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a", "1")]).await;
    let seen_alive = page(&browser, &vault);
    assert_eq!(read(&seen_alive, "a").await.as_deref(), Some("1"));

    advance(14 * DAY).await;

    assert_eq!(read(&page(&browser, &vault), "a").await, None);
    assert_eq!(write(&seen_alive, &[("a", Some("2"))]).await, Err(ErrorKind::Ended));
    assert_eq!(read_with(&browser.ticket().unwrap(), &vault, "a").await, None);
}
