//! `#[derive(LogtoScope)]`.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Fields, LitStr, Path};

use crate::attr;
use crate::ctxt::Ctxt;
use crate::expand::key_docs;

/// `default_krate` is the path of the trait unless the item has a `#[logto(crate = "…")]`.
pub(crate) fn derive(input: &DeriveInput, default_krate: fn() -> Path) -> TokenStream {
    let mut cx = Ctxt::default();
    let attrs = attr::Scope::from_ast(&mut cx, &input.attrs);
    check_item(&mut cx, input);
    if attrs.name.is_none() && !attrs.has_errors {
        let message = format!("`{}` has no scope: add `#[logto(scope = \"write:things\")]`", input.ident);
        cx.error_spanned_by(&input.ident, message);
    }
    let krate = attrs.krate.unwrap_or_else(default_krate);
    let docs = key_docs(&krate, cx.keys());
    // Beside errors, any scope will do: without an impl, every use of the item would be an error.
    let scope = attrs.name.map_or_else(|| quote!(""), LitStr::into_token_stream);
    let no_resource = || quote!(::core::option::Option::None);
    let resource = attrs.resource.map_or_else(no_resource, |uri| quote!(::core::option::Option::Some(#uri)));
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
        impl #impl_generics #krate::LogtoScope for #name #ty_generics #where_clause {
            const SCOPE: &'static ::core::primitive::str = #scope;
            const RESOURCE: ::core::option::Option<&'static ::core::primitive::str> = #resource;
        }
        #docs
    }
}

fn check_item(cx: &mut Ctxt, input: &DeriveInput) {
    let name = &input.ident;
    let fields = match &input.data {
        Data::Struct(data) => &data.fields,
        Data::Enum(_) => {
            return cx.error_spanned_by(name, format!("`{name}` is an enum: make each scope a struct without fields"));
        }
        Data::Union(_) => {
            return cx.error_spanned_by(name, format!("`{name}` is a union: make it a struct without fields"));
        }
    };
    match fields {
        Fields::Named(fields) if !fields.named.is_empty() => cx.error_spanned_by(&fields.named, no_fields(name)),
        Fields::Unnamed(fields) if !fields.unnamed.is_empty() => cx.error_spanned_by(&fields.unnamed, no_fields(name)),
        _ => {}
    }
    if !input.generics.params.is_empty() {
        let message = format!("`{name}` has generic parameters, but stands for one scope: remove them");
        cx.error_spanned_by(&input.generics.params, message);
    }
}

fn no_fields(name: &syn::Ident) -> String {
    format!("`{name}` has fields, but a scope is a type and never a value: write `struct {name};`")
}

fn is_lint_level(attr: &Attribute) -> bool {
    ["allow", "warn", "deny", "forbid"].iter().any(|level| attr.path().is_ident(level))
}
