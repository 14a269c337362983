//! An app that depends on an SDK, and on nothing of ours by name.

use renamed::MemorySession;
use renamed::storage::{Change, LogtoStorage, Result};

#[derive(LogtoStorage)]
#[logto(crate = "renamed::storage", prefix = "app:")]
struct AppStorage<'r> {
    session: &'r MemorySession,
}

async fn sign_in(storage: &impl LogtoStorage) -> Result<Option<String>> {
    storage.renew(&[Change::set("id_token", "eyJ")]).await?;
    storage.get_item("id_token").await
}

#[tokio::test]
async fn an_app_names_only_the_sdk() {
    let session = MemorySession::default();
    let storage = AppStorage { session: &session };
    assert_eq!(sign_in(&storage).await.unwrap().as_deref(), Some("eyJ"));
}
