//! Storages that compare items. That a comparison fails is no failure of the store, and the other way round.

use std::collections::VecDeque;
use std::sync::Mutex;

use fake_provider::{API, APP_ID, APP_SECRET, FakeProvider, REDIRECT_URI, Reply};

use crate::session::items;
use crate::storage::{self, Change, ErrorKind, Result, Seen};
use crate::{AccessToken, Error, LogtoClient, LogtoConfig, LogtoStorage, MemorySession, SignInOptions, TokenTarget};

#[derive(Default, LogtoStorage)]
#[logto(crate = "crate::storage")]
struct Memory(MemorySession);

/// A session in memory that its requests share, and whose conditional changes can fail.
#[derive(Default)]
struct Comparing {
    items: Memory,
    /// The errors of the next conditional changes. `None` is none.
    errors: Mutex<VecDeque<Option<storage::Error>>>,
}

impl LogtoStorage for Comparing {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        self.items.get_item(key).await
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.items.set_item(key, value).await
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.items.remove_item(key).await
    }

    async fn apply_if<'a>(&'a self, seen: &'a [Seen<'a>], changes: &'a [Change<'a>]) -> Result<()> {
        let error = self.errors.lock().unwrap().pop_front().flatten();
        assert!(!seen.is_empty(), "a condition");
        match error {
            Some(error) => Err(error),
            None => self.items.apply_if(seen, changes).await,
        }
    }

    async fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.items.renew(changes).await
    }

    fn check_renewal(&self) -> Result<()> {
        Ok(())
    }
}

struct World {
    provider: FakeProvider,
    client: LogtoClient,
    session: Comparing,
}

impl World {
    async fn start() -> Self {
        let provider = FakeProvider::start().await;
        let config = LogtoConfig::builder(provider.origin(), APP_ID).app_secret(APP_SECRET).resources([API]);
        let client = LogtoClient::new(config.build().unwrap()).unwrap();
        Self { provider, client, session: Comparing::default() }
    }

    async fn signed_in() -> Self {
        let world = Self::start().await;
        let session = world.client.session(&world.session);
        let url = session.sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
        let callback = world.provider.authorize(&url).await;
        session.handle_sign_in_callback(callback.as_str()).await.unwrap();
        world
    }

    fn fail(&self, errors: impl IntoIterator<Item = Option<storage::Error>>) {
        self.session.errors.lock().unwrap().extend(errors);
    }

    async fn access_token(&self) -> std::result::Result<AccessToken, Error> {
        self.client.session(&self.session).access_token(TokenTarget::resource(API)).await
    }

    async fn has(&self, key: &str) -> bool {
        self.session.get_item(key).await.unwrap().is_some()
    }
}

const OF_THE_API: &str = "logto_access_token:@https://api.example.com";

fn conflict() -> storage::Error {
    storage::Error::conflict()
}

fn down() -> storage::Error {
    storage::Error::session("the store is down")
}

#[track_caller]
fn assert_down<T: std::fmt::Debug>(result: &std::result::Result<T, Error>) {
    assert!(matches!(result, Err(Error::Storage(error)) if error.kind() == ErrorKind::Session), "{result:?}");
}

#[tokio::test]
async fn a_sign_in_is_added_again_if_another_tab_was_first() {
    let world = World::start().await;
    world.fail([Some(conflict()), Some(conflict())]);
    world.client.session(&world.session).sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
    assert!(world.has(items::SIGN_IN_SESSION).await);
}

#[tokio::test]
async fn a_sign_in_is_not_added_to_a_store_that_is_down() {
    let world = World::start().await;
    world.fail([Some(down())]);
    assert_down(&world.client.session(&world.session).sign_in(SignInOptions::new(REDIRECT_URI)).await);
    assert_eq!(format!("{:?}", world.session.items.0), "MemorySession { keys: [] }");
}

#[tokio::test]
async fn a_request_that_was_not_the_first_to_take_the_lease_looks_again() {
    let world = World::signed_in().await;
    world.fail([Some(conflict())]);
    world.access_token().await.unwrap();
    assert_eq!(world.provider.refreshes().len(), 1);
}

#[tokio::test]
async fn without_the_lease_no_request_is_sent() {
    let world = World::signed_in().await;
    world.fail([Some(down())]);
    assert_down(&world.access_token().await);
    assert_eq!(world.provider.refreshes().len(), 0);
}

#[tokio::test]
async fn tokens_are_stored_again_if_another_request_has_changed_the_session() {
    let world = World::signed_in().await;
    world.fail([None, Some(conflict())]);
    world.access_token().await.unwrap();
    assert!(world.has(OF_THE_API).await);
    assert_eq!(world.provider.refreshes().len(), 1);
}

#[tokio::test]
async fn tokens_are_not_stored_without_a_comparison_if_the_store_is_down() {
    let world = World::signed_in().await;
    world.fail([None, Some(down())]);
    assert_down(&world.access_token().await);
    assert!(!world.has(OF_THE_API).await);
}

#[tokio::test]
async fn a_refresh_that_fails_leaves_no_lease() {
    let world = World::signed_in().await;
    world.provider.answer_refreshes(|_| Reply::error(500, "server_error", "try again"));
    world.access_token().await.unwrap_err();
    assert!(!world.has(items::REFRESH_LEASE).await);
}
