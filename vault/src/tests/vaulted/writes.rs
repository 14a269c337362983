//! Writes, and requests that come too late.

use logto_storage_core::ErrorKind;

use super::{page, read, read_with, renew, sign_in, vault, write, write_if};
use crate::tests::test_store::Fault;
use crate::tests::web::{Browser, Saving};

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
