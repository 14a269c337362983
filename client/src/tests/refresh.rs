use std::collections::HashMap;
use std::future::{pending, poll_fn, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use fake_provider::keys::{ES384, base64url as encode};
use fake_provider::{Call, Endpoint, Gate, now};
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::provider::Provider;
use super::storage::{Items, Recorded};
use crate::Error;
use crate::TokenTarget;
use crate::session::items::{self, StoredToken};
use crate::storage::{Change, LogtoStorage, Result};

async fn sign_in(provider: &Provider, storage: &impl LogtoStorage, refresh_token: &str) {
    let issuer = format!("{}/oidc", provider.endpoint);
    let claims = json!({ "iss": issuer, "sub": "s", "aud": "app", "exp": 1, "iat": 1 });
    let id_token = items::encode(StoredToken { token: format!("e30.{}.c2ln", encode(claims.to_string())) });
    storage.set_item(items::ID_TOKEN, &id_token).await.unwrap();
    rotate(storage, refresh_token).await;
}

async fn rotate(storage: &impl LogtoStorage, refresh_token: &str) {
    let token = items::encode(StoredToken { token: refresh_token.to_owned() });
    storage.set_item(items::REFRESH_TOKEN, &token).await.unwrap();
}

fn answer(rotated: Option<&str>) -> (u16, String) {
    let answer = json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 3600, "refresh_token": rotated });
    (200, answer.to_string())
}

/// A provider whose token endpoint rotates `r1` to `r2` when it is told to, and tells of every request.
async fn slow_provider() -> (Provider, UnboundedReceiver<String>, Gate) {
    let (tell, requests) = unbounded_channel();
    let tell_of = move |tell: &UnboundedSender<String>, request: &Call| {
        tell.send(request.path.clone()).unwrap();
        answer(Some("r2"))
    };
    let tell_of_tokens = tell.clone();
    let provider = Provider::start(json!({}), move |request| tell_of(&tell, request)).await;
    let gate = provider.hold_answer(Endpoint::Token, move |request| tell_of(&tell_of_tokens, request));
    (provider, requests, gate)
}

#[tokio::test]
async fn a_change_that_was_given_up_has_ended_no_sign_in() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let grant = client.shared().grants().get("r1");
    tokio::select! {
        biased;
        _ = grant.sign_out(pending()) => unreachable!(),
        () = ready(()) => {}
    }
    assert_eq!(client.session(&items).access_token(TokenTarget::provider()).await.unwrap().as_str(), "at");
}

