//! Browsers that sign in, load pages and sign out at random, on processes that are killed, stopped and started again.
//!
//! `LOGTO_VAULT_ROUNDS` is the number of rounds (1), and `LOGTO_VAULT_SEED` the first round's seed, which is random. A seed
//! determines what is done, but not how it interleaves.

use std::env;
use std::mem;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use reqwest::Method;
use serde_json::Value;
use servers::{Browser, Rotation};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::provider::Setup;
use crate::vault::fleet::{Fleet, Sent, Store};

const ROUND: Duration = Duration::from_secs(10);
const USERS: [&str; 6] = ["ann", "bob", "carol", "dave", "erin", "frank"];

/// How long Logto accepts a refresh token that was replaced.
const GRACE: u32 = 3;

pub(crate) async fn two_processes_that_are_killed_sign_nobody_out_without_cause(store: Store) {
    rounds(store, 2, GRACE).await;
}

pub(crate) async fn three_processes_that_are_killed_sign_nobody_out_without_cause(store: Store) {
    rounds(store, 3, GRACE).await;
}

pub(crate) async fn four_processes_that_are_killed_sign_nobody_out_without_cause(store: Store) {
    rounds(store, 4, GRACE).await;
}

pub(crate) async fn without_grace_only_users_of_an_interrupted_process_are_signed_out(store: Store) {
    rounds(store, 3, 0).await;
}

async fn rounds(store: Store, processes: usize, grace: u32) {
    let number = |name| env::var(name).ok().map(|number| number.parse().expect("a number"));
    let first = number("LOGTO_VAULT_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    for seed in first..first + number("LOGTO_VAULT_ROUNDS").unwrap_or(1) {
        round(store, processes, grace, seed).await;
    }
}

async fn round(store: Store, processes: usize, grace: u32, seed: u64) {
    let mut setup = Setup { users: USERS.into(), ..Setup::default() };
    setup.provider.rotation = Rotation::Always;
    setup.provider.grace_seconds = grace;
    // Three seconds, since less than ten seconds left count as expired.
    setup.provider.access_token_seconds = 13;
    let fleet = Arc::new(Fleet::start(store, processes, &setup, &[]).await);
    let mut random = Rng::with_seed(seed);
    let end = Instant::now() + ROUND;

    let mut visitors = JoinSet::new();
    for name in USERS {
        let visitor = Visitor::new(name, random.fork(), Arc::clone(&fleet));
        visitors.spawn(visitor.live_until(end));
    }
    fleet.interrupt_until(end, random.fork()).await;
    let mut visitors = visitors.join_all().await;
    for visitor in &mut visitors {
        visitor.check_in_the_end().await;
    }

    assert_promises(&fleet, &visitors, &format!("{store:?}, {processes} processes, grace {grace} s, seed {seed}"));
}

fn assert_promises(fleet: &Fleet, visitors: &[Visitor], what: &str) {
    let sum = |count: fn(&Counts) -> usize| visitors.iter().map(|visitor| count(&visitor.counts)).sum::<usize>();
    let reuses = fleet.ledger.reuses();
    let (explained, unexplained): (Vec<_>, Vec<_>) =
        reuses.iter().partition(|reuse| fleet.was_interrupted(&reuse.user, reuse.first, reuse.second));
    let refused = explained.iter().filter(|reuse| !reuse.is_accepted);
    let losses: Vec<_> = visitors.iter().flat_map(|visitor| &visitor.losses).collect();
    let without_cause = losses.iter().filter(|loss| {
        let is_cause = |at| loss.signed_in < at && at <= loss.at;
        !refused.clone().any(|reuse| reuse.user == loss.user && is_cause(reuse.second))
    });
    let without_cause: Vec<_> = without_cause.collect();
    let wrong: Vec<_> = visitors.iter().flat_map(|visitor| &visitor.wrong).collect();
    let (kills, stops) = fleet.interruptions();
    println!(
        "{what}: {kills} kills, {stops} stops; {} sign-ins, {} sign-outs, {} old cookies used again, {} pages, {} without an \
         answer, {} errors; {} exchanges, {} taken over from a process that was interrupted, {} of them later than the grace; \
         {} signed out by that, {} without cause",
        sum(|counts| counts.sign_ins),
        sum(|counts| counts.sign_outs),
        sum(|counts| counts.replays),
        sum(|counts| counts.pages),
        sum(|counts| counts.lost),
        sum(|counts| counts.errors),
        fleet.ledger.exchanges(),
        explained.len(),
        refused.clone().count(),
        losses.len() - without_cause.len(),
        without_cause.len(),
    );
    assert!(wrong.is_empty(), "{what}: {wrong:#?}");
    assert!(unexplained.is_empty(), "{what}: used twice, though no process was interrupted: {unexplained:#?}");
    assert!(without_cause.is_empty(), "{what}: signed out without cause: {without_cause:#?}");
    assert_eq!(fleet.ledger.forks(), 0, "{what}: a process has undone what another has stored");
    assert!(kills > 0 && sum(|counts| counts.sign_outs) > 0 && fleet.ledger.exchanges() > 0, "{what}");
}

