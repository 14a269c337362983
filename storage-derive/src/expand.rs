//! The impl.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, DeriveInput, Path};

use crate::ast::{Container, Data};
use crate::bound::{bounds, free_lifetime};
use crate::method::Methods;

pub(crate) fn expand(container: &Container) -> TokenStream {
    let methods = Methods::new(container);
    let bodies = [
        methods.get_item(),
        methods.set_item(),
        methods.remove_item(),
        methods.apply(),
        methods.apply_if(),
        methods.apply_expiring(),
        methods.renew(),
        methods.check_renewal(),
        methods.reload(),
    ];
    implementation(container.input, container.krate, &lint_attributes(container), &bounds(container), bodies)
}

/// Generates the impl around the bodies of the methods.
pub(crate) fn implementation(
    input: &DeriveInput,
    krate: &Path,
    lint_attributes: &[TokenStream],
    bounds: &[TokenStream],
    [get_item, set_item, remove_item, apply, apply_if, apply_expiring, renew, check_renewal, reload]: [TokenStream; 9],
) -> TokenStream {
    let name = &input.ident;
    let lifetime = free_lifetime(input);
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    let predicates = where_clause.into_iter().flat_map(|clause| &clause.predicates);
    // A single `quote!`: assembling the impl from many would take the macro several times as long.
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
            fn apply_if<#lifetime>(
                &#lifetime self,
                __logto_seen: &#lifetime [#krate::Seen<#lifetime>],
                __logto_changes: &#lifetime [#krate::Change<#lifetime>],
            ) -> impl ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send {
                #apply_if
            }
            fn apply_expiring<#lifetime>(
                &#lifetime self,
                __logto_changes: &#lifetime [#krate::Change<#lifetime>],
                __logto_lifetime: ::core::time::Duration,
            ) -> impl ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send {
                #apply_expiring
            }
            fn renew<#lifetime>(
                &#lifetime self,
                __logto_changes: &#lifetime [#krate::Change<#lifetime>],
            ) -> impl ::core::future::Future<Output = #krate::Result<()>> + ::core::marker::Send {
                #renew
            }
            fn check_renewal(&self) -> #krate::Result<()> {
                #check_renewal
            }
            fn reload(
                &self,
            ) -> impl ::core::future::Future<Output = #krate::Result<::core::primitive::bool>> + ::core::marker::Send {
                #reload
            }
        }
    }
}

/// Returns the item's lint levels, as the standard derives do. If something that the impl uses is deprecated, adds an
/// `allow` for that; adding it always would be an error in crates that forbid the lint.
fn lint_attributes(container: &Container) -> Vec<TokenStream> {
    let Container { input, data, .. } = container;
    let is = |names: &[&str], attr: &Attribute| names.iter().any(|name| attr.path().is_ident(name));
    let levels = input.attrs.iter().filter(|attr| is(&["allow", "warn", "deny", "forbid"], attr));

    let of_variants: Vec<&Attribute> = match data {
        Data::Struct(_) => Vec::new(),
        Data::Enum(variants) => variants.iter().flat_map(|variant| &variant.original.attrs).collect(),
    };
    let fields = data.all_fields().into_iter().flat_map(|fields| [Some(&fields.session), fields.prefix.as_ref()]);
    let deprecated = (input.attrs.iter())
        .chain(of_variants)
        .chain(fields.flatten().flat_map(|field| &field.original.attrs))
        .any(|attr| is(&["deprecated"], attr))
        .then(|| quote!(#[allow(deprecated)]));
    levels.map(ToTokens::to_token_stream).chain(deprecated).collect()
}

/// Generates imports of the documentation of keys, each with the key's span, for editors to show on hover.
///
/// The lint `unused_imports` exempts imports as `_`. An `allow` of it would be an error in crates that forbid it.
pub(crate) fn key_docs(krate: &Path, keys: &[Ident]) -> TokenStream {
    // With the span of the path, to underline a path that does not lead to the items.
    let span = krate.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span());
    let attributes = Ident::new("attributes", span);
    let items = keys.iter().map(|key| if key == "crate" { Ident::new("krate", key.span()) } else { key.clone() });
    quote!(#(use #krate::#attributes::#items as _;)*)
}
