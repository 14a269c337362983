//! Spans of the generated calls.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::Type;

/// A field that functions are called with, as in `functions::function(&field, argument)`.
///
/// The calls have the spans of the field's type. If the type does not fit, rustc then underlines the whole type, and
/// reports the same error of several methods once.
pub(crate) struct Receiver {
    functions: Vec<TokenTree>,
    /// `&field,`
    first_argument: Vec<TokenTree>,
    first: Span,
    last: Span,
}

impl Receiver {
    pub(crate) fn new(ty: &Type, functions: TokenStream, field: TokenStream) -> Self {
        let mut spans = Vec::new();
        collect_spans(ty.to_token_stream(), &mut spans);
        let span = |span: Option<&Span>| span.copied().unwrap_or_else(Span::call_site);
        let (first, last) = (span(spans.first()), span(spans.last()));
        let reference = respan(quote!(&), first);
        Self {
            functions: respan(functions, first).collect(),
            first_argument: reference.chain(respan(field, last)).chain(quote!(,)).collect(),
            first: first.resolved_at(Span::call_site()),
            last: last.resolved_at(Span::call_site()),
        }
    }

    pub(crate) fn call(&self, function: &str, argument: TokenStream) -> TokenStream {
        let Self { functions, first_argument, first, last } = self;
        let function = Ident::new(function, *first);
        let mut arguments = quote!(#(#first_argument)*);
        arguments.extend([argument]);
        let mut arguments = Group::new(Delimiter::Parenthesis, arguments);
        arguments.set_span(*last);
        quote!(#(#functions)* #function #arguments)
    }
}

/// Collects the spans of a type's tokens in order. A type from a `macro_rules!` macro is in invisible groups.
fn collect_spans(tokens: TokenStream, spans: &mut Vec<Span>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => collect_spans(group.stream(), spans),
            TokenTree::Group(group) => spans.extend([group.span_open(), group.span_close()]),
            token => spans.push(token.span()),
        }
    }
}

/// Moves the tokens to `place`. They keep their hygiene.
fn respan(tokens: TokenStream, place: Span) -> impl Iterator<Item = TokenTree> {
    tokens.into_iter().map(move |mut token| {
        token.set_span(place.resolved_at(token.span()));
        token
    })
}
