//! Stands for an SDK that keeps its dependencies to itself: whoever uses it depends on nothing else.

/// What the derive needs where `#[logto(crate = "renamed::storage")]` leads: these five names, no more and no fewer.
pub mod storage {
    // `LogtoStorage` is both the trait and the derive.
    pub use kept::{Change, Changes, LogtoStorage, Result, SessionHandle};
}

pub use kept::MemorySession;
