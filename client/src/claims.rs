//! Claims about users, in tokens and in user info.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::oidc::jwt;

/// The claims of an ID token: those of OpenID Connect Core 1.0 (sections 2 and 5.1) and Logto's own.
///
/// The requested [scopes](mod@crate::scope) decide which of the optional claims are present. A claim that the provider
/// sends as `null` counts as absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "FlatIdTokenClaims")]
#[non_exhaustive]
pub struct IdTokenClaims {
    /// The issuer: `{endpoint}/oidc`.
    pub iss: String,
    /// The user's id. Use it as the key of the user in your database: it never changes and is never reused.
    pub sub: String,
    /// The audience: the ids of the apps that the token is for.
    pub aud: Vec<String>,
    /// When the token expires, in seconds since 1970. The session outlives it.
    pub exp: u64,
    /// When the token was issued, in seconds since 1970.
    pub iat: u64,
    /// The authorized party: the id of the app that requested the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// The random value that binds the token to the sign-in that requested it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The hash that binds the token to the access token issued with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// The claims about the user.
    #[serde(flatten)]
    pub user: UserClaims,
}

impl IdTokenClaims {
    /// Returns a name to show on a page: the first of name, username and email address that is not blank, or the
    /// user's id.
    ///
    /// Use it for display only: users can change everything but the id.
    ///
    /// ```
    /// use logto_client::IdTokenClaims;
    ///
    /// fn greeting(claims: &IdTokenClaims) -> String {
    ///     format!("Hello {}", claims.display_name())
    /// }
    /// ```
    pub fn display_name(&self) -> &str {
        let UserClaims { name, username, email, .. } = &self.user;
        let names = [name, username, email];
        names.into_iter().flatten().map(String::as_str).find(|name| !name.trim().is_empty()).unwrap_or(&self.sub)
    }
}

/// The claims as the token has them, on one level. Every signed-in page parses them, and a flattened [`UserClaims`]
/// would make serde buffer them once more.
#[derive(Deserialize)]
struct FlatIdTokenClaims {
    iss: String,
    sub: String,
    #[serde(deserialize_with = "jwt::audience")]
    aud: Vec<String>,
    #[serde(deserialize_with = "jwt::numeric_date")]
    exp: u64,
    #[serde(deserialize_with = "jwt::numeric_date")]
    iat: u64,
    azp: Option<String>,
    nonce: Option<String>,
    at_hash: Option<String>,
    name: Option<String>,
    username: Option<String>,
    picture: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
    phone_number: Option<String>,
    phone_number_verified: Option<bool>,
    roles: Option<Vec<String>>,
    organizations: Option<Vec<String>>,
    organization_roles: Option<Vec<String>>,
    organization_data: Option<Vec<OrganizationData>>,
    custom_data: Option<Map<String, Value>>,
    identities: Option<BTreeMap<String, Identity>>,
    #[serde(flatten)]
    extra: Map<String, Value>,
}

impl From<FlatIdTokenClaims> for IdTokenClaims {
    fn from(flat: FlatIdTokenClaims) -> Self {
        Self {
            iss: flat.iss,
            sub: flat.sub,
            aud: flat.aud,
            exp: flat.exp,
            iat: flat.iat,
            azp: flat.azp,
            nonce: flat.nonce,
            at_hash: flat.at_hash,
            user: UserClaims {
                name: flat.name,
                username: flat.username,
                picture: flat.picture,
                email: flat.email,
                email_verified: flat.email_verified,
                phone_number: flat.phone_number,
                phone_number_verified: flat.phone_number_verified,
                roles: flat.roles,
                organizations: flat.organizations,
                organization_roles: flat.organization_roles,
                organization_data: flat.organization_data,
                custom_data: flat.custom_data,
                identities: flat.identities,
                extra: flat.extra,
            },
        }
    }
}

/// The response of the user info endpoint (OpenID Connect Core 1.0, section 5.3.2).
///
/// Returned by [`fetch_user_info`](crate::LogtoSession::fetch_user_info).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserInfo {
    /// The user's id.
    pub sub: String,
    /// The claims about the user.
    #[serde(flatten)]
    pub user: UserClaims,
}

/// Claims about a user, in an ID token or in user info.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserClaims {
    /// The full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The username, which the user may sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The URL of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The email address. Unless [`email_verified`](Self::email_verified) is `Some(true)`, it may belong to somebody
    /// else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the email address is verified to be the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The phone number. Unless [`phone_number_verified`](Self::phone_number_verified) is `Some(true)`, it may belong
    /// to somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the phone number is verified to be the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    /// The names of the user's roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The ids of the organizations that the user is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizations: Option<Vec<String>>,
    /// The user's roles in these organizations, each as `<organization id>:<role>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_roles: Option<Vec<String>>,
    /// The names and descriptions of these organizations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_data: Option<Vec<OrganizationData>>,
    /// The custom data that apps or administrators stored for the user in Logto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_data: Option<Map<String, Value>>,
    /// The user's social accounts, by the connector's target, such as `google`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identities: Option<BTreeMap<String, Identity>>,
    /// All other claims.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An organization, as user info describes it (`organization_data`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrganizationData {
    /// The organization's id.
    pub id: String,
    /// The display name.
    pub name: String,
    /// The description, if any.
    pub description: Option<String>,
}

/// A user's account at a social identity provider (`identities`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Identity {
    /// The user's id at that provider.
    pub user_id: String,
    /// The profile that the provider returned, in its own format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// The claims of an access token for a resource or an organization (RFC 9068).
///
/// They are decoded, not verified: verification is up to the API that receives the token. Returned by
/// [`access_token_claims`](crate::LogtoSession::access_token_claims).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessTokenClaims {
    /// The issuer: `{endpoint}/oidc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The user's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The audience: the indicator of the API, or `urn:logto:organization:<id>`.
    #[serde(default, deserialize_with = "jwt::audience")]
    pub aud: Vec<String>,
    /// When the token expires, in seconds since 1970.
    #[serde(default, deserialize_with = "jwt::optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    /// When the token was issued, in seconds since 1970.
    #[serde(default, deserialize_with = "jwt::optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// The id of the app that requested the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The granted permissions, separated by spaces. See [`scopes`](Self::scopes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The id of the organization within which a token for an API is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// All other claims.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl AccessTokenClaims {
    /// Returns the granted permissions. The iterator is empty for a user without a role at the API.
    ///
    /// ```
    /// use logto_client::AccessTokenClaims;
    ///
    /// fn may_write(claims: &AccessTokenClaims) -> bool {
    ///     claims.scopes().any(|scope| scope == "write:orders")
    /// }
    /// ```
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split_ascii_whitespace()
    }
}
