//! salvo, with its own sessions: over its store in memory, which lends its records out instead of copying them, and over
//! one that copies, as those in a database do.

use std::sync::Arc;

use async_trait::async_trait;
use logto_storage_core::SessionHandle;
use salvo::conn::tcp::TcpAcceptor;
use salvo::http::StatusError;
use salvo::http::request::SecureMaxSize;
use salvo::prelude::{Depot, Request, Response, Router, Server, StatusCode, handler};
use salvo::session::{CookieStore, MemoryStore, Session, SessionDepotExt, SessionHandler, SessionStore};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use super::SECRET;
use crate::gate::Fault;
use crate::script::{self, Ending, Script};
use crate::site::{Context, Driver, Process};

pub(crate) struct V1;

impl Driver for V1 {
    type Store = Copies;

    fn fault(store: &Self::Store) -> Option<&Fault> {
        Some(&store.fault)
    }

    fn serve(process: Process, store: Self::Store) {
        serve(process, store);
    }
}

pub(crate) struct V1Memory;

impl Driver for V1Memory {
    type Store = MemoryStore;

    fn serve(process: Process, store: Self::Store) {
        serve(process, store);
    }
}

pub(crate) struct V1Cookie;

impl Driver for V1Cookie {
    type Store = ();

    fn serve(process: Process, (): Self::Store) {
        serve(process, CookieStore);
    }
}

fn serve(Process { listener, context, stopped }: Process, store: impl SessionStore + Send + Sync + 'static) {
    let sessions = SessionHandler::builder(store, &SECRET).build().expect("a key that is long enough");
    let router = Router::new().hoop(SecureMaxSize(1 << 20)).hoop(sessions).post(Handler(context));
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        let listener = TcpAcceptor::try_from(listener).expect("a listener");
        tokio::select! {
            ended = Server::new(listener).try_serve(router) => ended.expect("salvo serves"),
            _ = stopped => (),
        }
    });
    runtime.shutdown_background();
}

struct Handler(Arc<Context>);

#[handler]
impl Handler {
    async fn handle(&self, req: &mut Request, depot: &Depot, res: &mut Response) -> Result<(), StatusError> {
        let script: Script = req.parse_json().await.map_err(|_| StatusError::bad_request())?;
        let session = depot.session().expect("a session in the depot").clone();
        match script::run(session, script, &self.0).await {
            Ending::Ok(answers) => res.render(answers),
            Ending::Status500 => {
                res.status_code(StatusCode::INTERNAL_SERVER_ERROR);
            }
            Ending::Err => return Err(StatusError::internal_server_error()),
        }
        Ok(())
    }
}

impl script::Session for Session {
    async fn write_foreign(&self, key: &str, value: &Value) {
        self.clone().insert(key, value).expect("a value is JSON");
    }

    async fn end(&self) {
        self.clone().destroy();
    }

    fn for_vault(&self) -> impl SessionHandle + Sync {
        self.clone()
    }
}

/// A `MemoryStore` whose records are copied when they are loaded, and when they are saved.
#[derive(Clone, Default)]
pub(crate) struct Copies {
    memory: MemoryStore,
    fault: Fault,
}

/// The store that has no store turns a session into text and back.
async fn copy(session: Session) -> anyhow::Result<Session> {
    let text = CookieStore.store_session(session).await?.expect("the text of a session");
    Ok(CookieStore.load_session(text).await?.expect("the session that was just written"))
}

#[async_trait]
impl SessionStore for Copies {
    async fn load_session(&self, cookie: String) -> anyhow::Result<Option<Session>> {
        match self.memory.load_session(cookie).await? {
            Some(session) => copy(session).await.map(Some),
            None => Ok(None),
        }
    }

    async fn store_session(&self, session: Session) -> anyhow::Result<Option<String>> {
        self.fault.check()?;
        self.memory.store_session(copy(session.clone()).await?).await?;
        Ok(session.into_cookie_value())
    }

    async fn destroy_session(&self, session: Session) -> anyhow::Result<()> {
        self.memory.destroy_session(session).await
    }

    async fn clear_store(&self) -> anyhow::Result<()> {
        self.memory.clear_store().await
    }
}
