use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
struct Named {
    #[logto(session)]
    main: MemorySession,
    #[logto(session)]
    backup: MemorySession,
}

#[derive(LogtoStorage)]
struct Tuple(#[logto(session)] MemorySession, u8, #[logto(session)] MemorySession);

fn main() {}
