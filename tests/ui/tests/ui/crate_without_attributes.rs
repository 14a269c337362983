use logto_storage_core::{LogtoStorage, MemorySession};

mod sdk {
    pub use logto_storage_core::{Change, Changes, LogtoStorage, Result, SessionHandle};
}

#[derive(LogtoStorage)]
#[logto(crate = "sdk", prefix = "tenant-a:")]
struct SessionStorage {
    session: MemorySession,
}

fn main() {}
