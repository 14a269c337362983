//! The entries of `#[logto(…)]` attributes.

use std::fmt;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Ident, Lit, LitInt, LitStr, MacroDelimiter, Meta, MetaList, Path};

use super::level::Level;
use crate::ctxt::Ctxt;

/// The entries of all `#[logto(…)]` attributes of an item, a variant or a field.
pub(super) struct Entries {
    /// Without duplicates, and only with keys that are allowed at this level.
    pub(super) entries: Vec<Entry>,
    /// Whether something else is among them. Duplicates do not count.
    pub(super) has_errors: bool,
}

/// A `key` or `key = value`.
pub(super) struct Entry {
    pub(super) key: Ident,
    /// The tokens after the key, including the `=`.
    rest: TokenStream,
}

impl Entries {
    pub(super) fn from_ast(cx: &mut Ctxt, attrs: &[Attribute], level: Level) -> Self {
        let mut parsed = Self { entries: Vec::new(), has_errors: false };
        for attr in attrs.iter().filter(|attr| is_logto(attr)) {
            if let Err(error) = parsed.add_attribute(cx, attr, level) {
                cx.syn_error(error);
                parsed.has_errors = true;
            }
        }
        parsed
    }

    fn add_attribute(&mut self, cx: &mut Ctxt, attr: &Attribute, level: Level) -> syn::Result<()> {
        let tokens = match &attr.meta {
            Meta::List(MetaList { delimiter: MacroDelimiter::Paren(_), tokens, .. }) => tokens,
            meta => return Err(syn::Error::new_spanned(meta.path(), level.expected(None))),
        };
        for tokens in split_at_commas(tokens.clone()) {
            match Entry::from_tokens(tokens, level) {
                Ok(entry) => self.add_entry(cx, entry),
                Err(error) => {
                    cx.syn_error(error);
                    self.has_errors = true;
                }
            }
        }
        Ok(())
    }

    fn add_entry(&mut self, cx: &mut Ctxt, entry: Entry) {
        cx.key(&entry.key);
        let Some(earlier) = self.entries.iter().find(|earlier| earlier.key == entry.key) else {
            return self.entries.push(entry);
        };
        let (key, earlier) = (&entry.key, earlier.to_string());
        let message = if earlier == entry.to_string() {
            format!("duplicate `{key}`: remove one of the two")
        } else {
            format!("duplicate `{key}`: already `{earlier}`, remove one of the two")
        };
        cx.error_spanned_by(key, message);
    }
}

fn is_logto(attr: &Attribute) -> bool {
    attr.path().get_ident().is_some_and(|name| name.unraw() == "logto")
}

fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',');
    let mut pieces = vec![TokenStream::new()];
    for token in tokens {
        match pieces.last_mut() {
            Some(piece) if !is_comma(&token) => piece.extend([token]),
            _ => pieces.push(TokenStream::new()),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

impl Entry {
    fn from_tokens(tokens: TokenStream, level: Level) -> syn::Result<Self> {
        let mut rest = tokens.clone().into_iter().peekable();
        let key = match rest.next() {
            // A `$meta:meta` of a `macro_rules!` macro.
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None && rest.peek().is_none() => {
                return Self::from_tokens(group.stream(), level);
            }
            Some(TokenTree::Ident(key)) => key.unraw(),
            _ => return Err(syn::Error::new_spanned(tokens, level.expected(None))),
        };
        let is_path = rest.peek().is_some_and(
            |token| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ':' && punct.spacing() == Spacing::Joint),
        );
        if is_path {
            return Err(syn::Error::new_spanned(tokens, level.expected(None)));
        }
        let name = key.to_string();
        if level.keys().contains(&name.as_str()) {
            Ok(Self { key, rest: rest.collect() })
        } else {
            Err(syn::Error::new_spanned(key, level.misplaced(&name)))
        }
    }

    /// The value, if it is a string literal.
    pub(super) fn string(&self) -> Option<LitStr> {
        match syn::parse2(self.value()?) {
            Ok(Lit::Str(string)) if string.suffix().is_empty() => Some(string),
            _ => None,
        }
    }

    /// The value, if it is an integer literal.
    pub(super) fn integer(&self) -> Option<LitInt> {
        match syn::parse2(self.value()?) {
            Ok(Lit::Int(integer)) => Some(integer),
            _ => None,
        }
    }

    /// The value, if it is a string literal that contains a path.
    pub(super) fn path(&self) -> Option<Path> {
        let mut path = self.string()?;
        // Like the rest of the generated code, the path is exempt from the user's lints.
        path.set_span(path.span().resolved_at(Span::call_site()));
        path.parse_with(Path::parse_mod_style).ok()
    }

    /// Fails with `message` if there is a value.
    pub(super) fn no_value(&self, message: &str) -> syn::Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(syn::Error::new_spanned(&self.rest, message)) }
    }

    /// Creates an error that underlines the value, or the whole entry if it has none.
    pub(super) fn expected(&self, what: &str) -> syn::Error {
        let place = self.value().unwrap_or_else(|| self.to_token_stream());
        syn::Error::new_spanned(place, format!("expected {what}"))
    }

    fn value(&self) -> Option<TokenStream> {
        let mut rest = self.rest.clone().into_iter();
        let equals = rest.next()?.to_string() == "=";
        let value: TokenStream = rest.collect();
        (equals && !value.is_empty()).then_some(value)
    }
}

impl ToTokens for Entry {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.key.to_tokens(tokens);
        self.rest.to_tokens(tokens);
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_token_stream().fmt(f)
    }
}