#[tokio::test]
async fn of_two_changes_at_once_the_one_that_succeeds_ends_the_sign_in() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let grant = client.shared().grants().get("r1");
    let (go_on, wait) = oneshot::channel::<()>();
    let fails = async {
        wait.await.unwrap();
        Err(Error::NoPendingSignIn)
    };
    let (first, second, ()) =
        tokio::join!(grant.sign_out(fails), grant.sign_out(ready(Ok(()))), async { go_on.send(()).unwrap() });
    assert!(first.is_err() && second.is_ok());
    // A record that is older than the change still has the token.
    assert!(matches!(client.session(&items).access_token(TokenTarget::provider()).await, Err(Error::NotAuthenticated)));
    assert!(provider.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_exchange_is_remembered_for_a_day_whether_or_not_a_session_has_the_new_token() {
    let (provider, mut requests, gate) = slow_provider().await;
    let (client, items) = (provider.client(), Arc::new(Items::default()));
    sign_in(&provider, &items, "r1").await;
    let grant = client.shared().grants().get("r1");
    let (minutes, a_day) = (Duration::from_secs(120), Duration::from_secs(24 * 3600));
    assert_eq!(grant.ttl(), minutes);
    let session = client.session(Arc::clone(&items));
    let refresh = tokio::spawn(async move { session.access_token(TokenTarget::provider()).await });
    while requests.recv().await.unwrap() != "/oidc/token" {}
    refresh.abort();
    assert!(refresh.await.unwrap_err().is_cancelled());
    gate.let_one_pass();
    let rotated = async {
        while grant.ttl() != a_day {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), rotated).await.expect("the rotated token");

    // The next request finds it, and stores it.
    gate.let_one_pass();
    client.session(&items).access_token(TokenTarget::provider()).await.unwrap();
    assert_eq!(grant.ttl(), a_day, "a late save may bring the old token back");
}

#[tokio::test]
async fn a_refresh_token_that_is_sent_again_is_no_other_one() {
    let provider = Provider::start(json!({}), |_| answer(Some("r1"))).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    client.session(&items).access_token(TokenTarget::provider()).await.unwrap();
    assert_eq!(client.shared().grants().get("r1").ttl(), Duration::from_secs(120));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotation_beside_a_local_clear_is_not_revoked() {
    // The grant may be that of a newer sign-in, too.
    let (provider, mut requests, gate) = slow_provider().await;
    let (client, items) = (provider.client(), Arc::new(Items::default()));
    sign_in(&provider, &*items, "r1").await;
    let refreshing = client.session(Arc::clone(&items));
    let refreshing = tokio::spawn(async move { refreshing.access_token(TokenTarget::provider()).await });
    requests.recv().await.unwrap();
    client.session(&*items).clear_all_tokens().await.unwrap();
    gate.let_one_pass();
    assert!(matches!(refreshing.await.unwrap(), Err(Error::NotAuthenticated)));
    assert_eq!(provider.requests().len(), 1, "nothing is told to the provider");
    assert!(client.shared().has_ended(None, Some("r1")) && client.shared().has_ended(None, Some("r2")));
    assert!(!client.session(&*items).is_authenticated().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_rotation_beside_a_sign_out_is_revoked() {
    let (provider, mut requests, gate) = slow_provider().await;
    let (client, items) = (provider.client(), Arc::new(Items::default()));
    sign_in(&provider, &*items, "r1").await;
    let refreshing = client.session(Arc::clone(&items));
    let refreshing = tokio::spawn(async move { refreshing.access_token(TokenTarget::provider()).await });
    requests.recv().await.unwrap();
    client.session(&*items).sign_out(None).await.unwrap();
    gate.let_one_pass();
    assert!(refreshing.await.unwrap().is_err());
    let bodies: Vec<_> = provider.requests().into_iter().map(|request| request.body).collect();
    let revoked: Vec<_> = bodies.iter().filter_map(|body| body.strip_prefix("token=")).map(|body| &body[..2]).collect();
    assert_eq!(revoked, ["r1", "r2"]);
}

/// A storage whose renewal never ends, though it was made.
struct Stuck(Items);

impl LogtoStorage for Stuck {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        self.0.get_item(key).await
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.0.set_item(key, value).await
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.0.remove_item(key).await
    }

    async fn renew<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        self.0.apply(changes).await?;
        pending().await
    }
}

#[tokio::test]
async fn a_sign_out_that_nobody_waits_for_revokes_all_the_same() {
    let (tell, mut requests) = unbounded_channel();
    let provider = Provider::start(json!({}), move |request| {
        tell.send(request.path.clone()).unwrap();
        (200, String::new())
    })
    .await;
    let (client, storage) = (provider.client(), Stuck(Items::default()));
    sign_in(&provider, &storage, "r1").await;
    let session = client.session(&storage);
    tokio::select! {
        biased;
        _ = session.sign_out(None) => unreachable!(),
        () = ready(()) => {}
    }
    assert!(!session.is_authenticated().await.unwrap());
    let revoked = timeout(Duration::from_secs(10), requests.recv()).await.expect("a revocation");
    assert_eq!(revoked.as_deref(), Some("/oidc/token/revocation"));
}

/// One request's record of a session that is read once and saved whole, as tower-sessions does.
struct Record {
    items: Mutex<HashMap<String, String>>,
    store: Arc<Mutex<HashMap<String, String>>>,
    is_modified: AtomicBool,
}

impl Record {
    fn of(store: &Arc<Mutex<HashMap<String, String>>>) -> Self {
        let items = Mutex::new(store.lock().unwrap().clone());
        Self { items, store: Arc::clone(store), is_modified: AtomicBool::new(false) }
    }

    fn save(&self) {
        self.is_modified.store(true, SeqCst);
        self.store.lock().unwrap().clone_from(&self.items.lock().unwrap());
    }
}

impl LogtoStorage for Record {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        Ok(self.items.lock().unwrap().get(key).cloned())
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.items.lock().unwrap().insert(key.to_owned(), value.to_owned());
        self.save();
        Ok(())
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.items.lock().unwrap().remove(key);
        self.save();
        Ok(())
    }

    async fn reload(&self) -> Result<bool> {
        if self.is_modified.load(SeqCst) {
            return Ok(false);
        }
        self.items.lock().unwrap().clone_from(&self.store.lock().unwrap());
        Ok(true)
    }
}

#[tokio::test]
async fn who_is_given_anothers_token_does_not_undo_what_a_third_process_has_rotated_since() {
    let provider = Provider::start(json!({}), |_| answer(Some("r2"))).await;
    let client = provider.client();
    let store = Arc::default();
    sign_in(&provider, &Record::of(&store), "r1").await;
    let (early, late) = (Record::of(&store), Record::of(&store));
    client.session(&early).access_token(TokenTarget::provider()).await.unwrap();
    rotate(&Record::of(&store), "r3").await;
    assert_eq!(client.session(&late).access_token(TokenTarget::provider()).await.unwrap().as_str(), "at");
    assert_eq!(client.session(Record::of(&store)).refresh_token().await.unwrap().unwrap().as_str(), "r3");
}

/// A session that all requests share: who reads its refresh token here gets it late.
struct Late<'a> {
    items: &'a Items,
    wait: Mutex<Option<oneshot::Receiver<()>>>,
}

