use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(max_length = 4096)]
struct OnTheItem {
    session: MemorySession,
}

#[derive(LogtoStorage)]
struct OnAField {
    #[logto(sesion)]
    session: MemorySession,
    other: u8,
}

#[derive(LogtoStorage)]
#[logto(logto::prefix = "tenant-a:")]
struct APath {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto("tenant-a:")]
struct NoName {
    session: MemorySession,
}

#[derive(LogtoStorage)]
enum OnAVariant {
    #[logto(skip)]
    Web(MemorySession),
}

fn main() {}
