use logto_client::api::{AnyOf, VerifiedToken};
use logto_client::{LogtoRole, LogtoScope};

#[derive(LogtoRole)]
#[logto(role = "admin")]
struct Admin;

#[derive(LogtoScope)]
#[logto(scope = "write:things")]
struct WriteThings;

fn check(token: &VerifiedToken) {
    token.allows::<Admin>();
    token.allows::<AnyOf<(WriteThings, Admin)>>();
}

fn main() {}
