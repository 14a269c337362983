//! The `#[logto(…)]` attributes, by what they are on.

mod entry;
mod level;

use syn::{Attribute, Ident, LitInt, LitStr, Path};

use self::entry::{Entries, Entry};
use self::level::Level;
use crate::ctxt::Ctxt;

/// The attributes of a struct or an enum.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) prefix: Option<LitStr>,
    pub(crate) deferred: bool,
    pub(crate) max_len: Option<LitInt>,
    pub(crate) krate: Option<Path>,
}

/// The attributes of a field: the keys, to underline in errors.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) session: Option<Ident>,
    pub(crate) prefix: Option<Ident>,
    /// Whether an attribute is not understood. It may be meant as one of the above.
    pub(crate) has_errors: bool,
}

/// The attributes of a variant: none is allowed.
pub(crate) struct Variant {
    pub(crate) has_errors: bool,
}

impl Container {
    pub(crate) fn from_ast(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        let mut container = Self::default();
        for entry in Entries::from_ast(cx, attrs, Level::Container).entries {
            if let Err(error) = container.set(&entry) {
                cx.syn_error(error);
            }
        }
        container
    }

    fn set(&mut self, entry: &Entry) -> syn::Result<()> {
        match entry.key.to_string().as_str() {
            "prefix" => self.prefix = Some(parse_prefix(entry)?),
            "save" => self.deferred = parse_deferred(entry)?,
            "max_len" => self.max_len = Some(parse_max_len(entry)?),
            _ => self.krate = Some(parse_crate(entry)?),
        }
        Ok(())
    }
}

impl Field {
    pub(crate) fn from_ast(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        let Entries { entries, has_errors } = Entries::from_ast(cx, attrs, Level::Field);
        let mut field = Self { session: None, prefix: None, has_errors };
        for entry in entries {
            if entry.key == "session" {
                if let Err(error) = parse_session(&entry) {
                    cx.syn_error(error);
                }
                field.session = Some(entry.key);
            } else {
                match parse_field_prefix(&entry) {
                    Ok(()) => field.prefix = Some(entry.key),
                    Err(error) => cx.syn_error(error),
                }
            }
        }
        field
    }
}

impl Variant {
    pub(crate) fn from_ast(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        Self { has_errors: Entries::from_ast(cx, attrs, Level::Variant).has_errors }
    }
}

fn parse_prefix(entry: &Entry) -> syn::Result<LitStr> {
    entry.string().ok_or_else(|| {
        entry.expected(
            "a string literal, `prefix = \"tenant-a:\"`; for a prefix that is known only at run time, put \
             `#[logto(prefix)]` on the field that holds it",
        )
    })
}

fn parse_deferred(entry: &Entry) -> syn::Result<bool> {
    match entry.string().map(|policy| policy.value()).as_deref() {
        Some("immediate") => Ok(false),
        Some("deferred") => Ok(true),
        _ => Err(entry.expected("`save = \"immediate\"` (the default) or `save = \"deferred\"`")),
    }
}

fn parse_max_len(entry: &Entry) -> syn::Result<LitInt> {
    let is_usize = |len: &LitInt| matches!(len.suffix(), "" | "usize") && len.base10_parse::<usize>().is_ok();
    (entry.integer().filter(is_usize)).ok_or_else(|| {
        entry.expected("a number of bytes, as an integer literal that fits a `usize`: `max_len = 65536`")
    })
}

fn parse_crate(entry: &Entry) -> syn::Result<Path> {
    entry.path().ok_or_else(|| {
        entry.expected(
            "the path of the module that re-exports `LogtoStorage`, as a string literal: `crate = \"my_sdk::storage\"`",
        )
    })
}

fn parse_session(entry: &Entry) -> syn::Result<()> {
    entry.no_value("`session` takes no value: write `#[logto(session)]`")
}

fn parse_field_prefix(entry: &Entry) -> syn::Result<()> {
    entry.no_value(
        "`prefix` takes no value on a field, whose own value is the prefix: write `#[logto(prefix)]`, or put a fixed \
         prefix on the `struct` or `enum`: `#[logto(prefix = \"tenant-a:\")]`",
    )
}
