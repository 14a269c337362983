use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use fake_provider::keys::base64url as encode;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use super::provider::Provider;
use super::storage::Items;
use crate::api::{AnyOf, LogtoScope};
use crate::session::items::{self, StoredToken};
use crate::{Error, LogtoClient, LogtoConfig, LogtoStorage, SignInOptions, TokenTarget};

const SOON: Duration = Duration::from_secs(10);

fn tokens() -> (u16, String) {
    let tokens = json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 3600 });
    (200, tokens.to_string())
}

async fn store(items: &Items, key: &str, token: &str) {
    items.set_item(key, &items::encode(StoredToken { token: token.to_owned() })).await.unwrap();
}

/// Stores an ID token of the provider's for the app, with some claims changed, and a refresh token.
async fn sign_in(provider: &Provider, items: &Items, changed: &Value) {
    let issuer = format!("{}/oidc", provider.endpoint);
    let mut claims = json!({ "iss": issuer, "sub": "s", "aud": "app", "exp": 1, "iat": 1 });
    claims.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    store(items, items::ID_TOKEN, &format!("e30.{}.c2ln", encode(claims.to_string()))).await;
    store(items, items::REFRESH_TOKEN, "r1").await;
}

#[tokio::test]
async fn an_id_token_of_another_issuer_or_app_counts_as_signed_out() {
    let provider = Provider::start(json!({}), |_| tokens()).await;
    for changed in [
        json!({ "iss": "https://other.logto.app/oidc" }),
        json!({ "aud": "other-app" }),
        json!({ "aud": ["other-app"] }),
        json!({ "aud": null }),
    ] {
        let (client, items) = (provider.client(), Items::default());
        sign_in(&provider, &items, &changed).await;
        let session = client.session(&items);
        assert!(!session.is_authenticated().await.unwrap(), "{changed}");
        assert_eq!(session.context().await.unwrap().claims, None, "{changed}");
        assert_eq!(session.id_token().await.unwrap(), None, "{changed}");
        assert_eq!(session.refresh_token().await.unwrap(), None, "{changed}");
        assert!(matches!(session.id_token_claims().await, Err(Error::NotAuthenticated)), "{changed}");
        assert!(
            matches!(session.access_token(TokenTarget::provider()).await, Err(Error::NotAuthenticated)),
            "{changed}"
        );
        assert!(matches!(session.fetch_user_info().await, Err(Error::NotAuthenticated)), "{changed}");
    }
    assert!(provider.requests().is_empty());
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({ "aud": ["other-app", "app"] })).await;
    assert!(client.session(&items).is_authenticated().await.unwrap());
}

#[tokio::test]
async fn signing_out_of_a_session_of_another_issuer_shows_its_refresh_token_to_nobody() {
    let provider = Provider::start(json!({}), |_| (200, String::new())).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({ "iss": "https://other.logto.app/oidc" })).await;
    client.session(&items).sign_out(None).await.unwrap();
    assert!(provider.requests().is_empty());
    for key in [items::ID_TOKEN, items::REFRESH_TOKEN] {
        assert_eq!(items.get_item(key).await.unwrap(), None, "{key}");
    }
}

#[tokio::test]
async fn a_refresh_token_alone_gets_no_tokens() {
    let provider = Provider::start(json!({}), |_| tokens()).await;
    let (client, items) = (provider.client(), Items::default());
    store(&items, items::REFRESH_TOKEN, "r1").await;
    let session = client.session(&items);
    assert!(!session.is_authenticated().await.unwrap());
    assert!(matches!(session.access_token(TokenTarget::provider()).await, Err(Error::NotAuthenticated)));
    assert!(provider.requests().is_empty());
}

#[tokio::test]
async fn cached_access_tokens_are_handed_out_to_a_signed_in_session_only() {
    let provider = Provider::start(json!({}), |_| tokens()).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({})).await;
    let session = client.session(&items);
    assert_eq!(session.access_token(TokenTarget::provider()).await.unwrap().as_str(), "at");
    items.remove_item(items::ID_TOKEN).await.unwrap();
    assert!(matches!(session.access_token(TokenTarget::provider()).await, Err(Error::NotAuthenticated)));
}

