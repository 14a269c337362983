//! What a vault costs on each store, beside tower-sessions with its store on the same server.

use std::sync::{Arc, Mutex, PoisonError};

use benches::adapters::Derived;
use benches::is_bench;
use benches::items::{self, ID_TOKEN, REFRESH_TOKEN, SIGN_IN_SESSION};
use benches::report::{Report, bytes, ratio, time};
use benches::stores::{self, Store};
use benches::timing::{Candidate, Effort, compare};
use logto_storage_core::{Change, LogtoStorage, MemorySession};
use logto_vault::{BoxVault, Vault, Vaulted};
use serde_json::Value;
use tokio::runtime::Runtime;
use tower_sessions_0_14::SessionStore;
use tower_sessions_0_14::cookie::time::{Duration, OffsetDateTime};
use tower_sessions_0_14::session::{Id, Record};

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stores = runtime.block_on(stores::all());
    let mut report = Report::new("vault");
    requests(&mut report, &runtime, &stores);
    pages(&mut report, &runtime, &stores);
    sizes(&mut report, &runtime, &stores);
    report.finish();
}

// --- A signed-in user

/// In a vault. The web session, whose cost is not part of it, is in memory.
struct InVault<'a> {
    vault: &'a Vault<BoxVault>,
    session: MemorySession,
    items: Vec<(String, String)>,
}

impl<'a> InVault<'a> {
    async fn new(store: &'a Store, access_tokens: usize) -> Self {
        let items = items::of_a_user(access_tokens);
        let user = Self { vault: &store.vault, session: MemorySession::default(), items };
        user.sign_in().await;
        user
    }

    /// What a request gets.
    fn storage(&self) -> Derived<Vaulted<MemorySession, BoxVault>> {
        Derived { session: Vaulted::new(self.session.clone(), self.vault.clone()) }
    }

    async fn page(&self) {
        let storage = self.storage();
        assert!(storage.get_item(ID_TOKEN).await.unwrap().is_some(), "nobody is signed in");
        assert!(storage.get_item(REFRESH_TOKEN).await.unwrap().is_some(), "nobody is signed in");
    }

    async fn page_that_writes(&self) {
        let storage = self.storage();
        assert!(storage.get_item(ID_TOKEN).await.unwrap().is_some(), "nobody is signed in");
        let (key, item) = &self.items[0];
        storage.set_item(key, item).await.unwrap();
    }

    async fn sign_in(&self) {
        let storage = self.storage();
        storage.get_item(SIGN_IN_SESSION).await.unwrap();
        let changes: Vec<_> = self.items.iter().map(|(key, item)| Change::set(key, item)).collect();
        storage.renew(&changes).await.unwrap();
    }
}

/// In the web session. The calls are those of tower-sessions' layer.
struct InSession<'a> {
    store: &'a Arc<dyn SessionStore>,
    id: Mutex<Id>,
    items: Vec<(String, String)>,
}

impl<'a> InSession<'a> {
    async fn new(store: &'a Store, access_tokens: usize) -> Self {
        let items = items::of_a_user(access_tokens);
        let user = Self { store: &store.sessions, id: Mutex::default(), items };
        user.create(user.record()).await;
        user
    }

    fn id(&self) -> Id {
        *self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) -> Record {
        let data = self.items.iter().map(|(key, item)| (key.clone(), Value::from(item.as_str()))).collect();
        Record { id: Id::default(), data, expiry_date: OffsetDateTime::now_utc() + Duration::days(14) }
    }

    async fn create(&self, mut record: Record) {
        self.store.create(&mut record).await.unwrap();
        *self.id.lock().unwrap_or_else(PoisonError::into_inner) = record.id;
    }

    async fn page(&self) -> Record {
        let record = self.store.load(&self.id()).await.unwrap().expect("nobody is signed in");
        assert!(record.data.contains_key(ID_TOKEN));
        record
    }

    async fn page_that_writes(&self) {
        let mut record = self.page().await;
        let (key, item) = &self.items[0];
        record.data.insert(key.clone(), item.as_str().into());
        self.store.save(&record).await.unwrap();
    }

