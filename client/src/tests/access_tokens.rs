//! Each access token is an item of its own, bound to its sign-in.

use std::collections::HashMap;
use std::sync::Mutex;

use fake_provider::{API, APP_ID, APP_SECRET, Endpoint, FakeProvider, REDIRECT_URI};
use serde_json::{Value, json};

use super::storage::{Items, Recorded};
use crate::session::items;
use crate::storage::{LogtoStorage, Result};
use crate::{LogtoClient, LogtoConfig, SignInOptions, TokenTarget, scope};

const OF_THE_API: &str = "logto_access_token:@https://api.example.com";
const OF_THE_PROVIDER: &str = "logto_access_token:@";

fn new_client(provider: &FakeProvider) -> LogtoClient {
    let config = LogtoConfig::builder(provider.origin(), APP_ID).app_secret(APP_SECRET);
    LogtoClient::new(config.scopes([scope::ORGANIZATIONS]).resources([API]).build().unwrap()).unwrap()
}

async fn sign_in(provider: &FakeProvider, client: &LogtoClient, storage: impl LogtoStorage) {
    let session = client.session(storage);
    let url = session.sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
    let callback = provider.authorize(&url).await;
    session.handle_sign_in_callback(callback.as_str()).await.unwrap();
}

async fn token(client: &LogtoClient, storage: impl LogtoStorage, target: TokenTarget) -> String {
    client.session(storage).access_token(target).await.unwrap().as_str().to_owned()
}

fn api() -> TokenTarget {
    TokenTarget::resource(API)
}

async fn json(items: &Items, key: &str) -> Value {
    serde_json::from_str(&items.get_item(key).await.unwrap().unwrap()).unwrap()
}

fn access_tokens(items: &Items) -> Vec<String> {
    let mut keys: Vec<_> = items.all().into_keys().filter(|key| key.starts_with("logto_access_token")).collect();
    keys.sort();
    keys
}

#[tokio::test]
async fn an_access_token_that_another_sign_in_has_left_behind_is_not_handed_out() {
    let provider = FakeProvider::start().await;
    let (client, items) = (new_client(&provider), Items::default());
    sign_in(&provider, &client, &items).await;
    let of_ann = [token(&client, &items, TokenTarget::provider()).await, token(&client, &items, api()).await];
    let left_behind = items.all();
    provider.change_id_tokens(|token| token.claims["sub"] = json!("bob"));
    sign_in(&provider, &client, &items).await;

    // A late write of a request of ann's.
    for key in [OF_THE_PROVIDER, OF_THE_API] {
        items.set_item(key, &left_behind[key]).await.unwrap();
    }

    for target in [TokenTarget::provider(), api()] {
        let of_bob = token(&client, &items, target.clone()).await;
        assert!(!of_ann.contains(&of_bob), "{target:?}");
        assert_eq!(token(&client, &items, target).await, of_bob, "it has replaced the other");
    }
    assert_eq!(provider.refreshes().len(), 3);
}

#[tokio::test]
async fn no_token_is_left_of_a_sign_in_that_has_ended() {
    let provider = FakeProvider::start().await;
    let (client, items) = (new_client(&provider), Items::default());
    let signed_in = async || {
        sign_in(&provider, &client, &items).await;
        token(&client, &items, api()).await;
        token(&client, &items, TokenTarget::organization("org-1")).await;
        let keys = ["logto_access_token:@", "logto_access_token:@#org-1", OF_THE_API, items::ACCESS_TOKEN_MAP];
        assert_eq!(access_tokens(&items), keys);
        client.session(&items)
    };

    signed_in().await.sign_out(None).await.unwrap();
    assert!(items.all().is_empty());

    signed_in().await.clear_all_tokens().await.unwrap();
    assert!(items.all().is_empty());

    signed_in().await.clear_access_tokens().await.unwrap();
    assert_eq!(access_tokens(&items), [""; 0]);

    let options = SignInOptions::new(REDIRECT_URI).clear_tokens(true);
    signed_in().await.sign_in(options).await.unwrap();
    assert_eq!(items.all().into_keys().collect::<Vec<_>>(), [items::SIGN_IN_SESSION]);

    signed_in().await;
    sign_in(&provider, &client, &items).await;
    assert_eq!(access_tokens(&items), [OF_THE_PROVIDER, items::ACCESS_TOKEN_MAP], "but that of the new sign-in");
}

