//! What the macro makes of an item, as tokens. Packages of their own test what those do once they are compiled.

mod messages;
mod random_items;
mod snapshots;

use proc_macro2::TokenStream;

/// As `#[derive(LogtoStorage)]` of logto-storage-core.
fn derive(item: TokenStream) -> TokenStream {
    crate::derive(item, || syn::parse_quote!(::logto_storage_core))
}
