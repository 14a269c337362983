//! A running app, its provider, and its visitors.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};

use fake_provider::{APP_ID, FakeProvider, Gate};
use reqwest::Method;
use reqwest::header::{LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use servers::Browser;
use tokio::sync::oneshot;
use url::Url;

use crate::app::App;
use crate::apps::Library;
use crate::store::TestStore;

pub(crate) struct World {
    pub(crate) provider: FakeProvider,
    pub(crate) store: TestStore,
    /// Where slow pages wait.
    pub(crate) gate: Gate,
    origin: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl World {
    /// Starts a provider that replaces a refresh token whenever it is used, and the app. All tokens have more than 2 KiB.
    pub(crate) async fn start(library: Library) -> Self {
        let provider = FakeProvider::start_with(|config| {
            config.rotate_refresh_token_at = 0.0;
            config.resources = crate::app::APIS.map(|api| dev_provider::Resource::new(api, &[])).to_vec();
        })
        .await;
        provider.change_id_tokens(|token| token.claims["padding"] = json!("x".repeat(2048)));
        provider.change_access_tokens(|token| token.claims["padding"] = json!("x".repeat(2048)));

        let (store, gate) = (TestStore::default(), Gate::default());
        let app = Arc::new(App::new(&provider, &store, &gate, library.keeps_session_id));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        // As tokio requires.
        listener.set_nonblocking(true).expect("a socket");
        let origin = format!("http://{}", listener.local_addr().expect("a bound socket"));
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || (library.serve)(listener, app, stopped));
        Self { provider, store, gate, origin, stop: Some(stop), thread: Some(thread) }
    }

    /// A new visitor.
    pub(crate) fn visitor(&self) -> Visitor {
        // A client of its own would take 20 ms.
        static BROWSER: LazyLock<Browser> = LazyLock::new(Browser::new);
        Visitor { browser: BROWSER.another(), origin: self.origin.clone() }
    }

    /// Somebody who has got hold of a visitor's cookies.
    pub(crate) fn visitor_with(&self, cookies: &str) -> Visitor {
        let visitor = self.visitor();
        if !cookies.is_empty() {
            visitor.browser.take_cookies(&self.origin, cookies);
        }
        visitor
    }

    /// Signs a user in at the provider, and returns the path and query of the callback.
    pub(crate) async fn callback(&self, sign_in_url: &Url, user: &str) -> String {
        let callback = self.provider.authorize_as(sign_in_url, user).await;
        format!("{}?{}", callback.path(), callback.query().expect("a code"))
    }

    /// Signs a user in to the app. Returns the status of the callback.
    pub(crate) async fn sign_in(&self, visitor: &Visitor, user: &str) -> u16 {
        let url = visitor.start_sign_in().await;
        visitor.get(&self.callback(&url, user).await).await.status
    }

    /// A visitor who has a value in the app's session, and is signed in.
    pub(crate) async fn signed_in(&self, user: &str) -> Visitor {
        let visitor = self.visitor();
        visitor.fill_cart().await;
        assert_eq!(self.sign_in(&visitor, user).await, 200);
        assert_eq!(visitor.user().await.as_deref(), Some(user));
        visitor
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            ended.expect("it is joined once").expect("the server ends well");
        }
    }
}

/// A clone is another tab of the same browser.
#[derive(Clone)]
pub(crate) struct Visitor {
    browser: Browser,
    origin: String,
}

#[derive(Debug)]
pub(crate) struct Reply {
    /// 0 if the connection was closed without an answer.
    pub(crate) status: u16,
    /// `null` if it is no JSON.
    pub(crate) body: Value,
    pub(crate) location: Option<Url>,
    /// As in a `Cookie` header.
    pub(crate) cookies: String,
}

impl Visitor {
    pub(crate) async fn get(&self, path_and_query: &str) -> Reply {
        let url = format!("{}{path_and_query}", self.origin);
        let Ok(response) = self.browser.request(Method::GET, &url).send().await else {
            return Reply { status: 0, body: Value::Null, location: None, cookies: String::new() };
        };
        let status = response.status().as_u16();
        let text = |value: &reqwest::header::HeaderValue| value.to_str().expect("text").to_owned();
        let location = response.headers().get(LOCATION).map(|to| text(to).parse().expect("a URL"));
        let cookies = response.headers().get_all(SET_COOKIE).iter().map(text);
        let cookies: Vec<_> = cookies.map(|cookie| cookie.split(';').next().unwrap_or_default().to_owned()).collect();
        let body = response.bytes().await.unwrap_or_default();
        Reply { status, body: serde_json::from_slice(&body).unwrap_or_default(), location, cookies: cookies.join("; ") }
    }

    /// Who is signed in, as the next page shows it.
    pub(crate) async fn user(&self) -> Option<String> {
        let page = self.get("/page").await;
        assert_eq!(page.status, 200, "{page:?}");
        page.body["user"].as_str().map(str::to_owned)
    }

    /// Starts a sign-in, and returns where the browser is redirected to.
    pub(crate) async fn start_sign_in(&self) -> Url {
        let reply = self.get("/sign-in").await;
        assert_eq!(reply.status, 303, "{reply:?}");
        let url = reply.location.expect("the provider's URL");
        assert!(url.query_pairs().any(|(name, value)| name == "client_id" && value == APP_ID));
        url
    }

    pub(crate) async fn sign_out(&self) {
        let reply = self.get("/sign-out").await;
        assert_eq!(reply.status, 303, "{reply:?}");
    }

    pub(crate) async fn token(&self, api: &str) -> Reply {
        self.get(&format!("/token?target={api}")).await
    }

    /// The app stores a value of its own in the session.
    pub(crate) async fn fill_cart(&self) {
        assert_eq!(self.get("/value?set=apples").await.status, 200);
        assert!(self.has_cart().await);
    }

    pub(crate) async fn has_cart(&self) -> bool {
        let reply = self.get("/value").await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.body["value"] == "apples"
    }

    /// All cookies, as in a `Cookie` header; empty if there are none.
    pub(crate) fn cookies(&self) -> String {
        self.browser.cookies(&self.origin).unwrap_or_default()
    }
}
