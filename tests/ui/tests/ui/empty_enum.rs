use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
enum AnyStorage {}

fn main() {}
