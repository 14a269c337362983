//! `#[derive(LogtoScope)]` and `#[derive(LogtoRole)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Path, parse_quote};

use crate::attr;
use crate::ctxt::Ctxt;
use crate::expand::key_docs;

pub(crate) fn derive_scope(input: &DeriveInput) -> TokenStream {
    let mut cx = Ctxt::default();
    let attrs = attr::Scope::from_ast(&mut cx, &input.attrs);
    check_item(&mut cx, input, "scope");
    if attrs.name.is_none() && !attrs.has_errors {
        let message = format!("`{}` has no scope: add `#[logto(scope = \"write:things\")]`", input.ident);
        cx.error_spanned_by(&input.ident, message);
    }
    let krate = attrs.krate.unwrap_or_else(default_krate);
    // Beside errors, any scope will do: without an impl, every use of the item would be an error.
    let scope = attrs.name.map_or_else(|| quote!(""), LitStr::into_token_stream);
    let no_resource = || quote!(::core::option::Option::None);
    let resource = attrs.resource.map_or_else(no_resource, |uri| quote!(::core::option::Option::Some(#uri)));
    let consts = quote! {
        const SCOPE: &'static ::core::primitive::str = #scope;
        const RESOURCE: ::core::option::Option<&'static ::core::primitive::str> = #resource;
    };
    expand(cx, input, &krate, &quote!(LogtoScope), &consts)
}

pub(crate) fn derive_role(input: &DeriveInput) -> TokenStream {
    let mut cx = Ctxt::default();
    let attrs = attr::Role::from_ast(&mut cx, &input.attrs);
    check_item(&mut cx, input, "role");
    let rule = match (&attrs.of_user, &attrs.in_organization) {
        (Some(_), Some((key, _))) => {
            cx.error_spanned_by(key, "a type stands for one role: derive another one for the role in an organization");
            quote!(role(""))
        }
        (Some((_, role)), None) => quote!(role(#role)),
        (None, Some((_, role))) => quote!(organization_role(#role)),
        (None, None) => {
            if !attrs.has_errors {
                let name = &input.ident;
                let advice = "`#[logto(role = \"admin\")]` or `#[logto(organization_role = \"editor\")]`";
                cx.error_spanned_by(name, format!("`{name}` has no role: add {advice}"));
            }
            quote!(role(""))
        }
    };
    let krate = attrs.krate.unwrap_or_else(default_krate);
    let consts = quote!(const RULE: #krate::Rule = #krate::Rule::#rule;);
    expand(cx, input, &krate, &quote!(Permission), &consts)
}

/// The path of the traits unless the item has a `#[logto(crate = "…")]`.
fn default_krate() -> Path {
    parse_quote!(::logto_client::api)
}

fn expand(
    cx: Ctxt,
    input: &DeriveInput,
    krate: &Path,
    name_of_trait: &TokenStream,
    consts: &TokenStream,
) -> TokenStream {
    let docs = key_docs(krate, cx.keys());
    let errors = cx.into_errors().into_iter().map(syn::Error::into_compile_error);
    let lint_attributes = input.attrs.iter().filter(|attr| is_lint_level(attr));
    let allow_deprecated =
        input.attrs.iter().any(|attr| attr.path().is_ident("deprecated")).then(|| quote!(#[allow(deprecated)]));
    let name = &input.ident;
    let (impl_generics, ty_generics, where_clause) = input.generics.split_for_impl();
    quote! {
        #(#errors)*
        #(#lint_attributes)*
        #allow_deprecated
        #[automatically_derived]
        impl #impl_generics #krate::#name_of_trait for #name #ty_generics #where_clause {
            #consts
        }
        #docs
    }
}

/// `what` the item stands for.
fn check_item(cx: &mut Ctxt, input: &DeriveInput, what: &str) {
    let name = &input.ident;
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(_) => {
            return cx.error_spanned_by(name, format!("`{name}` is an enum: make each {what} a struct without fields"));
        }
        Data::Union(_) => {
            return cx.error_spanned_by(name, format!("`{name}` is a union: make it a struct without fields"));
        }
    };
    match fields {
        Fields::Named(fields) if !fields.named.is_empty() => cx.error_spanned_by(&fields.named, no_fields(name, what)),
        Fields::Unnamed(fields) if !fields.unnamed.is_empty() => {
            cx.error_spanned_by(&fields.unnamed, no_fields(name, what));
        }
        _ => {}
    }
    if !input.generics.params.is_empty() {
        let message = format!("`{name}` has generic parameters, but stands for one {what}: remove them");
        cx.error_spanned_by(&input.generics.params, message);
    }
}

fn no_fields(name: &syn::Ident, what: &str) -> String {
    format!("`{name}` has fields, but a {what} is a type and never a value: write `struct {name};`")
}

fn is_lint_level(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid"].iter().any(|level| attr.path().is_ident(level))
}
