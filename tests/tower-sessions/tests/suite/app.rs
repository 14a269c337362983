//! A web app of one handler behind the library's own layer, and a browser's cookie.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tower::ServiceExt;

use super::store::Store;
use crate::tower_sessions::session::Id;
use crate::tower_sessions::{Session, SessionManagerLayer};

/// What the browser got.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// The session's id that the answer's cookie sets.
    pub(super) new_id: Option<Id>,
}

/// Sends one request to an app that answers with `handler`.
pub(super) async fn request<H, F, R>(store: &Store, cookie: Option<Id>, handler: H) -> Answer
where
    H: FnOnce(Session) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = R> + Send + 'static,
    R: IntoResponse + 'static,
{
    let app = Router::new()
        .route("/", get(move |session: Session| handler(session)))
        .layer(SessionManagerLayer::new(store.clone()).with_secure(false));
    let mut request = Request::get("/");
    if let Some(id) = cookie {
        request = request.header(header::COOKIE, format!("id={id}"));
    }
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    Answer { status: response.status(), new_id: id_in(response.headers()) }
}

fn id_in(headers: &HeaderMap) -> Option<Id> {
    let cookie = headers.get(header::SET_COOKIE)?.to_str().unwrap();
    let (pair, _) = cookie.split_once(';').unwrap();
    pair.strip_prefix("id=").unwrap().parse().ok()
}
