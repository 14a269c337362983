//! The session over a vault.

mod conditions;
mod failures;
mod late;
mod lifetimes;
mod migration;
mod prefixes;
mod reads;
mod renewals;
mod secrets;
mod writes;

use std::sync::Arc;

use logto_storage_core::{AllSeen, Change, Changes, ErrorKind, Result, Seen, SessionHandle};

use super::test_store::TestStore;
use super::web::{Browser, Request};
use crate::{Vault, Vaulted};

type Page = Vaulted<Arc<Request>, TestStore>;

/// A store, and a vault in it.
fn vault() -> (TestStore, Vault<TestStore>) {
    let store = TestStore::default();
    (store.clone(), Vault::new(store))
}

/// Starts a request.
fn page(browser: &Browser, vault: &Vault<TestStore>) -> Page {
    Vaulted::new(browser.request(), vault.clone())
}

async fn read(page: &impl SessionHandle, key: &str) -> Option<String> {
    page.read(key.into()).await.unwrap()
}

/// Sets the items to their values, or removes them.
async fn write(page: &impl SessionHandle, items: &[(&str, Option<&str>)]) -> Result<(), ErrorKind> {
    page.write(Changes::all(&changes(items))).await.map_err(|error| error.kind())
}

async fn write_if(
    page: &impl SessionHandle,
    seen: &[(&str, Option<&str>)],
    items: &[(&str, Option<&str>)],
) -> Result<(), ErrorKind> {
    let seen: Vec<_> = seen.iter().map(|(key, value)| Seen::new(key, *value)).collect();
    page.write_if(AllSeen::new(&seen), Changes::all(&changes(items))).await.map_err(|error| error.kind())
}

async fn renew(page: &impl SessionHandle, items: &[(&str, Option<&str>)]) -> Result<(), ErrorKind> {
    page.write(Changes::all(&changes(items)).renewing()).await.map_err(|error| error.kind())
}

fn changes<'a>(items: &[(&'a str, Option<&'a str>)]) -> Vec<Change<'a>> {
    let change = |&(key, value): &(&'a str, Option<&'a str>)| match value {
        Some(value) => Change::set(key, value),
        None => Change::remove(key),
    };
    items.iter().map(change).collect()
}

/// Signs in by a request of its own, with these items in the record.
async fn sign_in(browser: &Browser, vault: &Vault<TestStore>, items: &[(&str, &str)]) {
    let page = page(browser, vault);
    let items: Vec<_> = items.iter().map(|(key, value)| (*key, Some(*value))).collect();
    renew(&page, &items).await.unwrap();
    page.session().end(false);
}

/// What a new request reads that has this ticket.
async fn read_with(ticket: &str, vault: &Vault<TestStore>, key: &str) -> Option<String> {
    let browser = Browser::new(super::web::Saving::Immediate);
    browser.set(crate::ticket::TICKET_KEY, ticket);
    read(&page(&browser, vault), key).await
}