#[tokio::test]
async fn an_access_token_that_has_expired_is_removed_by_the_next_write() {
    let provider = FakeProvider::start().await;
    let (client, items) = (new_client(&provider), Items::default());
    provider.set_expires_in(1);
    sign_in(&provider, &client, &items).await;
    assert_eq!(access_tokens(&items), [OF_THE_PROVIDER, items::ACCESS_TOKEN_MAP]);
    provider.set_expires_in(3600);

    token(&client, &items, api()).await;

    assert_eq!(access_tokens(&items), [OF_THE_API, items::ACCESS_TOKEN_MAP]);
    let index = json(&items, items::ACCESS_TOKEN_MAP).await;
    let of_the_api = json(&items, OF_THE_API).await;
    assert_eq!(index, json!({ "v": 1, "expiresAt": { format!("@{API}"): of_the_api["expiresAt"] } }));
}

#[tokio::test]
async fn a_token_takes_three_reads_and_a_page_none_of_an_access_token() {
    let provider = FakeProvider::start().await;
    let (client, storage) = (new_client(&provider), Recorded::default());
    sign_in(&provider, &client, &storage).await;
    let of_the_api = token(&client, &storage, api()).await;
    storage.reads();

    assert_eq!(token(&client, &storage, api()).await, of_the_api);
    assert_eq!(storage.reads(), [items::ID_TOKEN, items::REFRESH_TOKEN, OF_THE_API]);

    let session = client.session(&storage);
    assert!(session.is_authenticated().await.unwrap());
    assert_eq!(storage.reads(), [items::ID_TOKEN, items::REFRESH_TOKEN]);
    session.context().await.unwrap();
    assert_eq!(storage.reads(), [items::ID_TOKEN, items::REFRESH_TOKEN]);
}

#[tokio::test]
async fn a_refresh_keeps_the_access_tokens_although_it_replaces_the_id_token() {
    let provider = FakeProvider::start_rotating().await;
    let (client, items) = (new_client(&provider), Items::default());
    sign_in(&provider, &client, &items).await;
    let of_the_provider = token(&client, &items, TokenTarget::provider()).await;
    let before = json(&items, items::ID_TOKEN).await;
    provider.change_id_tokens(|token| token.claims["name"] = json!("Grace"));

    token(&client, &items, api()).await;

    let after = json(&items, items::ID_TOKEN).await;
    assert_ne!(after["token"], before["token"]);
    assert_eq!(after["signIn"], before["signIn"]);
    assert_eq!(json(&items, OF_THE_API).await["signIn"], before["signIn"]);
    assert_eq!(token(&client, &items, TokenTarget::provider()).await, of_the_provider);
    assert_eq!(provider.refreshes().len(), 1);
}

#[tokio::test]
async fn a_sign_in_of_an_earlier_version_goes_on_with_new_access_tokens() {
    let provider = FakeProvider::start().await;
    let (client, items) = (new_client(&provider), Items::default());
    sign_in(&provider, &client, &items).await;
    let (id_token, access_token) = (json(&items, items::ID_TOKEN).await, json(&items, OF_THE_PROVIDER).await);
    let mut old_id_token = id_token.clone();
    old_id_token.as_object_mut().unwrap().remove("signIn");
    let mut old_access_token = access_token.clone();
    old_access_token.as_object_mut().unwrap().remove("signIn");
    let map = json!({ "v": 1, "tokens": { "@": access_token, format!("@{API}"): access_token } });
    items.set_item(items::ID_TOKEN, &old_id_token.to_string()).await.unwrap();
    items.set_item(items::ACCESS_TOKEN_MAP, &map.to_string()).await.unwrap();
    let old = access_token["token"].as_str().unwrap();

    // Not even an item that lacks the same member matches.
    for item in [Some(old_access_token), Some(access_token.clone()), None] {
        let (client, items) = (new_client(&provider), items.copy());
        match item {
            Some(item) => items.set_item(OF_THE_PROVIDER, &item.to_string()).await.unwrap(),
            None => items.remove_item(OF_THE_PROVIDER).await.unwrap(),
        }
        let session = client.session(&items);
        assert!(session.is_authenticated().await.unwrap());
        let new = token(&client, &items, TokenTarget::provider()).await;
        assert_ne!(new, old);

        // From here on it is like any other.
        let refreshes = provider.refreshes().len();
        assert_eq!(token(&client, &items, TokenTarget::provider()).await, new);
        assert_eq!(provider.refreshes().len(), refreshes);
        assert!(json(&items, items::ACCESS_TOKEN_MAP).await.get("tokens").is_none());
        assert!(!items.all().values().any(|item| item.contains(old)));
        session.clear_all_tokens().await.unwrap();
        assert!(items.all().is_empty());
    }
}

