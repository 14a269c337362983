//! Claims about users in tokens and user info, by scope, as in Logto.

use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::users::User;

pub(crate) const ORGANIZATIONS: &str = "urn:logto:scope:organizations";
const ORGANIZATION_ROLES: &str = "urn:logto:scope:organization_roles";
const SESSIONS: &str = "urn:logto:scope:sessions";

/// The scopes for claims about the user, as opposed to permissions at a resource.
pub(crate) const SCOPES: [&str; 12] = [
    "openid",
    "offline_access",
    "profile",
    "email",
    "phone",
    "address",
    "custom_data",
    "identities",
    "roles",
    ORGANIZATIONS,
    ORGANIZATION_ROLES,
    SESSIONS,
];

pub(crate) const CLAIMS: [&str; 17] = [
    "sub",
    "name",
    "username",
    "picture",
    "created_at",
    "updated_at",
    "email",
    "email_verified",
    "phone_number",
    "phone_number_verified",
    "roles",
    "organizations",
    "organization_roles",
    "organization_data",
    "custom_data",
    "identities",
    "sso_identities",
];

pub(crate) fn of_id_token(user: &User, scopes: &[String], config: &Config) -> Map<String, Value> {
    if config.extended_id_token_claims { of_user_info(user, scopes, config) } else { basic(user, scopes) }
}

/// The claims of every ID token. Unset claims are `null`, as in Logto.
fn basic(user: &User, scopes: &[String]) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut add = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    add("sub", json!(user.id));
    for scope in scopes {
        match &**scope {
            "profile" => {
                add("name", json!(user.name));
                add("username", json!(user.username));
                add("picture", json!(user.picture));
                add("created_at", json!(user.created_at));
                add("updated_at", json!(user.created_at));
            }
            "email" => {
                add("email", json!(user.email));
                add("email_verified", json!(user.email.is_some()));
            }
            "phone" => {
                add("phone_number", json!(user.phone_number));
                add("phone_number_verified", json!(user.phone_number.is_some()));
            }
            "roles" => add("roles", json!(user.roles)),
            ORGANIZATIONS => {
                add("organizations", user.memberships.iter().map(|of| json!(of.organization)).collect());
            }
            ORGANIZATION_ROLES => {
                let roles =
                    |of: &str, roles: &[String]| roles.iter().map(|role| json!(format!("{of}:{role}"))).collect();
                let roles = user.memberships.iter().flat_map(|of| -> Vec<_> { roles(&of.organization, &of.roles) });
                add("organization_roles", roles.collect());
            }
            _ => {}
        }
    }
    claims
}

/// The claims of user info: those of an ID token, and those that Logto leaves out of ID tokens by default.
pub(crate) fn of_user_info(user: &User, scopes: &[String], config: &Config) -> Map<String, Value> {
    let mut claims = basic(user, scopes);
    let mut add = |name: &str, value: Value| drop(claims.insert(name.to_owned(), value));
    for scope in scopes {
        match &**scope {
            "custom_data" => add("custom_data", json!(user.custom_data)),
            "identities" => {
                add("identities", json!(user.identities));
                // Enterprise single sign-on is not supported.
                add("sso_identities", json!([]));
            }
            ORGANIZATIONS => {
                let organizations = config.organizations.iter().filter(|of| user.membership(&of.id).is_some());
                let data =
                    |of: &crate::Organization| json!({ "id": of.id, "name": of.name, "description": of.description });
                add("organization_data", organizations.map(data).collect());
            }
            _ => {}
        }
    }
    claims
}
