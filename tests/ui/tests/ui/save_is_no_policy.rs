use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(save = "never")]
struct UnknownPolicy {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(save = deferred)]
struct WithoutQuotes {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(save)]
struct NoValue {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(save = "deferred"x)]
struct WithASuffix {
    session: MemorySession,
}

fn main() {}
