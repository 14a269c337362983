//! Concurrent writers, while Redis is killed again and again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use logto_storage_core::{Change, Changes, ErrorKind, MemorySession, SessionHandle};
use logto_vault::{RedisVault, Vault};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::fixture::{Action, LIMIT, Page, connect, heal, page, read, session_with, sign_in, start, ticket};

const SESSIONS: usize = 2;
const WRITERS: usize = 8;
const KILLS: usize = 6;
const WRITES_BETWEEN_KILLS: usize = 300;
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

pub(crate) async fn nothing_acknowledged_is_lost_when_redis_is_killed() {
    let (mut redis, direct) = start().await;
    let vault = connect(&redis.url()).await;
    let shared = Arc::new(Shared::default());
    let mut writers = JoinSet::new();
    let mut visitors = JoinSet::new();
    for _ in 0..SESSIONS {
        let session = sign_in(&vault, &[("a", Some("0"))]).await;
        for number in 0..WRITERS / SESSIONS {
            let key = format!("writer-{number}");
            let (session, vault, shared) = (session.clone(), vault.clone(), Arc::clone(&shared));
            writers.spawn(async move { Writer::new(session, key).write_on(&vault, &shared).await });
        }
        visitors.spawn(sign_in_and_out(vault.clone(), Arc::clone(&shared)));
    }

    for kill in 1..=KILLS {
        let enough = async {
            while shared.acknowledged.load(Ordering::SeqCst) < kill * WRITES_BETWEEN_KILLS {
                sleep(PAUSE).await;
            }
        };
        timeout(LIMIT, enough).await.expect("writes go on");
        redis.kill();
        redis.restart();
    }
    shared.is_over.store(true, Ordering::SeqCst);
    let writers = writers.join_all().await;
    let signed_out = visitors.join_all().await.concat();
    redis.kill();
    redis.restart();

    heal(&direct).await;
    for mut writer in writers {
        writer.check(&page(&writer.session, &direct), &shared).await.unwrap();
    }
    let mut signed_in_again = 0;
    for ticket in &signed_out {
        let session = session_with(Some(ticket)).await;
        signed_in_again += usize::from(read(&page(&session, &direct), "a").await != Ok(None));
    }
    let [acknowledged, failed, lost] =
        [&shared.acknowledged, &shared.failed, &shared.lost].map(|count| count.load(Ordering::SeqCst));
    println!(
        "Redis killed {} times: of {acknowledged} acknowledged writes {lost} lost, {failed} failed; \
         of {} signed-out tickets {signed_in_again} signed in again",
        KILLS + 1,
        signed_out.len(),
    );
    assert_eq!((lost, signed_in_again), (0, 0));
    assert!(failed > 0 && !signed_out.is_empty());
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

    async fn write_on(mut self, vault: &Vault<RedisVault>, shared: &Shared) -> Self {
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
async fn sign_in_and_out(vault: Vault<RedisVault>, shared: Arc<Shared>) -> Vec<String> {
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
