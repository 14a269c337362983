//! Two processes of one app, with one store between them. A process is this program, started again.

use std::collections::BTreeSet;
use std::env;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use logto_client::LogtoClient;
use serde::{Deserialize, Serialize};
use servers::{Browser, Redis, Rotation};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, stdin};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, Command};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_sessions_0_14::SessionManagerLayer;
use tower_sessions_0_14::cookie::SameSite;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ClientLike, Config, Pool};

use crate::LIMIT;
use crate::app::App;
use crate::provider::{On, Provider, Setup};
use crate::sessions::{COOKIE, OnRedis};

/// Set for a child.
const CHILD: &str = "FLOWS_CHILD";

pub(crate) async fn two_processes_refresh_at_once_and_the_user_stays_signed_in(on: On) {
    let (redis, browser) = (Redis::start(&[]), Browser::new());
    let (provider, apps) = two_processes(on, &redis, |setup| {
        setup.provider.rotation = Rotation::Always;
        setup.provider.access_token_seconds = 5;
    })
    .await;
    apps[0].sign_in(&provider, &browser, "ann").await;

    // Twice the grace period of three seconds and more: a refresh token that one of them kept to itself would be found out.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(7) {
        // Both have the same refresh token, and each needs a new access token.
        let mut tasks = JoinSet::new();
        for app in &apps {
            let (browser, url) = (browser.clone(), format!("{}/token?resource=https://api.example.com", app.url));
            tasks.spawn(async move { browser.json(&url).await });
        }
        for (status, answer) in tasks.join_all().await {
            assert_eq!(status, 200, "{answer}");
        }
    }

    for app in &apps {
        let (_, home) = browser.json(&app.url).await;
        assert_eq!(home["claims"]["username"], "ann", "{home}");
    }
    if let Provider::OidcProvider(provider) = provider {
        assert_eq!(provider.refresh_tokens_used_too_late(), Vec::<String>::new());
    }
}

pub(crate) async fn a_process_sees_what_the_other_has_done(on: On) {
    let (redis, browser) = (Redis::start(&[]), Browser::new());
    let (provider, apps) = two_processes(on, &redis, |setup| {
        setup.provider.rotation = Rotation::Always;
        setup.provider.grace_seconds = 0;
    })
    .await;
    apps[0].sign_in(&provider, &browser, "ann").await;

    // A token that one was given is there for the other, and so is the refresh token: nothing else would work here.
    let mut tokens = BTreeSet::new();
    for number in 1..=6 {
        let path = format!("token?organization=org-{number}");
        let mut seen = Vec::new();
        for app in [&apps[number % 2], &apps[(number + 1) % 2]] {
            let (status, token) = browser.json(&format!("{}/{path}", app.url)).await;
            assert_eq!(status, 200, "{token}");
            seen.push(token.as_str().unwrap().to_owned());
        }
        assert_eq!(seen[0], seen[1]);
        tokens.extend(seen);
    }
    assert_eq!(tokens.len(), 6);

    // Signed out at one, signed out at the other.
    browser.get(&format!("{}/sign-out", apps[1].url)).await;
    for app in &apps {
        let (_, home) = browser.json(&app.url).await;
        assert_eq!(home["signedIn"], false, "{home}");
    }
}

/// A process of the app, killed when dropped.
struct AppProcess {
    url: String,
    _child: Child,
    stdin: ChildStdin,
}

/// What a process is told once it has said where it listens.
#[derive(Serialize, Deserialize)]
struct Instructions {
    endpoint: String,
    redis: String,
    /// Where users come back to, which may be another process.
    app_url: String,
}

async fn two_processes(on: On, redis: &Redis, change: impl FnOnce(&mut Setup)) -> (Provider, Vec<AppProcess>) {
    let mut setup = Setup::default();
    change(&mut setup);
    let mut apps = [AppProcess::start().await, AppProcess::start().await];
    let app_url = apps[0].url.clone();
    let provider = Provider::start(on, &setup, &app_url).await;
    for app in &mut apps {
        let (endpoint, app_url) = (provider.endpoint().to_owned(), app_url.clone());
        app.instruct(&Instructions { endpoint, redis: redis.url(), app_url }).await;
    }
    (provider, apps.into())
}

impl AppProcess {
    async fn start() -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.env(CHILD, "true").stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut lines = BufReader::new(stdout).lines();
        let url = timeout(LIMIT, lines.next_line()).await.unwrap().unwrap().expect("it says where it listens");
        Self { url, _child: child, stdin }
    }

    async fn instruct(&mut self, instructions: &Instructions) {
        let line = serde_json::to_string(instructions).unwrap() + "\n";
        self.stdin.write_all(line.as_bytes()).await.unwrap();
    }

    async fn sign_in(&self, provider: &Provider, browser: &Browser, name: &str) {
        let page = browser.visit(&format!("{}/sign-in", self.url)).await;
        let callback = provider.agree_until(browser, page, name, |url| url.as_str().starts_with(&self.url)).await;
        let home = browser.visit(callback.as_str()).await;
        assert!(home.body.contains(name), "{home:?}");
    }
}

pub(crate) fn is_child() -> bool {
    env::var_os(CHILD).is_some()
}

/// What a process does until its standard input ends.
pub(crate) fn child() -> ExitCode {
    crate::block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("http://{}", listener.local_addr().unwrap());
        let mut lines = BufReader::new(stdin()).lines();
        let instructions = lines.next_line().await.unwrap().unwrap();
        let Instructions { endpoint, redis, app_url } = serde_json::from_str(&instructions).unwrap();

        let pool = Pool::new(Config::from_url(&redis).unwrap(), None, None, None, 4).unwrap();
        pool.init().await.unwrap();
        let sessions = SessionManagerLayer::new(RedisStore::new(pool)).with_name(COOKIE).with_secure(false);
        let client = LogtoClient::new(Setup::default().config(&endpoint)).unwrap();
        let app = App::new(client, &app_url).router::<OnRedis>().layer(sessions.with_same_site(SameSite::Lax));
        tokio::select! {
            served = axum::serve(listener, app) => served.unwrap(),
            _ = lines.next_line() => {}
        }
    });
    ExitCode::SUCCESS
}
