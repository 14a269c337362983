//! Stands for an SDK that re-exports the storage, so that its users need no other dependency.

/// The names that the derive requires at the path of `#[logto(crate = "renamed::storage")]`: exactly these.
pub mod storage {
    // `LogtoStorage` is both the trait and the derive.
    pub use kept::{AllSeen, Change, Changes, LogtoStorage, Result, Seen, SessionHandle, attributes};
}

pub use kept::MemorySession;
