use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(session)]
struct SessionOnTheStruct {
    session: MemorySession,
}

#[derive(LogtoStorage)]
struct SaveOnAField {
    #[logto(save = "deferred", max_len = 4096)]
    session: MemorySession,
}

#[derive(LogtoStorage)]
struct FixedPrefixOnAField {
    #[logto(session)]
    session: MemorySession,
    #[logto(prefix = "tenant-a:")]
    tenant: String,
}

#[derive(LogtoStorage)]
#[logto(prefix)]
struct RunTimePrefixOnTheStruct {
    session: MemorySession,
}

#[derive(LogtoStorage)]
enum OnVariants {
    #[logto(session)]
    Web(MemorySession),
    #[logto(prefix = "tenant-a:")]
    Test(MemorySession),
    #[logto(crate = "my_sdk::storage")]
    Other(MemorySession),
}

fn main() {}
