//! What is known about a verified token.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;

use crate::api::ApiError;
use crate::api::permission::{Rule, TokenPermission};
use crate::oidc::access_token::{Audiences, Claims};
use crate::scope::ORGANIZATIONS_RESOURCE;

/// An access token that was verified: its signature, issuer, audience and times. Returned by
/// [`LogtoApi::verify`](super::LogtoApi::verify).
///
/// A clone is cheap. It does not contain the token itself, so neither does its `Debug` output.
///
/// # Example
///
/// ```
/// use logto_client::api::{ApiError, LogtoApi};
///
/// async fn describe(api: &LogtoApi, token: &str) -> Result<String, ApiError> {
///     let token = api.verify(token).await?;
///     let scopes: Vec<_> = token.scopes().collect();
///     let kind = if token.is_machine() { "app" } else { "user" };
///     Ok(format!("{kind} {} may {}", token.sub(), scopes.join(", ")))
/// }
/// ```
#[derive(Clone)]
pub struct VerifiedToken(Arc<Inner>);

struct Inner {
    claims: Claims,
    /// All claims.
    json: Vec<u8>,
    audiences: Arc<Audiences>,
}

impl VerifiedToken {
    pub(super) fn new(claims: Claims, json: Vec<u8>, audiences: Arc<Audiences>) -> Self {
        Self(Arc::new(Inner { claims, json, audiences }))
    }

    pub(super) fn verified_claims(&self) -> &Claims {
        &self.0.claims
    }

    /// Returns the id of the user, or of the app if the token [is a machine's](Self::is_machine). See the
    /// [example](Self#example).
    pub fn sub(&self) -> &str {
        &self.0.claims.sub
    }

    /// Returns the id of the app that requested the token.
    ///
    /// ```
    /// # use logto_client::api::VerifiedToken;
    /// fn is_our_web_app(token: &VerifiedToken) -> bool {
    ///     token.client_id() == "web-app-id"
    /// }
    /// ```
    pub fn client_id(&self) -> &str {
        &self.0.claims.client_id
    }

    /// Returns the issuer, `{endpoint}/oidc`.
    ///
    /// ```
    /// # use logto_client::api::VerifiedToken;
    /// /// A user's id is unique at one issuer only.
    /// fn user(token: &VerifiedToken) -> (&str, &str) {
    ///     (token.issuer(), token.sub())
    /// }
    /// ```
    pub fn issuer(&self) -> &str {
        &self.0.claims.iss
    }

    /// Returns the audiences: the indicator of the API, or `urn:logto:organization:<id>`. Empty for an
    /// [opaque token](super::LogtoApiBuilder::introspection).
    ///
    /// ```
    /// # use logto_client::api::VerifiedToken;
    /// fn is_for_orders(token: &VerifiedToken) -> bool {
    ///     token.audiences().iter().any(|audience| audience == "https://api.example.com/orders")
    /// }
    /// ```
    pub fn audiences(&self) -> &[String] {
        &self.0.claims.aud
    }

