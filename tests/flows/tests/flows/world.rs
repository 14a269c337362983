//! A provider, the app under test, and what users do with both.

use logto_client::LogtoClient;
use reqwest::StatusCode;
use serde_json::Value;
use servers::{Browser, OidcProvider, Page};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tower_sessions_0_15::SessionManagerLayer;
use tower_sessions_0_15::cookie::SameSite;
use url::Url;

use crate::app::{App, Stored};
use crate::provider::{APP_ID, APP_SECRET, On, Provider, Setup};
use crate::sessions::{COOKIE, Derived, Store};

pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) app: App,
    pub(crate) app_url: String,
    pub(crate) store: Store,
    setup: Setup,
    _server: Server,
}

/// What is served until this is dropped.
struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The same app on the same store, with a client of its own.
pub(crate) struct AnotherProcess {
    pub(crate) app: App,
    pub(crate) url: String,
    _server: Server,
}

fn serve<S: Stored>(listener: TcpListener, app: &App, store: &Store) -> Server {
    let sessions = SessionManagerLayer::new(store.clone()).with_name(COOKIE).with_secure(false);
    let router = app.router::<S>().layer(sessions.with_same_site(SameSite::Lax));
    Server(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle())
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

impl World {
    pub(crate) async fn start(on: On) -> Self {
        Self::with(on, |_| {}).await
    }

    pub(crate) async fn with(on: On, change: impl FnOnce(&mut Setup)) -> Self {
        Self::over::<Derived>(on, change).await
    }

    /// With sessions that are this storage of the items.
    pub(crate) async fn over<S: Stored>(on: On, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        let (listener, app_url) = listen().await;
        let provider = Provider::start(on, &setup, &app_url).await;
        let client = LogtoClient::new(setup.config(provider.endpoint())).unwrap();
        let (app, store) = (App::new(client, &app_url), Store::default());
        let server = serve::<S>(listener, &app, &store);
        Self { provider, app, app_url, store, setup, _server: server }
    }

    pub(crate) async fn another_process(&self) -> AnotherProcess {
        let (listener, url) = listen().await;
        let client = LogtoClient::new(self.setup.config(self.provider.endpoint())).unwrap();
        let app = App::new(client, &self.app_url);
        let server = serve::<Derived>(listener, &app, &self.store);
        AnotherProcess { app, url, _server: server }
    }

    /// The provider whose settings can be changed, and which can tell what it was asked.
    pub(crate) fn oidc_provider(&self) -> &OidcProvider {
        match &self.provider {
            Provider::OidcProvider(provider) => provider,
            Provider::DevProvider(_) => panic!("the test is not for the development provider"),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.app_url)
    }

    /// A sign-in as far as the provider's first page. `path` is `/sign-in`, maybe with a query.
    pub(crate) async fn begin(&self, browser: &Browser, path: &str) -> Page {
        let page = browser.follow(browser.get(&self.url(path)).await, |url| self.is_callback(url)).await;
        assert!(page.url.as_str().starts_with(self.provider.endpoint()), "{page:?}");
        page
    }

    /// On from there as `name`, as far as the redirect to the app, which is not followed.
    pub(crate) async fn agree(&self, browser: &Browser, page: Page, name: &str) -> Url {
        self.provider.agree_until(browser, page, name, |url| self.is_callback(url)).await
    }

    /// The same for a user who does not agree.
    pub(crate) async fn deny(&self, browser: &Browser, page: Page) -> Url {
        let page = self.provider.deny(browser, &page).await;
        let page = browser.follow(page, |url| self.is_callback(url)).await;
        page.location.unwrap_or_else(|| panic!("the provider does not send the user back: {}", page.body))
    }

    /// A whole sign-in.
    pub(crate) async fn sign_in(&self, browser: &Browser, name: &str) {
        self.sign_in_by(browser, "/sign-in", name).await;
    }

    pub(crate) async fn sign_in_by(&self, browser: &Browser, path: &str, name: &str) {
        let page = self.begin(browser, path).await;
        let callback = self.agree(browser, page, name).await;
        let home = browser.visit(callback.as_str()).await;
        assert_eq!((home.status, home.url.as_str()), (StatusCode::OK, &*self.url("/")), "{home:?}");
        assert_eq!(self.user(browser).await.as_deref(), Some(name));
    }

    /// A whole sign-out, the provider's page included.
    pub(crate) async fn sign_out(&self, browser: &Browser) {
        let mut page = browser.visit(&self.url("/sign-out")).await;
        assert!(page.url.as_str().starts_with(self.provider.endpoint()) || page.url.path() == "/", "{page:?}");
        while page.url.as_str().starts_with(self.provider.endpoint()) {
            assert_eq!(page.status, StatusCode::OK, "{page:?}");
            page = browser.follow(browser.submit(&page, &[("logout", "yes")]).await, |_| false).await;
        }
        assert_eq!((page.status, page.url.as_str()), (StatusCode::OK, &*self.url("/")), "{page:?}");
    }

    /// Who the app says is signed in.
    pub(crate) async fn user(&self, browser: &Browser) -> Option<String> {
        let home = self.ok(browser, "/").await;
        let name = home["claims"]["username"].as_str().map(str::to_owned);
        assert_eq!(home["signedIn"], name.is_some(), "{home}");
        name
    }

    /// What the app answers, which has to be no error.
    pub(crate) async fn ok(&self, browser: &Browser, path: &str) -> Value {
        let (status, answer) = browser.json(&self.url(path)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The same for a text.
    pub(crate) async fn text(&self, browser: &Browser, path: &str) -> String {
        self.ok(browser, path).await.as_str().unwrap_or_else(|| panic!("{path} is no text")).to_owned()
    }

    /// The error that the app answers.
    pub(crate) async fn error(&self, browser: &Browser, path: &str) -> Value {
        let (status, answer) = browser.json(&self.url(path)).await;
        assert_ne!(status, 200, "{path}: {answer}");
        answer
    }

    pub(crate) fn session_id(&self, browser: &Browser) -> String {
        browser.cookie(&self.app_url, COOKIE).expect("a session")
    }

    /// Asks the provider for new tokens behind the client's back.
    pub(crate) async fn refresh(&self, refresh_token: &str) -> (u16, Value) {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", APP_ID)];
        let request = reqwest::Client::new().post(format!("{}/oidc/token", self.provider.endpoint())).form(&form);
        let response = request.basic_auth(encode(APP_ID), Some(encode(APP_SECRET))).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    fn is_callback(&self, url: &Url) -> bool {
        url.as_str().starts_with(&self.url("/callback"))
    }
}

/// RFC 6749, section 2.3.1: id and secret are encoded as in a form before they become Basic's.
fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
