//! `#[derive(LogtoStorage)]`, to be used through `logto-storage-core` and its feature `derive`, where it is documented.
//!
//! From the item's tokens to the impl's, one file a step: `attr` reads the `#[logto(…)]`, `model` holds every rule of
//! what may be derived, `expand` writes the impl, or `fallback` the one that stands beside errors.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod attr;
mod expand;
mod fallback;
mod model;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Path};

use crate::model::Model;

/// Implements `LogtoStorage` for a struct or an enum that holds a session. See `logto_storage_core::LogtoStorage`.
#[proc_macro_derive(LogtoStorage, attributes(logto))]
pub fn derive_logto_storage(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(input.into(), || syn::parse_quote!(::logto_storage_core)).into()
}

/// The same, for apps that have `logto-client` alone: there it is `logto_client::LogtoStorage`.
#[doc(hidden)]
#[proc_macro_derive(LogtoClientStorage, attributes(logto))]
pub fn derive_logto_client_storage(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(input.into(), || syn::parse_quote!(::logto_client::storage)).into()
}

/// `krate` is where the traits are, unless the item says so itself.
fn derive(input: TokenStream, krate: fn() -> Path) -> TokenStream {
    let input = match syn::parse2::<DeriveInput>(input) {
        Ok(input) => input,
        // rustc has read the item already. What is left is what takes a parser of all of Rust, which we do without.
        Err(error) => {
            let message = "`LogtoStorage` cannot read this expression: move it into a `const`, and name that here";
            return syn::Error::new(error.span(), message).into_compile_error();
        }
    };
    let Model { krate, storage, errors } = Model::new(&input, krate);
    match storage {
        Some(storage) if errors.is_empty() => expand::expand(&input, &krate, &storage),
        _ => fallback::expand(&input, &krate, errors),
    }
}
