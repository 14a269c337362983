//! Logto's scopes, for [`LogtoConfigBuilder::scopes`](crate::LogtoConfigBuilder::scopes).
//!
//! Each scope adds claims to [`UserClaims`](crate::UserClaims). Some claims are in user info only, unless the tenant is
//! configured to add them to ID tokens, too: get those with
//! [`fetch_user_info`](crate::LogtoSession::fetch_user_info).

/// Requests an ID token (OpenID Connect Core 1.0, section 3.1.2.1). Requested by default.
pub const OPENID: &str = "openid";
/// Requests a refresh token (OpenID Connect Core 1.0, section 11). Requested by default.
pub const OFFLINE_ACCESS: &str = "offline_access";
/// The user's name, username, picture, and when the account was created and updated. Requested by default.
pub const PROFILE: &str = "profile";
/// The user's email address, and whether it is verified.
pub const EMAIL: &str = "email";
/// The user's phone number, and whether it is verified.
pub const PHONE: &str = "phone";
/// The user's address.
pub const ADDRESS: &str = "address";
/// The user's custom data. In user info only, unless the tenant is configured to add it to ID tokens.
pub const CUSTOM_DATA: &str = "custom_data";
/// The user's social and enterprise identities. In user info only, unless the tenant is configured to add them to ID
/// tokens.
pub const IDENTITIES: &str = "identities";
/// The user's roles.
pub const ROLES: &str = "roles";
/// The ids of the organizations that the user is a member of. Required for organization tokens. The organizations'
/// names are in user info only, unless the tenant is configured to add them to ID tokens.
pub const ORGANIZATIONS: &str = "urn:logto:scope:organizations";
/// The user's roles in their organizations.
pub const ORGANIZATION_ROLES: &str = "urn:logto:scope:organization_roles";
/// Access to the user's sessions through Logto's Account API.
pub const SESSIONS: &str = "urn:logto:scope:sessions";

/// Requested by every sign-in, unless the configuration turns them off with
/// [`include_reserved_scopes(false)`](crate::LogtoConfigBuilder::include_reserved_scopes).
pub(crate) const RESERVED: [&str; 3] = [OPENID, OFFLINE_ACCESS, PROFILE];
/// Logto grants organization scopes only to sign-ins that request this resource, too.
pub(crate) const ORGANIZATIONS_RESOURCE: &str = "urn:logto:resource:organizations";
