//! The session handles: one file a library.

#[cfg(feature = "actix-session-0_11")]
mod actix_session;
#[cfg(feature = "axum_session-0_22")]
mod axum_session;
#[cfg(any(
    feature = "axum_session-0_22",
    feature = "poem-3",
    feature = "salvo-1",
    feature = "tower-sessions-0_14",
    feature = "tower-sessions-0_15",
))]
mod json;
pub(crate) mod memory;
#[cfg(feature = "poem-3")]
mod poem;
#[cfg(feature = "salvo-1")]
mod salvo;
#[cfg(any(feature = "tower-sessions-0_14", feature = "tower-sessions-0_15"))]
mod tower_sessions;