    /// Returns the granted scopes. Logto grants none to a user or app without a role. See the [example](Self#example).
    ///
    /// They are permissions at the token's [audience](Self::audiences). [`allows`](Self::allows) compares both.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.claims.scope.as_deref().unwrap_or_default().split_ascii_whitespace()
    }

    /// Returns the organization that the token is for, or within which it is valid for the API.
    ///
    /// The scopes count in this organization only. [`require_in_organization`](Self::require_in_organization) compares it
    /// with the organization that a request is about.
    ///
    /// ```
    /// # use logto_client::api::VerifiedToken;
    /// /// Where the app looks for the caller's data.
    /// fn folder(token: &VerifiedToken) -> &str {
    ///     token.organization_id().unwrap_or("personal")
    /// }
    /// ```
    pub fn organization_id(&self) -> Option<&str> {
        self.0.claims.organization()
    }

    /// Returns whether the token is an app's own (grant `client_credentials`), not a user's: whether `sub` is
    /// `client_id`. See the [example](Self#example).
    pub fn is_machine(&self) -> bool {
        self.sub() == self.client_id()
    }

    /// Returns when the token expires, or `None` if `SystemTime` cannot represent the time.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// # use logto_client::api::VerifiedToken;
    /// /// How long a stream of events may stay open.
    /// fn remaining(token: &VerifiedToken) -> Option<Duration> {
    ///     token.expires_at()?.duration_since(SystemTime::now()).ok()
    /// }
    /// ```
    pub fn expires_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.0.claims.exp))
    }

    /// Deserializes the claims, for those that your tenant adds.
    ///
    /// ```
    /// use serde::Deserialize;
    ///
    /// # use logto_client::api::VerifiedToken;
    /// #[derive(Deserialize)]
    /// struct Plan {
    ///     plan: String,
    /// }
    ///
    /// fn plan(token: &VerifiedToken) -> Option<String> {
    ///     Some(token.claims::<Plan>().ok()?.plan)
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if `T` does not fit the claims. The error may quote a claim.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0.json)
    }

    /// Returns whether the token grants a [permission](TokenPermission).
    ///
    /// Returns `false` as well if the permission belongs to an API that the [`LogtoApi`](super::LogtoApi) does not
    /// answer for; [`require`](Self::require) tells the two apart.
    ///
    /// ```
    /// use logto_client::LogtoScope;
    /// # use logto_client::api::VerifiedToken;
    ///
    /// #[derive(LogtoScope)]
    /// #[logto(scope = "read:drafts")]
    /// struct ReadDrafts;
    ///
    /// fn drafts(token: &VerifiedToken) -> &'static str {
    ///     if token.allows::<ReadDrafts>() { "with drafts" } else { "published only" }
    /// }
    /// ```
    pub fn allows<P: TokenPermission>(&self) -> bool {
        self.require::<P>().is_ok()
    }

    /// Checks that the token grants a [permission](TokenPermission).
    ///
    /// ```
    /// use logto_client::LogtoScope;
    /// # use logto_client::api::{ApiError, VerifiedToken};
    ///
    /// #[derive(LogtoScope)]
    /// #[logto(scope = "write:things")]
    /// struct WriteThings;
    ///
    /// fn create(token: &VerifiedToken) -> Result<(), ApiError> {
    ///     token.require::<WriteThings>()?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ApiError::InsufficientScope`], or [`ApiError::UnknownResource`] if the permission belongs to an API that the
    /// [`LogtoApi`](super::LogtoApi) does not answer for.
    pub fn require<P: TokenPermission>(&self) -> Result<(), ApiError> {
        self.0.audiences.check_rule(&P::RULE)?;
        if P::RULE.is_met(&|rule| self.grants(rule)) {
            Ok(())
        } else {
            Err(ApiError::InsufficientScope { required: P::RULE.names() })
        }
    }

    /// Checks that the token is for an organization, or within it, and grants a [permission](TokenPermission). With `()`
    /// as the permission, it checks the organization only.
    ///
    /// ```
    /// use logto_client::LogtoScope;
    /// # use logto_client::api::{ApiError, VerifiedToken};
    ///
    /// #[derive(LogtoScope)]
    /// #[logto(scope = "invite:members", resource = "urn:logto:resource:organizations")]
    /// struct InviteMembers;
    ///
    /// fn invite(token: &VerifiedToken, organization_in_path: &str) -> Result<(), ApiError> {
    ///     token.require_in_organization::<InviteMembers>(organization_in_path)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ApiError::WrongOrganization`], and those of [`require`](Self::require).
    pub fn require_in_organization<P: TokenPermission>(&self, organization_id: &str) -> Result<(), ApiError> {
        if self.organization_id() != Some(organization_id) {
            return Err(ApiError::WrongOrganization);
        }
        self.require::<P>()
    }

    fn grants(&self, rule: &Rule) -> bool {
        let Rule::Scope { scope, resource } = rule else { return false };
        let resource = self.0.audiences.resolve(*resource);
        resource.is_some_and(|resource| self.is_for(resource)) && self.scopes().any(|granted| granted == *scope)
    }

    fn is_for(&self, resource: &str) -> bool {
        let claims = &self.0.claims;
        match resource {
            ORGANIZATIONS_RESOURCE => claims.is_for_organization(),
            _ => claims.aud.iter().any(|audience| audience == resource),
        }
    }
}

impl Audiences {
    /// Checks that each scope of the rule belongs to an API that is answered for.
    pub(super) fn check_rule(&self, rule: &Rule) -> Result<(), ApiError> {
        match rule {
            Rule::Scope { scope, resource } => match self.resolve(*resource) {
                Some(_) => Ok(()),
                None => Err(ApiError::UnknownResource { scope, resource: *resource }),
            },
            Rule::Role { .. } | Rule::OrganizationRole { .. } => Ok(()),
            Rule::AllOf(rules) | Rule::AnyOf(rules) => rules.iter().try_for_each(|rule| self.check_rule(rule)),
        }
    }

    /// Returns the resource of a scope that may not name it. `None` if it is not among the audiences, or not clear.
    fn resolve<'a>(&'a self, resource: Option<&'a str>) -> Option<&'a str> {
        match (resource, &*self.resources) {
            (Some(ORGANIZATIONS_RESOURCE), _) => Some(ORGANIZATIONS_RESOURCE).filter(|_| self.organization_tokens),
            (Some(resource), resources) => resources.iter().any(|known| known == resource).then_some(resource),
            (None, [only]) => Some(only),
            (None, []) if self.organization_tokens => Some(ORGANIZATIONS_RESOURCE),
            (None, _) => None,
        }
    }
}

impl fmt::Debug for VerifiedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Claims { iss, sub, client_id, aud, exp, scope, .. } = &self.0.claims;
        f.debug_struct("VerifiedToken")
            .field("iss", iss)
            .field("sub", sub)
            .field("client_id", client_id)
            .field("aud", aud)
            .field("organization_id", &self.organization_id())
            .field("scope", scope)
            .field("exp", exp)
            .finish_non_exhaustive()
    }
}
