//! Scopes that Logto knows, for [`LogtoConfigBuilder::scopes`](crate::LogtoConfigBuilder::scopes).

/// The user's email address, and whether it is verified.
pub const EMAIL: &str = "email";
/// The user's phone number, and whether it is verified.
pub const PHONE: &str = "phone";
/// The user's address.
pub const ADDRESS: &str = "address";
/// The user's custom data; in user info only.
pub const CUSTOM_DATA: &str = "custom_data";
/// The user's social and enterprise identities; in user info only.
pub const IDENTITIES: &str = "identities";
/// The user's roles.
pub const ROLES: &str = "roles";
/// The organizations that the user is a member of. It is what a token for an organization takes.
pub const ORGANIZATIONS: &str = "urn:logto:scope:organizations";
/// The user's roles in them.
pub const ORGANIZATION_ROLES: &str = "urn:logto:scope:organization_roles";

/// What every sign-in asks for, unless the configuration says
/// [`include_reserved_scopes(false)`](crate::LogtoConfigBuilder::include_reserved_scopes).
pub(crate) const RESERVED: [&str; 3] = ["openid", "offline_access", "profile"];
/// The resource that goes with [`ORGANIZATIONS`].
pub(crate) const ORGANIZATIONS_RESOURCE: &str = "urn:logto:resource:organizations";
