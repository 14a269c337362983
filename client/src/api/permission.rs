//! Scopes as types, and what callers may do.

use std::fmt;
use std::marker::PhantomData;

use crate::api::{ApiError, Bearer};
use crate::error::Error;
use crate::scope::ORGANIZATIONS_RESOURCE;
use crate::session::LogtoSession;
use crate::storage::LogtoStorage;
use crate::tokens::TokenTarget;

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

/// What a caller is allowed to do: a [scope](LogtoScope), a tuple of permissions (all of them), or
/// [`AnyOf`] a tuple (one of them). A tuple has up to eight members, each of which can be a tuple or an `AnyOf`.
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
    note = "permissions are types with `#[derive(LogtoScope)]`, tuples of up to eight permissions, and `AnyOf<(A, B)>`"
)]
pub trait Permission {
    /// What is required.
    const RULE: Rule;
}

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
    /// Each of the rules.
    AllOf(&'static [Rule]),
    /// One of the rules.
    AnyOf(&'static [Rule]),
}

impl<S: LogtoScope> Permission for S {
    const RULE: Rule = Rule::Scope { scope: S::SCOPE, resource: S::RESOURCE };
}

/// Nothing is required.
impl Permission for () {
    const RULE: Rule = Rule::AllOf(&[]);
}

impl<T: Permission> Permission for AnyOf<T> {
    const RULE: Rule = match T::RULE {
        Rule::AllOf(rules) => Rule::AnyOf(rules),
        rule => rule,
    };
}

macro_rules! tuples {
    ($($first:ident $($other:ident)*;)*) => {$(
        impl<$first: Permission, $($other: Permission),*> Permission for ($first, $($other,)*) {
            const RULE: Rule = Rule::AllOf(&[$first::RULE, $($other::RULE),*]);
        }
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
    pub(crate) fn is_met(&self, is_granted: &impl Fn(&str, Option<&str>) -> bool) -> bool {
        match self {
            Self::Scope { scope, resource } => is_granted(scope, *resource),
            Self::AllOf(rules) => rules.iter().all(|rule| rule.is_met(is_granted)),
            Self::AnyOf(rules) => rules.iter().any(|rule| rule.is_met(is_granted)),
        }
    }

    /// Returns names of scopes that would do, each once. Of alternatives, those of the first.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        self.visit(true, &mut |scope, _| add(&mut names, scope));
        names
    }

    /// Returns the names of all scopes, each once.
    pub(crate) fn all_names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        self.visit(false, &mut |scope, _| add(&mut names, scope));
        names
    }

    /// Returns the resources of all scopes, each once.
    fn resources(&self) -> Vec<Option<&'static str>> {
        let mut resources = Vec::new();
        self.visit(false, &mut |_, resource| add(&mut resources, resource));
        resources
    }

    fn visit(&self, first_only: bool, scope: &mut impl FnMut(&'static str, Option<&'static str>)) {
        match self {
            Self::Scope { scope: name, resource } => scope(name, *resource),
            Self::AnyOf([first, ..]) if first_only => first.visit(first_only, scope),
            Self::AllOf(rules) | Self::AnyOf(rules) => rules.iter().for_each(|rule| rule.visit(first_only, scope)),
        }
    }
}

fn add<T: PartialEq>(set: &mut Vec<T>, item: T) {
    if !set.contains(&item) {
        set.push(item);
    }
}

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
    /// refreshed first.
    ///
    /// # Errors
    ///
    /// - Of a [`Bearer`]: those of [`VerifiedToken::require`](super::VerifiedToken::require).
    /// - Of a session: [`Error::InsufficientScope`], or those of
    ///   [`access_token`](LogtoSession::access_token).
    fn require<P: Permission>(&self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<A: Sync> Caller for Bearer<A> {
    type Error = ApiError;

    async fn require<P: Permission>(&self) -> Result<(), ApiError> {
        self.token().require::<P>()
    }
}

impl<S: LogtoStorage + Sync> Caller for LogtoSession<S> {
    type Error = Error;

    fn require<P: Permission>(&self) -> impl Future<Output = Result<(), Error>> + Send {
        self.require_rule(&P::RULE)
    }
}

impl<S: LogtoStorage> LogtoSession<S> {
    async fn require_rule(&self, rule: &'static Rule) -> Result<(), Error> {
        let mut granted = Vec::new();
        for resource in rule.resources() {
            match self.access_token(self.target_of(resource)?).await {
                Ok(token) => granted.push((resource, token)),
                // Another alternative may be allowed.
                Err(error) if error.is_access_denied() => {}
                Err(error) => return Err(error),
            }
        }
        let is_granted = |scope: &str, resource: Option<&str>| {
            let tokens = granted.iter().filter(|(of, _)| *of == resource);
            tokens.flat_map(|(_, token)| token.scopes()).any(|granted| granted == scope)
        };
        if rule.is_met(&is_granted) { Ok(()) } else { Err(Error::InsufficientScope { missing: rule.names() }) }
    }

    /// Returns the target of the token that decides. A scope without a resource belongs to the only API of the
    /// configuration.
    fn target_of(&self, resource: Option<&'static str>) -> Result<TokenTarget, Error> {
        let wrong = |problem: &str| Error::InvalidOption { name: "resource", problem: problem.to_owned() };
        let mut listed = self.config().resources().iter().filter(|listed| *listed != ORGANIZATIONS_RESOURCE);
        match (resource, listed.next(), listed.next()) {
            (Some(ORGANIZATIONS_RESOURCE), ..) => {
                Err(wrong("is that of organizations: request a token for one of them, and compare its scopes"))
            }
            (Some(resource), ..) => Ok(TokenTarget::resource(resource)),
            (None, Some(only), None) => Ok(TokenTarget::resource(only)),
            (None, ..) => Err(wrong("is missing, and the configuration's `resources` do not list exactly one API")),
        }
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

impl<P: Permission, C: Caller> Allowed<P, C> {
    /// Checks the permission of a caller.
    ///
    /// The web framework's module does this for a handler's arguments.
    ///
    /// ```
    /// # use logto_client::api::{Allowed, ApiError, Bearer, Permission};
    /// async fn check<P: Permission>(bearer: Bearer) -> Result<Allowed<P>, ApiError> {
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
