//! The suite over tower-sessions 0.14.

use tower_sessions_0_14 as tower_sessions;

mod suite;
