//! The app under test: a derived storage over tower-sessions and Redis, set up as it should be in production.

use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use logto_storage_core::{Change, Error, ErrorKind, LogtoStorage, Operation, Result};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;
use tower_sessions_0_14::{Session, SessionManagerLayer, SessionStore};
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::clients::WithOptions;
use tower_sessions_redis_store::fred::prelude::{
    ClientLike, Config, ConnectionConfig, Options, PerformanceConfig, Pool, ReconnectPolicy,
};
use tower_sessions_redis_store::fred::types::config::UnresponsiveConfig;

use crate::LIMIT;

#[derive(LogtoStorage)]
struct SessionStorage {
    session: Session,
}

/// What a user is told when the storage fails.
pub(crate) const FAILED: &str = "Your session cannot be used at the moment. Try again later.";

/// How long Redis may take to answer.
pub(crate) const ANSWER: Duration = Duration::from_secs(1);

/// How long a command may take in all.
pub(crate) const COMMAND: Duration = Duration::from_secs(2);

/// What an app should have: nothing waits longer than [`COMMAND`], and Redis may come and go.
pub(crate) fn bounded(config: Config) -> (Pool, RedisStore<WithOptions<Pool>>) {
    let performance = PerformanceConfig { default_command_timeout: COMMAND, ..Default::default() };
    // A connection that gives no answer is replaced. It has to come before the time-out, after which the next command
    // on it starts the clock anew.
    let unresponsive = UnresponsiveConfig { max_timeout: Some(ANSWER), interval: ANSWER / 4 };
    // A command is sent once. Sent again after a lost answer it could undo what others have written since.
    let connection = ConnectionConfig { max_command_attempts: 1, unresponsive, ..Default::default() };
    // Connects again, however long it takes: at first after 50 ms, then less often, up to every 2 s.
    let reconnect = ReconnectPolicy::new_exponential(0, 50, 2_000, 2);
    let pool = Pool::new(config, Some(performance), Some(connection), Some(reconnect), 4).unwrap();
    // As a rule an error at once where there is no connection.
    let at_once = pool.with_options(&Options { fail_fast: true, ..Default::default() });
    // `init` is called on the pool. On a pool with options it hangs: it connects one client and waits for another.
    (pool, RedisStore::new(at_once))
}

/// A running app. It ends with the test's runtime.
pub(crate) struct App {
    pub(crate) url: String,
    pool: Pool,
    errors: UnboundedReceiver<Error>,
    pauses: UnboundedReceiver<oneshot::Sender<()>>,
    in_flight: watch::Receiver<usize>,
}

impl App {
    /// Over the Redis on this port, with the settings that an app should have.
    pub(crate) async fn start(redis: u16) -> Self {
        let (pool, store) = bounded(config(redis));
        Self::over(pool, store).await
    }

    /// Over a pool with settings of its own, and a store that uses it.
    pub(crate) async fn over(pool: Pool, store: impl SessionStore + Clone) -> Self {
        pool.init().await.unwrap();
        let (errors_sender, errors) = mpsc::unbounded_channel();
        let (pauses_sender, pauses) = mpsc::unbounded_channel();
        let (in_flight_sender, in_flight) = watch::channel(0);
        let probes = Probes { errors: errors_sender, pauses: pauses_sender, in_flight: in_flight_sender };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router(store, probes)).await });
        Self { url, pool, errors, pauses, in_flight }
    }

    /// The error that a handler has got from the storage, and answered [`FAILED`] to.
    pub(crate) async fn error(&mut self) -> Error {
        timeout(LIMIT, self.errors.recv()).await.expect("the storage fails").unwrap()
    }

    /// Waits for the next error, which has to be what a failing store makes of this operation.
    pub(crate) async fn assert_store_failed(&mut self, operation: Operation, reason: &str) {
        let error = self.error().await;
        assert_eq!(error.kind(), ErrorKind::Session, "{error:?}");
        assert_eq!(error.operation(), Some(operation), "{error:?}");
        let source = std::error::Error::source(&error).expect("the store's own error").to_string();
        assert!(source.contains(reason), "{source:?} is not for the reason {reason:?}");
    }

    /// Waits until a handler has come to the point where it pauses. It goes on when the sender is used or dropped.
    pub(crate) async fn pause(&mut self) -> oneshot::Sender<()> {
        timeout(LIMIT, self.pauses.recv()).await.expect("a handler pauses").unwrap()
    }

    /// Waits until no request is being answered.
    pub(crate) async fn idle(&mut self) {
        timeout(LIMIT, self.in_flight.wait_for(|requests| *requests == 0)).await.expect("requests end").unwrap();
    }

    /// Waits until all connections to Redis are there again.
    pub(crate) async fn connected(&self) {
        timeout(LIMIT, self.pool.wait_for_connect()).await.expect("Redis is back").unwrap();
    }
}

