//! axum with tower-sessions.

use std::future::{Future, ready};

use async_trait::async_trait;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use logto_storage_core::SessionHandle;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::gate::Fault;
use crate::script::{self, Ending, Script};
use crate::site::{self, Process};

/// The result of an axum handler; its error is a response like any other.
pub(super) fn answer(ending: Ending) -> Result<(StatusCode, String), StatusCode> {
    match ending {
        Ending::Ok(answers) => Ok((StatusCode::OK, answers)),
        Ending::Status500 => Ok((StatusCode::INTERNAL_SERVER_ERROR, String::new())),
        Ending::Err => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// Makes a router, and serves it until told to stop.
pub(super) fn serve(listener: std::net::TcpListener, router: impl Future<Output = Router>, stopped: impl Future) {
    let runtime = Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener).expect("a listener");
        tokio::select! {
            ended = axum::serve(listener, router.await) => ended.expect("axum serves"),
            _ = stopped => (),
        }
    });
    runtime.shutdown_background();
}

macro_rules! driver {
    ($library:ident, $driver:ident, $module:ident) => {
        pub(crate) use $module::Driver as $driver;

        mod $module {
            use $library::session::{Id, Record};
            use $library::session_store::{Error, Result};
            use $library::{MemoryStore, Session, SessionManagerLayer, SessionStore};

            use super::*;

            pub(crate) struct Driver;

            impl site::Driver for Driver {
                type Store = Store;

                fn fault(store: &Self::Store) -> Option<&Fault> {
                    Some(&store.fault)
                }

                fn serve(Process { listener, context, stopped }: Process, store: Self::Store) {
                    let handler = async move |session: Session, Json(script): Json<Script>| {
                        let context = context.clone();
                        answer(script::run(session, script, &context).await)
                    };
                    let sessions = SessionManagerLayer::new(store).with_secure(false);
                    let router = Router::new().route("/", post(handler)).layer(sessions);
                    super::serve(listener, ready(router), stopped);
                }
            }

            impl script::Session for Session {
                async fn write_foreign(&self, key: &str, value: &Value) {
                    self.insert_value(key, value.clone()).await.expect("a session in memory");
                }

                async fn end(&self) {
                    self.flush().await.expect("a session in memory");
                }

                fn for_vault(&self) -> impl SessionHandle + Sync {
                    self.clone()
                }
            }

            /// A `MemoryStore` that can be made to fail.
            #[derive(Clone, Debug, Default)]
            pub(crate) struct Store {
                memory: MemoryStore,
                fault: Fault,
            }

            #[async_trait]
            impl SessionStore for Store {
                async fn create(&self, record: &mut Record) -> Result<()> {
                    self.fault.check().map_err(|error| Error::Backend(error.to_string()))?;
                    self.memory.create(record).await
                }

                async fn save(&self, record: &Record) -> Result<()> {
                    self.fault.check().map_err(|error| Error::Backend(error.to_string()))?;
                    self.memory.save(record).await
                }

                async fn load(&self, id: &Id) -> Result<Option<Record>> {
                    self.memory.load(id).await
                }

                async fn delete(&self, id: &Id) -> Result<()> {
                    self.memory.delete(id).await
                }
            }
        }
    };
}

driver!(tower_sessions_0_15, V0_15, v0_15);
driver!(tower_sessions_0_14, V0_14, v0_14);
