use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
struct Named {}

#[derive(LogtoStorage)]
struct Tuple();

fn main() {}