pub(crate) fn config(redis: u16) -> Config {
    Config::from_url(&format!("redis://127.0.0.1:{redis}")).unwrap()
}

fn router(store: impl SessionStore + Clone, probes: Probes) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/items/{key}", get(item))
        .route("/items/{key}/{value}", post(set))
        .route("/sign-in/{token}", post(sign_in))
        .route("/sign-in-regardless/{token}", post(sign_in_regardless))
        .route("/sign-in-and-pause/{token}", post(sign_in_and_pause))
        .route("/sign-in-twice/{first}/{second}", post(sign_in_twice))
        .route("/renew/{token}", post(renew))
        .route("/forget", post(forget))
        .layer(SessionManagerLayer::new(store))
        .layer(from_fn_with_state(probes.clone(), count))
        .with_state(probes)
}

/// Two items that belong together: one is never seen without the other.
fn tokens(token: &str) -> [Change<'_>; 2] {
    [Change::set("logto_id_token", token), Change::set("logto_refresh_token", token)]
}

async fn page(State(probes): State<Probes>, session: Session) -> Response {
    let storage = SessionStorage { session };
    let page = async {
        let (id, refresh) = (storage.get_item("logto_id_token").await?, storage.get_item("logto_refresh_token").await?);
        Ok(match (id, refresh) {
            (None, None) => "Signed out.".to_owned(),
            (id, refresh) => format!("Signed in: {}, {}.", id.unwrap_or_default(), refresh.unwrap_or_default()),
        })
    };
    probes.answer(page.await)
}

async fn item(State(probes): State<Probes>, Path(key): Path<String>, session: Session) -> Response {
    let item = SessionStorage { session }.get_item(&key).await;
    probes.answer(item.map(Option::unwrap_or_default))
}

async fn set(State(probes): State<Probes>, Path((key, value)): Path<(String, String)>, session: Session) -> Response {
    probes.done(SessionStorage { session }.set_item(&key, &value).await)
}

async fn sign_in(State(probes): State<Probes>, Path(token): Path<String>, session: Session) -> Response {
    probes.done(SessionStorage { session }.apply(&tokens(&token)).await)
}

/// As an app that overlooks an error. With this answer the layer saves what is in the session.
async fn sign_in_regardless(State(probes): State<Probes>, Path(token): Path<String>, session: Session) -> Response {
    let done = SessionStorage { session }.apply(&tokens(&token)).await;
    probes.done(done);
    probes.done(Ok(()))
}

async fn sign_in_and_pause(State(probes): State<Probes>, Path(token): Path<String>, session: Session) -> Response {
    let done = SessionStorage { session }.apply(&tokens(&token)).await;
    probes.pause().await;
    probes.done(done)
}

async fn sign_in_twice(
    State(probes): State<Probes>,
    Path((first, second)): Path<(String, String)>,
    session: Session,
) -> Response {
    let storage = SessionStorage { session };
    let done = async {
        storage.apply(&tokens(&first)).await?;
        probes.pause().await;
        storage.apply(&tokens(&second)).await
    };
    probes.done(done.await)
}

async fn renew(State(probes): State<Probes>, Path(token): Path<String>, session: Session) -> Response {
    probes.done(SessionStorage { session }.renew(&tokens(&token)).await)
}

/// The way out for a user whose record cannot be read: it is deleted unread, and the cookie with it.
async fn forget(session: Session) -> StatusCode {
    session.flush().await.map_or(StatusCode::INTERNAL_SERVER_ERROR, |()| StatusCode::OK)
}

/// How a test sees, and stops, what happens in the app.
#[derive(Clone)]
struct Probes {
    errors: UnboundedSender<Error>,
    pauses: UnboundedSender<oneshot::Sender<()>>,
    in_flight: watch::Sender<usize>,
}

impl Probes {
    fn answer(&self, page: Result<String>) -> Response {
        page.map_or_else(
            |error| {
                // Nobody reads it where a test has ended.
                let _ = self.errors.send(error);
                (StatusCode::INTERNAL_SERVER_ERROR, FAILED).into_response()
            },
            IntoResponse::into_response,
        )
    }

    fn done(&self, done: Result<()>) -> Response {
        self.answer(done.map(|()| "Done.".to_owned()))
    }

    async fn pause(&self) {
        let (go_on, gone_on) = oneshot::channel();
        let _ = self.pauses.send(go_on);
        let _ = gone_on.await;
    }
}

/// Counts requests, those too that end since their client is gone.
async fn count(State(probes): State<Probes>, request: Request, next: Next) -> Response {
    struct Counted(watch::Sender<usize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.send_modify(|requests| *requests -= 1);
        }
    }
    probes.in_flight.send_modify(|requests| *requests += 1);
    let _counted = Counted(probes.in_flight);
    next.run(request).await
}
