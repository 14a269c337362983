use logto_client::LogtoScope;

const SCOPE: &str = "write:things";

#[derive(LogtoScope)]
#[logto(scope = SCOPE)]
struct NoLiteral;

#[derive(LogtoScope)]
#[logto(scope)]
struct NoValue;

#[derive(LogtoScope)]
#[logto(scope = "")]
struct Empty;

#[derive(LogtoScope)]
#[logto(scope = "read:things write:things")]
struct Two;

#[derive(LogtoScope)]
#[logto(scope = "schreib:ähnliches")]
struct NotAscii;

#[derive(LogtoScope)]
#[logto(scope = "write\"things")]
struct Quote;

#[derive(LogtoScope)]
#[logto(scope = "write:things", resource = "api.example.com")]
struct NoScheme;

#[derive(LogtoScope)]
#[logto(scope = "write:things", resource = "https://")]
struct NoHost;

#[derive(LogtoScope)]
#[logto(scope = "write:things", resource = "https://api.example.com/#things")]
struct Fragment;

#[derive(LogtoScope)]
#[logto(scope = "write:things", resource = "https://api.example.com/a b")]
struct Space;

#[derive(LogtoScope)]
#[logto(scope = "write:things", resource = 5)]
struct Number;

fn main() {}