#[tokio::test]
async fn the_map_of_an_earlier_version_is_removed_at_sign_out() {
    let provider = FakeProvider::start().await;
    let (client, items) = (new_client(&provider), Items::default());
    let map = r#"{"v":1,"tokens":{"@":{"token":"t","scope":"","expiresAt":4000000000}}}"#;
    items.set_item(items::ACCESS_TOKEN_MAP, map).await.unwrap();

    client.session(&items).sign_out(None).await.unwrap();

    assert!(items.all().is_empty());
}

/// A session that its requests share. Once a refresh token is written, the next sign-in's items replace all.
struct Replaced<'a> {
    items: &'a Items,
    next: Mutex<Option<HashMap<String, String>>>,
}

impl LogtoStorage for Replaced<'_> {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        self.items.get_item(key).await
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.items.set_item(key, value).await?;
        if key == items::REFRESH_TOKEN
            && let Some(next) = self.next.lock().unwrap().take()
        {
            self.items.replace(next);
        }
        Ok(())
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.items.remove_item(key).await
    }
}

#[tokio::test]
async fn a_refresh_whose_sign_in_another_process_replaces_gives_the_next_user_nothing() {
    let provider = FakeProvider::start_rotating().await;
    let (ours, theirs) = (new_client(&provider), new_client(&provider));
    let (items, of_bob) = (Items::default(), Items::default());
    sign_in(&provider, &ours, &items).await;
    provider.change_id_tokens(|token| token.claims["sub"] = json!("bob"));
    sign_in(&provider, &theirs, &of_bob).await;
    // An ID token would show that the session is another user's by now.
    provider.answer_refreshes(|call| call.changed(|body| body["id_token"] = Value::Null));
    let of_bob = of_bob.all();
    let storage = Replaced { items: &items, next: Mutex::new(Some(of_bob.clone())) };

    token(&ours, &storage, api()).await;

    assert!(storage.next.lock().unwrap().is_none(), "bob has signed in meanwhile");
    assert!(items.all() == of_bob);
}

#[tokio::test]
async fn two_sessions_with_one_refresh_token_each_keep_a_token_under_their_own_sign_in() {
    let provider = FakeProvider::start().await;
    let client = new_client(&provider);
    let (first, second) = (Items::default(), Items::default());
    sign_in(&provider, &client, &first).await;
    sign_in(&provider, &client, &second).await;
    let refresh_token = first.get_item(items::REFRESH_TOKEN).await.unwrap().unwrap();
    second.set_item(items::REFRESH_TOKEN, &refresh_token).await.unwrap();

    let shared = token(&client, &first, api()).await;
    assert_eq!(token(&client, &second, api()).await, shared);

    for items in [first, second] {
        assert_eq!(json(&items, OF_THE_API).await["signIn"], json(&items, items::ID_TOKEN).await["signIn"]);
    }
}

#[tokio::test]
async fn another_sign_in_with_the_same_refresh_token_replaces_the_first() {
    let provider = FakeProvider::start().await;
    provider.answer(Endpoint::Token, |call| call.changed(|answer| answer["refresh_token"] = json!("the-same")));
    let (client, items) = (new_client(&provider), Items::default());
    sign_in(&provider, &client, &items).await;
    let first = client.session(&items).id_token().await.unwrap().unwrap();
    let of_the_first = token(&client, &items, TokenTarget::provider()).await;

    sign_in(&provider, &client, &items).await;

    let session = client.session(&items);
    assert_ne!(session.id_token().await.unwrap().unwrap().as_str(), first.as_str());
    assert_ne!(token(&client, &items, TokenTarget::provider()).await, of_the_first);
    assert!(session.is_authenticated().await.unwrap());
    assert_eq!(session.refresh_token().await.unwrap().unwrap().as_str(), "the-same");
}
