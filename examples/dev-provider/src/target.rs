//! What an access token is for: user info, a resource, an organization, or a resource on behalf of an organization.

use crate::claims::{ORGANIZATIONS, SCOPES};
use crate::config::Config;
use crate::error::{OAuthError, Result};
use crate::grants::Grant;
use crate::users::User;

/// Asked for at sign-in (it is no API), so that scopes in organizations can be granted.
pub(crate) const ORGANIZATION_RESOURCE: &str = "urn:logto:resource:organizations";

pub(crate) enum Target<'a> {
    UserInfo,
    Resource { indicator: &'a str, organization: Option<&'a str> },
    Organization(&'a str),
}

impl<'a> Target<'a> {
    pub(crate) fn resolve(
        grant: &Grant,
        user: &User,
        resource: Option<&'a str>,
        organization: Option<&'a str>,
    ) -> Result<Self> {
        if let Some(organization) = organization {
            if !grant.has_scope(ORGANIZATIONS) {
                let description = format!("the refresh token lacks the scope {ORGANIZATIONS}");
                return Err(OAuthError::new("insufficient_scope", description));
            }
            if user.membership(organization).is_none() {
                return Err(OAuthError::new("access_denied", "user is not a member of the organization"));
            }
        }
        let Some(indicator) = resource else {
            return Ok(organization.map_or(Self::UserInfo, Self::Organization));
        };
        if indicator == ORGANIZATION_RESOURCE || !grant.resources.iter().any(|granted| granted == indicator) {
            return Err(OAuthError::new("invalid_target", "the resource was not asked for at sign-in"));
        }
        Ok(Self::Resource { indicator, organization })
    }

    /// The `aud` of a JWT; `None` for an opaque token.
    pub(crate) fn audience(&self) -> Option<String> {
        match self {
            Self::UserInfo => None,
            Self::Resource { indicator, .. } => Some((*indicator).to_owned()),
            Self::Organization(id) => Some(format!("urn:logto:organization:{id}")),
        }
    }

    /// Those of the scopes that mean something there.
    pub(crate) fn scopes(&self, config: &Config, user: &User, scopes: &[String]) -> Vec<String> {
        let known: Vec<&str> = match self {
            Self::UserInfo => SCOPES.to_vec(),
            Self::Resource { indicator, .. } => config.scopes_of_resource(indicator),
            Self::Organization(id) => {
                let roles = user.membership(id).map_or(&[][..], |membership| &membership.roles);
                config.scopes_of_roles(|role| roles.iter().any(|own| own == role))
            }
        };
        scopes.iter().filter(|scope| known.contains(&&***scope)).cloned().collect()
    }
}

impl Config {
    pub(crate) fn has_resource(&self, indicator: &str) -> bool {
        indicator == ORGANIZATION_RESOURCE || self.resources.iter().any(|resource| resource.indicator == indicator)
    }

    /// What there is to ask for along with the resource.
    pub(crate) fn scopes_of_resource(&self, indicator: &str) -> Vec<&str> {
        if indicator == ORGANIZATION_RESOURCE {
            return self.scopes_of_roles(|_| true);
        }
        let resource = self.resources.iter().find(|resource| resource.indicator == indicator);
        resource.map_or(Vec::new(), |resource| resource.scopes.iter().map(String::as_str).collect())
    }

    fn scopes_of_roles(&self, is_held: impl Fn(&str) -> bool) -> Vec<&str> {
        let roles = self.organization_roles.iter().filter(|role| is_held(&role.name));
        roles.flat_map(|role| &role.scopes).map(String::as_str).collect()
    }
}
