//! How often a page reads the store.

use logto_storage_core::SessionHandle;

use super::{page, read, renew, sign_in, vault, write};
use crate::tests::test_store::Fault;
use crate::tests::web::{Browser, Saving};

const ITEMS: [(&str, &str); 3] = [("logto_id_token", "1"), ("logto_refresh_token", "2"), ("other", "3")];

#[tokio::test]
async fn page_reads_the_store_once_for_both_tokens_and_again_after_a_reload() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &ITEMS).await;
    let request = page(&browser, &vault);
    store.calls();

    for _ in 0..2 {
        for _ in 0..2 {
            assert_eq!(read(&request, "logto_id_token").await.as_deref(), Some("1"));
            assert_eq!(read(&request, "logto_refresh_token").await.as_deref(), Some("2"));
        }
        assert_eq!(store.calls(), ["read"]);
        assert!(request.reload().await.unwrap());
    }
}

#[tokio::test]
async fn tokens_with_a_prefix_are_read_at_once_as_well() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &[("a:logto_id_token", "1"), ("a:logto_refresh_token", "2")]).await;
    let request = page(&browser, &vault);
    store.calls();

    assert_eq!(read(&request, "a:logto_id_token").await.as_deref(), Some("1"));
    assert_eq!(read(&request, "a:logto_refresh_token").await.as_deref(), Some("2"));

    assert_eq!(store.calls(), ["read"]);
}

#[tokio::test]
async fn other_item_is_read_once_whether_it_is_there_or_not() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &ITEMS).await;
    let request = page(&browser, &vault);
    read(&request, "logto_id_token").await;
    store.calls();

    for _ in 0..2 {
        assert_eq!(read(&request, "other").await.as_deref(), Some("3"));
        assert_eq!(read(&request, "missing").await, None);
    }

    assert_eq!(store.calls(), ["read", "read"]);
}

#[tokio::test]
async fn session_without_a_ticket_reads_and_removes_without_the_store() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    let request = page(&browser, &vault);

    assert_eq!(read(&request, "logto_id_token").await, None);
    write(&request, &[("logto_id_token", None)]).await.unwrap();
    renew(&request, &[("logto_id_token", None)]).await.unwrap();

    assert!(store.calls().is_empty());
}

#[tokio::test]
async fn dead_ticket_is_read_once() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::AtEnd);
    sign_in(&browser, &vault, &ITEMS).await;
    let request = page(&browser, &vault);
    renew(&page(&browser, &vault), &ITEMS.map(|(key, _)| (key, None))).await.unwrap();
    store.calls();

    for (key, _) in ITEMS {
        assert_eq!(read(&request, key).await, None);
    }

    assert_eq!(store.calls(), ["read"]);
}

#[tokio::test]
async fn what_a_request_has_written_it_reads_without_the_store() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &ITEMS).await;
    let request = page(&browser, &vault);
    let reads = async || [read(&request, "other").await, read(&request, "logto_id_token").await];
    read(&request, "logto_id_token").await;
    store.calls();

    write(&request, &[("other", Some("4")), ("logto_id_token", None)]).await.unwrap();
    assert_eq!(store.calls(), ["read", "swap"], "the read for the version of the other item");
    assert_eq!(reads().await, [Some("4".to_owned()), None]);

    // Since a renewal writes all items, it reads all of them.
    renew(&request, &[("other", Some("5"))]).await.unwrap();
    assert_eq!(store.calls(), ["read", "swap"]);
    assert_eq!(reads().await, [Some("5".to_owned()), None]);
    assert!(store.calls().is_empty());
}

#[tokio::test]
async fn failed_read_is_not_taken_for_a_record_without_items() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::Immediate);
    sign_in(&browser, &vault, &ITEMS).await;
    let request = page(&browser, &vault);
    store.calls();
    store.fail(0, Fault::RequestLost);

    let error = request.read("other".into()).await.unwrap_err();

    assert_eq!(error.to_string(), r#"cannot get "other": the session failed"#);
    assert_eq!(read(&request, "other").await.as_deref(), Some("3"));
}
