//! The session handles: one file a library.

pub(crate) mod memory;
#[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
mod tower_sessions;
