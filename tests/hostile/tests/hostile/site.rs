//! A web app's side: sessions in a store that counts, and what has to hold whatever the provider does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use logto_client::{
    Error, LogtoClient, LogtoConfig, LogtoConfigBuilder, LogtoSession, LogtoStorage, SignInOptions, SignedIn, scope,
};
use serde_json::Value;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error as StoreError, Result as StoreResult};
use tower_sessions::{MemoryStore, Session, SessionStore};
use tower_sessions_0_15 as tower_sessions;
use url::Url;

use crate::provider::{APP_ID, APP_SECRET, Endpoint, Provider};
use crate::reply::Gate;

pub(crate) const REDIRECT_URI: &str = "http://app.example/callback";
pub(crate) const API: &str = "https://api.example.com";
pub(crate) const PENDING: &str = "logto_sign_in_session";
pub(crate) const REFRESH_TOKEN: &str = "logto_refresh_token";
pub(crate) const ID_TOKEN: &str = "logto_id_token";
pub(crate) const TOKEN_MAP: &str = "logto_access_token_map";

/// How long a call may take, with whatever is in its way: far below what a test may take, far above what it takes.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// The HTTP client's own limit where a test lets it run out.
pub(crate) const IMPATIENCE: Duration = Duration::from_secs(1);

#[derive(LogtoStorage)]
pub(crate) struct Storage {
    session: Session,
}

impl Storage {
    /// Writes an item that is none of Logto's.
    pub(crate) async fn set_the_apps_own(&self, key: &str, value: &str) {
        self.session.insert(key, value).await.expect("a session");
    }
}

pub(crate) struct Site {
    pub(crate) provider: Provider,
    pub(crate) client: LogtoClient,
    pub(crate) store: Arc<Store>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let provider = Provider::start().await;
        let client = LogtoClient::new(config(&provider)).expect("a client");
        Self::of(provider, client)
    }

    /// With an HTTP client that gives up soon.
    pub(crate) async fn impatient() -> Self {
        Self::with_http_client(reqwest::Client::builder().timeout(IMPATIENCE).build().expect("an HTTP client")).await
    }

    pub(crate) async fn with_http_client(http: reqwest::Client) -> Self {
        let provider = Provider::start().await;
        let client = LogtoClient::with_http_client(config(&provider), http);
        Self::of(provider, client)
    }

    pub(crate) fn of(provider: Provider, client: LogtoClient) -> Self {
        Self { provider, client, store: Arc::default() }
    }

    /// The same site, served by a process that knows nothing of the provider yet.
    pub(crate) fn with_a_cold_client(self) -> Self {
        let client = LogtoClient::new(config(&self.provider)).expect("a client");
        Self { client, ..self }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        let last = Session::new(None, self.store.clone(), None);
        Visitor { store: self.store.clone(), cookie: Mutex::new((None, last)) }
    }

    /// A new request of the visitor's.
    pub(crate) fn request(&self, visitor: &Visitor) -> LogtoSession<Storage> {
        self.client.session(visitor.storage())
    }

    /// A visitor who has just signed in.
    pub(crate) async fn signed_in(&self) -> Visitor {
        let visitor = self.visitor();
        let callback = self.authorized(&visitor).await;
        self.callback(&visitor, callback.as_str()).await.expect("a sign-in");
        visitor
    }

    /// A visitor whose access tokens have all expired, at a provider whose next ones last.
    pub(crate) async fn with_expired_tokens(&self) -> Visitor {
        self.provider.set_expires_in(1);
        let visitor = self.signed_in().await;
        self.provider.set_expires_in(3600);
        visitor
    }

    pub(crate) async fn sign_in(&self, visitor: &Visitor) -> Result<Url, Error> {
        soon(self.request(visitor).sign_in(SignInOptions::new(REDIRECT_URI))).await
    }

    /// Begins to sign in, and agrees at the provider: the callback's URL.
    pub(crate) async fn authorized(&self, visitor: &Visitor) -> Url {
        let sign_in = self.sign_in(visitor).await.expect("the URL of the sign-in");
        self.provider.authorize(&sign_in)
    }

    pub(crate) async fn callback(&self, visitor: &Visitor, url: &str) -> Result<SignedIn, Error> {
        soon(self.request(visitor).handle_sign_in_callback(url)).await
    }

    pub(crate) async fn is_authenticated(&self, visitor: &Visitor) -> bool {
        self.request(visitor).is_authenticated().await.expect("a session")
    }

    /// A new visitor's sign-in, at which the provider does as it was told. It has to fail, and has to be used up.
    pub(crate) async fn refused_sign_in(&self) -> Error {
        let visitor = self.visitor();
        let callback = self.authorized(&visitor).await;
        let error = self.refused_callback(&visitor, callback.as_str()).await;
        assert_eq!(visitor.items().await.get(PENDING), None, "the sign-in was not used up: {error:?}");

        let exchanges = self.provider.count(Endpoint::Token);
        let again = self.refused_callback(&visitor, callback.as_str()).await;
        assert!(again.is_stale_callback(), "the sign-in was not used up: {again:?}");
        assert_eq!(self.provider.count(Endpoint::Token), exchanges, "the code was sent again");
        error
    }

    /// A callback that has to fail, and has to leave the session as it was but for the pending sign-in.
    pub(crate) async fn refused_callback(&self, visitor: &Visitor, url: &str) -> Error {
        let (id, before, was_authenticated) =
            (visitor.id(), visitor.items().await, self.is_authenticated(visitor).await);
        let error = self.callback(visitor, url).await.expect_err("a callback that is refused");
        self.assert_tells_no_secret(&error);
        assert_eq!(visitor.items_but_pending().await, without_pending(before), "something was accepted: {error:?}");
        assert_eq!(visitor.id(), id, "the session's id was renewed for nobody");
        assert_eq!(self.is_authenticated(visitor).await, was_authenticated);
        error
    }

    /// An operation that has to fail, and has to leave the session as it was.
    pub(crate) async fn refused<T: fmt::Debug>(
        &self,
        visitor: &Visitor,
        operation: impl AsyncFnOnce(LogtoSession<Storage>) -> Result<T, Error>,
    ) -> Error {
        let before = visitor.items().await;
        let error = soon(operation(self.request(visitor))).await.expect_err("an operation that is refused");
        self.assert_tells_no_secret(&error);
        assert_eq!(visitor.items().await, before, "something was changed: {error:?}");
        error
    }

    /// Neither the error nor what caused it shows a code, a verifier, a token or the app's secret.
    pub(crate) fn assert_tells_no_secret(&self, error: &Error) {
        let causes = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
        let told = causes.map(|error| format!("{error} {error:?} {error:#?}")).collect::<Vec<_>>().join(" ");
        for secret in self.provider.secrets() {
            assert!(!told.contains(&secret), "{secret:?} is told: {told}");
        }
    }
}

