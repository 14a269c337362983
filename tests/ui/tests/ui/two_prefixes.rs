use logto_storage_core::{LogtoStorage, MemorySession};

#[derive(LogtoStorage)]
#[logto(prefix = "app:")]
struct OnTheStructAndOnAField {
    #[logto(session)]
    session: MemorySession,
    #[logto(prefix)]
    tenant: String,
}

#[derive(LogtoStorage)]
struct OnTwoFields {
    #[logto(session)]
    session: MemorySession,
    #[logto(prefix)]
    tenant: String,
    #[logto(prefix)]
    app: String,
}

#[derive(LogtoStorage)]
#[logto(prefix = "app:")]
enum OnTheEnumAndInAVariant {
    Web(MemorySession),
    Tenant(#[logto(session)] MemorySession, #[logto(prefix)] String),
}

fn main() {}
