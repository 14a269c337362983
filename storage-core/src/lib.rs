//! Keeps Logto's items, a signed-in user's tokens, in the web session.
//!
//! Logto's SDK for web apps calls a [`LogtoStorage`](trait@LogtoStorage). Deriving it for a struct that holds a session
//! is the whole adapter:
//!
//! ```
//! # #[cfg(all(feature = "derive", feature = "tower-sessions-0_15"))]
//! # mod app {
//! # use tower_sessions_core_0_15 as tower_sessions;
//! use logto_storage_core::LogtoStorage;
//!
//! #[derive(LogtoStorage)]
//! struct SessionStorage {
//!     session: tower_sessions::Session,
//! }
//! # }
//! ```
//!
//! - [`LogtoStorage`](trait@LogtoStorage) is what the SDK needs: get, set and remove an item, make several
//!   [`Change`]s, change them together with the session's id, read the session again. [`DynStorage`] is its object-safe
//!   companion.
//! - [`SessionHandle`] is what a derived storage needs of a session library's type. [`MemorySession`] is one that needs
//!   no library.
//! - [`Error`] is what either of them answers with.
//!
//! # Features
//!
//! None is on by default, and without any this crate has no dependency.
//!
//! | feature | what it adds |
//! |---|---|
//! | `derive` | the macro [`LogtoStorage`](derive@LogtoStorage) |
//! | `tower-sessions-0_15` | [`SessionHandle`] for `tower_sessions::Session` of version 0.15 |
//! | `tower-sessions-0_14` | the same of version 0.14 |
//! | `actix-session-0_11` | for `actix_session::Session` of version 0.11 |
//! | `axum_session-0_22` | for `axum_session::Session` of version 0.22 |
//! | `poem-3` | for `poem::session::Session` of version 3 |
//! | `salvo-1` | for `salvo::session::Session` of version 1, which needs Rust 1.95 |
//!
//! A session library's feature is named for its version, since its type is part of this crate's interface: a new version
//! comes as a new feature, beside the old one. What is saved when, and what may be lost, is told at each
//! [implementation](SessionHandle#foreign-impls).
//!
//! # Values are secrets
//!
//! No `Debug` and no `Display` of this crate shows an item's value; keys may be shown. That does not hold for what an
//! error has as its source, which is the session library's own, nor for a session itself: those of tower-sessions,
//! `axum_session`, poem and salvo print their values.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

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
#[doc = include_str!("derive.md")]
pub use logto_storage_derive::LogtoStorage;
