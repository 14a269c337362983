// The expansion names each key, with the key's span, for editors to show its documentation.
use logto_storage_core::{LogtoStorage, MemorySession};

mod sdk {
    pub use logto_storage_core::{AllSeen, Change, Changes, LogtoStorage, Result, Seen, SessionHandle};

    pub mod attributes {
        pub use logto_storage_core::attributes::krate;
    }
}

#[derive(LogtoStorage)]
#[logto(crate = "crate::sdk", save = "deferred", max_len = 4096)]
struct SessionStorage {
    #[logto(session)]
    session: MemorySession,
    #[logto(prefix)]
    tenant: String,
}

fn main() {}
