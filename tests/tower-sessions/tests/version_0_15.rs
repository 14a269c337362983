//! The suite over tower-sessions 0.15.

use tower_sessions_0_15 as tower_sessions;

mod suite;
