//! Writes, and requests that come too late.

use logto_storage_core::ErrorKind;

use super::{page, read, read_with, renew, sign_in, vault, write, write_if};
use crate::tests::test_store::Fault;
use crate::tests::web::{Browser, Saving};

#[tokio::test]
async fn failed_write_is_not_applied_after_the_item_was_removed_though_it_was_missing() {
    let (store, vault) = vault();
    let browser = Browser::new(Saving::AtOnce);
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
