//! Keeps Logto's items, a signed-in user's tokens, in the web session.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod change;
pub mod dyn_storage;
pub mod error;
pub mod handle;
mod sessions;
pub mod storage;

pub use change::{Change, Changes};
pub use dyn_storage::{BoxFuture, DynStorage};
pub use error::{Error, ErrorKind, Operation, Result};
pub use handle::SessionHandle;
pub use sessions::memory::MemorySession;
pub use storage::LogtoStorage;

#[cfg(feature = "derive")]
pub use logto_storage_derive::LogtoStorage;
