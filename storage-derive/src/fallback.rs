//! What stands beside errors.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path};

use crate::attr::Errors;
use crate::expand::{implementation, signatures};

/// The errors, and an impl that never runs: without it, every use of the item as a storage would be one error more.
pub(crate) fn expand(input: &DeriveInput, krate: &Path, errors: Errors) -> TokenStream {
    let errors = errors.into_iter().map(syn::Error::into_compile_error);
    let [get_item, set_item, remove_item, ..] = signatures(input, krate);
    let methods = [get_item, set_item, remove_item].map(|head| quote!(#head { ::core::future::pending() }));
    let implementation = implementation(input, krate, &quote!(), &[], methods);
    quote! {
        #(#errors)*
        #implementation
    }
}