#[tokio::test]
async fn a_token_without_a_known_expiry_is_not_asked_for_at_every_call() {
    for expires_in in [Value::Null, json!(0)] {
        let answer = json!({ "access_token": "at", "token_type": "Bearer", "expires_in": expires_in }).to_string();
        let provider = Provider::start(json!({}), move |_| (200, answer.clone())).await;
        let (client, items) = (provider.client(), Items::default());
        sign_in(&provider, &items, &json!({})).await;
        for _ in 0..3 {
            assert_eq!(client.session(&items).access_token(TokenTarget::provider()).await.unwrap().as_str(), "at");
        }
        assert_eq!(provider.requests().len(), 1, "{expires_in}");
    }
}

#[tokio::test]
async fn a_failed_revocation_is_tried_again() {
    let statuses = Mutex::new(VecDeque::from([503, 200]));
    let provider =
        Provider::start(json!({}), move |_| (statuses.lock().unwrap().pop_front().unwrap_or(200), String::new()));
    let provider = provider.await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({})).await;
    client.session(&items).sign_out(None).await.expect("a provider that answers");
    let again = async {
        while provider.requests().len() < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(SOON, again).await.expect("another revocation");
    let bodies: Vec<_> = provider.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies[0], bodies[1]);
    assert!(bodies[0].starts_with("token=r1&"), "{}", bodies[0]);
}

#[tokio::test]
async fn a_sign_out_does_not_wait_for_a_slow_revocation() {
    let provider = Provider::start(json!({}), |_| tokens()).await;
    let gate = provider.hold(fake_provider::Endpoint::Revocation);
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({})).await;

    timeout(SOON / 2, client.session(&items).sign_out(None)).await.expect("a sign-out at once").unwrap();

    assert!(!client.session(&items).is_authenticated().await.unwrap());
    assert_eq!(provider.requests().len(), 1, "the revocation is under way");
    gate.open();
}

#[tokio::test]
async fn a_provider_that_is_down_gets_no_browser_and_the_user_is_signed_out_here() {
    let provider = Provider::start(json!({}), |_| tokens()).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({})).await;
    let sign_in = || SignInOptions::new("https://app.example.com/callback");
    client.session(&items).sign_in(sign_in()).await.expect("a provider that answers");
    drop(provider);

    let error = client.session(&items).sign_out(None).await.unwrap_err();
    assert!(matches!(error, Error::EndSession(_)), "{error:?}");
    assert!(error.is_retryable());
    assert!(!client.session(&items).is_authenticated().await.unwrap());
    let error = client.session(&items).sign_in(sign_in()).await.unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error:?}");
}

#[tokio::test]
async fn an_ended_sign_in_without_a_refresh_token_is_known_by_its_id_token() {
    let provider = Provider::start(json!({}), |_| (200, String::new())).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({})).await;
    items.remove_item(items::REFRESH_TOKEN).await.unwrap();
    let id_token = items.get_item(items::ID_TOKEN).await.unwrap().unwrap();
    let session = client.session(&items);
    assert!(session.is_authenticated().await.unwrap());
    session.sign_out(None).await.unwrap();
    assert_eq!(items.get_item(items::ID_TOKEN).await.unwrap(), None);

    items.set_item(items::ID_TOKEN, &id_token).await.unwrap();

    assert!(!session.is_authenticated().await.unwrap());
    assert!(provider.requests().is_empty());
    assert!(provider.client().session(&items).is_authenticated().await.unwrap(), "another process cannot know");
}

#[tokio::test]
async fn signing_out_of_an_empty_session_writes_nothing() {
    #[derive(Default)]
    struct ReadOnly;
    impl LogtoStorage for ReadOnly {
        async fn get_item(&self, _key: &str) -> crate::storage::Result<Option<String>> {
            Ok(None)
        }

        async fn set_item(&self, _key: &str, _value: &str) -> crate::storage::Result<()> {
            panic!("a write")
        }

        async fn remove_item(&self, _key: &str) -> crate::storage::Result<()> {
            panic!("a write")
        }
    }
    let provider = Provider::start(json!({}), |_| (200, String::new())).await;
    provider.client().session(ReadOnly).sign_out(None).await.expect("the provider's page");
    assert!(provider.requests().is_empty());
}

