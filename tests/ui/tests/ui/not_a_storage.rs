use logto_storage_core::{LogtoStorage, MemorySession};

struct SessionStorage {
    _session: MemorySession,
}

fn takes(_: impl LogtoStorage) {}

fn main() {
    takes(SessionStorage { _session: MemorySession::default() });
}
