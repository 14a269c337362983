//! A web app whose handlers do what a test wants, under the session library's own layer: it saves a changed session once more
//! when the response ends, and sets the cookie.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use servers::{Browser, Page};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tower_sessions::{Session, SessionManagerLayer};
use tower_sessions_0_15 as tower_sessions;

use crate::site::soon;
use crate::store::Store;

pub(crate) const COOKIE: &str = "id";

type Handler = Box<dyn FnOnce(Session) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// The handlers that wait for their request, by its path.
type Handlers = Arc<Mutex<HashMap<String, Handler>>>;

/// It stops when it is dropped.
pub(crate) struct App {
    pub(crate) url: String,
    handlers: Handlers,
    opened: AtomicUsize,
    server: JoinHandle<()>,
}

impl App {
    pub(crate) async fn start(store: Store) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let handlers = Handlers::default();
        let sessions = SessionManagerLayer::new(store).with_name(COOKIE).with_secure(false);
        let app = Router::new().fallback(handle).with_state(handlers.clone()).layer(sessions);
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });
        Self { url, handlers, opened: AtomicUsize::new(0), server }
    }

    /// Sends a request with the browser's cookies of now, and returns when its handler has begun and has done `first`. The rest
    /// of it, `then`, waits for [`Tab::go_on`].
    pub(crate) async fn open<T: Send + 'static, F, G>(
        &self,
        browser: &Browser,
        first: impl FnOnce(Session) -> F + Send + 'static,
        then: impl FnOnce(Session) -> G + Send + 'static,
    ) -> Tab<T>
    where
        F: Future<Output = ()> + Send + 'static,
        G: Future<Output = T> + Send + 'static,
    {
        let (arrive, arrival) = oneshot::channel();
        let (go, may_go_on) = oneshot::channel();
        let (tell, result) = oneshot::channel();
        let handler: Handler = Box::new(move |session| {
            Box::pin(async move {
                first(session.clone()).await;
                let _ = arrive.send(());
                let _ = may_go_on.await;
                // A test that does not want to know the result has dropped the tab.
                let _ = tell.send(then(session).await);
            })
        });
        let path = format!("/{}", self.opened.fetch_add(1, Ordering::SeqCst));
        self.handlers.lock().expect("handlers").insert(path.clone(), handler);
        let (browser, url) = (browser.clone(), format!("{}{path}", self.url));
        let page = tokio::spawn(async move { browser.get(&url).await });
        soon(arrival).await.expect("a handler that begins");
        Tab { go, result, page }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn handle(State(handlers): State<Handlers>, uri: Uri, session: Session) -> StatusCode {
    let handler = handlers.lock().expect("handlers").remove(uri.path());
    let Some(handler) = handler else { return StatusCode::NOT_FOUND };
    handler(session).await;
    StatusCode::OK
}

/// A request that the app is handling.
pub(crate) struct Tab<T> {
    go: oneshot::Sender<()>,
    result: oneshot::Receiver<T>,
    page: JoinHandle<Page>,
}

impl<T> Tab<T> {
    /// Lets the handler go on.
    pub(crate) fn go_on(self) -> Loading<T> {
        let _ = self.go.send(());
        Loading { result: self.result, page: self.page }
    }

    /// Lets the handler go on, and waits for the end of the response.
    pub(crate) async fn result(self) -> T {
        self.go_on().result().await
    }
}

/// A request whose handler has gone on.
pub(crate) struct Loading<T> {
    result: oneshot::Receiver<T>,
    page: JoinHandle<Page>,
}

impl<T> Loading<T> {
    /// Waits for the end of the response, so that the session is saved and the browser has its cookie, and returns what the
    /// handler has returned.
    pub(crate) async fn result(self) -> T {
        soon(self.page).await.expect("a response");
        self.result.await.expect("the handler's result")
    }
}
