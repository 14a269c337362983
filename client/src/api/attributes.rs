//! The keys of `#[logto(…)]` on a scope or a role, documented for editors, as those of a storage are.

/// `#[logto(scope = "write:things")]` is the name of the permission in Logto's console.
pub mod scope {}

/// `#[logto(resource = "https://api.example.com")]` is the indicator of the API that the scope belongs to (RFC 8707), or
/// `urn:logto:resource:organizations` for a permission of an organization.
///
/// Without it, the scope belongs to the only API that the caller's token can be for.
pub mod resource {}

/// `#[logto(role = "admin")]` is the name of the role in Logto's console.
pub mod role {}

/// `#[logto(organization_role = "editor")]` is the name of the role in the organization template.
pub mod organization_role {}

/// `#[logto(crate = "my_sdk::api")]` names the module that re-exports `LogtoScope`, or `Permission` and `Rule`, and
/// `attributes` of `logto_client::api`.
///
/// Use it if `logto-client` is not a dependency, or has another name.
pub mod krate {}
