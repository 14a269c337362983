//! A web app's side: sessions in a store that counts, and what has to hold whatever the provider does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fake_provider::{APP_ID, APP_SECRET, Endpoint, FakeProvider};
use logto_client::{
    Error, LogtoClient, LogtoConfig, LogtoConfigBuilder, LogtoSession, LogtoStorage, SignInOptions, SignedIn, scope,
};
use serde_json::Value;
use servers::Browser;
use tower_sessions::session::Id;
use tower_sessions::{Session, SessionStore as _};
use tower_sessions_0_15 as tower_sessions;
use url::Url;

use crate::app::{App, COOKIE, Tab};
use crate::store::Store;

pub(crate) use fake_provider::{API, REDIRECT_URI};
pub(crate) const PENDING: &str = "logto_sign_in_session";
pub(crate) const REFRESH_TOKEN: &str = "logto_refresh_token";
pub(crate) const ID_TOKEN: &str = "logto_id_token";
pub(crate) const TOKEN_MAP: &str = "logto_access_token_map";
pub(crate) const ACCESS_TOKEN: &str = "logto_access_token:";

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
    pub(crate) provider: FakeProvider,
    pub(crate) client: LogtoClient,
    pub(crate) store: Store,
    app: Arc<App>,
    browser: Browser,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::at(FakeProvider::start().await).await
    }

    /// At a provider that replaces refresh tokens at every use.
    pub(crate) async fn start_rotating() -> Self {
        Self::at(FakeProvider::start_rotating().await).await
    }

    async fn at(provider: FakeProvider) -> Self {
        let client = LogtoClient::new(config(&provider)).expect("a client");
        Self::of(provider, client).await
    }

    /// With an HTTP client that gives up soon.
    pub(crate) async fn impatient() -> Self {
        Self::with_http_client(reqwest::Client::builder().timeout(IMPATIENCE).build().expect("an HTTP client")).await
    }

    pub(crate) async fn with_http_client(http: reqwest::Client) -> Self {
        let provider = FakeProvider::start().await;
        let client = LogtoClient::with_http_client(config(&provider), http);
        Self::of(provider, client).await
    }

    pub(crate) async fn of(provider: FakeProvider, client: LogtoClient) -> Self {
        let store = Store::default();
        let app = Arc::new(App::start(store.clone()).await);
        Self { provider, client, store, app, browser: Browser::new() }
    }

    /// The same site, served by a process that knows nothing of the provider yet.
    pub(crate) fn with_a_cold_client(self) -> Self {
        let client = LogtoClient::new(config(&self.provider)).expect("a client");
        Self { client, ..self }
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor {
            store: self.store.clone(),
            app: self.app.clone(),
            browser: self.browser.another(),
            last: Mutex::default(),
        }
    }

    /// Sends a request of the visitor's, and returns when its handler has read the session: it does not see what others
    /// write from now on. The handler goes on with the operation when the test wants it to.
    pub(crate) async fn open<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        visitor: &Visitor,
        operation: impl FnOnce(LogtoSession<Storage>) -> F + Send + 'static,
    ) -> Tab<T> {
        let client = self.client.clone();
        self.open_with_session(visitor, move |storage| operation(client.session(storage))).await
    }

    /// As [`Site::open`], for an operation that changes the session itself, too.
    pub(crate) async fn open_with_session<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        visitor: &Visitor,
        operation: impl FnOnce(Storage) -> F + Send + 'static,
    ) -> Tab<T> {
        visitor.leave_last();
        let load = async |session| drop(Storage { session }.get_item(REFRESH_TOKEN).await.expect("a session"));
        self.app.open(&visitor.browser, load, move |session| operation(Storage { session })).await
    }

    /// Does the operation in a request of the visitor's, from its beginning to the end of its response.
    pub(crate) async fn visit<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        visitor: &Visitor,
        operation: impl FnOnce(LogtoSession<Storage>) -> F + Send + 'static,
    ) -> T {
        visitor.leave_last();
        let client = self.client.clone();
        let operation = move |session| operation(client.session(Storage { session }));
        self.app.open(&visitor.browser, |_| std::future::ready(()), operation).await.result().await
    }

    /// As [`Site::visit`], for an operation that changes the session itself, too.
    pub(crate) async fn visit_with_session<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
        &self,
        visitor: &Visitor,
        operation: impl FnOnce(Storage) -> F + Send + 'static,
    ) -> T {
        self.open_with_session(visitor, operation).await.result().await
    }

    /// The session of a new request of the visitor's, without an app around it: nothing saves it but the client.
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
        self.visit(visitor, async |logto| logto.sign_in(SignInOptions::new(REDIRECT_URI)).await).await
    }

    /// Begins to sign in, and agrees at the provider: the callback's URL.
    pub(crate) async fn authorized(&self, visitor: &Visitor) -> Url {
        let sign_in = self.sign_in(visitor).await.expect("the URL of the sign-in");
        self.provider.authorize(&sign_in).await
    }

    pub(crate) async fn callback(&self, visitor: &Visitor, url: &str) -> Result<SignedIn, Error> {
        let url = url.to_owned();
        self.visit(visitor, async move |logto| logto.handle_sign_in_callback(&url).await).await
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
        self.provider.assert_no_secret_in(&told);
    }
}

fn config(provider: &FakeProvider) -> LogtoConfig {
    builder(provider.origin()).build().expect("a configuration")
}

pub(crate) fn builder(endpoint: &str) -> LogtoConfigBuilder {
    LogtoConfig::builder(endpoint, APP_ID).app_secret(APP_SECRET).scopes([scope::ORGANIZATIONS]).resources([API])
}

/// Waits for what a task in the background is about to do.
pub(crate) async fn until(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    soon(wait).await;
}

pub(crate) async fn soon<T>(operation: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, Box::pin(operation)).await.expect("an answer, and soon")
}

/// A browser: each request has the cookie that the one before it has left.
pub(crate) struct Visitor {
    store: Store,
    app: Arc<App>,
    browser: Browser,
    /// The session of the last request without an app around it, which sets no cookie itself.
    last: Mutex<Option<Session>>,
}

impl Visitor {
    pub(crate) fn id(&self) -> Option<Id> {
        let last = self.last.lock().expect("a session").as_ref().and_then(Session::id);
        // A request whose session could not be saved has left no other one.
        if last.is_some() {
            return last;
        }
        let cookie = self.browser.cookie(&self.app.url, COOKIE)?;
        Some(cookie.parse().expect("the id of a session"))
    }

    /// Takes the cookie that the last request would have set.
    fn leave_last(&self) {
        if let Some(id) = self.id() {
            self.browser.take_cookies(&self.app.url, &format!("{COOKIE}={id}"));
        }
        *self.last.lock().expect("a session") = None;
    }

    pub(crate) fn storage(&self) -> Storage {
        self.leave_last();
        let session = Session::new(self.id(), Arc::new(self.store.clone()), None);
        *self.last.lock().expect("a session") = Some(session.clone());
        Storage { session }
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

    /// The keys of the access tokens' items.
    pub(crate) async fn access_token_keys(&self) -> Vec<String> {
        self.items().await.into_keys().filter(|key| key.starts_with(ACCESS_TOKEN)).collect()
    }

    pub(crate) async fn stores_access_token(&self, token: &str) -> bool {
        for key in self.access_token_keys().await {
            if self.stores(&key, token).await {
                return true;
            }
        }
        false
    }
}

fn without_pending(mut items: BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    items.remove(PENDING);
    items
}
