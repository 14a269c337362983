use logto_client::api::{AnyOf, VerifiedToken};

struct WriteThings;

fn check(token: &VerifiedToken) {
    token.allows::<WriteThings>();
    token.allows::<AnyOf<(WriteThings, WriteThings)>>();
}

fn main() {}
