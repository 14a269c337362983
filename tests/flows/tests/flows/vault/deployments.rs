//! Processes of one app that are replaced one by one while browsers use them, as by a rolling deployment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use servers::{Browser, Rotation};
use tokio::task::JoinSet;

use crate::provider::Setup;
use crate::vault::fleet::{Fleet, Store};
use crate::vault::restarts::load;

const USERS: [&str; 3] = ["ann", "bob", "carol"];
const PROCESSES: usize = 2;

/// How many pages a user loads at least.
const PAGES: usize = 5;

const OLD: &str = "an old application key of 32 bytes, or more";
const NEW: &str = "a new application key of 32 bytes, or more";

pub(crate) async fn a_rolling_deployment_signs_nobody_out(store: Store) {
    let (fleet, users) = signed_in(store, &[]).await;

    while_users_click(&users, fleet.replace_each(&[])).await;

    for user in &users {
        user.assert_signed_in().await;
    }
}

pub(crate) async fn an_application_key_is_replaced_and_nobody_is_signed_out(store: Store) {
    let (fleet, users) = signed_in(store, &[OLD]).await;

    for keys in [&[OLD, NEW], &[NEW, OLD]] {
        while_users_click(&users, fleet.replace_each(keys)).await;
    }
    // What the vault's lifetime brings about: who is still signed in has written something.
    for user in &users {
        user.refresh().await;
    }
    while_users_click(&users, fleet.replace_each(&[NEW])).await;

    for user in &users {
        user.assert_signed_in().await;
    }
}

pub(crate) async fn a_key_that_is_removed_early_signs_out_only_users_whose_records_it_had_sealed(store: Store) {
    let (fleet, users) = signed_in(store, &[OLD]).await;
    let [reader, writer, newcomer] = &users[..] else { panic!("three users") };

    for keys in [&[OLD, NEW], &[NEW, OLD]] {
        fleet.replace_each(keys).await;
    }
    reader.assert_signed_in().await;
    writer.refresh().await;
    newcomer.sign_in().await;
    fleet.replace_each(&[NEW]).await;

    reader.assert_signed_out().await;
    writer.assert_signed_in().await;
    newcomer.assert_signed_in().await;
    reader.sign_in().await;
    reader.assert_signed_in().await;
}

/// Every refresh token can be used once, so that a process that loses one signs its user out.
async fn signed_in(store: Store, keys: &[&str]) -> (Arc<Fleet>, Vec<User>) {
    let mut setup = Setup { users: USERS.into(), ..Setup::default() };
    setup.provider.rotation = Rotation::Always;
    setup.provider.grace_seconds = 0;
    // Three seconds, since less than ten seconds left count as expired.
    setup.provider.access_token_seconds = 13;
    let fleet = Arc::new(Fleet::start(store, PROCESSES, &setup, keys).await);
    let users = USERS.map(|name| User { name, browser: Browser::new(), fleet: Arc::clone(&fleet) });
    for user in &users {
        user.sign_in().await;
    }
    (fleet, users.into())
}

/// Each user has two tabs, in which they load one page after the other until the deployment is done.
async fn while_users_click(users: &[User], deployment: impl Future<Output = ()>) {
    let (mut tabs, is_done) = (JoinSet::new(), Arc::<AtomicBool>::default());
    for user in users.iter().chain(users) {
        tabs.spawn(user.clone().click_until(Arc::clone(&is_done)));
    }
    deployment.await;
    is_done.store(true, Ordering::SeqCst);
    // A tab that has met an error has panicked.
    tabs.join_all().await;
}

#[derive(Clone)]
struct User {
    name: &'static str,
    browser: Browser,
    fleet: Arc<Fleet>,
}

impl User {
    async fn sign_in(&self) {
        let (fleet, browser) = (&self.fleet, &self.browser);
        let url = fleet.urls().remove(0);
        let is_callback = |url: &reqwest::Url| fleet.callback_path(url.as_str()).is_some();
        let page = browser.follow(browser.get(&format!("{url}/sign-in")).await, is_callback).await;
        let callback = fleet.provider.agree_until(browser, page, self.name, is_callback).await;
        let path = fleet.callback_path(callback.as_str()).expect("a callback");
        let page = browser.get(&format!("{url}{path}")).await;
        assert_eq!(page.status, 303, "{page:?}");
    }

    async fn click_until(self, is_done: Arc<AtomicBool>) {
        let mut pages = 0;
        while pages < PAGES || !is_done.load(Ordering::SeqCst) {
            let url = fastrand::choice(self.fleet.urls()).expect("a process");
            let path = match fastrand::u8(0..=6) {
                0 => "/".to_owned(),
                number => format!("/token?organization=org-{number}"),
            };
            match load(&self.browser, &format!("{url}{path}")).await {
                Some((200, home)) if path != "/" || home["claims"]["username"] == self.name => pages += 1,
                // It was told to end after the user had chosen it.
                None if self.fleet.is_told_to_end(&url) => {}
                answer => panic!("{path} of {}: {answer:?}", self.name),
            }
        }
    }

    /// Gets another access token, which is stored.
    async fn refresh(&self) {
        let url = self.fleet.urls().remove(0);
        for path in ["/clear-access-tokens", "/token?organization=org-1"] {
            let (status, answer) = self.browser.json(&format!("{url}{path}")).await;
            assert_eq!(status, 200, "{path} of {}: {answer}", self.name);
        }
    }

    async fn assert_signed_in(&self) {
        for url in self.fleet.urls() {
            let (status, home) = self.browser.json(&format!("{url}/")).await;
            assert_eq!((status, home["claims"]["username"].as_str()), (200, Some(self.name)), "{home}");
        }
    }

    async fn assert_signed_out(&self) {
        for url in self.fleet.urls() {
            let (status, home) = self.browser.json(&format!("{url}/")).await;
            assert_eq!((status, home["signedIn"].as_bool()), (200, Some(false)), "{} at {url}: {home}", self.name);
            let (status, answer) = self.browser.json(&format!("{url}/token?organization=org-1")).await;
            assert_eq!((status, answer["error"].as_str()), (401, Some("NotAuthenticated")), "{answer}");
        }
    }
}
