use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
struct TenantStorage {
    #[logto(session)]
    session: MemorySession,
    #[logto(prefix)]
    tenant: Option<String>,
}

fn main() {}
