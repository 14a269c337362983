use logto_client::LogtoScope;

#[derive(LogtoScope)]
struct NoAttribute;

#[derive(LogtoScope)]
#[logto(resource = "https://api.example.com")]
struct NoScope;

#[derive(LogtoScope)]
#[logto]
struct NoList;

#[derive(LogtoScope)]
#[logto(scopes = "write:things")]
struct UnknownKey;

#[derive(LogtoScope)]
#[logto(prefix = "tenant-a:", scope = "write:things")]
struct KeyOfAStorage;

#[derive(LogtoScope)]
#[logto(scope = "write:things", scope = "read:things")]
#[logto(resource = "https://api.example.com", resource = "https://api.example.com")]
struct Twice;

#[derive(LogtoScope)]
#[logto(scope = "write:things", crate = 5)]
struct CrateIsNoPath;

// That they are used as scopes is not an error more.
fn takes<S: LogtoScope>() {}

fn main() {
    takes::<NoAttribute>();
    takes::<Twice>();
}
