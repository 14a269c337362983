//! axum with `axum_session`, whose database is here a map that the processes share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::routing::post;
use axum::{Json, Router};
use axum_session::{DatabaseError, DatabasePool, Session, SessionConfig, SessionLayer, SessionStore};
use logto_storage_core::SessionHandle;
use serde_json::Value;

use super::tower_sessions::{answer, serve};
use crate::gate::Fault;
use crate::script::{self, Script};
use crate::site::{Driver, Process};

pub(crate) struct V0_22;

impl Driver for V0_22 {
    type Store = Database;

    fn fault(store: &Self::Store) -> Option<&Fault> {
        Some(&store.fault)
    }

    fn serve(Process { listener, context, stopped }: Process, store: Self::Store) {
        let handler = async move |session: Session<Database>, Json(script): Json<Script>| {
            let context = Arc::clone(&context);
            answer(script::run(session, script, &context).await)
        };
        let router = async {
            let store = SessionStore::new(Some(store), SessionConfig::default()).await.expect("a store in memory");
            // Makes a task that cleans up.
            Router::new().route("/", post(handler)).layer(SessionLayer::new(store))
        };
        serve(listener, router, stopped);
    }
}

impl script::Session for Session<Database> {
    async fn write_foreign(&self, key: &str, value: &Value) {
        self.set(key, value);
    }

    async fn end(&self) {
        self.destroy();
    }

    fn for_vault(&self) -> impl SessionHandle + Sync {
        self.clone()
    }
}

/// Records by id. They don't expire.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database {
    records: Arc<Mutex<HashMap<String, String>>>,
    fault: Fault,
}

impl Database {
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, String>) -> T) -> T {
        work(&mut self.records.lock().expect("nothing panics here"))
    }
}

#[async_trait]
impl DatabasePool for Database {
    async fn initiate(&self, _table_name: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn count(&self, _table_name: &str) -> Result<i64, DatabaseError> {
        Ok(self.with(|records| i64::try_from(records.len()).expect("few records")))
    }

    async fn store(&self, id: &str, session: &str, _expires: i64, _table: &str) -> Result<(), DatabaseError> {
        self.fault.check().map_err(|error| DatabaseError::GenericInsertError(error.to_string()))?;
        self.with(|records| records.insert(id.to_owned(), session.to_owned()));
        Ok(())
    }

    async fn load(&self, id: &str, _table_name: &str) -> Result<Option<String>, DatabaseError> {
        Ok(self.with(|records| records.get(id).cloned()))
    }

    async fn delete_one_by_id(&self, id: &str, _table_name: &str) -> Result<(), DatabaseError> {
        self.with(|records| records.remove(id));
        Ok(())
    }

    async fn exists(&self, id: &str, _table_name: &str) -> Result<bool, DatabaseError> {
        Ok(self.with(|records| records.contains_key(id)))
    }

    async fn delete_by_expiry(&self, _table_name: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn delete_all(&self, _table_name: &str) -> Result<(), DatabaseError> {
        self.with(HashMap::clear);
        Ok(())
    }

    async fn get_ids(&self, _table_name: &str) -> Result<Vec<String>, DatabaseError> {
        Ok(self.with(|records| records.keys().cloned().collect()))
    }

    fn auto_handles_expiry(&self) -> bool {
        true
    }
}
