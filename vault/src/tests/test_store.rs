//! A store that counts its calls, and fails those that a test names.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use logto_storage_core::BoxFuture;
use tokio::task::yield_now;

use crate::MemoryVault;
use crate::store::{self, Id, Record, StoreError, Swap, Swapped, VaultStore, Version};

/// How a call fails. All of them look the same to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    RequestLost,
    ResponseLost,
    /// The request arrives when the test says so.
    Late,
}

#[derive(Clone, Default)]
pub(crate) struct TestStore {
    inner: MemoryVault,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<&'static str>,
    faults: HashMap<usize, Fault>,
    late: Vec<(Id, Change)>,
    changes: usize,
    before_change: Option<(usize, BoxFuture<'static, ()>)>,
}

enum Change {
    Swap(Swap),
    End(Option<Version>, Duration),
}

impl TestStore {
    /// The names of all calls since the last time.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        let mut state = self.state.lock().unwrap();
        state.faults.clear();
        state.changes = 0;
        mem::take(&mut state.calls)
    }

    /// Lets a call fail, counted from 0 since [`calls`](Self::calls).
    pub(crate) fn fail(&self, call: usize, fault: Fault) {
        self.state.lock().unwrap().faults.insert(call, fault);
    }

    /// Lets something happen before a call that changes a record, counted as by [`fail`](Self::fail).
    pub(crate) fn before_change(&self, change: usize, future: impl Future<Output = ()> + Send + 'static) {
        self.state.lock().unwrap().before_change = Some((change, Box::pin(future)));
    }

    /// Delivers the late requests, and returns the responses that nobody waits for.
    pub(crate) async fn deliver_late(&self) -> Vec<Swapped> {
        let late = mem::take(&mut self.state.lock().unwrap().late);
        let mut responses = Vec::new();
        for (id, change) in late {
            responses.push(self.deliver(&id, &change).await.unwrap());
        }
        responses
    }

    /// Lets other requests go first, as a network does.
    async fn begin(&self, call: &'static str) -> Option<Fault> {
        yield_now().await;
        let mut state = self.state.lock().unwrap();
        state.calls.push(call);
        let index = state.calls.len() - 1;
        state.faults.remove(&index)
    }

    fn before(&self) -> Option<BoxFuture<'static, ()>> {
        let mut state = self.state.lock().unwrap();
        let change = state.changes;
        state.changes += 1;
        Some(state.before_change.take_if(|(before, _)| *before == change)?.1)
    }

    async fn change(&self, call: &'static str, id: &Id, change: Change) -> Result<Swapped, StoreError> {
        if let Some(before) = self.before() {
            before.await;
        }
        match self.begin(call).await {
            None => return self.deliver(id, &change).await,
            Some(Fault::RequestLost) => {}
            Some(Fault::ResponseLost) => drop(self.deliver(id, &change).await?),
            Some(Fault::Late) => self.state.lock().unwrap().late.push((*id, change)),
        }
        Err(StoreError::new("no response"))
    }

    async fn deliver(&self, id: &Id, change: &Change) -> Result<Swapped, StoreError> {
        match change {
            Change::Swap(swap) => self.inner.swap(id, swap).await,
            Change::End(expected, keep) => self.inner.end(id, *expected, *keep).await,
        }
    }
}

impl store::sealed::Sealed for TestStore {}

impl VaultStore for TestStore {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        match self.begin("read").await {
            None => self.inner.read(id, names).await,
            Some(_) => Err(StoreError::new("no response")),
        }
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        self.change("swap", id, Change::Swap(swap.clone())).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.change("end", id, Change::End(expected, keep)).await
    }
}
