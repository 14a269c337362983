//! A store of the vault that fails as a test says.

use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use logto_client::vault::store::{Id, Record, Swap, Swapped, Version};
use logto_client::vault::{MemoryVault, StoreError, VaultStore};
use logto_vault::store::sealed::Sealed;
use tokio::sync::Barrier;

/// How a call fails. To the caller, all faults look the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    RequestLost,
    ResponseLost,
    /// The request arrives when the test says so.
    Late,
    /// The call and all that follow it are lost.
    Outage,
}

/// A call, as the store sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Read,
    Write,
}

/// A [`MemoryVault`] that fails. Clones are one and the same.
#[derive(Clone, Default)]
pub(crate) struct TestStore {
    records: MemoryVault,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    fault: Option<(usize, Fault)>,
    late: Vec<(Id, Change)>,
    written: HashSet<Id>,
    writes_together: Option<Arc<Barrier>>,
}

enum Change {
    Swap(Swap),
    End(Option<Version>, Duration),
}

impl TestStore {
    /// Lets a call fail, counted from 0 from now on.
    pub(crate) fn fail(&self, call: usize, fault: Fault) {
        let mut state = self.lock();
        state.calls.clear();
        state.fault = Some((call, fault));
    }

    /// Works again, and returns the calls since the last time.
    pub(crate) fn work(&self) -> Vec<Call> {
        let mut state = self.lock();
        state.fault = None;
        mem::take(&mut state.calls)
    }

    /// Delivers the requests that are late. Nobody waits for their responses.
    pub(crate) async fn deliver_late(&self) {
        let late = mem::take(&mut self.lock().late);
        for (id, change) in late {
            let _ = self.deliver(&id, &change).await.expect("a store in memory");
        }
    }

    /// Returns how many records hold items.
    pub(crate) async fn count(&self) -> usize {
        let written = self.lock().written.clone();
        let mut count = 0;
        for id in written {
            let record = self.records.read(&id, None).await.expect("a store in memory");
            count += usize::from(record.fields.len() > 1);
        }
        count
    }

    /// Lets the next writes wait for each other, until so many of them have come.
    pub(crate) fn hold_writes_until(&self, writes: usize) {
        self.lock().writes_together = Some(Arc::new(Barrier::new(writes)));
    }

    pub(crate) fn let_writes_pass(&self) {
        self.lock().writes_together = None;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, call: Call) -> Option<Fault> {
        let mut state = self.lock();
        let index = state.calls.len();
        state.calls.push(call);
        match state.fault {
            Some((first, Fault::Outage)) if index >= first => Some(Fault::Outage),
            Some((failing, fault)) if index == failing => Some(fault),
            _ => None,
        }
    }

    async fn change(&self, id: &Id, change: Change) -> Result<Swapped, StoreError> {
        let together = self.lock().writes_together.clone();
        if let Some(together) = together {
            together.wait().await;
        }
        match self.begin(Call::Write) {
            None => return self.deliver(id, &change).await,
            Some(Fault::RequestLost | Fault::Outage) => {}
            Some(Fault::ResponseLost) => drop(self.deliver(id, &change).await?),
            Some(Fault::Late) => self.lock().late.push((*id, change)),
        }
        Err(StoreError::new("no response"))
    }

    async fn deliver(&self, id: &Id, change: &Change) -> Result<Swapped, StoreError> {
        self.lock().written.insert(*id);
        match change {
            Change::Swap(swap) => self.records.swap(id, swap).await,
            Change::End(expected, keep) => self.records.end(id, *expected, *keep).await,
        }
    }
}

impl Sealed for TestStore {}

impl VaultStore for TestStore {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        match self.begin(Call::Read) {
            None => self.records.read(id, names).await,
            Some(_) => Err(StoreError::new("no response")),
        }
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        self.change(id, Change::Swap(swap.clone())).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.change(id, Change::End(expected, keep)).await
    }
}
