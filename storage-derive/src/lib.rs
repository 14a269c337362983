//! The macros `#[derive(LogtoStorage)]`, `#[derive(LogtoScope)]` and `#[derive(LogtoRole)]`. Use them through
//! `logto-storage-core` or `logto-client` and their feature `derive`.
//!
//! The steps from the item's tokens to those of the impl: `attr` parses the `#[logto(…)]` attributes, `ast` checks the
//! item against the rules, and `expand` generates the impl, or `fallback` a placeholder beside the errors.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod ast;
mod attr;
mod bound;
mod ctxt;
mod expand;
mod fallback;
mod method;
mod permission;
mod receiver;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::ast::{Container, Data};
use crate::ctxt::Ctxt;

// `logto-storage-core` re-exports the macro with the rest of its documentation before this section.
/// # Expanded code
///
/// ```ignore
/// struct Storage {
///     session: Session,
/// }
/// ```
///
/// expands to
///
/// ```ignore
#[doc = include_str!("tests/snapshots/valid/named_struct.rs")]
/// ```
///
/// With all attributes,
///
/// ```ignore
/// #[logto(save = "deferred", max_len = 4096)]
/// #[logto(crate = "my_sdk::storage")]
/// struct Storage<'r> {
///     #[logto(session)]
///     session: &'r Session,
///     #[logto(prefix)]
///     tenant: String,
///     requests_served: u64,
/// }
/// ```
///
/// expands to
///
/// ```ignore
#[doc = include_str!("tests/snapshots/valid/every_option.rs")]
/// ```
#[proc_macro_derive(LogtoStorage, attributes(logto))]
pub fn derive_logto_storage(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(input.into(), || syn::parse_quote!(::logto_storage_core)).into()
}

/// The same macro for crates that depend on `logto-client`, which re-exports it as `LogtoStorage`.
#[doc(hidden)]
#[proc_macro_derive(LogtoClientStorage, attributes(logto))]
pub fn derive_logto_client_storage(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(input.into(), || syn::parse_quote!(::logto_client::storage)).into()
}

/// Implements `logto_client::LogtoScope`. `logto-client` re-exports the macro with its documentation.
#[doc(hidden)]
#[proc_macro_derive(LogtoScope, attributes(logto))]
pub fn derive_logto_scope(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive_scope(input.into()).into()
}

/// Implements `logto_client::Permission` for a role. `logto-client` re-exports the macro with its documentation.
#[doc(hidden)]
#[proc_macro_derive(LogtoRole, attributes(logto))]
pub fn derive_logto_role(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive_role(input.into()).into()
}

fn derive_scope(input: TokenStream) -> TokenStream {
    parse(input, "LogtoScope").map_or_else(syn::Error::into_compile_error, |input| permission::derive_scope(&input))
}

fn derive_role(input: TokenStream) -> TokenStream {
    parse(input, "LogtoRole").map_or_else(syn::Error::into_compile_error, |input| permission::derive_role(&input))
}

fn parse(input: TokenStream, name: &str) -> syn::Result<DeriveInput> {
    // rustc has parsed the item already, so an error is about an expression that requires syn's feature `full`.
    syn::parse2(input).map_err(|error| {
        let message = format!("`{name}` cannot parse this expression: move it into a `const` and use its name here");
        syn::Error::new(error.span(), message)
    })
}

/// `default_krate` is the path of the traits unless the item has a `#[logto(crate = "…")]`.
fn derive(input: TokenStream, default_krate: fn() -> Path) -> TokenStream {
    let input = match parse(input, "LogtoStorage") {
        Ok(input) => input,
        Err(error) => return error.into_compile_error(),
    };
    let mut cx = Ctxt::default();
    let attrs = attr::Container::from_ast(&mut cx, &input.attrs);
    let data = Data::from_ast(&mut cx, &input, attrs.prefix.as_ref());
    let krate = attrs.krate.clone().unwrap_or_else(default_krate);
    let docs = expand::key_docs(&krate, cx.keys());
    let implementation = match data {
        Some(data) if !cx.has_errors() => {
            expand::expand(&Container { input: &input, krate: &krate, attrs: &attrs, data: &data })
        }
        _ => fallback::expand(&input, &krate, cx.into_errors()),
    };
    quote!(#implementation #docs)
}
