//! poem, with its own sessions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::SessionHandle;
use poem::error::InternalServerError;
use poem::http::StatusCode;
use poem::listener::TcpAcceptor;
use poem::session::{CookieConfig, CookieSession, MemoryStorage, ServerSession, Session, SessionStorage};
use poem::web::cookie::CookieKey;
use poem::web::{Data, Json};
use poem::{Endpoint, EndpointExt, Middleware, Response, Route, Server, handler, post};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::SECRET;
use crate::gate::Fault;
use crate::script::{self, Ending, Script};
use crate::site::{Context, Driver, Process};

pub(crate) struct V3;

impl Driver for V3 {
    type Store = Store;

    fn fault(store: &Self::Store) -> Option<&Fault> {
        Some(&store.fault)
    }

    fn serve(process: Process, store: Self::Store) {
        serve(process, ServerSession::new(CookieConfig::default().secure(false), store));
    }
}

pub(crate) struct V3Cookie;

impl Driver for V3Cookie {
    type Store = ();

    fn serve(process: Process, (): Self::Store) {
        let config = CookieConfig::private(CookieKey::from(&SECRET));
        serve(process, CookieSession::new(config.secure(false)));
    }
}

fn serve<M: Middleware<Route, Output: Endpoint + 'static>>(process: Process, sessions: M) {
    let Process { listener, context, stopped } = process;
    let app = Route::new().at("/", post(handler)).with(sessions).data(context);
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpAcceptor::from_std(listener).expect("a listener");
        tokio::select! {
            ended = Server::new_with_acceptor(listener).run(app) => ended.expect("poem serves"),
            _ = stopped => (),
        }
    });
    runtime.shutdown_background();
}

#[handler]
async fn handler(
    session: &Session,
    Json(script): Json<Script>,
    Data(context): Data<&Arc<Context>>,
) -> poem::Result<Response> {
    match script::run(session.clone(), script, context).await {
        Ending::Ok(answers) => Ok(answers.into()),
        Ending::Status500 => Ok(StatusCode::INTERNAL_SERVER_ERROR.into()),
        Ending::Err => Err(InternalServerError(std::io::Error::other("the script says so"))),
    }
}

impl script::Session for Session {
    async fn write_foreign(&self, key: &str, value: &Value) {
        self.set(key, value);
    }

    async fn end(&self) {
        self.purge();
    }

    fn for_vault(&self) -> impl SessionHandle + Sync {
        self.clone()
    }
}

/// A `MemoryStorage` for several processes.
#[derive(Clone, Default)]
pub(crate) struct Store {
    memory: Arc<MemoryStorage>,
    fault: Fault,
}

type Items = BTreeMap<String, Value>;

impl SessionStorage for Store {
    async fn load_session<'a>(&'a self, id: &'a str) -> poem::Result<Option<Items>> {
        self.memory.load_session(id).await
    }

    async fn update_session<'a>(&'a self, id: &'a str, items: &'a Items, ttl: Option<Duration>) -> poem::Result<()> {
        self.fault.check().map_err(InternalServerError)?;
        self.memory.update_session(id, items, ttl).await
    }

    async fn remove_session<'a>(&'a self, id: &'a str) -> poem::Result<()> {
        self.memory.remove_session(id).await
    }
}
