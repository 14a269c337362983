use logto_storage_core::{LogtoStorage, MemorySession};

mod sdk {
    pub use logto_storage_core::{AllSeen, Change, Changes, LogtoStorage, Result, Seen, SessionHandle};
}

#[derive(LogtoStorage)]
#[logto(crate = "sdk", prefix = "tenant-a:")]
struct SessionStorage {
    session: MemorySession,
}

fn main() {}
