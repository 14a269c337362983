//! Stores the Logto SDK's tokens in the web session.
//!
//! The SDK stores a signed-in user's tokens in a [`LogtoStorage`](trait@LogtoStorage). Derive it for a struct that holds
//! the session of your web framework:
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
//! - [`LogtoStorage`](trait@LogtoStorage) is the storage: it gets, sets and removes items, applies several [`Change`]s
//!   at once, renews the session's id and reloads the session. [`DynStorage`] is its dyn-compatible companion.
//! - [`SessionHandle`] connects a derived storage to a session library. [`MemorySession`] is a session that needs no
//!   library.
//! - [`Error`] is the error of both.
//!
//! # Features
//!
//! No feature is enabled by default. Without features, this crate has no dependencies.
//!
//! | feature | enables |
//! |---|---|
//! | `derive` | the macro [`LogtoStorage`](derive@LogtoStorage) |
//! | `tower-sessions-0_15` | [`SessionHandle`] for `tower_sessions::Session` 0.15 |
//! | `tower-sessions-0_14` | [`SessionHandle`] for `tower_sessions::Session` 0.14 |
//! | `actix-session-0_11` | [`SessionHandle`] for `actix_session::Session` 0.11 |
//! | `axum_session-0_22` | [`SessionHandle`] for `axum_session::Session` 0.22 |
//! | `poem-3` | [`SessionHandle`] for `poem::session::Session` 3 |
//! | `salvo-1` | [`SessionHandle`] for `salvo::session::Session` 1, which requires Rust 1.95 |
//!
//! The features name the library's version because its type is part of this crate's public API. A new version of a
//! library gets a new feature beside the old one. Each [implementation](SessionHandle#foreign-impls) documents when the
//! library saves and what can get lost.
//!
//! # Security
//!
//! Values are secrets. The `Debug` and `Display` output of this crate's types may contain keys, but never an item's
//! value. This does not extend to the [source](std::error::Error::source) of an error, which is the session library's
//! own, nor to sessions: the `Debug` output of those of tower-sessions, `axum_session`, poem and salvo contains values.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
pub mod attributes;
pub mod change;
pub mod dyn_storage;
pub mod error;
pub mod handle;
mod sessions;
pub mod storage;

pub use change::{AllSeen, Change, Changes, Seen};
pub use dyn_storage::{BoxFuture, DynStorage};
pub use error::{Error, ErrorKind, Operation, Result};
pub use handle::SessionHandle;
pub use sessions::memory::MemorySession;
pub use storage::LogtoStorage;

#[cfg(feature = "derive")]
#[doc = include_str!("derive.md")]
pub use logto_storage_derive::LogtoStorage;
