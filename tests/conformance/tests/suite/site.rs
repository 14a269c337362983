//! A web site under test: server processes (threads, here) over one store of sessions, and its visitors.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, LazyLock};
use std::thread::{self, JoinHandle};

use logto_vault::{BoxVault, Vault};
use reqwest::{Method, Response, StatusCode};
use servers::Browser;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::gate::{Fault, Gate, LIMIT};
use crate::script::{Answer, Script, Step, get, set};
use crate::vaults::{Items, Vaults};

/// A framework and a session library.
pub(crate) trait Driver: 'static {
    /// Where the sessions are; clones share them.
    type Store: Clone + Default + Send + Sync + 'static;

    /// What makes the store fail, if there is a way to.
    fn fault(_store: &Self::Store) -> Option<&Fault> {
        None
    }

    /// Serves `POST /` until told to stop.
    fn serve(process: Process, store: Self::Store);
}

/// What a driver gets to serve one process of a site.
pub(crate) struct Process {
    pub(crate) listener: TcpListener,
    pub(crate) context: Arc<Context>,
    pub(crate) stopped: oneshot::Receiver<()>,
}

/// What a handler needs beside the session.
pub(crate) struct Context {
    pub(crate) gate: Arc<Gate>,
    /// `None` if the items are in the session.
    pub(crate) vault: Option<Vault<BoxVault>>,
}

pub(crate) struct Site {
    start: Box<dyn Fn(Process) + Send + Sync>,
    vaults: Vaults,
    pub(crate) gate: Arc<Gate>,
    pub(crate) fault: Option<Fault>,
}

impl Site {
    pub(crate) fn of<D: Driver>(items: Items) -> Arc<Self> {
        let store = D::Store::default();
        let fault = D::fault(&store).cloned();
        let start = Box::new(move |process| {
            let store = store.clone();
            D::serve(process, store);
        });
        Arc::new(Self { start, vaults: Vaults::new(items), gate: Arc::new(Gate::closed()), fault })
    }

    /// One more process, over the same store.
    pub(crate) fn start(self: &Arc<Self>) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        // As tokio asks for.
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("a bound socket");
        let (stop, stopped) = oneshot::channel();
        let (site, runtime) = (Arc::clone(self), Handle::current());
        let thread = thread::spawn(move || {
            let context = Arc::new(Context { gate: Arc::clone(&site.gate), vault: site.vaults.open(&runtime) });
            (site.start)(Process { listener, context, stopped });
        });
        Server { address, stop: Some(stop), thread: Some(thread) }
    }
}

/// A running process of a site, stopped when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        if !thread::panicking() {
            ended.expect("it is joined once").expect("the server ends well");
        }
    }
}

/// One visitor, with cookies of their own, which they send to whichever process of the site: cookies ignore ports.
#[derive(Clone)]
pub(crate) struct Visitor {
    browser: Browser,
    url: String,
}

impl Visitor {
    pub(crate) fn at(server: &Server) -> Self {
        // A client of its own would take 20 ms.
        static BROWSER: LazyLock<Browser> = LazyLock::new(Browser::new);
        Self { browser: BROWSER.another(), url: url(server) }
    }

    /// The same visitor, whose next requests go to another process.
    pub(crate) fn moved_to(&self, server: &Server) -> Self {
        Self { url: url(server), ..self.clone() }
    }

    /// Somebody else who has got hold of the visitor's cookie as it is now.
    pub(crate) fn with_cookie(server: &Server, cookie: &str) -> Self {
        let visitor = Self::at(server);
        visitor.browser.take_cookies(&visitor.url, cookie);
        visitor
    }

    pub(crate) fn cookie(&self) -> Option<String> {
        self.browser.cookies(&self.url)
    }

    pub(crate) async fn send(&self, script: &Script) -> reqwest::Result<Response> {
        self.browser.request(Method::POST, &self.url).with(|request| request.timeout(LIMIT).json(script)).send().await
    }

    /// What came of each step.
    pub(crate) async fn run(&self, script: impl Into<Script>) -> Vec<Answer> {
        let response = self.send(&script.into()).await.expect("an answer");
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.expect("one answer a step")
    }

    /// What came of the only step.
    pub(crate) async fn step(&self, step: Step) -> Answer {
        let mut answers = self.run([step]).await;
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    /// Runs the steps, which all have to be done.
    pub(crate) async fn done(&self, script: impl Into<Script>) {
        for answer in self.run(script).await {
            assert_eq!(answer, Answer::Done);
        }
    }

    /// A new visitor who has a session, with the item `first`.
    pub(crate) async fn with_session(server: &Server) -> Self {
        let visitor = Self::at(server);
        visitor.done([set("first", "1")]).await;
        assert!(visitor.cookie().is_some(), "a session comes with a cookie");
        visitor
    }

    pub(crate) async fn item(&self, key: &str) -> Option<String> {
        match self.step(get(key)).await {
            Answer::Item(item) => item,
            answer => panic!("reading {key:?} answered {answer:?}"),
        }
    }
}

fn url(server: &Server) -> String {
    format!("http://{}/", server.address)
}
