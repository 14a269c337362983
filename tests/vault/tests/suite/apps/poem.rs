//! poem, with its own sessions: on the server and in a cookie.

use std::net::TcpListener;
use std::sync::Arc;

use poem::error::InternalServerError;
use poem::http::{StatusCode, Uri, header};
use poem::listener::TcpAcceptor;
use poem::session::{CookieConfig, CookieSession, MemoryStorage, ServerSession, Session};
use poem::web::Data;
use poem::web::cookie::CookieKey;
use poem::{Endpoint, EndpointExt, Response, Server, handler};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use super::{Library, SECRET};
use crate::app::{App, OwnValues};

pub(super) const SERVER: Library =
    Library { name: "poem-3", title: "poem 3", keeps_session_id: false, serve: serve_with_server_sessions };

pub(super) const COOKIE: Library = Library {
    name: "poem-3-cookie",
    title: "poem 3, `CookieSession`",
    keeps_session_id: false,
    serve: serve_with_cookie_sessions,
};

fn serve_with_server_sessions(listener: TcpListener, app: Arc<App>, stopped: oneshot::Receiver<()>) {
    // The store starts a task.
    let new_app = || {
        let sessions = ServerSession::new(CookieConfig::default().secure(false), MemoryStorage::new());
        handle.with(sessions).data(app)
    };
    serve(listener, new_app, stopped);
}

fn serve_with_cookie_sessions(listener: TcpListener, app: Arc<App>, stopped: oneshot::Receiver<()>) {
    let sessions = CookieSession::new(CookieConfig::private(CookieKey::from(&SECRET)).secure(false));
    serve(listener, || handle.with(sessions).data(app), stopped);
}

fn serve<E: Endpoint + 'static>(listener: TcpListener, new_app: impl FnOnce() -> E, stopped: oneshot::Receiver<()>) {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpAcceptor::from_std(listener).expect("a listener");
        tokio::select! {
            ended = Server::new_with_acceptor(listener).run(new_app()) => ended.expect("poem serves"),
            _ = stopped => (),
        }
    });
    runtime.shutdown_background();
}

#[handler]
async fn handle(session: &Session, uri: &Uri, Data(app): Data<&Arc<App>>) -> poem::Result<Response> {
    let answer = app.answer(session.clone(), session, &uri.to_string()).await;
    if answer.is_err {
        return Err(InternalServerError(std::io::Error::other("the test says so")));
    }
    let response = Response::builder().status(StatusCode::from_u16(answer.status).expect("a status"));
    let response = match answer.location {
        Some(to) => response.header(header::LOCATION, to),
        None => response,
    };
    Ok(response.body(answer.body))
}

impl OwnValues for Session {
    async fn value(&self, key: &str) -> Option<String> {
        self.get(key)
    }

    async fn set_value(&self, key: &str, value: &str) {
        self.set(key, value);
    }
}
