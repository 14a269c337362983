use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
struct SessionStorage {
    session: tower_sessions::Session,
}

fn main() {}
