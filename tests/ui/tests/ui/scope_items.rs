use logto_client::LogtoScope;

#[derive(LogtoScope)]
#[logto(scope = "write:things")]
struct Fields {
    #[allow(dead_code)]
    things: u64,
}

#[derive(LogtoScope)]
#[logto(scope = "write:things")]
struct Tuple(u64, u64);

#[derive(LogtoScope)]
#[logto(scope = "write:things")]
struct Generic<T>(T);

#[derive(LogtoScope)]
#[logto(scope = "write:things")]
enum Enum {
    Write,
}

#[derive(LogtoScope)]
#[logto(scope = "write:things")]
union Union {
    a: u64,
}

fn main() {}