/// A user and their browser.
struct Visitor {
    name: &'static str,
    random: Rng,
    fleet: Arc<Fleet>,
    browser: Browser,
    signed_in: Option<Instant>,
    /// The cookies from before each sign-out.
    old_cookies: Vec<String>,
    counts: Counts,
    losses: Vec<Loss>,
    /// What must never happen.
    wrong: Vec<String>,
}

#[derive(Default)]
struct Counts {
    sign_ins: usize,
    sign_outs: usize,
    replays: usize,
    pages: usize,
    lost: usize,
    errors: usize,
}

/// A sign-in that has ended, though the user has not signed out.
#[derive(Debug)]
struct Loss {
    user: &'static str,
    signed_in: Instant,
    at: Instant,
    #[expect(dead_code, reason = "printed")]
    answer: Value,
}

/// What a process has answered.
pub(super) type Answer = Option<(u16, Value)>;

impl Visitor {
    fn new(name: &'static str, random: Rng, fleet: Arc<Fleet>) -> Self {
        let (browser, counts) = (Browser::new(), Counts::default());
        let (old_cookies, losses, wrong) = Default::default();
        Self { name, random, fleet, browser, signed_in: None, old_cookies, counts, losses, wrong }
    }

    async fn live_until(mut self, end: Instant) -> Self {
        while Instant::now() < end {
            match (self.signed_in, self.random.u8(..20)) {
                (None, _) => self.sign_in().await,
                (Some(_), 0..2) => self.sign_out().await,
                (Some(_), 2..4) => self.look().await,
                (Some(_), _) => self.load_pages().await,
            }
            sleep(Duration::from_millis(self.random.u64(..100))).await;
        }
        self
    }

    async fn sign_in(&mut self) {
        let Some(callback) = self.get_as_far_as_the_callback().await else { return self.forget() };
        match self.get(&callback).await {
            Some((303, _)) => {
                self.signed_in = Some(Instant::now());
                self.counts.sign_ins += 1;
                self.look().await;
            }
            // The user may be signed in by now.
            None | Some((500.., _)) => self.forget(),
            Some(answer) => self.wrong.push(format!("the callback of {}: {answer:?}", self.name)),
        }
    }

    async fn get_as_far_as_the_callback(&mut self) -> Option<String> {
        let url = self.url("/sign-in");
        let response = self.browser.request(Method::GET, &url).send().await.ok()?;
        let location = response.headers().get("location")?.to_str().ok()?.to_owned();
        let (fleet, browser) = (&self.fleet, &self.browser);
        let is_callback = |url: &reqwest::Url| fleet.callback_path(url.as_str()).is_some();
        let page = browser.follow(browser.get(&location).await, is_callback).await;
        let callback = fleet.provider.agree_until(browser, page, self.name, is_callback).await;
        fleet.callback_path(callback.as_str()).map(str::to_owned)
    }

    /// Signs out beside pages that have read the session before, and save it afterwards.
    async fn sign_out(&mut self) {
        let url = self.url("/");
        let cookies = self.browser.cookies(&url).expect("cookies");
        let (mut pages, mut processes) = (JoinSet::new(), Vec::new());
        for number in 0..self.random.usize(..4) {
            let (process, target) = (self.url(""), self.target());
            let path = format!("/token-and-pause?{target}&cart={number}");
            pages.spawn(self.get_from(process.clone(), &path));
            processes.push(process);
        }
        sleep(Duration::from_millis(self.random.u64(..100))).await;
        let answer = self.get("/sign-out").await;
        for process in processes {
            load(&self.browser, &format!("{process}/end-pauses/1")).await;
        }
        for page in pages.join_all().await {
            self.count(&page);
        }
        if let Some((303, _)) = answer {
            self.counts.sign_outs += 1;
            self.signed_in = None;
            self.old_cookies.push(cookies.clone());
            self.use_again(&cookies).await;
        } else {
            // Whether the user is still signed in is not known.
            self.forget();
        }
    }

