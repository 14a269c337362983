use logto_storage_core::LogtoStorage;

macro_rules! storage {
    ($name:ident, $session:ty) => {
        #[derive(LogtoStorage)]
        struct $name {
            session: $session,
        }
    };
}

storage!(FromMacro, std::collections::HashMap<String, String>);

fn main() {}
