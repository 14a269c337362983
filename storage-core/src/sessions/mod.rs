//! Session handles, one file per library.

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

// The versions of tower-sessions have the same API, so one file is compiled for each of them.
#[cfg(feature = "tower-sessions-0_14")]
#[path = "."]
mod tower_sessions_0_14 {
    use tower_sessions_core_0_14 as tower_sessions_core;

    #[path = "tower_sessions.rs"]
    mod handle;
}
#[cfg(feature = "tower-sessions-0_15")]
#[path = "."]
mod tower_sessions_0_15 {
    use tower_sessions_core_0_15 as tower_sessions_core;

    #[path = "tower_sessions.rs"]
    #[cfg_attr(feature = "tower-sessions-0_14", expect(clippy::duplicate_mod, reason = "on purpose, see above"))]
    mod handle;
}
