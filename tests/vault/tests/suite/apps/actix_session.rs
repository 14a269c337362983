//! actix-web with actix-session: on the server and in a cookie. The library has no store in memory, so here is one that does
//! what its Redis store does.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actix_session::storage::{CookieSessionStore, LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, time::Duration};
use actix_web::error::ErrorInternalServerError;
use actix_web::http::{StatusCode, header};
use actix_web::rt::System;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use logto_client::vault::ThreadBound;
use tokio::sync::oneshot;

use super::{Library, SECRET};
use crate::app::{App, OwnValues};

pub(super) const SERVER: Library = Library {
    name: "actix-session-0.11",
    title: "actix-session 0.11",
    keeps_session_id: false,
    serve: |listener, app, stopped| {
        let store = Records::default();
        serve(listener, app, stopped, move || store.clone());
    },
};

pub(super) const COOKIE: Library = Library {
    name: "actix-session-0.11-cookie",
    title: "actix-session 0.11, `CookieSessionStore`",
    keeps_session_id: false,
    serve: |listener, app, stopped| serve(listener, app, stopped, CookieSessionStore::default),
};

fn serve<S: SessionStore + 'static>(
    listener: TcpListener,
    app: Arc<App>,
    stopped: oneshot::Receiver<()>,
    store: impl Fn() -> S + Clone + Send + 'static,
) {
    let new_app = move || {
        let sessions = SessionMiddleware::builder(store(), Key::from(&SECRET)).cookie_secure(false).build();
        let app = web::Data::from(Arc::clone(&app));
        actix_web::App::new().wrap(sessions).app_data(app).default_service(web::to(handle))
    };
    System::new().block_on(async {
        let server = HttpServer::new(new_app).workers(1).disable_signals().listen(listener).expect("a listener").run();
        let handle = server.handle();
        tokio::select! {
            ended = server => ended.expect("actix-web serves"),
            _ = stopped => handle.stop(false).await,
        }
    });
}

async fn handle(session: Session, request: HttpRequest, app: web::Data<App>) -> actix_web::Result<HttpResponse> {
    let answer = app.answer(ThreadBound::new(session.clone()), &session, &request.uri().to_string()).await;
    if answer.is_err {
        return Err(ErrorInternalServerError("the test says so"));
    }
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).expect("a status"));
    if let Some(to) = answer.location {
        response.insert_header((header::LOCATION, to));
    }
    Ok(response.body(answer.body))
}

impl OwnValues for Session {
    fn value(&self, key: &str) -> impl Future<Output = Option<String>> + Send {
        ready(self.get(key).expect("a text"))
    }

    fn set_value(&self, key: &str, value: &str) -> impl Future<Output = ()> + Send {
        self.insert(key, value).expect("a value is JSON");
        ready(())
    }
}

type Items = HashMap<String, String>;

/// Records by key. They don't expire.
#[derive(Clone, Default)]
struct Records {
    records: Arc<Mutex<HashMap<String, Items>>>,
    last_key: Arc<AtomicU64>,
}

impl Records {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Items>) -> T) -> T {
        work(&mut self.records.lock().expect("nothing panics here"))
    }
}

impl SessionStore for Records {
    async fn load(&self, key: &SessionKey) -> Result<Option<Items>, LoadError> {
        Ok(self.with(|records| records.get(key.as_ref()).cloned()))
    }

    async fn save(&self, items: Items, _ttl: &Duration) -> Result<SessionKey, SaveError> {
        // The cookie is encrypted, so nobody can make use of a guess.
        let key = self.last_key.fetch_add(1, Ordering::Relaxed).to_string();
        self.with(|records| records.insert(key.clone(), items));
        Ok(key.try_into().expect("a short key"))
    }

    async fn update(&self, key: SessionKey, items: Items, ttl: &Duration) -> Result<SessionKey, UpdateError> {
        let items = self.with(|records| match records.get_mut(key.as_ref()) {
            Some(record) => {
                *record = items;
                None
            }
            None => Some(items),
        });
        match items {
            None => Ok(key),
            // The record was deleted meanwhile: like the Redis store, saves it under a new key.
            Some(items) => self.save(items, ttl).await.map_err(|error| UpdateError::Other(error.into())),
        }
    }

    async fn update_ttl(&self, _key: &SessionKey, _ttl: &Duration) -> anyhow::Result<()> {
        Ok(())
    }

    async fn delete(&self, key: &SessionKey) -> anyhow::Result<()> {
        self.with(|records| records.remove(key.as_ref()));
        Ok(())
    }
}
