//! What stands beside errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::attr::Errors;
use crate::expand::implementation;

/// The errors, and an impl that never runs: without it, every use of the item as a storage would be one error more.
pub(crate) fn expand(input: &DeriveInput, krate: &Path, errors: Errors) -> TokenStream {
    let errors = errors.into_iter().map(syn::Error::into_compile_error);
    let bodies = [(); 6].map(|()| quote!(::core::future::pending()));
    let implementation = implementation(input, krate, &[], &[], bodies);
    quote! {
        #(#errors)*
        #implementation
    }
}
