use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(max_len = 4096, max_len = 8192)]
struct InOneList {
    session: MemorySession,
}

#[derive(LogtoStorage)]
#[logto(save = "deferred")]
#[logto(save = "deferred")]
struct InTwoLists {
    session: MemorySession,
}

#[derive(LogtoStorage)]
struct OnAField {
    #[logto(session, session)]
    session: MemorySession,
    other: u8,
}

fn main() {}
