use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
struct SessionStorage {
    session: MemorySession,
    requests_served: u64,
}

#[derive(LogtoStorage)]
struct PrefixOnly {
    session: MemorySession,
    #[logto(prefix)]
    tenant: String,
}

fn main() {}