fn config(provider: &Provider) -> LogtoConfig {
    builder(provider.origin()).build().expect("a configuration")
}

pub(crate) fn builder(endpoint: &str) -> LogtoConfigBuilder {
    LogtoConfig::builder(endpoint, APP_ID).app_secret(APP_SECRET).scopes([scope::ORGANIZATIONS]).resources([API])
}

pub(crate) async fn soon<T>(operation: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, Box::pin(operation)).await.expect("an answer, and soon")
}

/// A browser: each request has the cookie that the one before it has left.
pub(crate) struct Visitor {
    store: Arc<Store>,
    cookie: Mutex<(Option<Id>, Session)>,
}

impl Visitor {
    pub(crate) fn id(&self) -> Option<Id> {
        let mut cookie = self.cookie.lock().expect("a cookie");
        // A request whose session could not be saved has left no other one.
        cookie.0 = cookie.1.id().or(cookie.0);
        cookie.0
    }

    pub(crate) fn storage(&self) -> Storage {
        let session = Session::new(self.id(), self.store.clone(), None);
        self.cookie.lock().expect("a cookie").1 = session.clone();
        Storage { session }
    }

    /// The session of a request that has read its record already, so that it does not see what others write from now on.
    pub(crate) async fn loaded_storage(&self) -> Storage {
        let storage = self.storage();
        storage.get_item(REFRESH_TOKEN).await.expect("a session");
        storage
    }

    /// What the store holds for this visitor.
    pub(crate) async fn items(&self) -> BTreeMap<String, Value> {
        let Some(id) = self.id() else { return BTreeMap::new() };
        let record = self.store.records.load(&id).await.expect("a store that works");
        record.map(|record| record.data.into_iter().collect()).unwrap_or_default()
    }

    pub(crate) async fn items_but_pending(&self) -> BTreeMap<String, Value> {
        without_pending(self.items().await)
    }

    /// An item, which is JSON.
    pub(crate) async fn item(&self, key: &str) -> Option<Value> {
        let items = self.items().await;
        items.get(key).map(|item| serde_json::from_str(item.as_str().expect("a string")).expect("JSON"))
    }

    /// Writes an item behind everybody's back.
    pub(crate) async fn set_item(&self, key: &str, value: &Value) {
        let storage = self.storage();
        storage.set_item(key, &value.to_string()).await.expect("a session");
    }

    /// Whether the item has this text in it.
    pub(crate) async fn stores(&self, key: &str, text: &str) -> bool {
        self.items().await.get(key).is_some_and(|item| item.as_str().expect("a string").contains(text))
    }
}

fn without_pending(mut items: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    items.remove(PENDING);
    items
}

/// A store in memory that counts how often it is asked.
#[derive(Debug, Default)]
pub(crate) struct Store {
    records: MemoryStore,
    loads: AtomicUsize,
    saves: AtomicUsize,
    is_down: AtomicBool,
    gate: Mutex<Option<Gate>>,
}

impl Store {
    /// Lets every change fail, or not any more.
    pub(crate) fn break_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Holds every change back, behind this gate.
    pub(crate) fn hold(&self, gate: Option<&Gate>) {
        *self.gate.lock().expect("a gate") = gate.cloned();
    }

    async fn check(&self) -> StoreResult<()> {
        let gate = self.gate.lock().expect("a gate").clone();
        if let Some(gate) = gate {
            gate.pass().await;
        }
        if self.is_down.load(Ordering::SeqCst) { Err(StoreError::Backend("the store is down".into())) } else { Ok(()) }
    }

    pub(crate) async fn has(&self, id: &Id) -> bool {
        self.records.load(id).await.expect("a store that works").is_some()
    }

    /// What an operation makes the store do: loads, and saves.
    pub(crate) async fn count<T>(&self, operation: impl Future<Output = T>) -> (T, usize, usize) {
        let counts = || (self.loads.load(Ordering::SeqCst), self.saves.load(Ordering::SeqCst));
        let before = counts();
        let result = soon(Box::pin(operation)).await;
        let after = counts();
        (result, after.0 - before.0, after.1 - before.1)
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        self.saves.fetch_add(1, Ordering::SeqCst);
        self.check().await?;
        self.records.create(record).await
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        self.saves.fetch_add(1, Ordering::SeqCst);
        self.check().await?;
        self.records.save(record).await
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.records.load(id).await
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        self.check().await?;
        self.records.delete(id).await
    }
}
