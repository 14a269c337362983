use std::sync::Arc;

use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
struct Shared {
    session: Arc<Vec<u8>>,
}

#[derive(LogtoStorage)]
struct Borrowed<'a> {
    session: &'a Vec<u8>,
}

fn main() {}
