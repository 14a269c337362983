//! Sessions in a vault, when two processes and many requests write at once: what docs/VAULT.md promises.

pub(crate) mod interrupted;
pub(crate) mod late_saves;
pub(crate) mod races;
mod world;
pub(crate) mod writers;
