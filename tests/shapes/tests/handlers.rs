//! Storages in axum's handlers: futures of handlers are `Send`, and axum accepts what the derive writes, whether the
//! storage's type is known or a parameter.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, State};
use axum::http::{Request, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use logto_storage_core::{Change, DynStorage, LogtoStorage, MemorySession, SessionHandle};
use tower::ServiceExt;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

/// Signs in, looks who it is, signs out: all six methods.
async fn visit<S: LogtoStorage>(storage: S) -> String {
    storage.renew(&[Change::set("id_token", "eyJ"), Change::remove("sign_in")]).await.unwrap();
    storage.set_item("state", "abc").await.unwrap();
    storage.apply(&[Change::remove("state")]).await.unwrap();
    storage.reload().await.unwrap();
    let id_token = storage.get_item("id_token").await.unwrap();
    storage.remove_item("id_token").await.unwrap();
    id_token.unwrap_or_default()
}

/// What the server answers to one request.
async fn answer(router: Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}

fn sessions() -> SessionManagerLayer<MemoryStore> {
    SessionManagerLayer::new(MemoryStore::default())
}

fn request(method: &str) -> Request<Body> {
    Request::builder().method(method).uri("/").body(Body::empty()).unwrap()
}

fn visited() -> (StatusCode, String) {
    (StatusCode::OK, "eyJ".to_owned())
}

/// The storage of an app, made from the request by the macro of axum.
#[derive(LogtoStorage, FromRequestParts)]
#[logto(prefix = "tenant-a:", max_len = 100)]
struct Extracted {
    session: Session,
}

#[tokio::test]
async fn a_handler_makes_its_storage_from_an_extracted_session() {
    #[derive(LogtoStorage)]
    struct Storage {
        session: Session,
    }
    #[derive(LogtoStorage)]
    struct Borrowed<'r>(#[logto(session)] &'r Session, #[logto(prefix)] String);

    async fn owned(session: Session) -> String {
        visit(Storage { session }).await
    }
    async fn borrowed(session: Session) -> String {
        let storage = Borrowed(&session, "tenant-a:".to_owned());
        visit(&storage).await
    }

    let router = Router::new().route("/", get(owned).post(borrowed)).layer(sessions());
    assert_eq!(answer(router.clone(), request("GET")).await, visited());
    assert_eq!(answer(router, request("POST")).await, visited());
}

#[tokio::test]
async fn a_handler_calls_every_method_itself() {
    #[derive(LogtoStorage)]
    enum Storage {
        Web(Session),
        #[expect(dead_code, reason = "the other session is for tests of the app")]
        Test(MemorySession),
    }

    async fn handler(session: Session, Json(token): Json<String>) -> Json<Option<String>> {
        let storage = Storage::Web(session);
        let key = String::from("id_token");
        storage.set_item(&key, &token).await.unwrap();
        storage.apply(&[Change::set("a", &token), Change::remove("b")]).await.unwrap();
        storage.renew(&[Change::set(&key, &token)]).await.unwrap();
        storage.reload().await.unwrap();
        let held = storage.get_item(&key).await.unwrap();
        storage.remove_item(&key).await.unwrap();
        Json(held)
    }

    let router = Router::new().route("/", post(handler)).layer(sessions());
    let request = Request::post("/").header("content-type", "application/json").body(Body::from(r#""eyJ""#)).unwrap();
    assert_eq!(answer(router, request).await, (StatusCode::OK, r#""eyJ""#.to_owned()));
}

#[tokio::test]
async fn a_storage_is_an_extractor_itself() {
    async fn handler(storage: Extracted) -> String {
        visit(storage).await
    }

    let router = Router::new().route("/", get(handler)).layer(sessions());
    assert_eq!(answer(router, request("GET")).await, visited());
}

#[tokio::test]
async fn a_router_is_generic_over_the_storage_it_extracts() {
    #[derive(LogtoStorage, FromRequestParts)]
    #[logto(prefix = "test:")]
    struct Test(#[from_request(via(axum::Extension))] MemorySession);

    fn router<S>() -> Router
    where
        S: LogtoStorage + FromRequestParts<()> + Send + Sync + 'static,
    {
        async fn handler<S: LogtoStorage>(storage: S) -> String {
            visit(storage).await
        }
        Router::new().route("/", get(handler::<S>).post(async |storage: S| visit(storage).await))
    }

    let session = MemorySession::default();
    assert_eq!(answer(router::<Extracted>().layer(sessions()), request("GET")).await, visited());
    assert_eq!(answer(router::<Extracted>().layer(sessions()), request("POST")).await, visited());
    assert_eq!(answer(router::<Test>().layer(axum::Extension(session)), request("GET")).await, visited());
}

#[tokio::test]
async fn a_router_is_generic_over_the_storage_in_its_state() {
    #[derive(Clone, LogtoStorage)]
    struct Shared {
        session: Arc<MemorySession>,
    }

    fn router<S>(storage: S) -> Router
    where
        S: LogtoStorage + Clone + Send + Sync + 'static,
    {
        async fn handler<S: LogtoStorage>(State(storage): State<S>) -> String {
            visit(storage).await
        }
        Router::new().route("/", get(handler::<S>)).with_state(storage)
    }

    let session = Arc::new(MemorySession::default());
    let dynamic: Arc<dyn DynStorage> = Arc::new(Shared { session: Arc::clone(&session) });
    assert_eq!(answer(router(Shared { session: Arc::clone(&session) }), request("GET")).await, visited());
    assert_eq!(answer(router(dynamic), request("GET")).await, visited());
}

#[tokio::test]
async fn a_router_is_generic_over_the_session_it_extracts() {
    #[derive(LogtoStorage)]
    struct Storage<H> {
        session: H,
    }

    fn router<H>() -> Router
    where
        H: SessionHandle + FromRequestParts<()> + Send + Sync + 'static,
    {
        async fn handler<H: SessionHandle>(session: H) -> String {
            visit(Storage { session }).await
        }
        Router::new().route("/", get(handler::<H>))
    }

    assert_eq!(answer(router::<Session>().layer(sessions()), request("GET")).await, visited());
}
