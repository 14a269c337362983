//! Scopes that Logto knows, for [`LogtoConfigBuilder::scopes`](crate::LogtoConfigBuilder::scopes).
//!
//! A tenant can be configured to put more claims into ID tokens than are listed here. Wherever a claim may be missing from
//! the ID token, [`fetch_user_info`](crate::LogtoSession::fetch_user_info) has it.

/// Makes a sign-in one of OpenID Connect, with an ID token. Requested by default.
pub const OPENID: &str = "openid";
/// Access while the user is away: a refresh token. Requested by default.
pub const OFFLINE_ACCESS: &str = "offline_access";
/// The user's name, username, picture, and when the account was created and updated. Requested by default.
pub const PROFILE: &str = "profile";
/// The user's email address, and whether it is verified.
pub const EMAIL: &str = "email";
/// The user's phone number, and whether it is verified.
pub const PHONE: &str = "phone";
/// The user's address.
pub const ADDRESS: &str = "address";
/// The user's custom data. In user info; in ID tokens if the tenant is configured so.
pub const CUSTOM_DATA: &str = "custom_data";
/// The user's social and enterprise identities. In user info; in ID tokens if the tenant is configured so.
pub const IDENTITIES: &str = "identities";
/// The user's roles.
pub const ROLES: &str = "roles";
/// The ids of the organizations that the user is a member of. Required for organization tokens. User info also has the
/// organizations' names; ID tokens have them if the tenant is configured so.
pub const ORGANIZATIONS: &str = "urn:logto:scope:organizations";
/// The user's roles in these organizations.
pub const ORGANIZATION_ROLES: &str = "urn:logto:scope:organization_roles";
/// Access to the user's sessions through Logto's Account API.
pub const SESSIONS: &str = "urn:logto:scope:sessions";

/// Requested by every sign-in, unless the configuration says
/// [`include_reserved_scopes(false)`](crate::LogtoConfigBuilder::include_reserved_scopes).
pub(crate) const RESERVED: [&str; 3] = [OPENID, OFFLINE_ACCESS, PROFILE];
/// The resource that goes with [`ORGANIZATIONS`].
pub(crate) const ORGANIZATIONS_RESOURCE: &str = "urn:logto:resource:organizations";
