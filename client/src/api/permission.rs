//! Scopes and roles as types.

use std::marker::PhantomData;

use crate::util::each_once;

/// A scope of an API as a type. Derive it:
///
/// ```
/// use logto_client::LogtoScope;
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "write:things", resource = "https://api.example.com")]
/// struct WriteThings;
///
/// assert_eq!(WriteThings::SCOPE, "write:things");
/// assert_eq!(WriteThings::RESOURCE, Some("https://api.example.com"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope",
    note = "derive it: `#[derive(LogtoScope)] #[logto(scope = \"write:things\")] struct WriteThings;`"
)]
pub trait LogtoScope {
    /// The name of the permission in Logto's console.
    const SCOPE: &'static str;

    /// The indicator of the API that the scope belongs to (RFC 8707), or `urn:logto:resource:organizations` for a
    /// permission of an organization. `None` is the only API that the caller's token can be for.
    const RESOURCE: Option<&'static str>;
}

/// What a caller is allowed to do: a [scope](LogtoScope), a [role](derive@crate::LogtoRole), a tuple of permissions (all
/// of them), or [`AnyOf`] a tuple (one of them). A tuple has up to eight members, each of which can be a tuple or an
/// `AnyOf`.
///
/// Signed-in users have scopes and roles. An access token has scopes only: see [`TokenPermission`].
///
/// ```
/// use logto_client::LogtoScope;
/// use logto_client::api::{AnyOf, LogtoApi};
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "read:things")]
/// struct ReadThings;
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "write:things")]
/// struct WriteThings;
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "admin")]
/// struct Admin;
///
/// /// Both to read and to write; or everything.
/// type Edit = AnyOf<((ReadThings, WriteThings), Admin)>;
///
/// # fn main() -> Result<(), logto_client::Error> {
/// let api = LogtoApi::builder("https://tenant.logto.app")
///     .audience("https://api.example.com")
///     .permissions::<Edit>()
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission",
    note = "permissions are types with `#[derive(LogtoScope)]` or `#[derive(LogtoRole)]`, tuples of up to eight \
            permissions, and `AnyOf<(A, B)>`"
)]
pub trait Permission {
    /// What is required.
    const RULE: Rule;
}

/// A [`Permission`] without roles, which an access token can grant: Logto's access tokens do not contain the roles of
/// their users. If your tenant adds them as a custom claim, read it with
/// [`VerifiedToken::claims`](super::VerifiedToken::claims).
///
/// ```
/// use logto_client::LogtoScope;
/// use logto_client::api::{AnyOf, TokenPermission, VerifiedToken};
///
/// #[derive(LogtoScope)]
/// #[logto(scope = "write:things")]
/// struct WriteThings;
///
/// fn may<P: TokenPermission>(token: &VerifiedToken) -> bool {
///     token.allows::<AnyOf<(P, WriteThings)>>()
/// }
/// ```
///
/// A role is refused:
///
/// ```compile_fail,E0277
/// use logto_client::LogtoRole;
/// use logto_client::api::VerifiedToken;
///
/// #[derive(LogtoRole)]
/// #[logto(role = "admin")]
/// struct Admin;
///
/// fn is_admin(token: &VerifiedToken) -> bool {
///     token.allows::<Admin>()
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a permission that an access token can grant",
    note = "use types with `#[derive(LogtoScope)]`, tuples of up to eight, or `AnyOf<(A, B)>`; roles are for signed-in \
            users: `Allowed<Admin, User<S>>`"
)]
pub trait TokenPermission: Permission {}

/// The permission to do one of several things. See the [example](Permission).
pub struct AnyOf<T>(PhantomData<fn() -> T>);

