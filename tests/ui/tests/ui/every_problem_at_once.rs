use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
#[logto(prefix = 1, save = "never", max_len = -1, crate = 5, skip)]
struct SessionStorage {
    #[logto(sesion)]
    session: Vec<u8>,
    #[logto(prefix = "x")]
    tenant: u64,
}

#[derive(LogtoStorage)]
enum AnyStorage {
    #[logto(session)]
    Web,
    Test(#[logto(prefix, prefix)] String, #[logto] String),
}

// That they are used as storages is not an error more.
fn takes(_: impl LogtoStorage) {}

fn main() {
    takes(SessionStorage { session: Vec::new(), tenant: 1 });
    takes(AnyStorage::Web);
}
