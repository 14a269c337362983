//! salvo, with its own sessions: on the server and in a cookie.

use std::net::TcpListener;
use std::sync::Arc;

use async_trait::async_trait;
use salvo::conn::tcp::TcpAcceptor;
use salvo::http::{StatusError, header};
use salvo::prelude::{Depot, Request, Response, Router, Server, StatusCode, handler};
use salvo::session::{CookieStore, MemoryStore, Session, SessionDepotExt, SessionHandler, SessionStore};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{Library, SECRET};
use crate::app::{App, OwnValues};

pub(super) const SERVER: Library = Library {
    name: "salvo-1",
    title: "salvo 1",
    keeps_session_id: true,
    serve: |listener, app, stopped| serve(listener, app, stopped, Copies(MemoryStore::new())),
};

pub(super) const COOKIE: Library = Library {
    name: "salvo-1-cookie",
    title: "salvo 1, `CookieStore`",
    keeps_session_id: true,
    serve: |listener, app, stopped| serve(listener, app, stopped, CookieStore),
};

fn serve(
    listener: TcpListener,
    app: Arc<App>,
    stopped: oneshot::Receiver<()>,
    store: impl SessionStore + Send + Sync + 'static,
) {
    let sessions = SessionHandler::builder(store, &SECRET).build().expect("a key that is long enough");
    let router = Router::new().hoop(sessions).push(Router::with_path("{**rest}").goal(Handler(app)));
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        let listener = TcpAcceptor::try_from(listener).expect("a listener");
        tokio::select! {
            ended = Server::new(listener).try_serve(router) => ended.expect("salvo serves"),
            _ = stopped => (),
        }
    });
    runtime.shutdown_background();
}

struct Handler(Arc<App>);

#[handler]
impl Handler {
    async fn handle(&self, req: &mut Request, depot: &Depot, res: &mut Response) -> Result<(), StatusError> {
        let session = depot.session().expect("a session in the depot").clone();
        let path_and_query = req.uri().path_and_query().expect("a path").to_string();
        let answer = self.0.answer(session.clone(), &session, &path_and_query).await;
        if answer.is_err {
            return Err(StatusError::internal_server_error());
        }
        res.status_code(StatusCode::from_u16(answer.status).expect("a status"));
        if let Some(to) = answer.location {
            res.headers_mut().insert(header::LOCATION, to.parse().expect("a URL"));
        }
        res.render(answer.body);
        Ok(())
    }
}

impl OwnValues for Session {
    async fn value(&self, key: &str) -> Option<String> {
        self.get(key)
    }

    async fn set_value(&self, key: &str, value: &str) {
        self.clone().insert(key, value).expect("a value is JSON");
    }
}

/// A `MemoryStore` whose records are copied when they are loaded and saved, as a database's are.
struct Copies(MemoryStore);

/// The cookie store turns a session into text and back.
async fn copy(session: Session) -> anyhow::Result<Session> {
    let text = CookieStore.store_session(session).await?.expect("the text of a session");
    Ok(CookieStore.load_session(text).await?.expect("the session that was just written"))
}

#[async_trait]
impl SessionStore for Copies {
    async fn load_session(&self, cookie: String) -> anyhow::Result<Option<Session>> {
        match self.0.load_session(cookie).await? {
            Some(session) => copy(session).await.map(Some),
            None => Ok(None),
        }
    }

    async fn store_session(&self, session: Session) -> anyhow::Result<Option<String>> {
        self.0.store_session(copy(session.clone()).await?).await?;
        Ok(session.into_cookie_value())
    }

    async fn destroy_session(&self, session: Session) -> anyhow::Result<()> {
        self.0.destroy_session(session).await
    }

    async fn clear_store(&self) -> anyhow::Result<()> {
        self.0.clear_store().await
    }
}
