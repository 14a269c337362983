//! Keeps the tokens of Logto's SDK in a store of their own.
//!
//! Web session libraries save a session as a whole, so the last of two concurrent requests to save undoes the other's
//! changes. A vault keeps the SDK's items in a record of their own instead, which is only changed by
//! compare-and-change. The web session holds nothing but a ticket to the record.
//!
//! - [`VaultStore`] is the store of the records. [`MemoryVault`] keeps them in this process.
//!
//! # Security
//!
//! Every item is encrypted before it reaches the store, with a key that the store does not have. The `Debug` and
//! `Display` output of this crate's types never contains an item's value, a key or a ticket.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod memory;
mod record;
mod seal;
pub mod store;
mod ticket;
pub mod vault;
mod vaulted;
mod write;

#[cfg(test)]
mod tests;

pub use memory::MemoryVault;
pub use store::VaultStore;
pub use vault::Vault;
pub use vaulted::Vaulted;
