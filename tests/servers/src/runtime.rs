//! Async code in tests that are not async.

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

/// Waits for a future, on a runtime that all tests of the process share. Its thread keeps connections going in between.
///
/// # Panics
///
/// If called from async code.
pub fn block_on<F: Future>(future: F) -> F::Output {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime"));
    RUNTIME.block_on(future)
}