#[tokio::test]
async fn tokens_that_the_provider_refuses_are_not_removed_from_a_record_that_cannot_be_read_again() {
    // Another process may have stored better ones, which this record's save would overwrite.
    let provider = Provider::start(json!({}), |_| (400, json!({ "error": "invalid_grant" }).to_string())).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({})).await;
    let session = client.session(&items);

    let error = session.access_token(TokenTarget::provider()).await.unwrap_err();

    assert!(matches!(error, Error::SessionEnded), "{error:?}");
    for key in [items::ID_TOKEN, items::REFRESH_TOKEN] {
        assert!(items.get_item(key).await.unwrap().is_some(), "{key}");
    }
    assert!(!session.is_authenticated().await.unwrap());
    assert!(matches!(session.access_token(TokenTarget::provider()).await, Err(Error::NotAuthenticated)));
    assert_eq!(provider.requests().len(), 1, "a refused token is not sent again");
    // What the other process has stored.
    store(&items, items::REFRESH_TOKEN, "r2").await;
    assert!(session.is_authenticated().await.unwrap());
}

/// A session that keeps its id.
struct Unrenewable(Items);

impl LogtoStorage for Unrenewable {
    async fn get_item(&self, key: &str) -> crate::storage::Result<Option<String>> {
        self.0.get_item(key).await
    }

    async fn set_item(&self, key: &str, value: &str) -> crate::storage::Result<()> {
        self.0.set_item(key, value).await
    }

    async fn remove_item(&self, key: &str) -> crate::storage::Result<()> {
        self.0.remove_item(key).await
    }
}

#[tokio::test]
async fn a_session_that_keeps_its_id_is_neither_signed_in_nor_out() {
    let provider = Provider::start(json!({}), |_| tokens()).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, &json!({})).await;
    let session = client.session(Unrenewable(items));

    let refused = session.sign_in(SignInOptions::new("https://app.example.com/callback")).await;
    assert!(matches!(refused, Err(Error::RenewalUnsupported(_))), "{refused:?}");
    assert!(provider.requests().is_empty(), "the provider is not even asked for its metadata");

    let refused = session.sign_out(None).await;
    assert!(matches!(refused, Err(Error::RenewalUnsupported(_))), "{refused:?}");
    assert!(session.is_authenticated().await.unwrap());
}

const DENIED: &str = "https://denied.example.com";
const GRANTED: &str = "https://granted.example.com";

#[derive(LogtoScope)]
#[logto(scope = "read", resource = "https://denied.example.com", crate = "crate::api")]
struct ReadDenied;

#[derive(LogtoScope)]
#[logto(scope = "read", resource = "https://granted.example.com", crate = "crate::api")]
struct ReadGranted;

#[derive(LogtoScope)]
#[logto(scope = "write", resource = "https://granted.example.com", crate = "crate::api")]
struct WriteGranted;

/// Logto grants a token without scopes instead. Other providers deny it.
#[tokio::test]
async fn an_api_that_is_denied_leaves_the_alternatives() {
    let provider = Provider::start(json!({}), |request| {
        if request.param("resource") == DENIED {
            return (403, json!({ "error": "access_denied", "error_description": "Access denied." }).to_string());
        }
        let answer = json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 3600, "scope": "read list" });
        (200, answer.to_string())
    })
    .await;
    let config = LogtoConfig::builder(&provider.endpoint, "app").resources([DENIED, GRANTED]).build().unwrap();
    let (client, items) = (LogtoClient::new(config).unwrap(), Items::default());
    sign_in(&provider, &items, &json!({})).await;
    let session = client.session(&items);

    session.require::<AnyOf<(ReadDenied, ReadGranted)>>().await.expect("one of them");

    for refused in [
        session.require::<ReadDenied>().await,
        session.require::<WriteGranted>().await,
        session.require::<(ReadDenied, ReadGranted)>().await,
    ] {
        assert!(matches!(refused, Err(Error::InsufficientScope { .. })), "{refused:?}");
    }
}
