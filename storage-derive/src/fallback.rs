//! The expansion of an item with errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::expand::implementation;

/// Generates the errors, and an impl that never runs: without it, every use of the item as a storage would be an error.
pub(crate) fn expand(input: &DeriveInput, krate: &Path, errors: Vec<syn::Error>) -> TokenStream {
    let errors = errors.into_iter().map(syn::Error::into_compile_error);
    let bodies = [(); 6].map(|()| quote!(::core::future::pending()));
    let implementation = implementation(input, krate, &[], &[], bodies);
    quote! {
        #(#errors)*
        #implementation
    }
}
