use logto_storage_core::{LogtoStorage, MemorySession};

const PREFIX: &str = "tenant-a:";

#[derive(LogtoStorage)]
#[logto(prefix = PREFIX)]
struct AConstant {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(prefix = b"tenant-a:")]
struct Bytes {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(prefix =)]
struct NoValue {
    session: MemorySession,
}

fn main() {}
