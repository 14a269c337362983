//! The expansion of an item with errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::expand::implementation;

/// Generates the errors, and an impl that never runs: without it, every use of the item as a storage would be an error.
pub(crate) fn expand(input: &DeriveInput, krate: &Path, errors: Vec<syn::Error>) -> TokenStream {
    let errors = errors.into_iter().map(syn::Error::into_compile_error);
    let pending = || quote!(::core::future::pending());
    let [get_item, set_item, remove_item, apply, apply_if, apply_expiring, renew, reload] = [(); 8].map(|()| pending());
    let check_renewal = quote!(::core::result::Result::Ok(()));
    let bodies = [get_item, set_item, remove_item, apply, apply_if, apply_expiring, renew, check_renewal, reload];
    let implementation = implementation(input, krate, &[], &[], bodies);
    quote! {
        #(#errors)*
        #implementation
    }
}
