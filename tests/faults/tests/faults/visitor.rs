//! A user with a browser, and what they were told about their writes.

use std::collections::BTreeMap;
use std::mem;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::http::Method;
use servers::Browser;

use crate::app::{App, FAILED};

/// The keys that the app's sign-in writes.
const TOKENS: [&str; 2] = ["logto_id_token", "logto_refresh_token"];

/// A status and a page.
pub(crate) type Answer = (u16, String);

pub(crate) fn signed_in(token: &str) -> Answer {
    (200, format!("Signed in: {token}, {token}."))
}

pub(crate) fn signed_out() -> Answer {
    (200, "Signed out.".to_owned())
}

pub(crate) fn done() -> Answer {
    (200, "Done.".to_owned())
}

pub(crate) fn failed() -> Answer {
    (500, FAILED.to_owned())
}

/// The page that tower-sessions' layer sends, when its save at the end of the response fails.
pub(crate) fn failed_by_the_layer() -> Answer {
    (500, String::new())
}

pub(crate) struct Visitor {
    browser: Browser,
    url: String,
    ledger: Mutex<Ledger>,
}

/// What the user was told about their writes.
#[derive(Default)]
struct Ledger {
    acknowledged: usize,
    failed: usize,
    items: BTreeMap<String, Item>,
}

impl Ledger {
    fn record(&mut self, keys: &[&str], value: &str, acknowledged: bool) {
        *(if acknowledged { &mut self.acknowledged } else { &mut self.failed }) += 1;
        for key in keys {
            let item = self.items.entry((*key).to_owned()).or_default();
            if acknowledged {
                *item = Item { acknowledged: value.to_owned(), unknown: Vec::new() };
            } else {
                item.unknown.push(value.to_owned());
            }
        }
    }
}

#[derive(Default)]
struct Item {
    acknowledged: String,
    /// Newer values, whose writes have failed: they may be there all the same.
    unknown: Vec<String>,
}

impl Visitor {
    pub(crate) fn of(app: &App) -> Self {
        Self { browser: Browser::new(), url: app.url.clone(), ledger: Mutex::default() }
    }

    /// One with a session, signed in with this token.
    pub(crate) async fn signed_in(app: &App, token: &str) -> Self {
        let visitor = Self::of(app);
        assert_eq!(visitor.sign_in(token).await, done());
        visitor
    }

    pub(crate) async fn page(&self) -> Answer {
        self.send(Method::GET, "/").await
    }

    pub(crate) async fn item(&self, key: &str) -> Answer {
        self.send(Method::GET, &format!("/items/{key}")).await
    }

    pub(crate) async fn set(&self, key: &str, value: &str) -> Answer {
        self.write(&format!("/items/{key}/{value}"), &[key], value).await
    }

    pub(crate) async fn sign_in(&self, token: &str) -> Answer {
        self.write(&format!("/sign-in/{token}"), &TOKENS, token).await
    }

    /// The app says that it is done, whether or not it is.
    pub(crate) async fn sign_in_regardless(&self, token: &str) -> Answer {
        self.send(Method::POST, &format!("/sign-in-regardless/{token}")).await
    }

    /// The app pauses when the token is written.
    pub(crate) async fn sign_in_and_pause(&self, token: &str) -> Answer {
        self.write(&format!("/sign-in-and-pause/{token}"), &TOKENS, token).await
    }

    /// The app pauses when the first token is written, and then writes the second.
    pub(crate) async fn sign_in_twice(&self, first: &str, second: &str) -> Answer {
        self.write(&format!("/sign-in-twice/{first}/{second}"), &TOKENS, second).await
    }

    pub(crate) async fn renew(&self, token: &str) -> Answer {
        self.write(&format!("/renew/{token}"), &TOKENS, token).await
    }

    pub(crate) async fn forget(&self) -> Answer {
        self.send(Method::POST, "/forget").await
    }

    /// The app's handler was told Ok for this token, whatever its answer will be.
    pub(crate) fn told_ok(&self, token: &str) {
        self.ledger.lock().unwrap().record(&TOKENS, token, true);
    }

    /// Whether everything that was acknowledged is there. Prints the counts.
    pub(crate) async fn assert_nothing_is_lost(&self, test: &str) {
        assert_eq!(self.count_lost(test).await, 0, "acknowledged writes are lost");
    }

    /// How many acknowledged items are not there. Prints the counts.
    pub(crate) async fn count_lost(&self, test: &str) -> usize {
        let items = mem::take(&mut self.ledger.lock().unwrap().items);
        let mut lost = 0;
        for (key, item) in items {
            let (status, value) = self.item(&key).await;
            assert_eq!(status, 200);
            lost += usize::from(value != item.acknowledged && !item.unknown.contains(&value));
        }
        let Ledger { acknowledged, failed, .. } = *self.ledger.lock().unwrap();
        println!("{test}: writes acknowledged {acknowledged}, failed {failed}; acknowledged items lost {lost}");
        lost
    }

    /// The session's id, which is its key in Redis.
    pub(crate) fn session(&self) -> Option<String> {
        let cookies = self.browser.cookies(&self.url)?;
        Some(cookies.strip_prefix("id=").expect("no other cookie").to_owned())
    }

    /// Removes the cookie, as a user can.
    pub(crate) fn clear_cookies(&mut self) {
        self.browser = Browser::new();
    }

    async fn write(&self, path: &str, keys: &[&str], value: &str) -> Answer {
        let answer = self.send(Method::POST, path).await;
        self.ledger.lock().unwrap().record(keys, value, answer == done());
        answer
    }

    async fn send(&self, method: Method, path: &str) -> Answer {
        let page = self.browser.request(method, &format!("{}{path}", self.url)).load().await;
        (page.status.as_u16(), page.body)
    }
}

/// What comes out, and how long it took.
pub(crate) async fn timed<T>(future: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    (future.await, start.elapsed())
}
