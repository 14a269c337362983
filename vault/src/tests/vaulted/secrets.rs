//! Application keys, and what is printed.

use std::error::Error as _;
use std::time::Duration;

use logto_storage_core::{Change, Changes, SessionHandle};

use super::{page, read, renew, sign_in, vault};
use crate::tests::test_store::{Fault, TestStore};
use crate::tests::web::{Browser, Saving};
use crate::ticket::Ticket;
use crate::{MemoryVault, Vault, Vaulted};

const OLD: &str = "an old application key of 32 bytes, or more";
const NEW: &str = "a new application key of 32 bytes, or more";

#[tokio::test]
async fn record_opens_with_every_application_key_and_is_sealed_with_the_first_at_the_next_write() {
    let store = TestStore::default();
    let with = |keys: &[&str]| Vault::new(store.clone()).application_keys(keys.iter().copied()).unwrap();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &with(&[OLD]), &[("a", "1")]).await;
    let reads = async |keys: &[&str]| read(&page(&browser, &with(keys)), "a").await.is_some();
    assert_eq!([reads(&[OLD]).await, reads(&[OLD, NEW]).await, reads(&[NEW, OLD]).await], [true; 3]);
    assert_eq!([reads(&[NEW]).await, reads(&[]).await], [false; 2]);

    // Another request, which has read the record by then, can still write.
    let other = page(&browser, &with(&[OLD, NEW]));
    assert_eq!(read(&other, "a").await.as_deref(), Some("1"));
    let request = page(&browser, &with(&[NEW, OLD]));
    super::write(&request, &[("a", Some("2"))]).await.unwrap();
    assert_eq!([reads(&[OLD]).await, reads(&[NEW]).await, reads(&[OLD, NEW]).await], [false, true, true]);
    store.calls();
    super::write(&request, &[("a", Some("3"))]).await.unwrap();
    assert_eq!(store.calls().len(), 1, "the request knows the guard that it has written");
    super::write(&other, &[("b", Some("4"))]).await.unwrap();
    assert_eq!([reads(&[OLD]).await, reads(&[NEW]).await], [true, false], "sealed with the first key of this process");

    renew(&page(&browser, &with(&[NEW, OLD])), &[("a", Some("5"))]).await.unwrap();
    assert_eq!([reads(&[OLD]).await, reads(&[NEW]).await, reads(&[OLD, NEW]).await], [false, true, true]);
}

#[tokio::test]
async fn a_read_that_extends_the_lifetime_seals_the_record_with_the_first_application_key() {
    let store = TestStore::default();
    let lifetime = Duration::from_secs(1_000);
    let with = |keys: &[&str], lifetime| {
        Vault::new(store.clone()).application_keys(keys.iter().copied()).unwrap().lifetime(lifetime)
    };
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &with(&[OLD], lifetime), &[("a", "1")]).await;

    let opens_with_new = async || read(&page(&browser, &with(&[NEW], lifetime)), "a").await.is_some();
    read(&page(&browser, &with(&[NEW, OLD], lifetime)), "a").await.unwrap();
    assert!(!opens_with_new().await, "more than half of the lifetime is left");
    let request = page(&browser, &with(&[NEW, OLD], 3 * lifetime));
    read(&request, "a").await.unwrap();

    assert!(opens_with_new().await);
    store.calls();
    super::write(&request, &[("a", Some("2"))]).await.unwrap();
    assert_eq!(store.calls().len(), 1, "the request knows the guard that it has written");
}

#[test]
fn application_key_of_fewer_than_32_bytes_is_refused() {
    let vault = || Vault::new(MemoryVault::default());
    assert!(vault().application_keys(["12345678901234567890123456789012"]).is_ok());
    assert!(vault().application_keys([[0; 32], [1; 32]]).is_ok());

    let short = "1234567890123456789012345678901";
    let error = vault().application_keys([OLD, short]).unwrap_err();

    assert_eq!(error.to_string(), "the application key at index 1 has 31 bytes: use at least 32 random bytes");
    assert_eq!(format!("{error:?}"), "InvalidApplicationKey { index: 1, len: 31 }");
    assert!(vault().application_keys([""]).is_err());
}

#[tokio::test]
async fn debug_output_has_no_ticket_value_or_key() {
    let vault = Vault::new(MemoryVault::default()).application_keys([NEW, OLD]).unwrap();
    let browser = Browser::new(Saving::Immediate);
    let session = Vaulted::new(browser.request(), vault.clone());
    session.write(Changes::one(Change::set("logto_id_token", "hunter2")).renewing()).await.unwrap();
    assert_eq!(read(&session, "logto_id_token").await.as_deref(), Some("hunter2"));

    // Exactly this: it has what helps, and nothing else.
    let vault = "Vault { store: MemoryVault { records: 1 }, keys: ApplicationKeys(2 keys), lifetime: 1209600s }";
    assert_eq!(format!("{session:?}"), format!("Vaulted {{ vault: {vault}, .. }}"));
    let ticket = Ticket::parse_list(&browser.ticket().unwrap())[0];
    assert_eq!(format!("{ticket:?}"), format!("Ticket {{ id: {:?}, .. }}", ticket.id()));
}

#[tokio::test]
async fn errors_have_the_key_and_the_cause_but_no_ticket_or_value() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("logto_id_token", "hunter2")]).await;
    let request = page(&browser, &vault);
    let change = Changes::one(Change::set("logto_id_token", "hunter3"));
    store.calls();
    store.fail(1, Fault::RequestLost);

    let failed = request.write(change).await.unwrap_err();
    renew(&page(&browser, &vault), &[("logto_id_token", None)]).await.unwrap();
    let ended = request.write(change).await.unwrap_err();

    assert_eq!(
        format!("{failed:?}"),
        r#"Error { operation: Some(Set), key: Some("logto_id_token"), cause: Session(StoreError("no response")) }"#
    );
    assert_eq!(failed.to_string(), r#"cannot set "logto_id_token": the session failed"#);
    assert_eq!(failed.source().unwrap().to_string(), "the vault's store failed");
    assert_eq!(format!("{ended:?}"), "Error { operation: Some(Set), key: None, cause: Ended }");
    assert_eq!(ended.to_string(), "cannot set: the sign-in has ended");
}
