//! What a derived storage promises over tower-sessions. `crate::tower_sessions` is the version under test.

mod app;
mod canary;
mod errors;
mod failed_saves;
mod reload;
mod renew;
mod save_policies;
mod store;

use logto_storage_core::LogtoStorage;

use crate::tower_sessions::Session;

#[derive(LogtoStorage)]
struct Immediate {
    session: Session,
}

#[derive(LogtoStorage)]
#[logto(save = "deferred")]
struct Deferred {
    session: Session,
}
