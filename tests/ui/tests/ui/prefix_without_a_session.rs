use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
struct OnlyAPrefix {
    #[logto(prefix)]
    tenant: String,
}

#[derive(LogtoStorage)]
struct BothOnOneField {
    #[logto(session, prefix)]
    session: MemorySession,
}

fn main() {}
