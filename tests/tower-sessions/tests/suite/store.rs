//! A session store that remembers how it was called, and fails when told to.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use serde_json::Value;

use crate::tower_sessions::session::{Id, Record};
use crate::tower_sessions::session_store::{Error, Result};
use crate::tower_sessions::{Session, SessionStore};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Create,
    Save,
    Load,
    Delete,
}

/// What becomes of a call that is to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It does nothing, and says that it failed.
    Refused,
    /// It does its work, but says that it failed: the answer got lost.
    AnswerLost,
    /// It never returns.
    Hangs,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Store(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    records: HashMap<Id, Record>,
    calls: Vec<(Call, Id)>,
    faults: Vec<(Call, Fault)>,
}

impl Store {
    /// A session over this store, as the layer makes one for a request whose cookie has this id.
    pub(super) fn session(&self, id: Option<Id>) -> Session {
        Session::new(id, Arc::new(self.clone()), None)
    }

    /// Puts a record of these items into the store, as an earlier request would have.
    pub(super) fn with_record<V: Into<Value> + Copy>(&self, items: &[(&str, V)]) -> Id {
        let id = Id::default();
        let data = items.iter().map(|&(key, value)| (key.to_owned(), value.into())).collect();
        let expiry_date = self.session(None).expiry_date();
        self.state().records.insert(id, Record { id, data, expiry_date });
        id
    }

    /// The next call of this kind goes wrong, once.
    pub(super) fn fail_next(&self, call: Call, fault: Fault) {
        self.state().faults.push((call, fault));
    }

    /// The calls since the last time this was asked.
    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls_with_ids().into_iter().map(|(call, _)| call).collect()
    }

    pub(super) fn calls_with_ids(&self) -> Vec<(Call, Id)> {
        std::mem::take(&mut self.state().calls)
    }

    /// The ids of all records.
    pub(super) fn ids(&self) -> Vec<Id> {
        self.state().records.keys().copied().collect()
    }

    /// What the record of this id has under the key.
    pub(super) fn item(&self, id: Id, key: &str) -> Option<Value> {
        self.state().records.get(&id)?.data.get(key).cloned()
    }

    /// The items of the one record there is, by key.
    pub(super) fn only_record(&self) -> Vec<(String, Value)> {
        let state = self.state();
        assert_eq!(state.records.len(), 1, "the store has one record");
        let data = state.records.values().flat_map(|record| record.data.clone());
        let mut items: Vec<_> = data.collect();
        items.sort_by(|(a, _), (b, _)| a.cmp(b));
        items
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    async fn call<T: Default>(&self, call: Call, id: Id, work: impl FnOnce(&mut State) -> T) -> Result<T> {
        let fault = {
            let mut state = self.state();
            state.calls.push((call, id));
            let planned = state.faults.iter().position(|(failing, _)| *failing == call);
            planned.map(|index| state.faults.remove(index).1)
        };
        match fault {
            Some(Fault::Hangs) => pending().await,
            Some(Fault::Refused) => Err(Error::Backend("connection refused".to_owned())),
            Some(Fault::AnswerLost) => {
                work(&mut self.state());
                Err(Error::Backend("timed out".to_owned()))
            }
            None => Ok(work(&mut self.state())),
        }
    }
}

#[async_trait]
impl SessionStore for Store {
    async fn create(&self, record: &mut Record) -> Result<()> {
        self.call(Call::Create, record.id, |state| drop(state.records.insert(record.id, record.clone()))).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.call(Call::Save, record.id, |state| drop(state.records.insert(record.id, record.clone()))).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        self.call(Call::Load, *id, |state| state.records.get(id).cloned()).await
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.call(Call::Delete, *id, |state| drop(state.records.remove(id))).await
    }
}
