use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
union SessionStorage {
    session: std::mem::ManuallyDrop<MemorySession>,
}

fn main() {}