    async fn look(&mut self) {
        if let Some((200, home)) = self.get("/").await
            && home["claims"]["username"] != self.name
        {
            self.lose(home);
        }
    }

    async fn load_pages(&mut self) {
        let mut pages = JoinSet::new();
        for _ in 0..self.random.usize(1..5) {
            pages.spawn(self.random_page());
        }
        let mut answers = pages.join_all().await;
        // A user who gets no answer loads the page again.
        let mut is_answered = !answers.contains(&None);
        while !is_answered {
            answers.push(self.random_page().await);
            is_answered = !matches!(answers.last(), Some(None));
        }
        for answer in answers {
            self.count(&answer);
            self.judge(answer);
        }
    }

    fn judge(&mut self, answer: Answer) {
        if let Some((401, error)) = answer {
            self.lose(error);
        }
    }

    fn lose(&mut self, answer: Value) {
        if let Some(signed_in) = self.signed_in.take() {
            self.losses.push(Loss { user: self.name, signed_in, at: Instant::now(), answer });
        }
    }

    /// Nobody is signed in in a browser that has the cookies from before a sign-out.
    async fn use_again(&mut self, cookies: &str) {
        for url in self.fleet.urls() {
            let browser = Browser::new();
            browser.take_cookies(&url, cookies);
            let home = load(&browser, &format!("{url}/")).await;
            let page = load(&browser, &format!("{url}/token?organization=org-1")).await;
            self.counts.replays += usize::from(home.is_some());
            if matches!(&home, Some((200, home)) if home["signedIn"] != false) || matches!(page, Some((200, _))) {
                self.wrong.push(format!("{} is signed in again on {url}", self.name));
            }
        }
    }

    /// All processes run, and nobody else does anything.
    async fn check_in_the_end(&mut self) {
        if self.signed_in.is_some() {
            self.get("/clear-access-tokens").await;
            let answer = self.get("/token?organization=org-6").await;
            match answer {
                Some((200 | 401, _)) => self.judge(answer),
                other => self.wrong.push(format!("{} gets no token in the end: {other:?}", self.name)),
            }
            self.look().await;
        }
        if self.signed_in.is_some() {
            self.sign_out().await;
        }
        for cookies in mem::take(&mut self.old_cookies) {
            self.use_again(&cookies).await;
        }
    }

    /// Goes on with a new browser, whose user has not signed in.
    fn forget(&mut self) {
        self.browser = Browser::new();
        self.signed_in = None;
    }

    fn count(&mut self, answer: &Answer) {
        match answer {
            None => self.counts.lost += 1,
            Some((500.., _)) => self.counts.errors += 1,
            Some(_) => self.counts.pages += 1,
        }
    }

    async fn get(&mut self, path: &str) -> Answer {
        let url = self.url("");
        let answer = self.get_from(url, path).await;
        self.count(&answer);
        answer
    }

    /// A page that needs an access token.
    fn random_page(&mut self) -> impl Future<Output = Answer> + Send + use<> {
        let (url, target) = (self.url(""), self.target());
        self.get_from(url, &format!("/token?{target}"))
    }

    fn target(&mut self) -> String {
        match self.random.u8(1..=8) {
            7 => "resource=https://api.example.com".to_owned(),
            8 => "resource=https://other.example.com".to_owned(),
            number => format!("organization=org-{number}"),
        }
    }

    fn get_from(&self, url: String, path: &str) -> impl Future<Output = Answer> + Send + use<> {
        let (browser, fleet, user) = (self.browser.clone(), Arc::clone(&self.fleet), self.name);
        let path = format!("{url}{path}");
        async move {
            let start = Instant::now();
            let answer = load(&browser, &path).await;
            fleet.sent(Sent { user, url, start, end: Instant::now() });
            answer
        }
    }

    /// A URL of one of the processes.
    fn url(&mut self, path: &str) -> String {
        let urls = self.fleet.urls();
        self.random.choice(urls).expect("a process") + path
    }
}

/// `None` if there is no answer.
pub(super) async fn load(browser: &Browser, url: &str) -> Answer {
    let response = browser.request(Method::GET, url).send().await.ok()?;
    let status = response.status().as_u16();
    let body = response.bytes().await.ok()?;
    Some((status, serde_json::from_slice(&body).unwrap_or_default()))
}
