//! The generics of the impl.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{DeriveInput, Lifetime};

use crate::ast::{Container, Field};

/// Returns the bounds on the types of fields that depend on a type parameter.
pub(crate) fn bounds(container: &Container) -> Vec<TokenStream> {
    let Container { input, krate, data, .. } = container;
    let parameters: Vec<Ident> = input.generics.type_params().map(|parameter| parameter.ident.unraw()).collect();
    let bound = |field: &Field, bound: TokenStream| {
        let ty = &field.original.ty;
        mentions(ty.to_token_stream(), &parameters).then(|| quote!(#ty: #bound))
    };
    let all_fields = data.all_fields();
    let sessions = all_fields.iter().map(|fields| bound(&fields.session, quote!(#krate::SessionHandle)));
    let prefixes = (all_fields.iter().filter_map(|fields| fields.prefix.as_ref()))
        .map(|prefix| bound(prefix, quote!(::core::convert::AsRef<::core::primitive::str>)));
    sessions.chain(prefixes).flatten().collect()
}

fn mentions(tokens: TokenStream, parameters: &[Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => mentions(group.stream(), parameters),
        TokenTree::Ident(ident) => parameters.contains(&ident.unraw()),
        _ => false,
    })
}

/// Returns a lifetime that the item does not declare. Lifetimes are not hygienic.
pub(crate) fn free_lifetime(input: &DeriveInput) -> Lifetime {
    let mut name = "logto".to_owned();
    while input.generics.lifetimes().any(|parameter| parameter.lifetime.ident.unraw() == name) {
        name.push('_');
    }
    Lifetime::new(&format!("'{name}"), Span::call_site())
}
