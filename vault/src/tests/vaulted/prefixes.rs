//! Derived storages, and those of several tenants that share a record.

use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::{Change, ErrorKind, LogtoStorage, Seen};

use super::{Page, page, read_with, vault};
use crate::store::{GUARD, VaultStore};
use crate::tests::test_store::TestStore;
use crate::tests::web::{Browser, Request, SAVINGS, Saving};
use crate::ticket::Ticket;
use crate::{BoxVault, MemoryVault, Vault, Vaulted};

const HOUR: Duration = Duration::from_secs(3600);

#[derive(LogtoStorage)]
#[logto(max_len = 10)]
struct Tenant<'r> {
    #[logto(session)]
    session: &'r Page,
    #[logto(prefix)]
    prefix: &'static str,
}

#[derive(LogtoStorage)]
#[logto(prefix = "boxed:", save = "deferred")]
struct Boxed {
    session: Vaulted<Arc<Request>, BoxVault>,
}

fn tenants(session: &Page) -> [Tenant<'_>; 2] {
    ["a:", "b:"].map(|prefix| Tenant { session, prefix })
}

#[tokio::test]
async fn derived_storage_works_as_over_any_session() {
    for saving in SAVINGS {
        let (_, vault) = vault();
        let browser = Browser::new(saving);
        let session = page(&browser, &vault);
        let [storage, _] = tenants(&session);

        storage.apply_expiring(&[Change::set("x", "1")], HOUR).await.unwrap();
        storage.set_item("y", "2").await.unwrap();
        storage.apply(&[Change::set("z", "3"), Change::remove("y")]).await.unwrap();
        storage.apply_if(&[Seen::new("z", Some("3")), Seen::new("y", None)], &[Change::set("y", "4")]).await.unwrap();
        storage.check_renewal().unwrap();
        storage.renew(&[Change::set("v", "5")]).await.unwrap();
        storage.remove_item("x").await.unwrap();
        assert!(storage.reload().await.unwrap());
        session.session().end(false);

        let session = page(&browser, &vault);
        let [storage, other] = tenants(&session);
        for (key, value) in [("v", Some("5")), ("x", None), ("y", Some("4")), ("z", Some("3"))] {
            assert_eq!(storage.get_item(key).await.unwrap().as_deref(), value, "{saving:?}: {key}");
            assert_eq!(other.get_item(key).await.unwrap(), None, "{saving:?}: {key}");
        }
    }
}

#[tokio::test]
async fn deferred_storage_over_a_boxed_store_has_stored_what_it_returns_ok_for() {
    let vault = Vault::new(BoxVault::new(MemoryVault::default()));
    let browser = Browser::new(Saving::Immediate);
    let storage = || Boxed { session: Vaulted::new(browser.request(), vault.clone()) };
    let first = storage();
    first.set_item("x", "1").await.unwrap();
    // The ticket is not saved yet: only that is deferred.
    assert_eq!(browser.ticket(), None);
    first.session.session().end(false);

    let failing = storage();
    failing.set_item("x", "2").await.unwrap();

    assert_eq!(storage().get_item("x").await.unwrap().as_deref(), Some("2"));
}

#[tokio::test]
async fn value_over_the_limit_is_refused_before_anything_is_written() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    let session = page(&browser, &vault);
    let [storage, _] = tenants(&session);

    let error = storage.apply(&[Change::set("x", "1"), Change::set("y", "12345678901")]).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::TooLarge { len: 11, max_len: 10 });
    assert_eq!(error.key(), Some("a:y"));
    assert!(store.calls().is_empty() && browser.ticket().is_none());
}

/// The names of the fields of the record that the ticket is for.
async fn fields(store: &TestStore, ticket: &str) -> Vec<String> {
    let ticket = Ticket::parse_list(ticket)[0];
    store.read(ticket.id(), None).await.unwrap().fields.into_keys().collect()
}

#[tokio::test]
async fn sign_out_of_one_tenant_keeps_the_items_of_the_other_and_kills_old_tickets() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    let session = page(&browser, &vault);
    let [a, b] = tenants(&session);
    a.renew(&[Change::set("id", "of a"), Change::set("refresh", "of a")]).await.unwrap();
    b.renew(&[Change::set("id", "of b")]).await.unwrap();
    session.session().end(false);
    let old = browser.ticket().unwrap();
    assert_eq!(fields(&store, &old).await.len(), 4, "both are in one record");

    let session = page(&browser, &vault);
    let [a, _] = tenants(&session);
    a.renew(&[Change::remove("id"), Change::remove("refresh")]).await.unwrap();
    session.session().end(false);

    let session = page(&browser, &vault);
    let [a, b] = tenants(&session);
    assert_eq!(a.get_item("id").await.unwrap(), None);
    assert_eq!(b.get_item("id").await.unwrap().as_deref(), Some("of b"));
    assert_eq!(read_with(&old, &vault, "b:id").await, None, "the old ticket");
    assert_eq!(fields(&store, &browser.ticket().unwrap()).await.len(), 2, "nothing is left of the removed items");
}

#[tokio::test]
async fn sign_out_of_the_last_tenant_ends_the_record() {
    for saving in SAVINGS {
        let (store, vault) = vault();
        let browser = Browser::new(saving);
        let session = page(&browser, &vault);
        let [a, b] = tenants(&session);
        a.renew(&[Change::set("id", "of a")]).await.unwrap();
        b.set_item("id", "of b").await.unwrap();
        // A removed item does not keep a record alive.
        b.remove_item("id").await.unwrap();
        session.session().end(false);
        let ticket = browser.ticket().unwrap();

        let session = page(&browser, &vault);
        store.calls();
        tenants(&session)[0].renew(&[Change::remove("id")]).await.unwrap();
        assert_eq!(store.calls(), ["read", "end"]);
        session.session().end(false);

        assert_eq!(browser.ticket(), None, "{saving:?}");
        assert_eq!(fields(&store, &ticket).await, [GUARD], "{saving:?}: the marker");
        assert_eq!(read_with(&ticket, &vault, "a:id").await, None, "{saving:?}");
    }
}
