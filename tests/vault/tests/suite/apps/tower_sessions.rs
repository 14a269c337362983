//! axum with tower-sessions.

use std::net::TcpListener;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

use super::Library;
use crate::app::{Answer, App, OwnValues};

pub(super) const MEMORY: Library = Library {
    name: "tower-sessions-0.15",
    title: "tower-sessions 0.15",
    keeps_session_id: false,
    serve: serve_in_memory,
};

fn serve_in_memory(listener: TcpListener, app: Arc<App>, stopped: oneshot::Receiver<()>) {
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false);
    let router = Router::new().fallback(handle).with_state(app).layer(sessions);
    serve(listener, async { router }, stopped);
}

async fn handle(State(app): State<Arc<App>>, session: Session, uri: Uri) -> Result<Response, StatusCode> {
    response(app.answer(session.clone(), &session, &uri.to_string()).await)
}

impl OwnValues for Session {
    async fn value(&self, key: &str) -> Option<String> {
        self.get(key).await.expect("a session in memory")
    }

    async fn set_value(&self, key: &str, value: &str) {
        self.insert(key, value).await.expect("a session in memory");
    }
}

/// Makes a router, and serves it until told to stop.
pub(super) fn serve(listener: TcpListener, router: impl Future<Output = Router>, stopped: oneshot::Receiver<()>) {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
        tokio::select! {
            ended = axum::serve(listener, router.await) => ended.expect("axum serves"),
            _ = stopped => (),
        }
    });
    runtime.shutdown_background();
}

/// The result of an axum handler.
pub(super) fn response(answer: Answer) -> Result<Response, StatusCode> {
    if answer.is_err {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let status = StatusCode::from_u16(answer.status).expect("a status");
    let location = answer.location.map(|to| [(header::LOCATION, to)]);
    Ok((status, location, answer.body).into_response())
}