impl LogtoStorage for Late<'_> {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        let item = self.items.get_item(key).await;
        let wait = if key == items::REFRESH_TOKEN { self.wait.lock().unwrap().take() } else { None };
        if let Some(wait) = wait {
            wait.await.unwrap();
        }
        item
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.items.set_item(key, value).await
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.items.remove_item(key).await
    }
}

#[tokio::test]
async fn who_waited_while_the_user_signed_in_anew_goes_on_with_the_new_sign_in() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let (go_on, wait) = oneshot::channel();
    let waiting = client.session(Late { items: &items, wait: Mutex::new(Some(wait)) });
    let grant = client.shared().grants().get("r1");
    let anew = async {
        let change = async {
            sign_in(&provider, &items, "r9").await;
            Ok(())
        };
        grant.sign_out(change).await.unwrap();
        go_on.send(()).unwrap();
    };
    let (token, ()) = tokio::join!(waiting.access_token(TokenTarget::provider()), anew);
    assert_eq!(token.unwrap().as_str(), "at");
    assert!(provider.requests()[0].body.contains("refresh_token=r9"));
}

#[tokio::test]
async fn who_waited_for_a_request_that_failed_gets_its_error_and_who_comes_later_tries_again() {
    let provider = Provider::start(json!({}), |_| (503, String::new())).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let session = client.session(&items);
    let (a, b, c) = tokio::join!(
        session.access_token(TokenTarget::provider()),
        session.access_token(TokenTarget::provider()),
        session.access_token(TokenTarget::provider())
    );
    for found in [a, b, c] {
        assert!(found.unwrap_err().is_retryable());
    }
    assert_eq!(provider.requests().len(), 1);
    session.access_token(TokenTarget::provider()).await.unwrap_err();
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test]
async fn a_change_that_fails_leaves_the_tokens_to_who_waited_for_it() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let grant = client.shared().grants().get("r1");
    let (go_on, wait) = oneshot::channel::<()>();
    let fails = async {
        wait.await.unwrap();
        Err(Error::NoPendingSignIn)
    };
    let session = client.session(&items);
    // Polled in order: the change is under way, then somebody wants a token, and then the change fails.
    let (changed, token, ()) =
        tokio::join!(grant.sign_out(fails), session.access_token(TokenTarget::provider()), async {
            go_on.send(()).unwrap();
        });
    assert!(changed.is_err());
    assert_eq!(token.unwrap().as_str(), "at");
}

