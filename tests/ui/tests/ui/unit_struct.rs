use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
struct SessionStorage;

fn main() {}
