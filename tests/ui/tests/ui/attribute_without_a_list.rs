use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto]
struct Bare {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto = "deferred"]
struct AValue {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto[save = "deferred"]]
struct InBrackets {
    session: MemorySession,
}

#[derive(LogtoStorage)]
struct OnAField {
    #[logto]
    session: MemorySession,
}

fn main() {}
