use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(crate = "my_sdk::storage")]
struct SessionStorage {
    session: MemorySession,
}

fn main() {}
