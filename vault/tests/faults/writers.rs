//! Concurrent writers, while the server is killed or paused again and again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use logto_storage_core::{Change, Changes, ErrorKind, MemorySession, SessionHandle};
use logto_vault::{BoxVault, Vault};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::fixture::{Action, LIMIT, Page, heal, page, read, session_with, sign_in, ticket};
use crate::server::{On, Server};

const SESSIONS: usize = 2;
const WRITERS: usize = 8;
const WRITES_BETWEEN_KILLS: usize = 300;
const PAUSES: usize = 2;
const WRITES_BETWEEN_PAUSES: usize = 100;
/// Longer than any request waits for its response.
const LONG: Duration = Duration::from_millis(3_500);
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    acknowledged: AtomicUsize,
    failed: AtomicUsize,
    lost: AtomicUsize,
}

impl Shared {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }
}

pub(crate) async fn nothing_acknowledged_is_lost_when_the_server_is_killed(on: On) {
    let (mut server, direct) = Server::start(on).await;
    let vault = server.connect().await;
    let crowd = Crowd::start(&vault).await;
    let kills = match on {
        On::Redis => 6,
        // It takes seconds to start again.
        On::Postgres => 3,
    };
    for kill in 1..=kills {
        crowd.writes(kill * WRITES_BETWEEN_KILLS).await;
        server.kill_and_restart();
    }
    let mut crowd = crowd.end().await;
    server.kill_and_restart();

    let what = format!("{on:?} killed {} times", kills + 1);
    crowd.assert_nothing_lost(&what, &direct).await;
}

/// What was sent before the pause is carried out after it, when its request has failed and others have been acknowledged.
pub(crate) async fn nothing_acknowledged_is_lost_when_the_server_is_paused(on: On) {
    let (server, direct) = Server::start(on).await;
    let vault = server.connect().await;
    let crowd = Crowd::start(&vault).await;
    for pause in 1..=PAUSES {
        crowd.writes(pause * WRITES_BETWEEN_PAUSES).await;
        server.pause();
        sleep(LONG).await;
        server.resume();
    }
    let mut crowd = crowd.end().await;

    crowd.assert_nothing_lost(&format!("{on:?} paused {PAUSES} times"), &direct).await;
}

/// Visitors who write, and visitors who sign in and out.
struct Crowd {
    shared: Arc<Shared>,
    writers: JoinSet<Writer>,
    visitors: JoinSet<Vec<String>>,
}

/// What they have left.
struct Ended {
    shared: Arc<Shared>,
    writers: Vec<Writer>,
    signed_out: Vec<String>,
}

impl Crowd {
    async fn start(vault: &Vault<BoxVault>) -> Self {
        let shared = Arc::new(Shared::default());
        let (mut writers, mut visitors) = (JoinSet::new(), JoinSet::new());
        for _ in 0..SESSIONS {
            let session = sign_in(vault, &[("a", Some("0"))]).await;
            for number in 0..WRITERS / SESSIONS {
                let writer = Writer::new(session.clone(), format!("writer-{number}"));
                let (vault, shared) = (vault.clone(), Arc::clone(&shared));
                writers.spawn(async move { writer.write_on(&vault, &shared).await });
            }
            visitors.spawn(sign_in_and_out(vault.clone(), Arc::clone(&shared)));
        }
        Self { shared, writers, visitors }
    }

    /// Waits until so many writes were acknowledged.
    async fn writes(&self, count: usize) {
        let enough = async {
            while self.shared.acknowledged.load(Ordering::SeqCst) < count {
                sleep(PAUSE).await;
            }
        };
        timeout(LIMIT, enough).await.expect("writes go on");
    }

    async fn end(self) -> Ended {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let (writers, signed_out) = (self.writers.join_all().await, self.visitors.join_all().await.concat());
        Ended { shared: self.shared, writers, signed_out }
    }
}

impl Ended {
    async fn assert_nothing_lost(&mut self, what: &str, direct: &Vault<BoxVault>) {
        let Self { shared, writers, signed_out } = self;
        heal(direct).await;
        for writer in writers {
            let page = page(&writer.session, direct);
            writer.check(&page, shared).await.unwrap();
        }
        let mut signed_in_again = 0;
        for ticket in &*signed_out {
            let session = session_with(Some(ticket)).await;
            signed_in_again += usize::from(read(&page(&session, direct), "a").await != Ok(None));
        }
        let [acknowledged, failed, lost] =
            [&shared.acknowledged, &shared.failed, &shared.lost].map(|count| count.load(Ordering::SeqCst));
        println!(
            "{what}: of {acknowledged} acknowledged writes {lost} lost, {failed} failed; \
             of {} signed-out tickets {signed_in_again} signed in again",
            signed_out.len(),
        );
        assert_eq!((lost, signed_in_again), (0, 0));
        assert!(failed > 0 && !signed_out.is_empty());
    }
}

/// Counts in an item of its own, by one request after the other.
struct Writer {
    session: MemorySession,
    key: String,
    last: u64,
    /// What may be in the item: what was acknowledged last, and what has failed since.
    possible: BTreeSet<Option<String>>,
}

impl Writer {
    fn new(session: MemorySession, key: String) -> Self {
        Self { session, key, last: 0, possible: BTreeSet::from([None]) }
    }

    async fn write_on(mut self, vault: &Vault<BoxVault>, shared: &Shared) -> Self {
        while shared.goes_on() {
            let page = page(&self.session, vault);
            if self.check(&page, shared).await.is_err() {
                sleep(PAUSE).await;
                continue;
            }
            self.last += 1;
            let value = self.last.to_string();
            match page.write(Changes::one(Change::set(&self.key, &value))).await {
                Ok(()) => {
                    self.possible = BTreeSet::from([Some(value)]);
                    shared.acknowledged.fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Session, "{error:?}");
                    self.possible.insert(Some(value));
                    shared.failed.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
        self
    }

    /// Counts a loss if the item is not as it must be.
    async fn check(&mut self, page: &Page, shared: &Shared) -> Result<(), ErrorKind> {
        let value = read(page, &self.key).await?;
        if !self.possible.contains(&value) {
            shared.lost.fetch_add(1, Ordering::SeqCst);
            self.possible = BTreeSet::from([value]);
        }
        Ok(())
    }
}

/// Signs in and out, by one request after the other. Returns every ticket of the sign-ins that have ended.
async fn sign_in_and_out(vault: Vault<BoxVault>, shared: Arc<Shared>) -> Vec<String> {
    let mut ended = Vec::new();
    while shared.goes_on() {
        let session = MemorySession::default();
        let pending = Action::Write(&[("a", Some("pending"))]);
        if pending.run(&page(&session, &vault)).await.is_err() {
            sleep(PAUSE).await;
            continue;
        }
        let mut tickets = BTreeSet::from([ticket(&session).await]);
        for action in [Action::Renew(&[("a", Some("1")), ("b", Some("1"))]), Action::Renew(&[("a", None), ("b", None)])]
        {
            while action.run(&page(&session, &vault)).await.is_err() {
                tickets.insert(ticket(&session).await);
                sleep(PAUSE).await;
            }
            tickets.insert(ticket(&session).await);
        }
        ended.extend(tickets.into_iter().flatten());
    }
    ended
}
