//! Callers, and what they may do.

use std::fmt;

use crate::api::permission::{Permission, Rule, TokenPermission};
use crate::api::{ApiError, Bearer};
use crate::claims::UserClaims;
use crate::error::Error;
use crate::scope::{ORGANIZATION_ROLES, ORGANIZATIONS_RESOURCE, ROLES};
use crate::session::LogtoSession;
use crate::storage::LogtoStorage;
use crate::tokens::TokenTarget;
use crate::util::each_once;

/// Someone who asks for something: a [`Bearer`] of an access token, or a user with a [`LogtoSession`].
///
/// [`Allowed`] checks a caller's permission before a handler runs. A function that is called for both checks it like
/// this:
///
/// ```
/// use logto_client::LogtoScope;
/// use logto_client::api::Caller;
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "write:things", resource = "https://api.example.com")]
/// struct WriteThings;
///
/// async fn create<C: Caller>(caller: &C) -> Result<(), C::Error> {
///     caller.require::<WriteThings>().await?;
///     Ok(())
/// }
/// ```
pub trait Caller {
    /// Why a caller may not do something, or why that could not be found out.
    type Error;

    /// Checks a permission.
    ///
    /// The token of a [`Bearer`] is at hand. For a session the access token for the API decides, which may have to be
    /// refreshed first. To check roles as well, call [`LogtoSession::require`].
    ///
    /// # Errors
    ///
    /// - Of a [`Bearer`]: those of [`VerifiedToken::require`](super::VerifiedToken::require).
    /// - Of a session: those of [`LogtoSession::require`].
    fn require<P: TokenPermission>(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Checks a permission within an organization. With `()` as the permission, it checks the organization only.
    ///
    /// ```
    /// use logto_client::LogtoScope;
    /// use logto_client::api::Caller;
    ///
    /// #[derive(LogtoScope)]
    /// #[logto(scope = "invite:members", resource = "urn:logto:resource:organizations")]
    /// struct InviteMembers;
    ///
    /// async fn invite<C: Caller>(caller: &C, organization_in_path: &str) -> Result<(), C::Error> {
    ///     caller.require_in_organization::<InviteMembers>(organization_in_path).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// - Of a [`Bearer`]: those of
    ///   [`VerifiedToken::require_in_organization`](super::VerifiedToken::require_in_organization).
    /// - Of a session: those of [`LogtoSession::require_in_organization`].
    fn require_in_organization<P: TokenPermission>(
        &self,
        organization_id: &str,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<A: Sync> Caller for Bearer<A> {
    type Error = ApiError;

    async fn require<P: TokenPermission>(&self) -> Result<(), ApiError> {
        self.token().require::<P>()
    }

    async fn require_in_organization<P: TokenPermission>(&self, organization_id: &str) -> Result<(), ApiError> {
        self.token().require_in_organization::<P>(organization_id)
    }
}

impl<S: LogtoStorage + Sync> Caller for LogtoSession<S> {
    type Error = Error;

    fn require<P: TokenPermission>(&self) -> impl Future<Output = Result<(), Error>> + Send {
        self.require_rule(&P::RULE, None)
    }

    fn require_in_organization<P: TokenPermission>(
        &self,
        organization_id: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        self.require_rule(&P::RULE, Some(organization_id))
    }
}

/// Permissions of the user.
impl<S: LogtoStorage> LogtoSession<S> {
    /// Checks that the user has a [permission](Permission).
    ///
    /// Scopes are those of the session's access token for the API, which may have to be refreshed first. Roles are those
    /// of the ID token, from the sign-in or the last refresh that returned one; the configuration's
    /// [`scopes`](crate::LogtoConfigBuilder::scopes) must contain [`ROLES`]. If the roles settle the matter, no request is
    /// sent.
    ///
    /// ```
    /// use logto_client::api::AnyOf;
    /// use logto_client::{Error, LogtoRole, LogtoScope, LogtoSession, LogtoStorage};
    ///
    /// #[derive(LogtoRole)]
    /// #[logto(role = "admin")]
    /// struct Admin;
    ///
    /// #[derive(LogtoScope)]
    /// #[logto(scope = "write:things", resource = "https://api.example.com")]
    /// struct WriteThings;
    ///
    /// async fn create<S: LogtoStorage>(session: &LogtoSession<S>) -> Result<(), Error> {
    ///     session.require::<AnyOf<(Admin, WriteThings)>>().await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::InsufficientScope`]: the user lacks the permission.
    /// - [`Error::MissingRoleScope`]: the configuration does not request the roles.
    /// - [`Error::InvalidOption`]: the permission needs an organization, or it is not clear to which API a scope belongs.
    /// - [`Error::NotAuthenticated`], and those of [`access_token`](Self::access_token).
    pub async fn require<P: Permission>(&self) -> Result<(), Error> {
        self.require_rule(&P::RULE, None).await
    }

    /// Checks that the user is a member of an organization, and has a [permission](Permission) there. With `()` as the
    /// permission, it checks the membership only.
    ///
    /// Scopes, whether the organization's or an API's, are those of the session's access token for or within the
    /// organization. Organization roles are those of the ID token, and require [`ORGANIZATION_ROLES`] in the
    /// configuration's [`scopes`](crate::LogtoConfigBuilder::scopes). A role that does not belong to an organization
    /// counts as in [`require`](Self::require), for members.
    ///
    /// ```
    /// use logto_client::{Error, LogtoRole, LogtoSession, LogtoStorage};
    ///
    /// #[derive(LogtoRole)]
    /// #[logto(organization_role = "editor")]
    /// struct Editor;
    ///
    /// async fn edit<S: LogtoStorage>(session: &LogtoSession<S>, organization_in_path: &str) -> Result<(), Error> {
    ///     session.require_in_organization::<Editor>(organization_in_path).await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::NotAMember`]: the user is not a member of the organization.
    /// - [`Error::MissingOrganizationScope`]: the configuration does not request organizations.
    /// - Those of [`require`](Self::require).
    pub async fn require_in_organization<P: Permission>(&self, organization_id: &str) -> Result<(), Error> {
        self.require_rule(&P::RULE, Some(organization_id)).await
    }

    async fn require_rule(&self, rule: &'static Rule, organization: Option<&str>) -> Result<(), Error> {
        let leaves = rule.leaves();
        let mut held = self.held_roles(&leaves, organization).await?;
        // It may come from a path. No organization has an empty id, and as a target it would be the app's mistake.
        let can_have_scopes = organization != Some("") && held.meets_with_every_scope(rule);
        if !held.meets(rule) && can_have_scopes {
            self.add_held_scopes(&mut held, &leaves, organization).await?;
        }
        match held {
            _ if held.meets(rule) => Ok(()),
            Held { is_member: false, .. } => Err(Error::NotAMember),
            _ => Err(Error::InsufficientScope { missing: rule.names() }),
        }
    }

    /// Sends no request.
    async fn held_roles(&self, leaves: &[Rule], organization: Option<&str>) -> Result<Held, Error> {
        if organization.is_none() && leaves.iter().all(Rule::is_scope) {
            return Ok(Held { rules: Vec::new(), is_member: true });
        }
        let claims = self.id_token_claims().await?.user;
        let mut held = Held { rules: Vec::new(), is_member: self.is_member(&claims, organization)? };
        for leaf in leaves {
            if self.has_role(&claims, *leaf, organization)? {
                held.rules.push(*leaf);
            }
        }
        Ok(held)
    }

    fn is_member(&self, claims: &UserClaims, organization: Option<&str>) -> Result<bool, Error> {
        let Some(id) = organization else { return Ok(true) };
        if !self.config().has_organizations() && !self.requests(ORGANIZATION_ROLES) {
            return Err(Error::MissingOrganizationScope);
        }
        let mut roles = claims.organization_roles.iter().flatten();
        Ok(claims.organizations.iter().flatten().any(|organization| organization == id)
            || roles.any(|role| role.split_once(':').is_some_and(|(organization, _)| organization == id)))
    }

    fn has_role(&self, claims: &UserClaims, rule: Rule, organization: Option<&str>) -> Result<bool, Error> {
        match rule {
            Rule::Role { name } => Ok(self.listed(claims.roles.as_deref(), ROLES)?.iter().any(|role| role == name)),
            Rule::OrganizationRole { name } => {
                let id = organization.ok_or_else(|| Error::InvalidOption {
                    name: "organization_role",
                    problem: format!("`{name}` counts in an organization: call `require_in_organization`"),
                })?;
                // The ids of organizations have no colon.
                let roles = self.listed(claims.organization_roles.as_deref(), ORGANIZATION_ROLES)?;
                Ok(roles.iter().any(|role| role.split_once(':') == Some((id, name))))
            }
            _ => Ok(false),
        }
    }

    /// Returns the roles that a claim lists.
    fn listed<'c>(&self, claim: Option<&'c [String]>, scope: &'static str) -> Result<&'c [String], Error> {
        match claim {
            Some(roles) => Ok(roles),
            None if self.requests(scope) => Ok(&[]),
            None => Err(Error::MissingRoleScope { scope }),
        }
    }

    fn requests(&self, scope: &str) -> bool {
        self.config().scopes().iter().any(|requested| requested == scope)
    }

    async fn add_held_scopes(&self, held: &mut Held, leaves: &[Rule], organization: Option<&str>) -> Result<(), Error> {
        let scopes = leaves.iter().filter_map(|leaf| match leaf {
            Rule::Scope { scope, resource } => Some((leaf, *scope, *resource)),
            _ => None,
        });
        for wanted in each_once(scopes.clone().map(|(_, _, resource)| resource)) {
            match self.access_token(self.target_of(wanted, organization)?).await {
                Ok(token) => {
                    // Logto issues a token for or within an organization to its members only.
                    held.is_member = true;
                    let of_token = scopes.clone().filter(|(_, scope, resource)| {
                        *resource == wanted && token.scopes().any(|granted| granted == *scope)
                    });
                    held.rules.extend(of_token.map(|(leaf, ..)| *leaf));
                }
                // Another alternative may be allowed.
                Err(error) if error.is_access_denied() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns the target of the token that decides. A scope without a resource belongs to the only API of the
    /// configuration.
    fn target_of(&self, resource: Option<&'static str>, organization: Option<&str>) -> Result<TokenTarget, Error> {
        let wrong = |problem: &str| Error::InvalidOption { name: "resource", problem: problem.to_owned() };
        let mut listed = self.config().resources().iter().filter(|listed| *listed != ORGANIZATIONS_RESOURCE);
        let api = match (resource, listed.next(), listed.next()) {
            (Some(ORGANIZATIONS_RESOURCE), ..) => {
                let problem = "is that of organizations: call `require_in_organization`";
                return organization.map(TokenTarget::organization).ok_or_else(|| wrong(problem));
            }
            (Some(resource), ..) => resource,
            (None, Some(only), None) => only,
            (None, ..) => {
                return Err(wrong("is missing, and the configuration's `resources` do not list exactly one API"));
            }
        };
        let target = TokenTarget::resource(api);
        Ok(match organization {
            Some(id) => target.in_organization(id),
            None => target,
        })
    }
}

/// The scopes and roles of a rule that a user was found to have.
struct Held {
    rules: Vec<Rule>,
    /// Of the organization that the request is about, if it is about one.
    is_member: bool,
}

impl Held {
    fn meets(&self, rule: &Rule) -> bool {
        self.is_member && rule.is_met(&|leaf| self.rules.contains(leaf))
    }

    /// Whether scopes can make a difference.
    fn meets_with_every_scope(&self, rule: &Rule) -> bool {
        rule.is_met(&|leaf| leaf.is_scope() || self.rules.contains(leaf))
    }
}

/// A caller with a permission, as an argument of a handler. Callers without it never reach the handler.
///
/// `C` is the caller: a [`Bearer`], or the `User` of a web framework's module.
///
/// ```
/// # #[cfg(feature = "axum-0_8")]
/// # mod app {
/// use logto_client::LogtoScope;
/// use logto_client::api::Allowed;
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "write:things")]
/// struct WriteThings;
///
/// async fn create(Allowed(token): Allowed<WriteThings>) -> String {
///     format!("created by {}", token.sub())
/// }
/// # }
/// ```
pub struct Allowed<P, C = Bearer>(
    /// The caller, a `C`.
    pub <C as CallerFor<P>>::Caller,
);

/// Makes `P` a part of [`Allowed`]'s field, which is a `C`.
#[doc(hidden)]
pub trait CallerFor<P> {
    type Caller;
}

impl<P, C> CallerFor<P> for C {
    type Caller = C;
}

impl<P: TokenPermission, C: Caller> Allowed<P, C> {
    /// Checks the permission of a caller.
    ///
    /// The web framework's module does this for a handler's arguments.
    ///
    /// ```
    /// # use logto_client::api::{Allowed, ApiError, Bearer, TokenPermission};
    /// async fn check<P: TokenPermission>(bearer: Bearer) -> Result<Allowed<P>, ApiError> {
    ///     Allowed::check(bearer).await.map_err(|(_bearer, error)| error)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Caller::require`], and the caller, who may be answered.
    pub async fn check(caller: C) -> Result<Self, (C, C::Error)> {
        match caller.require::<P>().await {
            Ok(()) => Ok(Self(caller)),
            Err(error) => Err((caller, error)),
        }
    }
}

impl<P, C: fmt::Debug> fmt::Debug for Allowed<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allowed").field(&self.0).finish()
    }
}