/// Runs the future until it has to wait, and returns whether it is done.
async fn is_done_at_once<T>(mut future: Pin<&mut impl Future<Output = T>>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

/// A session that its requests share: this one's changes wait on a gate, before or after they are made.
struct Slow<'a> {
    items: &'a Items,
    before: Mutex<Option<oneshot::Receiver<()>>>,
    after: Mutex<Option<oneshot::Receiver<()>>>,
}

impl<'a> Slow<'a> {
    fn before(items: &'a Items) -> (Self, oneshot::Sender<()>) {
        let (open, gate) = oneshot::channel();
        (Self { items, before: Mutex::new(Some(gate)), after: Mutex::default() }, open)
    }

    fn after(items: &'a Items) -> (Self, oneshot::Sender<()>) {
        let (open, gate) = oneshot::channel();
        (Self { items, before: Mutex::default(), after: Mutex::new(Some(gate)) }, open)
    }
}

async fn pass(gate: &Mutex<Option<oneshot::Receiver<()>>>) {
    let gate = gate.lock().unwrap().take();
    if let Some(gate) = gate {
        gate.await.unwrap();
    }
}

impl LogtoStorage for Slow<'_> {
    async fn get_item(&self, key: &str) -> Result<Option<String>> {
        self.items.get_item(key).await
    }

    async fn set_item(&self, key: &str, value: &str) -> Result<()> {
        self.apply(&[Change::set(key, value)]).await
    }

    async fn remove_item(&self, key: &str) -> Result<()> {
        self.apply(&[Change::remove(key)]).await
    }

    async fn apply<'a>(&'a self, changes: &'a [Change<'a>]) -> Result<()> {
        pass(&self.before).await;
        self.items.apply(changes).await?;
        pass(&self.after).await;
        Ok(())
    }

    async fn reload(&self) -> Result<bool> {
        Ok(true)
    }
}

#[tokio::test]
async fn a_sign_out_waits_for_a_write_that_is_under_way() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let grant = client.shared().grants().get("r1");
    let (slow, open) = Slow::before(&items);
    let writing = client.session(slow);
    let token = items::encode(StoredToken { token: "r2".to_owned() });
    let changes = [Change::set(items::REFRESH_TOKEN, &token)];
    let mut write = pin!(writing.write_if(&grant, &[], &changes));
    assert!(!is_done_at_once(write.as_mut()).await);

    let session = client.session(&items);
    let mut sign_out = pin!(session.clear_all_tokens());
    assert!(!is_done_at_once(sign_out.as_mut()).await, "the write would bring the tokens back");
    open.send(()).unwrap();
    write.await.expect("a sign-in that has not ended");
    sign_out.await.unwrap();

    assert_eq!(items.get_item(items::REFRESH_TOKEN).await.unwrap(), None);
}

#[tokio::test]
async fn a_sign_out_that_waits_for_a_new_access_token_removes_it() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let (slow, open) = Slow::before(&items);
    let refreshing = client.session(&slow);
    let mut refresh = pin!(refreshing.access_token(TokenTarget::provider()));
    // Until it stores the token, behind the gate.
    let issued = async {
        while slow.before.lock().unwrap().is_some() {
            assert!(!is_done_at_once(refresh.as_mut()).await);
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), issued).await.expect("an answer");

    let session = client.session(&items);
    let mut sign_out = pin!(session.clear_all_tokens());
    assert!(!is_done_at_once(sign_out.as_mut()).await);
    open.send(()).unwrap();
    refresh.await.expect("a token that was issued before");
    sign_out.await.unwrap();

    assert!(items.all().is_empty());
}

