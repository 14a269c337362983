//! The impl.
//!
//! Each method calls the session handle, and returns the handle's future or an `async` block that awaits it. An
//! `async fn` would hold `&self`: it would not be `Send` for a session that is not `Sync`, and takes longer to compile.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, DeriveInput, Lifetime, LitInt, Member, Path, Type, Variant};

use crate::model::{Holder, Place, Shape, Storage};

pub(crate) fn expand(input: &DeriveInput, krate: &Path, storage: &Storage) -> TokenStream {
    let set = quote!(#krate::Changes::one(#krate::Change::Set { key: __logto_key, value: __logto_value }));
    let remove = quote!(#krate::Changes::one(#krate::Change::Remove { key: __logto_key }));
    let all = quote!(#krate::Changes::all(__logto_changes));
    let calls = [
        Call::Read,
        Call::Write { changes: set, has_values: true },
        Call::Write { changes: remove, has_values: false },
        Call::Write { changes: all.clone(), has_values: true },
        Call::Write { changes: quote!(#all.renewing()), has_values: true },
        Call::Reload,
    ];
    let methods = signatures(input, krate).into_iter().zip(calls).map(|(signature, call)| {
        let body = Method { krate, storage, call }.body();
        quote!(#signature { #body })
    });
    implementation(input, krate, &lint_attributes(input, storage), &bounds(input, krate, storage), methods)
}

/// The heads of the trait's methods, those without a default first.
pub(crate) fn signatures(input: &DeriveInput, krate: &Path) -> [TokenStream; 6] {
    let lifetime = free_lifetime(input);
    let str = quote!(::core::primitive::str);
    let returned = |output: TokenStream| quote!(-> impl ::core::future::Future<Output = #krate::Result<#output>> + ::core::marker::Send);
    let change = |name: &str, arguments: TokenStream| {
        let (name, returned) = (format_ident!("{name}"), returned(quote!(())));
        quote!(fn #name<#lifetime>(&#lifetime self, #arguments) #returned)
    };
    let changes = quote!(__logto_changes: &#lifetime [#krate::Change<#lifetime>]);
    let (item, reloaded) =
        (returned(quote!(::core::option::Option<::std::string::String>)), returned(quote!(::core::primitive::bool)));
    [
        quote!(fn get_item(&self, __logto_key: &#str) #item),
        change("set_item", quote!(__logto_key: &#lifetime #str, __logto_value: &#lifetime #str)),
        change("remove_item", quote!(__logto_key: &#lifetime #str)),
        change("apply", changes.clone()),
        change("renew", changes),
        quote!(fn reload(&self) #reloaded),
    ]
}

/// The impl around the methods.
pub(crate) fn implementation(
    input: &DeriveInput,
    krate: &Path,
    lint_attributes: &TokenStream,
    bounds: &[TokenStream],
    methods: impl IntoIterator<Item = TokenStream>,
) -> TokenStream {
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let predicates = where_clause.into_iter().flat_map(|clause| &clause.predicates);
    let methods = methods.into_iter();
    quote! {
        #lint_attributes
        #[automatically_derived]
        impl #impl_generics #krate::LogtoStorage for #name #ty_generics
        where
            #(#predicates,)*
            #(#bounds,)*
        {
            #(#methods)*
        }
    }
}

/// What a method asks of the session handle.
enum Call {
    Read,
    Write { changes: TokenStream, has_values: bool },
    Reload,
}

/// What a method's body is made from.
struct Method<'a> {
    krate: &'a Path,
    storage: &'a Storage<'a>,
    call: Call,
}

impl Method<'_> {
    fn body(&self) -> TokenStream {
        // With a limit, a call gives a `Result`: the handle's future, or why the handle was not called.
        let limited = self.max_len().map(|_| quote!(?));
        let awaited = quote!(__logto_call #limited.await);
        let (call, awaited, count) = match &self.storage.shape {
            Shape::Struct(holder) => (self.call(holder, |place, _| quote!(self.#place)), awaited, 1),
            Shape::Enum(variants) => {
                let count = variants.len();
                let arms = variants.iter().enumerate().map(|(index, (Variant { ident, .. }, holder))| {
                    let bindings = self.bindings(holder);
                    let call = nest(index, count, self.call(holder, |_, binding| quote!(*#binding)));
                    quote!(Self::#ident { #bindings .. } => #call,)
                });
                let calls = (0..count).map(|index| nest(index, count, quote!(__logto_call)));
                (quote!(match self { #(#arms)* }), quote!(match __logto_call { #(#calls => #awaited,)* }), count)
            }
        };
        if count == 1 && limited.is_none() {
            return call;
        }
        quote! {
            let __logto_call = #call;
            async move { #awaited }
        }
    }

    /// The call of one handle. `target` is the place of a field, from its member or from what a pattern bound to it.
    fn call(&self, holder: &Holder, target: impl Fn(&Member, Ident) -> TokenStream) -> TokenStream {
        let krate = self.krate;
        let function = |name| {
            let name = format_ident!("{name}");
            quote!(#krate::SessionHandle::#name)
        };
        let session = target(&holder.session.member, bound("session"));
        let prefix = || match (&self.storage.prefix, &holder.prefix) {
            (Some(prefix), _) => Some(prefix.to_token_stream()),
            (None, Some(place)) => {
                let as_str = quote!(::core::convert::AsRef::<::core::primitive::str>::as_ref);
                Some(over_type(place.ty, as_str, target(&place.member, bound("prefix")), &quote!()))
            }
            (None, None) => None,
        };
        match &self.call {
            Call::Read => {
                let key = match prefix() {
                    None => quote!(::std::borrow::Cow::Borrowed(__logto_key)),
                    Some(prefix) => quote!(::std::borrow::Cow::Owned(
                        <[&::core::primitive::str]>::concat(&[#prefix, __logto_key])
                    )),
                };
                over_type(holder.session.ty, function("read"), session, &key)
            }
            Call::Write { changes, .. } => {
                let prefixed = prefix().map(|prefix| quote!(.prefixed(#prefix)));
                let deferred = self.storage.deferred.then(|| quote!(.deferred()));
                let changes = quote!(#changes #prefixed #deferred);
                let write = |changes| over_type(holder.session.ty, function("write"), session, changes);
                match self.max_len() {
                    None => write(&changes),
                    Some(max_len) => {
                        let write = write(&quote!(__logto_changes));
                        quote!(::core::result::Result::map(#changes.limited(#max_len), |__logto_changes| #write))
                    }
                }
            }
            Call::Reload => over_type(holder.session.ty, function("reload"), session, &quote!()),
        }
    }

    /// What a variant's pattern binds.
    fn bindings(&self, holder: &Holder) -> TokenStream {
        let prefix = holder.prefix.as_ref().filter(|_| !matches!(self.call, Call::Reload));
        let places = [Some((&holder.session, bound("session"))), prefix.map(|place| (place, bound("prefix")))];
        let bindings = places.into_iter().flatten().map(|(Place { member, .. }, name)| quote!(#member: #name,));
        bindings.collect()
    }

    fn max_len(&self) -> Option<&LitInt> {
        self.storage.max_len.as_ref().filter(|_| matches!(self.call, Call::Write { has_values: true, .. }))
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

/// `function(&target, argument)`, placed over the field's type: where the type is not what the function takes, rustc
/// then underlines the whole of it, and takes the same error of several methods for one.
fn over_type(ty: &Type, function: TokenStream, target: TokenStream, argument: &TokenStream) -> TokenStream {
    let mut leaves = Vec::new();
    collect_leaves(ty.to_token_stream(), &mut leaves);
    let span = |leaf: Option<&Span>| leaf.copied().unwrap_or_else(Span::call_site);
    let (first, last) = (span(leaves.first()), span(leaves.last()));
    let (function, reference, target) =
        (respanned(function, first), respanned(quote!(&), first), respanned(target, last));
    let mut arguments = Group::new(Delimiter::Parenthesis, quote!(#reference #target, #argument));
    arguments.set_span(last.resolved_at(Span::call_site()));
    quote!(#function #arguments)
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
fn respanned(tokens: TokenStream, place: Span) -> TokenStream {
    let respan = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = TokenTree::Group(Group::new(group.delimiter(), respanned(group.stream(), place)));
        }
        token.set_span(place.resolved_at(token.span()));
        token
    };
    tokens.into_iter().map(respan).collect()
}

/// What the fields' types have to be, where that depends on a type parameter.
fn bounds(input: &DeriveInput, krate: &Path, storage: &Storage) -> Vec<TokenStream> {
    let holders = storage.holders();
    let sessions = holders.iter().map(|holder| (holder.session.ty, quote!(#krate::SessionHandle)));
    let as_str = quote!(::core::convert::AsRef<::core::primitive::str>);
    let prefixes = holders.iter().filter_map(|holder| Some((holder.prefix.as_ref()?.ty, as_str.clone())));
    let parameters: Vec<Ident> = input.generics.type_params().map(|parameter| parameter.ident.unraw()).collect();
    sessions
        .chain(prefixes)
        .filter(|(ty, _)| mentions(ty.to_token_stream(), &parameters))
        .map(|(ty, bound)| quote!(#ty: #bound))
        .collect()
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
fn lint_attributes(input: &DeriveInput, storage: &Storage) -> TokenStream {
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
    quote!(#(#levels)* #deprecated)
}
