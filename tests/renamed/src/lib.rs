//! Stands for an SDK that re-exports the storage, so that its users need no other dependency.

/// The names that the derive requires at the path of `#[logto(crate = "renamed::storage")]`: exactly these.
pub mod storage {
    // `LogtoStorage` is both the trait and the derive.
    pub use kept::{Change, Changes, LogtoStorage, Result, SessionHandle, attributes};
}

pub use kept::MemorySession;
