use logto_client::{LogtoRole, Permission};

#[derive(LogtoRole)]
struct NoAttribute;

#[derive(LogtoRole)]
#[logto(scope = "write:things")]
struct KeyOfAScope;

#[derive(LogtoRole)]
#[logto(roles = "admin")]
struct UnknownKey;

#[derive(LogtoRole)]
#[logto(role = "admin", organization_role = "editor")]
struct Both;

#[derive(LogtoRole)]
#[logto(role = "")]
struct Empty;

#[derive(LogtoRole)]
#[logto(organization_role)]
struct NoName;

#[derive(LogtoRole)]
#[logto(role = "admin", crate = "not a path")]
struct CrateIsNoPath;

#[derive(LogtoRole)]
#[logto(role = "admin")]
enum Enum {
    Admin,
}

// That they are used as permissions is not an error more.
fn takes<P: Permission>() {}

fn main() {
    takes::<NoAttribute>();
    takes::<Both>();
}
