//! Sessions in a vault, when two processes and many requests write at once: what docs/VAULT.md promises.

pub(crate) mod deployments;
pub(crate) mod fleet;
pub(crate) mod interrupted;
pub(crate) mod late_saves;
mod ledger;
pub(crate) mod races;
pub(crate) mod restarts;
mod world;
pub(crate) mod writers;
