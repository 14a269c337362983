//! Keeps the tokens of Logto's SDK in a store of their own.
//!
//! Web session libraries save a session as a whole, so the last of two concurrent requests to save undoes the other's
//! changes. A vault keeps the SDK's items in a record of their own instead, which is only changed by
//! compare-and-change. The web session holds nothing but a ticket to the record.
//!
//! - [`Vaulted`] is a session over a [`Vault`], for which you derive a storage as for any session.
//! - [`VaultStore`] is the store of the records: [`MemoryVault`] in this process, `RedisVault` in Redis, `PostgresVault` in
//!   PostgreSQL, `MongoVault` in MongoDB, `SqliteVault` in a SQLite file, or [`BoxVault`] for one that is chosen at run time.
//! - [`TicketCookie`] holds the ticket if the app has no session library.
//! - [`ThreadBound`] lets a vault use a session that is not `Sync`, such as actix-session's.
//!
//! # Features
//!
//! No feature is enabled by default.
//!
//! | feature | enables |
//! |---|---|
//! | `mongodb-3` | `MongoVault`, on version 3 of the crate `mongodb`, which requires Rust 1.88 |
//! | `postgres-sqlx-0_8` | `PostgresVault`, on version 0.8 of the crate `sqlx`, whose dependencies require Rust 1.88 |
//! | `redis-1` | `RedisVault`, on version 1 of the crate `redis`, which requires Rust 1.88 |
//! | `redis-1-cluster` | `RedisVault::connect_cluster`, for Redis Cluster |
//! | `sqlite-sqlx-0_8` | `SqliteVault`, on version 0.8 of the crate `sqlx` |
//!
//! A feature names a crate's version because its connection is part of this crate's public API.
//!
//! # Security
//!
//! Every item is encrypted before it reaches the store, with a key that the ticket opens together with the
//! application's own key.
//!
//! - If the ticket is in the browser's cookie, a leaked store shows no item.
//! - If the web sessions are in the same store, it has the tickets too, and only the application's key protects the
//!   items.
//! - Whoever can write to the store cannot forge or move items, but can restore old ones, or whole old records.
//!
//! The `Debug` and `Display` output of this crate's types never contains an item's value, a key or a ticket. This does
//! not extend to the [source](std::error::Error::source) of an error, which is the store's own.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod boxed;
pub mod cookie;
mod creation;
mod handle;
pub mod memory;
#[cfg(feature = "mongodb-3")]
pub mod mongodb;
#[cfg(feature = "postgres-sqlx-0_8")]
pub mod postgres;
mod record;
#[cfg(feature = "redis-1")]
pub mod redis;
mod renewal;
mod seal;
#[cfg(feature = "sqlite-sqlx-0_8")]
pub mod sqlite;
pub mod store;
pub mod thread_bound;
mod ticket;
pub mod vault;
mod vaulted;
mod write;

#[cfg(test)]
mod tests;

pub use boxed::BoxVault;
pub use cookie::TicketCookie;
pub use memory::MemoryVault;
#[cfg(feature = "mongodb-3")]
pub use mongodb::MongoVault;
#[cfg(feature = "postgres-sqlx-0_8")]
pub use postgres::PostgresVault;
#[cfg(feature = "redis-1")]
pub use redis::RedisVault;
#[cfg(feature = "sqlite-sqlx-0_8")]
pub use sqlite::SqliteVault;
pub use store::VaultStore;
pub use thread_bound::ThreadBound;
pub use vault::Vault;
pub use vaulted::Vaulted;
