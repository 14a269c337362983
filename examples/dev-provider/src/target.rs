//! Targets of access tokens: user info, a resource, an organization, or a resource within an organization.

use crate::claims::{ORGANIZATIONS, SCOPES};
use crate::config::{Config, MachineClient};
use crate::error::{OAuthError, Result};
use crate::grants::Authorization;
use crate::users::{Membership, Role, User};

/// Requested at sign-in to be granted scopes in organizations. It is not an API.
pub(crate) const ORGANIZATION_RESOURCE: &str = "urn:logto:resource:organizations";

pub(crate) enum Target<'a> {
    UserInfo,
    Resource { indicator: &'a str, organization: Option<&'a str> },
    Organization(&'a str),
}

/// The subject of a token.
#[derive(Clone, Copy)]
pub(crate) enum Subject<'a> {
    User(&'a User),
    Machine(&'a MachineClient),
}

impl Subject<'_> {
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(user) => &user.id,
            Self::Machine(client) => &client.id,
        }
    }

    fn roles(&self) -> &[String] {
        match self {
            Self::User(user) => &user.roles,
            Self::Machine(client) => &client.roles,
        }
    }

    fn membership(&self, organization: &str) -> Option<&Membership> {
        match self {
            Self::User(user) => user.membership(organization),
            Self::Machine(client) => client.membership(organization),
        }
    }
}

impl<'a> Target<'a> {
    /// Returns the target of a user's token. The sign-in must have requested it.
    pub(crate) fn of_user(
        authorization: &Authorization,
        user: &User,
        resource: Option<&'a str>,
        organization: Option<&'a str>,
    ) -> Result<Self> {
        if let Some(organization) = organization {
            if !authorization.has_scope(ORGANIZATIONS) {
                return Err(OAuthError::new("insufficient_scope", "refresh token missing required scope"));
            }
            if user.membership(organization).is_none() {
                return Err(OAuthError::access_denied("user is not a member of the organization"));
            }
        }
        let Some(indicator) = resource else {
            return Ok(organization.map_or(Self::UserInfo, Self::Organization));
        };
        if indicator == ORGANIZATION_RESOURCE || !authorization.resources.iter().any(|granted| granted == indicator) {
            return Err(OAuthError::invalid_target());
        }
        Ok(Self::Resource { indicator, organization })
    }

    /// Returns the target of a machine's token, which is never user info.
    pub(crate) fn of_machine(
        config: &Config,
        client: &MachineClient,
        resource: Option<&'a str>,
        organization: Option<&'a str>,
    ) -> Result<Self> {
        if organization.is_some_and(|organization| client.membership(organization).is_none()) {
            return Err(OAuthError::access_denied("app has not associated with the organization"));
        }
        match (resource, organization) {
            (Some(ORGANIZATION_RESOURCE), _) | (None, None) => Err(OAuthError::invalid_target()),
            (Some(indicator), _) if !config.has_resource(indicator) => Err(OAuthError::invalid_target()),
            (Some(indicator), organization) => Ok(Self::Resource { indicator, organization }),
            (None, Some(organization)) => Ok(Self::Organization(organization)),
        }
    }

    /// Returns the `aud` of a JWT, or `None` for an opaque token.
    pub(crate) fn audience(&self) -> Option<String> {
        match self {
            Self::UserInfo => None,
            Self::Resource { indicator, .. } => Some((*indicator).to_owned()),
            Self::Organization(id) => Some(format!("urn:logto:organization:{id}")),
        }
    }

    /// Returns the requested scopes that the subject has at the target.
    pub(crate) fn scopes(&self, config: &Config, subject: Subject<'_>, scopes: &[String]) -> Vec<String> {
        let organization_roles = |organization: &str| {
            let roles = subject.membership(organization).map_or(&[][..], |membership| &membership.roles);
            scopes_of_roles(&config.organization_roles, |role| roles.contains(role))
        };
        let held: Vec<&str> = match self {
            Self::UserInfo => SCOPES.to_vec(),
            Self::Organization(id) => organization_roles(id),
            Self::Resource { indicator, organization } => {
                let mut held = organization.map(organization_roles).unwrap_or_default();
                // Within an organization, a machine has only its permissions there. A user also has their others.
                if organization.is_none() || matches!(subject, Subject::User(_)) {
                    held.extend(scopes_of_roles(&config.roles, |role| subject.roles().contains(role)));
                }
                let known = config.scopes_of_resource(indicator);
                held.retain(|scope| known.contains(scope));
                held
            }
        };
        scopes.iter().filter(|scope| held.contains(&&***scope)).cloned().collect()
    }
}

impl Config {
    pub(crate) fn has_resource(&self, indicator: &str) -> bool {
        indicator == ORGANIZATION_RESOURCE || self.resources.iter().any(|resource| resource.indicator == indicator)
    }

    /// Returns the scopes that can be requested for the resource.
    pub(crate) fn scopes_of_resource(&self, indicator: &str) -> Vec<&str> {
        if indicator == ORGANIZATION_RESOURCE {
            return scopes_of_roles(&self.organization_roles, |_| true);
        }
        let resource = self.resources.iter().find(|resource| resource.indicator == indicator);
        resource.map_or(Vec::new(), |resource| resource.scopes.iter().map(String::as_str).collect())
    }
}

fn scopes_of_roles(roles: &[Role], is_held: impl Fn(&String) -> bool) -> Vec<&str> {
    roles.iter().filter(|role| is_held(&role.name)).flat_map(|role| &role.scopes).map(String::as_str).collect()
}