/// What a [`Permission`] requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// A scope.
    #[non_exhaustive]
    Scope {
        /// [`LogtoScope::SCOPE`].
        scope: &'static str,
        /// [`LogtoScope::RESOURCE`].
        resource: Option<&'static str>,
    },
    /// A role of the user.
    #[non_exhaustive]
    Role {
        /// The name of the role.
        name: &'static str,
    },
    /// A role of the user in the organization that the request is about.
    #[non_exhaustive]
    OrganizationRole {
        /// The name of the role.
        name: &'static str,
    },
    /// Each of the rules.
    AllOf(&'static [Rule]),
    /// One of the rules.
    AnyOf(&'static [Rule]),
}

impl<S: LogtoScope> Permission for S {
    const RULE: Rule = Rule::Scope { scope: S::SCOPE, resource: S::RESOURCE };
}

impl<S: LogtoScope> TokenPermission for S {}

/// Nothing is required.
impl Permission for () {
    const RULE: Rule = Rule::AllOf(&[]);
}

impl TokenPermission for () {}

impl<T: Permission> Permission for AnyOf<T> {
    const RULE: Rule = match T::RULE {
        Rule::AllOf(rules) => Rule::AnyOf(rules),
        rule => rule,
    };
}

impl<T: TokenPermission> TokenPermission for AnyOf<T> {}

macro_rules! tuples {
    ($($first:ident $($other:ident)*;)*) => {$(
        impl<$first: Permission, $($other: Permission),*> Permission for ($first, $($other,)*) {
            const RULE: Rule = Rule::AllOf(&[$first::RULE, $($other::RULE),*]);
        }

        impl<$first: TokenPermission, $($other: TokenPermission),*> TokenPermission for ($first, $($other,)*) {}
    )*};
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}

impl Rule {
    /// Creates the rule that the user has a role. [`#[derive(LogtoRole)]`](derive@crate::LogtoRole) uses it.
    ///
    /// ```
    /// use logto_client::api::{Permission, Rule};
    ///
    /// struct Admin;
    ///
    /// impl Permission for Admin {
    ///     const RULE: Rule = Rule::role("admin");
    /// }
    /// ```
    pub const fn role(name: &'static str) -> Self {
        Self::Role { name }
    }

    /// Creates the rule that the user has a role in the organization that the request is about.
    ///
    /// ```
    /// use logto_client::api::{Permission, Rule};
    ///
    /// struct Editor;
    ///
    /// impl Permission for Editor {
    ///     const RULE: Rule = Rule::organization_role("editor");
    /// }
    /// ```
    pub const fn organization_role(name: &'static str) -> Self {
        Self::OrganizationRole { name }
    }

    /// `is_granted` decides on the scopes and roles.
    pub(crate) fn is_met(&self, is_granted: &impl Fn(&Self) -> bool) -> bool {
        match self {
            Self::AllOf(rules) => rules.iter().all(|rule| rule.is_met(is_granted)),
            Self::AnyOf(rules) => rules.iter().any(|rule| rule.is_met(is_granted)),
            scope_or_role => is_granted(scope_or_role),
        }
    }

    pub(crate) fn is_scope(&self) -> bool {
        matches!(self, Self::Scope { .. })
    }

    /// Returns the scopes and roles.
    pub(crate) fn leaves(&self) -> Vec<Self> {
        let mut leaves = Vec::new();
        self.visit(false, &mut |leaf| leaves.push(*leaf));
        leaves
    }

    /// Returns names of scopes and roles that would do, each once. Of alternatives, those of the first.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        self.visit(true, &mut |leaf| names.extend(leaf.name()));
        each_once(names)
    }

    /// Returns the names of all scopes and roles.
    pub(crate) fn all_names(&self) -> Vec<&'static str> {
        self.leaves().iter().filter_map(Self::name).collect()
    }

    fn name(&self) -> Option<&'static str> {
        match self {
            Self::Scope { scope: name, .. } | Self::Role { name } | Self::OrganizationRole { name } => Some(name),
            Self::AllOf(_) | Self::AnyOf(_) => None,
        }
    }

    fn visit<'a>(&'a self, first_only: bool, visitor: &mut impl FnMut(&'a Self)) {
        match self {
            Self::AnyOf([first, ..]) if first_only => first.visit(first_only, visitor),
            Self::AllOf(rules) | Self::AnyOf(rules) => rules.iter().for_each(|rule| rule.visit(first_only, visitor)),
            scope_or_role => visitor(scope_or_role),
        }
    }
}
