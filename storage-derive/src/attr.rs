//! `#[logto(…)]`: from tokens to options that know where they stand.

use std::fmt;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Attribute, Ident, Lit, LitInt, LitStr, MacroDelimiter, Meta, MetaList, Path};

/// Every problem of the item. None is dropped: all of them are reported in one compile.
pub(crate) type Errors = Vec<syn::Error>;

/// What an attribute stands on.
#[derive(Clone, Copy)]
enum Level {
    /// The struct or enum as a whole.
    Item,
    Variant,
    Field,
}

/// What stands on a struct or an enum.
#[derive(Default)]
pub(crate) struct ItemOptions {
    pub(crate) prefix: Option<LitStr>,
    pub(crate) deferred: bool,
    pub(crate) max_len: Option<LitInt>,
    pub(crate) krate: Option<Path>,
}

/// What stands on a field: the keys themselves, to point at.
#[derive(Default)]
pub(crate) struct FieldOptions {
    pub(crate) session: Option<Ident>,
    pub(crate) prefix: Option<Ident>,
    /// Whether there is something that was not understood, and may be meant as one of them.
    pub(crate) unclear: bool,
}

impl ItemOptions {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        for entry in Entries::parse(attrs, Level::Item, errors).entries {
            let parsed = match entry.key.to_string().as_str() {
                "prefix" => entry.prefix().map(|prefix| options.prefix = Some(prefix)),
                "save" => entry.deferred().map(|deferred| options.deferred = deferred),
                "max_len" => entry.max_len().map(|max_len| options.max_len = Some(max_len)),
                _ => entry.krate().map(|krate| options.krate = Some(krate)),
            };
            errors.extend(parsed.err());
        }
        options
    }
}

impl FieldOptions {
    pub(crate) fn parse(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let Entries { entries, unclear } = Entries::parse(attrs, Level::Field, errors);
        let mut options = Self { unclear, ..Self::default() };
        for entry in entries {
            if entry.key == "session" {
                errors.extend(entry.session().err());
                options.session = Some(entry.key);
            } else if let Err(error) = entry.field_prefix() {
                errors.push(error);
            } else {
                options.prefix = Some(entry.key);
            }
        }
        options
    }
}

/// Whether there is nothing of ours on a variant, where nothing may be.
pub(crate) fn nothing_on_variant(attrs: &[Attribute], errors: &mut Errors) -> bool {
    !Entries::parse(attrs, Level::Variant, errors).unclear
}

/// What stands in all `#[logto(…)]` of a place.
struct Entries {
    /// Each with a key that may stand there, once.
    entries: Vec<Entry>,
    /// Whether something is no such entry.
    unclear: bool,
}

/// One `key` or `key = value`.
struct Entry {
    key: Ident,
    /// What follows the key, `=` included.
    rest: TokenStream,
}

impl Entries {
    fn parse(attrs: &[Attribute], level: Level, errors: &mut Errors) -> Self {
        let is_ours = |attr: &&Attribute| attr.path().get_ident().is_some_and(|name| name.unraw() == "logto");
        let mut parsed = Self { entries: Vec::new(), unclear: false };
        for attr in attrs.iter().filter(is_ours) {
            let pieces = match &attr.meta {
                Meta::List(MetaList { delimiter: MacroDelimiter::Paren(_), tokens, .. }) => {
                    split_at_commas(tokens.clone())
                }
                meta => {
                    errors.push(syn::Error::new_spanned(meta.path(), level.expected(None)));
                    parsed.unclear = true;
                    continue;
                }
            };
            for piece in pieces {
                match Entry::new(piece, level) {
                    Ok(entry) => parsed.add(entry, errors),
                    Err(error) => {
                        errors.push(error);
                        parsed.unclear = true;
                    }
                }
            }
        }
        parsed
    }

    fn add(&mut self, entry: Entry, errors: &mut Errors) {
        let Some(earlier) = self.entries.iter().find(|earlier| earlier.key == entry.key) else {
            self.entries.push(entry);
            return;
        };
        let (one, other) = (earlier.to_string(), entry.to_string());
        let both = if one == other { format!("`{one}` twice") } else { format!("both `{one}` and `{other}`") };
        errors.push(syn::Error::new_spanned(&entry.key, format!("{both}: only one may stay")));
    }
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
    fn new(tokens: TokenStream, level: Level) -> syn::Result<Self> {
        let mut rest = tokens.clone().into_iter().peekable();
        let key = match rest.next() {
            // From a macro's `$meta:meta`.
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None && rest.peek().is_none() => {
                return Self::new(group.stream(), level);
            }
            Some(TokenTree::Ident(key)) => key.unraw(),
            _ => return Err(syn::Error::new_spanned(tokens, level.expected(None))),
        };
        // `logto::prefix`
        if matches!(rest.peek(), Some(TokenTree::Punct(colon)) if colon.as_char() == ':' && colon.spacing() == Spacing::Joint)
        {
            return Err(syn::Error::new_spanned(tokens, level.expected(None)));
        }
        let name = key.to_string();
        if level.keys().contains(&name.as_str()) {
            Ok(Self { key, rest: rest.collect() })
        } else {
            Err(syn::Error::new_spanned(key, level.misplaced(&name)))
        }
    }

