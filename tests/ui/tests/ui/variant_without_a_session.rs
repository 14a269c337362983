use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
enum AnyStorage {
    Web(MemorySession),
    SignedOut,
    Counted { session: MemorySession, requests_served: u64 },
}

fn main() {}
