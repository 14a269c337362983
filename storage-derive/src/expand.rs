//! The impl.
//!
//! Each method calls the session handle, and returns the handle's future or an `async` block that awaits it. An
//! `async fn` would hold `&self`: it would not be `Send` for a session that is not `Sync`, and takes longer to compile.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, DeriveInput, Lifetime, LitInt, Path, Type, Variant};

use crate::model::{Holder, Place, Shape, Storage};

pub(crate) fn expand(input: &DeriveInput, krate: &Path, storage: &Storage) -> TokenStream {
    let targets: Vec<_> = storage.holders().into_iter().map(|holder| Targets::new(krate, storage, holder)).collect();
    let calls = [Call::Read, Call::Set, Call::Remove, Call::Apply, Call::Renew, Call::Reload];
    let bodies = calls.map(|call| Method { krate, storage, targets: &targets, call }.body());
    implementation(input, krate, &lint_attributes(input, storage), &bounds(input, krate, storage), bodies)
}

/// The impl around the methods' bodies.
pub(crate) fn implementation(
    input: &DeriveInput,
    krate: &Path,
    lint_attributes: &[TokenStream],
    bounds: &[TokenStream],
    [get_item, set_item, remove_item, apply, renew, reload]: [TokenStream; 6],
) -> TokenStream {
    let name = &input.ident;
    let lifetime = free_lifetime(input);
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let predicates = where_clause.into_iter().flat_map(|clause| &clause.predicates);
    // In one piece: what is put together of many takes the macro several times as long.
    quote! {
        #(#lint_attributes)*
        #[automatically_derived]
        impl #impl_generics #krate::LogtoStorage for #name #ty_generics
        where
            #(#predicates,)*
            #(#bounds,)*
        {
            fn get_item(
                &self,
                __logto_key: &::core::primitive::str,
            ) -> impl ::core::future::Future<
                Output = #krate::Result<::core::option::Option<::std::string::String>>,
            > + ::core::marker::Send {
                #get_item
            }
            fn set_item<#lifetime>(
                &#lifetime self,
                __logto_key: &#lifetime ::core::primitive::str,
                __logto_value: &#lifetime ::core::primitive::str,
            ) -> impl ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send {
                #set_item
            }
            fn remove_item<#lifetime>(
                &#lifetime self,
                __logto_key: &#lifetime ::core::primitive::str,
            ) -> impl ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send {
                #remove_item
            }
            fn apply<#lifetime>(
                &#lifetime self,
                __logto_changes: &#lifetime [#krate::Change<#lifetime>],
            ) -> impl ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send {
                #apply
            }
            fn renew<#lifetime>(
                &#lifetime self,
                __logto_changes: &#lifetime [#krate::Change<#lifetime>],
            ) -> impl ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send {
                #renew
            }
            fn reload(
                &self,
            ) -> impl ::core::future::Future<Output = #krate::Result<::core::primitive::bool>> + ::core::marker::Send {
                #reload
            }
        }
    }
}

/// What a method asks of the session handle.
#[derive(Clone, Copy, PartialEq)]
enum Call {
    Read,
    Set,
    Remove,
    Apply,
    Renew,
    Reload,
}

/// What a method's body is made from.
struct Method<'a> {
    krate: &'a Path,
    storage: &'a Storage<'a>,
    /// Of the struct, or of each variant.
    targets: &'a [Targets],
    call: Call,
}

/// What calls on a holder's fields are made of. It is the same in every method.
struct Targets {
    session: Target,
    prefix: Option<Target>,
}

