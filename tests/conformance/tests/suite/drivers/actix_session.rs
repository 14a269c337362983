//! actix-web with actix-session. The library has no store in memory, so here is one that does what its Redis store does.

use std::collections::HashMap;
use std::future::{Future, ready};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actix_session::config::CookieContentSecurity;
use actix_session::storage::{CookieSessionStore, LoadError, SaveError, SessionKey, SessionStore, UpdateError};
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::{Key, time::Duration};
use actix_web::error::ErrorInternalServerError;
use actix_web::rt::System;
use actix_web::{App, HttpResponse, HttpServer, web};
use logto_storage_core::SessionHandle;
use logto_vault::ThreadBound;
use serde_json::Value;

use super::SECRET;
use crate::gate::Fault;
use crate::script::{self, Ending, Script};
use crate::site::{Context, Driver, Process};

pub(crate) struct V0_11;

impl Driver for V0_11 {
    type Store = Store;

    fn fault(store: &Self::Store) -> Option<&Fault> {
        Some(&store.fault)
    }

    fn serve(process: Process, store: Self::Store) {
        serve(process, move || store.clone());
    }
}

pub(crate) struct V0_11Cookie;

impl Driver for V0_11Cookie {
    type Store = ();

    fn serve(process: Process, (): Self::Store) {
        serve(process, CookieSessionStore::default);
    }
}

fn serve<S: SessionStore + 'static>(process: Process, store: impl Fn() -> S + Clone + Send + 'static) {
    let Process { listener, context, stopped } = process;
    let app = move || {
        let sessions = SessionMiddleware::builder(store(), Key::from(&SECRET))
            .cookie_secure(false)
            // Encrypted, the cookie of one session would look different each time.
            .cookie_content_security(CookieContentSecurity::Signed)
            .build();
        let context = web::Data::from(Arc::clone(&context));
        App::new().wrap(sessions).app_data(context).service(web::resource("/").post(handler))
    };
    System::new().block_on(async {
        let server = HttpServer::new(app).workers(2).disable_signals().listen(listener).expect("a listener").run();
        let handle = server.handle();
        tokio::select! {
            ended = server => ended.expect("actix-web serves"),
            _ = stopped => handle.stop(false).await,
        }
    });
}

async fn handler(
    session: Session,
    script: web::Json<Script>,
    context: web::Data<Context>,
) -> actix_web::Result<HttpResponse> {
    match script::run(session, script.into_inner(), &context).await {
        Ending::Ok(answers) => Ok(HttpResponse::Ok().body(answers)),
        Ending::Status500 => Ok(HttpResponse::InternalServerError().finish()),
        Ending::Err => Err(ErrorInternalServerError("the script says so")),
    }
}

impl script::Session for Session {
    fn write_foreign(&self, key: &str, value: &Value) -> impl Future<Output = ()> + Send {
        self.insert(key, value).expect("a value is JSON");
        ready(())
    }

    fn end(&self) -> impl Future<Output = ()> + Send {
        self.purge();
        ready(())
    }

    fn for_vault(&self) -> impl SessionHandle + Sync {
        ThreadBound::new(self.clone())
    }
}

type Items = HashMap<String, String>;

/// Records by key. They don't expire.
#[derive(Clone, Default)]
pub(crate) struct Store {
    records: Arc<Mutex<HashMap<String, Items>>>,
    last_key: Arc<AtomicU64>,
    fault: Fault,
}

impl Store {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Items>) -> T) -> T {
        work(&mut self.records.lock().expect("nothing panics here"))
    }
}

impl SessionStore for Store {
    async fn load(&self, key: &SessionKey) -> Result<Option<Items>, LoadError> {
        Ok(self.with(|records| records.get(key.as_ref()).cloned()))
    }

    async fn save(&self, items: Items, _ttl: &Duration) -> Result<SessionKey, SaveError> {
        self.fault.check().map_err(|error| SaveError::Other(error.into()))?;
        // The cookie is signed, so nobody can make use of a guess.
        let key = self.last_key.fetch_add(1, Ordering::Relaxed).to_string();
        self.with(|records| records.insert(key.clone(), items));
        Ok(key.try_into().expect("a short key"))
    }

    async fn update(&self, key: SessionKey, items: Items, ttl: &Duration) -> Result<SessionKey, UpdateError> {
        self.fault.check().map_err(|error| UpdateError::Other(error.into()))?;
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
