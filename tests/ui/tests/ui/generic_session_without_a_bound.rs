use logto_storage_core::{LogtoStorage, MemorySession};

// The derive bounds the field's type, so the item is a storage only where that is a handle.
#[derive(LogtoStorage)]
struct SessionStorage<H> {
    session: H,
}

fn takes(_: impl LogtoStorage) {}

fn main() {
    takes(SessionStorage { session: MemorySession::default() });
    takes(SessionStorage { session: String::new() });
}