impl Targets {
    fn new(krate: &Path, storage: &Storage, holder: &Holder) -> Self {
        let target = |place: &Place, functions, name| {
            let target = if let Shape::Struct(_) = storage.shape {
                let member = &place.member;
                quote!(self.#member)
            } else {
                let binding = bound(name);
                quote!(*#binding)
            };
            Target::new(place.ty, functions, target)
        };
        let as_str = |place| target(place, quote!(::core::convert::AsRef::<::core::primitive::str>::), "prefix");
        Self {
            session: target(&holder.session, quote!(#krate::SessionHandle::), "session"),
            prefix: holder.prefix.as_ref().map(as_str),
        }
    }
}

impl Method<'_> {
    fn body(&self) -> TokenStream {
        let count = self.targets.len();
        let call = match &self.storage.shape {
            Shape::Struct(_) => self.call(&self.targets[0]),
            Shape::Enum(variants) => {
                let arms =
                    variants.iter().zip(self.targets).enumerate().map(|(index, ((variant, holder), targets))| {
                        let (name, bindings) = (&variant.ident, self.bindings(holder));
                        let call = nest(index, count, self.call(targets));
                        quote!(Self::#name { #bindings .. } => #call,)
                    });
                quote!(match self { #(#arms)* })
            }
        };
        // With a limit, a call gives a `Result`: the handle's future, or why the handle was not called.
        let limited = self.max_len().map(|_| quote!(?));
        if count == 1 && limited.is_none() {
            return call;
        }
        let mut awaited = quote!(__logto_call #limited.await);
        if count > 1 {
            let calls = (0..count).map(|index| nest(index, count, quote!(__logto_call)));
            awaited = quote!(match __logto_call { #(#calls => #awaited,)* });
        }
        quote! {
            let __logto_call = #call;
            async move { #awaited }
        }
    }

    /// The call of one handle.
    fn call(&self, targets: &Targets) -> TokenStream {
        let Self { krate, storage, .. } = self;
        let Targets { session, prefix } = targets;
        let prefix = match (&storage.prefix, prefix) {
            (Some(prefix), _) => Some(prefix.to_token_stream()),
            (None, Some(prefix)) => Some(prefix.call("as_ref", quote!())),
            (None, None) => None,
        };
        let deferred = storage.deferred.then(|| quote!(.deferred()));
        let prefixed = prefix.as_ref().map(|prefix| quote!(.prefixed(#prefix)));
        let changes = match self.call {
            Call::Read => {
                let key = match prefix {
                    None => quote!(::std::borrow::Cow::Borrowed(__logto_key)),
                    Some(prefix) => quote!(::std::borrow::Cow::Owned(
                        <[&::core::primitive::str]>::concat(&[#prefix, __logto_key])
                    )),
                };
                return session.call("read", key);
            }
            Call::Reload => return session.call("reload", quote!()),
            Call::Set => {
                quote!(#krate::Changes::one(#krate::Change::set(__logto_key, __logto_value)) #prefixed #deferred)
            }
            Call::Remove => quote!(#krate::Changes::one(#krate::Change::remove(__logto_key)) #prefixed #deferred),
            Call::Apply => quote!(#krate::Changes::all(__logto_changes) #prefixed #deferred),
            Call::Renew => quote!(#krate::Changes::all(__logto_changes).renewing() #prefixed #deferred),
        };
        match self.max_len() {
            None => session.call("write", changes),
            Some(max_len) => {
                let write = session.call("write", quote!(__logto_changes));
                quote!(::core::result::Result::map(#changes.limited(#max_len), |__logto_changes| #write))
            }
        }
    }

    /// What a variant's pattern binds.
    fn bindings(&self, holder: &Holder) -> TokenStream {
        let prefix = holder.prefix.as_ref().filter(|_| self.call != Call::Reload);
        let places = [Some((&holder.session, bound("session"))), prefix.map(|place| (place, bound("prefix")))];
        let bindings = places.into_iter().flatten().map(|(Place { member, .. }, name)| quote!(#member: #name,));
        bindings.collect()
    }

    fn max_len(&self) -> Option<&LitInt> {
        self.storage.max_len.as_ref().filter(|_| matches!(self.call, Call::Set | Call::Apply | Call::Renew))
    }
}

fn bound(name: &str) -> Ident {
    format_ident!("__logto_{name}")
}

/// `inner` as the variant `index` of `count`, all of which have types of their own: `Ok` and `Err`, nested.
fn nest(index: usize, count: usize, inner: TokenStream) -> TokenStream {
    let half = count / 2;
    if count == 1 {
        inner
    } else if index < half {
        let inner = nest(index, half, inner);
        quote!(::core::result::Result::Ok(#inner))
    } else {
        let inner = nest(index - half, count - half, inner);
        quote!(::core::result::Result::Err(#inner))
    }
}

/// What calls `functions::function(&target, argument)` are made of, placed over the field's type: where the type is not
/// what the function takes, rustc then underlines the whole of it, and takes the same error of several methods for one.
struct Target {
    functions: Vec<TokenTree>,
    /// `&target,`
    first_argument: Vec<TokenTree>,
    first: Span,
    last: Span,
}

impl Target {
    fn new(ty: &Type, functions: TokenStream, target: TokenStream) -> Self {
        let mut leaves = Vec::new();
        collect_leaves(ty.to_token_stream(), &mut leaves);
        let span = |leaf: Option<&Span>| leaf.copied().unwrap_or_else(Span::call_site);
        let (first, last) = (span(leaves.first()), span(leaves.last()));
        let reference = respanned(quote!(&), first);
        Self {
            functions: respanned(functions, first).collect(),
            first_argument: reference.chain(respanned(target, last)).chain(quote!(,)).collect(),
            first: first.resolved_at(Span::call_site()),
            last: last.resolved_at(Span::call_site()),
        }
    }

    fn call(&self, function: &str, argument: TokenStream) -> TokenStream {
        let Self { functions, first_argument, first, last } = self;
        let function = Ident::new(function, *first);
        let mut arguments = quote!(#(#first_argument)*);
        arguments.extend([argument]);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(*last);
        quote!(#(#functions)* #function #arguments)
    }
}

/// The spans of a type's tokens in order. A type out of a macro comes in groups that nobody sees.
fn collect_leaves(tokens: TokenStream, leaves: &mut Vec<Span>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => collect_leaves(group.stream(), leaves),
            TokenTree::Group(group) => leaves.extend([group.span_open(), group.span_close()]),
            token => leaves.push(token.span()),
        }
    }
}

/// The tokens, placed elsewhere. What they mean stays as it was.
fn respanned(tokens: TokenStream, place: Span) -> impl Iterator<Item = TokenTree> {
    tokens.into_iter().map(move |mut token| {
        token.set_span(place.resolved_at(token.span()));
        token
    })
}

/// What the fields' types have to be, where that depends on a type parameter.
fn bounds(input: &DeriveInput, krate: &Path, storage: &Storage) -> Vec<TokenStream> {
    let parameters: Vec<Ident> = input.generics.type_params().map(|parameter| parameter.ident.unraw()).collect();
    let depends = |place: &&Place| mentions(place.ty.to_token_stream(), &parameters);
    let holders = storage.holders();
    let sessions = holders
        .iter()
        .map(|holder| &holder.session)
        .filter(depends)
        .map(|Place { ty, .. }| quote!(#ty: #krate::SessionHandle));
    let prefixes = holders
        .iter()
        .filter_map(|holder| holder.prefix.as_ref())
        .filter(depends)
        .map(|Place { ty, .. }| quote!(#ty: ::core::convert::AsRef<::core::primitive::str>));
    sessions.chain(prefixes).collect()
}

fn mentions(tokens: TokenStream, parameters: &[Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), parameters),
        TokenTree::Ident(ident) => parameters.contains(&ident.unraw()),
        _ => false,
    })
}

/// A lifetime that the item has not: lifetimes have no hygiene.
fn free_lifetime(input: &DeriveInput) -> Lifetime {
    let mut name = "logto".to_owned();
    while input.generics.lifetimes().any(|parameter| parameter.lifetime.ident.unraw() == name) {
        name.push('_');
    }
    Lifetime::new(&format!("'{name}"), Span::call_site())
}

/// The item's own lint levels, as those of the standard derives have them, and no warning for what is deprecated and the
/// impl uses. (Only for that: where the lint is forbidden, allowing it is an error.)
fn lint_attributes(input: &DeriveInput, storage: &Storage) -> Vec<TokenStream> {
    let is = |names: &[&str], attr: &Attribute| names.iter().any(|name| attr.path().is_ident(name));
    let levels = input.attrs.iter().filter(|attr| is(&["allow", "warn", "deny", "forbid"], attr));

    let variants: Vec<&Variant> = match &storage.shape {
        Shape::Struct(_) => Vec::new(),
        Shape::Enum(variants) => variants.iter().map(|(variant, _)| *variant).collect(),
    };
    let places = storage.holders().into_iter().flat_map(|holder| [Some(&holder.session), holder.prefix.as_ref()]);
    let deprecated = (input.attrs.iter())
        .chain(variants.into_iter().flat_map(|variant| &variant.attrs))
        .chain(places.flatten().flat_map(|place| place.attrs))
        .any(|attr| is(&["deprecated"], attr))
        .then(|| quote!(#[allow(deprecated)]));
    levels.map(ToTokens::to_token_stream).chain(deprecated).collect()
}
