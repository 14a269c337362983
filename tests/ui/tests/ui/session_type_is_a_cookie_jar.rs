use logto_storage_core::LogtoStorage;

#[derive(LogtoStorage)]
struct CookieStorage {
    jar: cookie::CookieJar,
}

fn main() {}
