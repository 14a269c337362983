//! What parsing an item collects on the way.

use std::fmt::Display;

use proc_macro2::Ident;
use quote::ToTokens;

/// Collects the errors of an item, to report all of them in one compile, and the keys of its attributes.
#[derive(Default)]
pub(crate) struct Ctxt {
    errors: Vec<syn::Error>,
    keys: Vec<Ident>,
}

impl Ctxt {
    /// Adds an error that underlines `tokens`.
    pub(crate) fn error_spanned_by(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.errors.push(syn::Error::new_spanned(tokens, message));
    }

    pub(crate) fn syn_error(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// Adds a key that is allowed where it is.
    pub(crate) fn key(&mut self, key: &Ident) {
        self.keys.push(key.clone());
    }

    pub(crate) fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(crate) fn keys(&self) -> &[Ident] {
        &self.keys
    }

    pub(crate) fn into_errors(self) -> Vec<syn::Error> {
        self.errors
    }
}
