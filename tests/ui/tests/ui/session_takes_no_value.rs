use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
struct SessionStorage {
    #[logto(session = "main")]
    main: MemorySession,
    requests_served: u64,
}

fn main() {}
