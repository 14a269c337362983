//! A process of the app, which is this program, started again. All processes of one app share a Redis.

use std::env;
use std::process::{ExitCode, Stdio, exit};

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use logto_client::LogtoClient;
use logto_client::vault::{BoxVault, PostgresVault, RedisVault, Vault};
use serde::{Deserialize, Serialize};
use servers::Browser;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tower_sessions_0_14::cookie::SameSite;
use tower_sessions_0_14::session::{Id, Record};
use tower_sessions_0_14::{Session, SessionManagerLayer, SessionStore, session_store};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

use crate::LIMIT;
use crate::app::App;
use crate::provider::{Provider, Setup};
use crate::sessions::{COOKIE, InVault, OnRedis};

/// Set for a child.
const CHILD: &str = "FLOWS_CHILD";

/// A process of the app, killed when dropped.
pub(crate) struct AppProcess {
    pub(crate) url: String,
    child: Child,
    stdin: ChildStdin,
}

/// What a process is told once it has said where it listens.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Instructions {
    pub(crate) endpoint: String,
    /// The sessions' Redis.
    pub(crate) redis: String,
    /// The vault's Redis or Postgres, if the items are in a vault.
    pub(crate) vault: Option<String>,
    /// The vault's application keys.
    pub(crate) keys: Vec<String>,
    /// Where users come back to, which may be another process.
    pub(crate) app_url: String,
}

impl AppProcess {
    pub(crate) async fn start() -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(CHILD, "true").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut lines = BufReader::new(stdout).lines();
        let url = timeout(LIMIT, lines.next_line()).await.unwrap().unwrap().expect("it says where it listens");
        Self { url, child, stdin }
    }

    pub(crate) async fn instruct(&mut self, instructions: &Instructions) {
        let line = serde_json::to_string(instructions).unwrap() + "\n";
        self.stdin.write_all(line.as_bytes()).await.unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) async fn sign_in(&self, provider: &Provider, browser: &Browser, name: &str) {
        let page = browser.visit(&self.url("/sign-in")).await;
        let callback = provider.agree_until(browser, page, name, |url| url.as_str().starts_with(&self.url)).await;
        let home = browser.visit(callback.as_str()).await;
        assert!(home.body.contains(name), "{home:?}");
    }

    /// Waits until so many of its pages have come to their pause.
    pub(crate) async fn pages_pause(&self, pages: usize) {
        let page = Browser::new().get(&self.url(&format!("/pages-pause/{pages}"))).await;
        assert_eq!(page.status, 200, "{page:?}");
    }

    pub(crate) async fn end_pauses(&self, pages: usize) {
        Browser::new().get(&self.url(&format!("/end-pauses/{pages}"))).await;
    }

    /// Sends it a signal, such as `KILL`.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let mut kill = Command::new("sh");
        kill.args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &id]);
        assert!(kill.status().await.unwrap().success(), "cannot send {signal}");
    }

    /// Tells it to end, and waits until it has answered what it has begun.
    pub(crate) async fn end(mut self) {
        self.signal("TERM").await;
        let status = timeout(LIMIT, self.child.wait()).await.expect("it ends").unwrap();
        assert!(status.success(), "{status}");
    }
}

pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// What a process does until its standard input ends.
pub(crate) fn child() -> ExitCode {
    crate::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let mut lines = BufReader::new(stdin()).lines();
        let instructions = lines.next_line().await.unwrap().unwrap();
        let app = app(&serde_json::from_str(&instructions).unwrap()).await;
        let served = axum::serve(listener, app).with_graceful_shutdown(async move { terminate.recv().await.unwrap() });
        tokio::select! {
            served = served.into_future() => {
                served.unwrap();
                // The runtime would wait for a line.
                exit(0);
            }
            _ = lines.next_line() => {}
        }
    });
    ExitCode::SUCCESS
}

async fn app(Instructions { endpoint, redis, vault, keys, app_url }: &Instructions) -> Router {
    let sessions = SessionManagerLayer::new(sessions(redis).await).with_name(COOKIE).with_secure(false);
    let app = App::new(LogtoClient::new(Setup::default().config(endpoint)).unwrap(), app_url);
    let routes = match vault {
        Some(url) => {
            let vault = Vault::new(store(url).await).application_keys(keys.iter().map(String::as_str)).unwrap();
            app.with_vault(vault).router::<InVault>()
        }
        None => app.router::<OnRedis>(),
    };
    routes.layer(from_fn(fill_cart)).layer(sessions.with_same_site(SameSite::Lax))
}

async fn store(url: &str) -> BoxVault {
    if url.starts_with("postgres:") {
        let store = PostgresVault::connect(url).await.unwrap();
        store.create_table().await.unwrap();
        BoxVault::new(store)
    } else {
        BoxVault::new(RedisVault::connect(url).await.unwrap())
    }
}

/// With `cart` in its query, a request begins by writing something of the app's own into the web session, which the library
/// saves as a whole when the request ends.
async fn fill_cart(session: Session, request: Request, next: Next) -> Response {
    if let Some(query) = request.uri().query().filter(|query| query.contains("cart=")) {
        session.insert("cart", query).await.unwrap();
    }
    next.run(request).await
}

/// The store of the web sessions.
pub(crate) async fn sessions(redis: &str) -> Sessions {
    let pool = Pool::new(Config::from_url(redis).unwrap(), None, None, None, 4).unwrap();
    pool.init().await.unwrap();
    Sessions(RedisStore::new(pool))
}

/// The library's store in Redis, but a late save brings a deleted session back, as with most other stores.
#[derive(Clone, Debug)]
pub(crate) struct Sessions(RedisStore<Pool>);

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        self.0.create(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        // The library fails where the session is gone, and where another request has just created it.
        match self.0.save(record).await {
            Ok(()) => Ok(()),
            Err(_) if self.create(&mut record.clone()).await.is_ok() => Ok(()),
            Err(_) => self.0.save(record).await,
        }
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        self.0.load(id).await
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.0.delete(id).await
    }
}
