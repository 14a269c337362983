//! How a test takes hold of a server: where handlers wait for it, and how it makes the store fail.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

/// How long anything may take that is over in a moment, unless it hangs.
pub(crate) const LIMIT: Duration = Duration::from_mins(1);

/// Lets a test decide in which order concurrent requests go on.
pub(crate) struct Gate {
    arrived: Semaphore,
    open: Semaphore,
}

impl Gate {
    pub(crate) const fn closed() -> Self {
        Self { arrived: Semaphore::const_new(0), open: Semaphore::const_new(0) }
    }

    /// In the handler: says that it is here, and waits to be let through.
    pub(crate) async fn pass(&self) {
        self.arrived.add_permits(1);
        self.open.acquire().await.expect("a gate is never taken down").forget();
    }

    /// In the test: waits until so many handlers are here.
    pub(crate) async fn arrivals(&self, requests: u32) {
        let arrived = timeout(LIMIT, self.arrived.acquire_many(requests)).await.expect("all handlers come to the gate");
        arrived.expect("a gate is never taken down").forget();
    }

    /// In the test: lets so many through.
    pub(crate) fn open(&self, requests: u32) {
        self.open.add_permits(requests as usize);
    }
}

/// What makes a store fail. Clones are one and the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fault(Arc<AtomicBool>);

impl Fault {
    /// In the test: from now on saving fails, or works again.
    pub(crate) fn set(&self, failing: bool) {
        self.0.store(failing, Ordering::SeqCst);
    }

    /// In the store, before it saves.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::Error::other("the test says so")) } else { Ok(()) }
    }
}