    async fn sign_in(&self) {
        self.page().await;
        self.store.delete(&self.id()).await.unwrap();
        self.create(self.record()).await;
    }
}

// --- Time

fn requests(report: &mut Report, runtime: &Runtime, stores: &[Store]) {
    let mut rows = Vec::new();
    for store in stores {
        let (session, vault) =
            runtime.block_on(async { (InSession::new(store, 1).await, InVault::new(store, 1).await) });
        let (session, vault) = (&session, &vault);
        rows.push(row(
            store.name,
            "a page",
            vec![repeat(runtime, async || drop(session.page().await)), repeat(runtime, async || vault.page().await)],
        ));
        rows.push(row(
            store.name,
            "a page that stores an access token",
            vec![
                repeat(runtime, async || session.page_that_writes().await),
                repeat(runtime, async || vault.page_that_writes().await),
            ],
        ));
        rows.push(row(
            store.name,
            "a sign-in",
            vec![repeat(runtime, async || session.sign_in().await), repeat(runtime, async || vault.sign_in().await)],
        ));
    }
    report.table("The store's part of a request", &["store", "", "tower-sessions", "vault", "ratio"], &rows);
}

fn pages(report: &mut Report, runtime: &Runtime, stores: &[Store]) {
    let mut rows = Vec::new();
    for store in stores {
        for access_tokens in [1, 8, 32] {
            let users =
                async { (InSession::new(store, access_tokens).await, InVault::new(store, access_tokens).await) };
            let (session, vault) = runtime.block_on(users);
            rows.push(row(
                store.name,
                &access_tokens.to_string(),
                vec![
                    repeat(runtime, async || drop(session.page().await)),
                    repeat(runtime, async || vault.page().await),
                ],
            ));
        }
    }
    let head = ["store", "access tokens", "tower-sessions", "vault", "ratio"];
    report.table("A page, by the number of access tokens that are stored", &head, &rows);
}

fn row(store: &str, name: &str, candidates: Vec<Candidate<'_>>) -> Vec<String> {
    let timings = compare(Effort::new(), candidates);
    let [session, vault] = &timings[..] else { panic!("there are two") };
    vec![store.to_owned(), name.to_owned(), time(session.value.median), time(vault.value.median), ratio(vault.ratio)]
}

fn repeat<'a>(runtime: &'a Runtime, run: impl AsyncFn() + 'a) -> Candidate<'a> {
    Box::new(move |times| {
        runtime.block_on(async {
            for _ in 0..times {
                run().await;
            }
        });
    })
}

// --- Space

fn sizes(report: &mut Report, runtime: &Runtime, stores: &[Store]) {
    let users = if is_bench() { 10_000 } else { 10 };
    let mut rows = Vec::new();
    for store in stores {
        let used = runtime.block_on(store.space.used());
        let in_sessions = allocated(|| runtime.block_on(sign_in_sessions(store, users)));
        let between = runtime.block_on(store.space.used());
        let in_vault = allocated(|| runtime.block_on(sign_in_vault(store, users)));
        let [session, vault] = match (used, between, runtime.block_on(store.space.used())) {
            (Some(before), Some(between), Some(after)) => {
                [between.sessions - before.sessions, after.vault - between.vault]
            }
            _ => [in_sessions, in_vault],
        };
        #[expect(clippy::cast_precision_loss, reason = "far below what a float counts exactly")]
        let [session, vault] = [session, vault].map(|size| size as f64 / users as f64);
        rows.push(vec![store.name.to_owned(), bytes(session), bytes(vault), bytes(vault * 1e6), bytes(vault * 1e8)]);
    }
    let head = ["store", "tower-sessions, per user", "vault, per user", "a million users", "a hundred million users"];
    report.table("The space of a signed-in user", &head, &rows);
}

fn allocated(run: impl FnOnce()) -> i64 {
    allocation_counter::measure(run).bytes_current
}

async fn sign_in_sessions(store: &Store, users: usize) {
    for _ in 0..users {
        InSession::new(store, 1).await;
    }
}

async fn sign_in_vault(store: &Store, users: usize) {
    for _ in 0..users {
        InVault::new(store, 1).await;
    }
}
