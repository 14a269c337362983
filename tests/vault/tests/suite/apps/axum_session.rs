//! axum with `axum_session`, which keeps sessions in the memory of its process.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum_session::{SessionConfig, SessionLayer, SessionNullPool, SessionStore};
use tokio::sync::oneshot;

use super::Library;
use super::tower_sessions::{response, serve};
use crate::app::{App, OwnValues};

type Session = axum_session::Session<SessionNullPool>;

pub(super) const MEMORY: Library = Library {
    name: "axum_session-0.22",
    title: "`axum_session` 0.22",
    keeps_session_id: false,
    serve: serve_in_memory,
};

fn serve_in_memory(listener: TcpListener, app: Arc<App>, stopped: oneshot::Receiver<()>) {
    let router = async {
        let store = SessionStore::<SessionNullPool>::new(None, SessionConfig::default()).await;
        let sessions = SessionLayer::new(store.expect("a store in memory"));
        Router::new().fallback(handle).with_state(app).layer(sessions)
    };
    serve(listener, router, stopped);
}

async fn handle(State(app): State<Arc<App>>, session: Session, uri: Uri) -> Result<Response, StatusCode> {
    response(app.answer(session.clone(), &session, &uri.to_string()).await)
}

impl OwnValues for Session {
    async fn value(&self, key: &str) -> Option<String> {
        self.get(key)
    }

    async fn set_value(&self, key: &str, value: &str) {
        self.set(key, value);
    }
}
