//! Two processes of the app, A and B, whose items are in a vault, and one browser.

use fake_provider::Gate;
use reqwest::Method;
use serde_json::Value;
use servers::{Browser, Page, Redis, Rotation};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::LIMIT;
use crate::app_process::{AppProcess, Instructions};
use crate::gates::{LeaseGate, Place, TokenGate};
use crate::provider::{On, Provider, Setup};

pub(super) const API: &str = "/token?resource=https://api.example.com";

pub(super) struct World {
    pub(super) provider: Provider,
    pub(super) a: AppProcess,
    pub(super) b: AppProcess,
    pub(super) browser: Browser,
    pub(super) redis: Redis,
    /// Between A and its vault.
    pub(super) lease: LeaseGate,
    token_gate: Option<TokenGate>,
    instructions: Instructions,
}

/// A page that is loading.
pub(super) type Loading = JoinHandle<Option<(u16, Value)>>;

impl World {
    /// Ann is signed in.
    pub(super) async fn signed_in(on: On, change: impl FnOnce(&mut Setup)) -> Self {
        let world = Self::start(on, change).await;
        world.sign_in("ann").await;
        world
    }

    /// Each use replaces a refresh token, and a replaced one that is used again ends the sign-in.
    pub(super) async fn strict(on: On) -> Self {
        Self::signed_in(on, rotated_without_grace).await
    }

    pub(super) async fn start(on: On, change: impl FnOnce(&mut Setup)) -> Self {
        let mut setup = Setup::default();
        change(&mut setup);
        let redis = Redis::start(&[]);
        let lease = LeaseGate::start(redis.port()).await;
        let (mut a, mut b) = (AppProcess::start().await, AppProcess::start().await);
        let (provider, token_gate) = match on {
            On::DevProvider => {
                let (provider, gate) = TokenGate::start(&setup, &a.url).await;
                (provider, Some(gate))
            }
            On::OidcProvider => (Provider::start(on, &setup, &a.url).await, None),
        };
        let endpoint = provider.endpoint().to_owned();
        let (app_url, url) = (a.url.clone(), redis.url());
        let instructions = Instructions { endpoint, redis: url.clone(), vault: Some(url), keys: Vec::new(), app_url };
        a.instruct(&Instructions { vault: Some(lease.url.clone()), ..instructions.clone() }).await;
        b.instruct(&instructions).await;
        Self { provider, a, b, browser: Browser::new(), redis, lease, token_gate, instructions }
    }

    /// Starts A again, as an operator does with a process that has died.
    pub(super) async fn restart_a(&mut self) {
        self.a = self.another_process().await;
    }

    /// A process that remembers nothing.
    pub(super) async fn another_process(&self) -> AppProcess {
        let mut another = AppProcess::start().await;
        another.instruct(&self.instructions).await;
        another
    }

    pub(super) fn apps(&self) -> [&AppProcess; 2] {
        [&self.a, &self.b]
    }

    /// Holds the next request to the token endpoint.
    pub(super) fn hold_next(&self, place: Place) -> Gate {
        self.token_gate.as_ref().expect("the development provider").hold_next(place)
    }

    pub(super) async fn json(&self, app: &AppProcess, path: &str) -> (u16, Value) {
        self.browser.json(&app.url(path)).await
    }

    /// Goes to a page in another tab. `None` if there is no answer.
    pub(super) fn load(&self, app: &AppProcess, path: &str) -> Loading {
        let (browser, url) = (self.browser.clone(), app.url(path));
        tokio::spawn(async move {
            let response = browser.request(Method::GET, &url).send().await.ok()?;
            let status = response.status().as_u16();
            Some((status, response.json().await.unwrap_or_default()))
        })
    }

    /// What the app answers, which has to be no error.
    pub(super) async fn ok(&self, app: &AppProcess, path: &str) -> Value {
        let (status, answer) = self.json(app, path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Who is signed in in this browser, as either process sees it.
    pub(super) async fn assert_user(&self, name: Option<&str>) {
        self.assert_user_of(&self.browser, name).await;
    }

    async fn assert_user_of(&self, browser: &Browser, name: Option<&str>) {
        for app in self.apps() {
            let (status, home) = browser.json(&app.url("/")).await;
            assert_eq!((status, home["claims"]["username"].as_str()), (200, name), "{home}");
        }
    }

    /// Nobody is signed in, whatever the user does, as long as they do not sign in.
    pub(super) async fn assert_signed_out(&self, browser: &Browser) {
        let before = self.provider.refreshes();
        for _ in 0..2 {
            for app in self.apps() {
                let (status, answer) = browser.json(&app.url(API)).await;
                assert_eq!((status, &answer["error"]), (401, &"NotAuthenticated".into()), "{answer}");
            }
            self.assert_user_of(browser, None).await;
        }
        assert_eq!(self.provider.refreshes(), before, "nothing is left to ask the provider with");
    }

    /// Both processes get another access token.
    pub(super) async fn assert_both_refresh(&self) {
        for app in self.apps() {
            let before = self.provider.refreshes();
            self.ok(app, "/clear-access-tokens").await;
            self.ok(app, "/token?organization=org-6").await;
            assert_eq!(self.provider.refreshes() - before, 1);
        }
    }

    /// A whole sign-in, in A.
    pub(super) async fn sign_in(&self, name: &str) {
        let callback = self.agree(self.begin(&self.a).await, name).await;
        let page = self.browser.get(&self.a.url(&callback)).await;
        assert_eq!(page.status, 303, "{page:?}");
        self.assert_user(Some(name)).await;
    }

    /// Signs out in a process, without going on to the provider.
    pub(super) async fn sign_out(&self, app: &AppProcess) {
        let page = self.browser.get(&app.url("/sign-out")).await;
        assert!(page.status.is_redirection(), "{page:?}");
    }

    /// A sign-in as far as the provider's first page.
    pub(super) async fn begin(&self, app: &AppProcess) -> Page {
        self.browser.follow(self.browser.get(&app.url("/sign-in")).await, |url| self.is_callback(url.as_str())).await
    }

    /// On from there, as far as the callback, which is for any process.
    pub(super) async fn agree(&self, page: Page, name: &str) -> String {
        let is_callback = |url: &reqwest::Url| self.is_callback(url.as_str());
        let callback = self.provider.agree_until(&self.browser, page, name, is_callback).await;
        callback.as_str().strip_prefix(&self.instructions.app_url).expect("a callback").to_owned()
    }

    fn is_callback(&self, url: &str) -> bool {
        url.starts_with(&format!("{}/callback", self.instructions.app_url))
    }

    /// A new browser that has the cookies which this one has now.
    pub(super) fn with_cookies_of_now(&self) -> Browser {
        let browser = Browser::new();
        browser.take_cookies(&self.a.url, &self.browser.cookies(&self.a.url).expect("cookies"));
        browser
    }
}

pub(super) async fn arrival(gate: &Gate) {
    timeout(LIMIT, gate.arrival()).await.expect("something to hold");
}

/// What a page has shown in the end.
pub(super) async fn loaded(page: Loading) -> (u16, Value) {
    page.await.unwrap().expect("an answer")
}

pub(super) fn rotated_without_grace(setup: &mut Setup) {
    setup.provider.rotation = Rotation::Always;
    setup.provider.grace_seconds = 0;
}
