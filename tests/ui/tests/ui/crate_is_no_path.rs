use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(crate = logto_storage_core)]
struct WithoutQuotes {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(crate = "my sdk")]
struct NoPath {
    session: MemorySession,
}

fn main() {}
