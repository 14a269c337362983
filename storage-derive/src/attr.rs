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

/// The attributes of a scope.
#[derive(Default)]
pub(crate) struct Scope {
    /// The name of the scope.
    pub(crate) name: Option<LitStr>,
    pub(crate) resource: Option<LitStr>,
    pub(crate) krate: Option<Path>,
    /// Whether an attribute is not understood. It may be meant as one of the above.
    pub(crate) has_errors: bool,
}

/// The attributes of a role: the keys, to underline in errors, and the names.
#[derive(Default)]
pub(crate) struct Role {
    pub(crate) of_user: Option<(Ident, LitStr)>,
    pub(crate) in_organization: Option<(Ident, LitStr)>,
    pub(crate) krate: Option<Path>,
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
        set_each(cx, attrs, Level::Container, |entry| container.set(entry));
        container
    }

    fn set(&mut self, entry: &Entry) -> syn::Result<()> {
        match entry.key.to_string().as_str() {
            "prefix" => self.prefix = Some(parse_prefix(entry)?),
            "save" => self.deferred = parse_deferred(entry)?,
            "max_len" => self.max_len = Some(parse_max_len(entry)?),
            _ => self.krate = Some(parse_crate(entry, "LogtoStorage", "my_sdk::storage")?),
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

impl Scope {
    pub(crate) fn from_ast(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        let mut scope = Self::default();
        scope.has_errors = set_each(cx, attrs, Level::Scope, |entry| scope.set(entry));
        scope
    }

    fn set(&mut self, entry: &Entry) -> syn::Result<()> {
        match entry.key.to_string().as_str() {
            "scope" => self.name = Some(parse_scope(entry)?),
            "resource" => self.resource = Some(parse_resource(entry)?),
            _ => self.krate = Some(parse_crate(entry, "LogtoScope", "my_sdk::api")?),
        }
        Ok(())
    }
}

impl Role {
    pub(crate) fn from_ast(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        let mut role = Self::default();
        role.has_errors = set_each(cx, attrs, Level::Role, |entry| role.set(entry));
        role
    }

    fn set(&mut self, entry: &Entry) -> syn::Result<()> {
        match entry.key.to_string().as_str() {
            "role" => self.of_user = Some((entry.key.clone(), parse_role(entry, "admin")?)),
            "organization_role" => {
                self.in_organization = Some((entry.key.clone(), parse_role(entry, "editor")?));
            }
            _ => self.krate = Some(parse_crate(entry, "Permission", "my_sdk::api")?),
        }
        Ok(())
    }
}

impl Variant {
    pub(crate) fn from_ast(cx: &mut Ctxt, attrs: &[Attribute]) -> Self {
        Self { has_errors: Entries::from_ast(cx, attrs, Level::Variant).has_errors }
    }
}

/// Calls `set` for each entry. Returns whether an attribute or a value is not understood.
fn set_each(cx: &mut Ctxt, attrs: &[Attribute], level: Level, mut set: impl FnMut(&Entry) -> syn::Result<()>) -> bool {
    let Entries { entries, mut has_errors } = Entries::from_ast(cx, attrs, level);
    for entry in entries {
        if let Err(error) = set(&entry) {
            cx.syn_error(error);
            has_errors = true;
        }
    }
    has_errors
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

fn parse_crate(entry: &Entry, name: &str, example: &str) -> syn::Result<Path> {
    entry.path().ok_or_else(|| {
        entry.expected(&format!(
            "the path of the module that re-exports `{name}`, as a string literal: `crate = \"{example}\"`"
        ))
    })
}

/// RFC 6749, section 3.3: visible ASCII characters without `"` and `\`.
fn parse_scope(entry: &Entry) -> syn::Result<LitStr> {
    let literal = entry.string().ok_or_else(|| entry.expected("a string literal, `scope = \"write:things\"`"))?;
    let scope = literal.value();
    if scope.contains(' ') {
        let message = "a scope has no space: derive a type for each scope, and require both with a tuple";
        return Err(syn::Error::new_spanned(literal, message));
    }
    let is_allowed = |c: char| matches!(c, '!'..='~') && !matches!(c, '"' | '\\');
    if scope.is_empty() || !scope.chars().all(is_allowed) {
        return Err(entry.expected("a scope: one or more ASCII letters, digits and signs, but not `\"` or `\\`"));
    }
    Ok(literal)
}

/// Logto allows any text as the name of a role.
fn parse_role(entry: &Entry, example: &str) -> syn::Result<LitStr> {
    (entry.string().filter(|name| !name.value().is_empty())).ok_or_else(|| {
        entry.expected(&format!("the name of a role as a string literal, `{} = \"{example}\"`", entry.key))
    })
}

/// RFC 8707, section 2: an absolute URI without a fragment.
fn parse_resource(entry: &Entry) -> syn::Result<LitStr> {
    let example = "`resource = \"https://api.example.com\"`";
    let literal = entry.string().ok_or_else(|| entry.expected(&format!("a string literal, {example}")))?;
    let resource = literal.value();
    if resource.contains('#') {
        let message = "a resource has no fragment: remove `#` and what follows";
        return Err(syn::Error::new_spanned(literal, message));
    }
    if !is_absolute_uri(&resource) {
        return Err(entry.expected(&format!("an absolute URI, {example}")));
    }
    Ok(literal)
}

/// RFC 3986, section 4.3, by its characters.
fn is_absolute_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let is_uri_char = |c: char| c.is_ascii_alphanumeric() || "-._~:/?[]@!$&'()*+,;=%".contains(c);
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(is_scheme_char)
        && !rest.trim_start_matches('/').is_empty()
        && rest.chars().all(is_uri_char)
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
