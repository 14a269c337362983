use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
struct Named {
    session: Vec<std::collections::HashMap<String, String>>,
}

#[derive(LogtoStorage)]
#[logto(prefix = "tenant-a:", max_len = 4096)]
struct Tuple(Option<u8>);

#[derive(LogtoStorage)]
enum Either {
    Web(logto_storage_core::MemorySession),
    Other(std::collections::HashMap<String, String>),
}

fn main() {}
