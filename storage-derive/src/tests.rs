//! Tests of the expansion as tokens. The packages in `tests/` of the workspace compile and run it.

mod messages;
mod random_items;
mod snapshots;

use proc_macro2::TokenStream;

/// Expands the item like the `#[derive(LogtoStorage)]` of logto-storage-core.
fn derive(item: TokenStream) -> TokenStream {
    crate::derive(item, || syn::parse_quote!(::logto_storage_core))
}