    fn prefix(&self) -> syn::Result<LitStr> {
        self.string().ok_or_else(|| {
            self.expected(
                "a string, `prefix = \"tenant-a:\"`; for a prefix that is known at run time only, put \
                 `#[logto(prefix)]` on the field that holds it",
            )
        })
    }

    fn deferred(&self) -> syn::Result<bool> {
        match self.string().map(|policy| policy.value()).as_deref() {
            Some("immediate") => Ok(false),
            Some("deferred") => Ok(true),
            _ => Err(self.expected("`save = \"immediate\"`, the default, or `save = \"deferred\"`")),
        }
    }

    fn max_len(&self) -> syn::Result<LitInt> {
        match self.value().map(syn::parse2) {
            Some(Ok(Lit::Int(len))) if matches!(len.suffix(), "" | "usize") && len.base10_parse::<usize>().is_ok() => {
                Ok(len)
            }
            _ => Err(self.expected(
                "an unsigned number of bytes, written out and no more than a `usize` holds: `max_len = 65536`",
            )),
        }
    }

    fn krate(&self) -> syn::Result<Path> {
        let parse = |mut path: LitStr| {
            // As if we had written it: the user's lints don't look at it.
            path.set_span(path.span().resolved_at(Span::call_site()));
            path.parse_with(Path::parse_mod_style).ok()
        };
        self.string().and_then(parse).ok_or_else(|| {
            self.expected("the path of the module that has `LogtoStorage`, as a string: `crate = \"my_sdk::storage\"`")
        })
    }

    fn session(&self) -> syn::Result<()> {
        self.stands_alone("`session` takes no value: write `#[logto(session)]`")
    }

    fn field_prefix(&self) -> syn::Result<()> {
        self.stands_alone(
            "a field's own value is the prefix, so here it is `#[logto(prefix)]`; a fixed one goes before the `struct` \
             or `enum`: `#[logto(prefix = \"tenant-a:\")]`",
        )
    }

    fn stands_alone(&self, or_else: &str) -> syn::Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(syn::Error::new_spanned(&self.rest, or_else)) }
    }

    fn string(&self) -> Option<LitStr> {
        match syn::parse2(self.value()?) {
            Ok(Lit::Str(string)) if string.suffix().is_empty() => Some(string),
            _ => None,
        }
    }

    /// The tokens after `=`.
    fn value(&self) -> Option<TokenStream> {
        let mut rest = self.rest.clone().into_iter();
        let equals = rest.next()?.to_string() == "=";
        let value: TokenStream = rest.collect();
        (equals && !value.is_empty()).then_some(value)
    }

    fn expected(&self, what: &str) -> syn::Error {
        let place = self.value().unwrap_or_else(|| self.to_token_stream());
        syn::Error::new_spanned(place, format!("expected {what}"))
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

impl Level {
    /// The keys that may stand here.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Item => &["prefix", "save", "max_len", "crate"],
            Self::Variant => &[],
            Self::Field => &["session", "prefix"],
        }
    }

    /// What to say of a known key in the wrong place, or of an unknown one.
    fn misplaced(self, name: &str) -> String {
        let place = match (name, self) {
            ("session", Self::Item | Self::Variant) => "on the field that holds the session",
            ("prefix", Self::Variant) => "before the `enum`, for all variants, or on the field that holds a prefix",
            ("save" | "max_len" | "crate", Self::Field | Self::Variant) => "before the `struct` or `enum`",
            _ => return format!("unknown key `{name}`: {}", self.expected(Some(name))),
        };
        format!("`{name}` goes {place}")
    }

    /// What may stand here, what is nearest to `name` first.
    fn expected(self, name: Option<&str>) -> String {
        let mut keys = self.keys().to_vec();
        keys.sort_by_key(|key| name.map(|name| distance(name, key)));
        let keys = keys.join("`, `");
        match self {
            Self::Item => format!("expected `#[logto(…)]` with one or more of `{keys}`"),
            Self::Variant => "no `#[logto(…)]` goes on a variant".to_owned(),
            Self::Field => format!("expected `#[logto(…)]` with one of `{keys}`"),
        }
    }
}

/// The edit distance of Levenshtein.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
