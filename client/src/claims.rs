//! What tokens and the provider say of a user.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::oidc::jwt;

/// The claims of an ID token (OpenID Connect Core 1.0, sections 2 and 5.1, and Logto's own). Which of them there are is
/// a matter of the [scopes](mod@crate::scope) that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "FlatIdTokenClaims")]
#[non_exhaustive]
pub struct IdTokenClaims {
    /// The provider.
    pub iss: String,
    /// The user's id: the one thing here that never changes and is never another's.
    pub sub: String,
    /// The apps that the token is for.
    pub aud: Vec<String>,
    /// When the token ends, in seconds since 1970. The session goes on after it.
    pub exp: u64,
    /// When the token was made, in seconds since 1970.
    pub iat: u64,
    /// The app that asked for the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub azp: Option<String>,
    /// Ties the token to the sign-in that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// Ties the token to the access token that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// What the provider says of the user.
    #[serde(flatten)]
    pub user: UserClaims,
}

impl IdTokenClaims {
    /// What to call the user on a page: the name, else the username, the email address or the user's id. For display only:
    /// users can change all but the id.
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

/// As they stand in the token. Every signed-in page reads them, and a `flatten` of all that is said of the user would
/// collect it once more on its way.
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

/// What the user info endpoint answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserInfo {
    /// The user's id.
    pub sub: String,
    /// What the provider says of the user.
    #[serde(flatten)]
    pub user: UserClaims,
}

/// What a provider says of a user, in an ID token or as user info.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UserClaims {
    /// The full name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name to sign in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The URL of a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// The email address. Anybody's, unless [`email_verified`](Self::email_verified).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the email address is known to be the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number: Option<String>,
    /// Whether the phone number is known to be the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_verified: Option<bool>,
    /// The roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
    /// The ids of the organizations that the user is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organizations: Option<Vec<String>>,
    /// The roles in them, each as `organization:role`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_roles: Option<Vec<String>>,
    /// The organizations that the user is a member of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_data: Option<Vec<OrganizationData>>,
    /// What the app or the tenant has stored with the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_data: Option<Map<String, Value>>,
    /// The social accounts that the user signs in with, by their target, such as `google`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identities: Option<BTreeMap<String, Identity>>,
    /// Every other claim.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An organization, as user info describes it (`organization_data`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OrganizationData {
    /// The organization's id.
    pub id: String,
    /// The name to show.
    pub name: String,
    /// A description, where there is one.
    pub description: Option<String>,
}

/// A user's account at a social identity provider (`identities`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Identity {
    /// The user's id there.
    pub user_id: String,
    /// What that provider said about the user, in its own terms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// The claims of an access token that is a JWT: one for a resource or an organization. They are read, not verified:
/// that is for the API to do which the token is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessTokenClaims {
    /// The provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The user's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The API that the token is for, or `urn:logto:organization:<id>`.
    #[serde(default, deserialize_with = "jwt::audience")]
    pub aud: Vec<String>,
    /// When the token ends, in seconds since 1970.
    #[serde(default, deserialize_with = "jwt::optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub exp: Option<u64>,
    /// When the token was made, in seconds since 1970.
    #[serde(default, deserialize_with = "jwt::optional_numeric_date", skip_serializing_if = "Option::is_none")]
    pub iat: Option<u64>,
    /// The app that asked for the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What the token permits, as words between spaces; see [`scopes`](Self::scopes).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The organization that the token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization_id: Option<String>,
    /// Every other claim.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl AccessTokenClaims {
    /// What the token permits.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.as_deref().unwrap_or_default().split_ascii_whitespace()
    }
}