#[tokio::test]
async fn a_write_waits_for_a_sign_out_that_is_under_way_and_is_not_made() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let grant = client.shared().grants().get("r1");
    let (slow, open) = Slow::after(&items);
    let signing_out = client.session(slow);
    let mut sign_out = pin!(signing_out.clear_all_tokens());
    assert!(!is_done_at_once(sign_out.as_mut()).await);

    let session = client.session(&items);
    let token = items::encode(StoredToken { token: "r2".to_owned() });
    let changes = [Change::set(items::REFRESH_TOKEN, &token)];
    let mut write = pin!(session.write_if(&grant, &[], &changes));
    assert!(!is_done_at_once(write.as_mut()).await, "the sign-out may fail, or not");
    open.send(()).unwrap();
    sign_out.await.unwrap();

    assert!(matches!(write.await, Err(Error::NotAuthenticated)));
    assert_eq!(items.get_item(items::REFRESH_TOKEN).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_sign_in_waits_for_the_removal_of_tokens_that_the_provider_has_refused() {
    let provider = Provider::start(json!({}), |_| (400, json!({ "error": "invalid_grant" }).to_string())).await;
    let (client, items) = (provider.client(), Items::default());
    sign_in(&provider, &items, "r1").await;
    let grant = client.shared().grants().get("r1");
    let (slow, open) = Slow::before(&items);
    let refreshing = client.session(slow);
    let mut refresh = pin!(refreshing.access_token(TokenTarget::provider()));
    // Until it removes the tokens, behind the gate.
    let refused = async {
        while !client.shared().has_ended(None, Some("r1")) {
            assert!(!is_done_at_once(refresh.as_mut()).await);
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(10), refused).await.expect("an answer");

    let change = async {
        sign_in(&provider, &items, "r9").await;
        Ok(())
    };
    let mut anew = pin!(grant.sign_out(change));
    assert!(!is_done_at_once(anew.as_mut()).await, "the removal would take the new tokens");
    open.send(()).unwrap();

    assert!(matches!(refresh.await, Err(Error::SessionEnded)));
    anew.await.unwrap();
    assert_eq!(client.session(&items).refresh_token().await.unwrap().unwrap().as_str(), "r9");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_refresh_token_that_is_refused_after_a_sign_out_is_that_of_a_user_who_has_signed_out() {
    let provider = Provider::start(json!({}), |_| answer(None)).await;
    let gate = provider.hold_answer(Endpoint::Token, |_| (400, json!({ "error": "invalid_grant" }).to_string()));
    let (client, items) = (provider.client(), Arc::new(Items::default()));
    sign_in(&provider, &*items, "r1").await;
    let refreshing = client.session(Arc::clone(&items));
    let refreshing = tokio::spawn(async move { refreshing.access_token(TokenTarget::provider()).await });
    gate.arrival().await;
    client.session(&*items).clear_all_tokens().await.unwrap();
    gate.open();

    let error = refreshing.await.unwrap().unwrap_err();

    assert!(matches!(error, Error::NotAuthenticated), "the provider has not ended it: {error:?}");
}

#[tokio::test]
async fn who_waited_for_a_request_that_failed_for_good_sends_one_of_their_own() {
    let denied = json!({ "error": "access_denied", "error_description": "not a member" }).to_string();
    for (status, body) in [(403, denied), (403, "<html>".to_owned()), (404, String::new()), (302, String::new())] {
        let reply = body.clone();
        let provider = Provider::start(json!({}), move |_| (status, reply.clone())).await;
        let (client, items) = (provider.client(), Items::default());
        sign_in(&provider, &items, "r1").await;
        let session = client.session(&items);

        let (a, b, c) = tokio::join!(
            session.access_token(TokenTarget::provider()),
            session.access_token(TokenTarget::provider()),
            session.access_token(TokenTarget::provider())
        );

        for found in [a, b, c] {
            let error = found.unwrap_err();
            assert!(!error.is_retryable() && !error.is_sign_in_required(), "{error:?}");
        }
        assert_eq!(provider.requests().len(), 3, "{status} {body}");
    }
}

#[tokio::test]
async fn a_refreshed_id_token_is_stored_once_and_an_equal_one_not_again() {
    let id_token = Arc::new(Mutex::new(String::new()));
    let answered = Arc::clone(&id_token);
    let provider = Provider::start(json!({}), move |request| {
        if request.path == "/oidc/jwks" {
            return (200, json!({ "keys": [ES384.bound_jwk()] }).to_string());
        }
        let target = request.form.iter().find(|(name, _)| name == "resource");
        let answer = json!({
            "access_token": format!("at-{}", target.map_or("", |(_, resource)| resource)),
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": *answered.lock().unwrap(),
        });
        (200, answer.to_string())
    })
    .await;
    let resources = ["https://a.example.com", "https://b.example.com"];
    let config = crate::LogtoConfig::builder(&provider.endpoint, "app").resources(resources).build().unwrap();
    let client = crate::LogtoClient::new(config).unwrap();
    let issuer = format!("{}/oidc", provider.endpoint);
    let claims = json!({ "iss": issuer, "sub": "s", "aud": "app", "exp": now() + 3600, "iat": now(), "name": "Grace" });
    let refreshed = ES384.token(&claims);
    id_token.lock().unwrap().clone_from(&refreshed);
    let storage = Recorded::default();
    sign_in(&provider, &storage, "r1").await;
    storage.writes();
    let session = client.session(&storage);

    // The second waits for the first, and finds all of it stored.
    let (first, second) =
        tokio::join!(session.access_token(TokenTarget::provider()), session.access_token(TokenTarget::provider()));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(storage.writes(), [[items::ACCESS_TOKEN_MAP, "logto_access_token:@", items::ID_TOKEN]]);
    assert_eq!(session.id_token().await.unwrap().unwrap().as_str(), refreshed);
    assert_eq!(session.id_token_claims().await.unwrap().user.name.as_deref(), Some("Grace"));

    // The provider sends the same one again.
    for resource in resources {
        session.access_token(TokenTarget::resource(resource)).await.unwrap();
        let access_token = format!("logto_access_token:@{resource}");
        assert_eq!(storage.writes(), [[items::ACCESS_TOKEN_MAP, &access_token]], "{resource}");
    }
    assert_eq!(session.id_token().await.unwrap().unwrap().as_str(), refreshed);
}

#[tokio::test]
async fn a_refreshed_id_token_that_is_older_than_the_stored_one_is_not_stored() {
    let issued_at = Arc::new(Mutex::new(0));
    let answered = Arc::clone(&issued_at);
    let issuer = Arc::new(Mutex::new(String::new()));
    let answered_issuer = Arc::clone(&issuer);
    let provider = Provider::start(json!({}), move |request| {
        if request.path == "/oidc/jwks" {
            return (200, json!({ "keys": [ES384.bound_jwk()] }).to_string());
        }
        let (issuer, iat) = (answered_issuer.lock().unwrap().clone(), *answered.lock().unwrap());
        let claims = json!({ "iss": issuer, "sub": "s", "aud": "app", "exp": now() + 3600, "iat": iat });
        let id_token = ES384.token(&claims);
        let answer = json!({ "access_token": "at", "token_type": "Bearer", "expires_in": 1, "id_token": id_token });
        (200, answer.to_string())
    })
    .await;
    *issuer.lock().unwrap() = format!("{}/oidc", provider.endpoint);
    let (client, storage, start) = (provider.client(), Items::default(), now() - 20);
    sign_in(&provider, &storage, "r1").await;

    for (iat, stored) in [(start, start), (start - 5, start), (start + 5, start + 5)] {
        *issued_at.lock().unwrap() = iat;
        let session = client.session(&storage);
        session.clear_access_tokens().await.unwrap();
        session.access_token(TokenTarget::provider()).await.unwrap();
        assert_eq!(session.id_token_claims().await.unwrap().iat, stored);
    }
}
