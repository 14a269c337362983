//! The fields of the item that matter to a storage, and the rules for what can be derived.

use std::fmt;

use syn::{DeriveInput, Ident, LitStr, Member, Path};

use crate::attr;
use crate::ctxt::Ctxt;

/// A struct or an enum without errors.
pub(crate) struct Container<'a> {
    pub(crate) input: &'a DeriveInput,
    /// The path of the traits.
    pub(crate) krate: &'a Path,
    pub(crate) attrs: &'a attr::Container,
    pub(crate) data: &'a Data<'a>,
}

pub(crate) enum Data<'a> {
    Struct(Fields<'a>),
    Enum(Vec<Variant<'a>>),
}

pub(crate) struct Variant<'a> {
    pub(crate) original: &'a syn::Variant,
    pub(crate) fields: Fields<'a>,
}

/// The fields of a struct or a variant that have a role.
pub(crate) struct Fields<'a> {
    pub(crate) session: Field<'a>,
    pub(crate) prefix: Option<Field<'a>>,
}

#[derive(Clone)]
pub(crate) struct Field<'a> {
    pub(crate) member: Member,
    pub(crate) original: &'a syn::Field,
    attrs: attr::Field,
}

impl<'a> Data<'a> {
    /// `prefix` is the one of the whole item. `None` if there are errors.
    pub(crate) fn from_ast(cx: &mut Ctxt, input: &'a DeriveInput, prefix: Option<&LitStr>) -> Option<Self> {
        let name = &input.ident;
        let message = match &input.data {
            syn::Data::Struct(data) => {
                return Fields::from_ast(cx, name, &data.fields, prefix, false).map(Self::Struct);
            }
            syn::Data::Enum(data) if !data.variants.is_empty() => {
                // Collects all variants before it looks for errors, to report those of every variant.
                let variants: Vec<_> =
                    data.variants.iter().map(|variant| Variant::from_ast(cx, variant, prefix)).collect();
                return variants.into_iter().collect::<Option<_>>().map(Self::Enum);
            }
            syn::Data::Enum(_) => format!("`{name}` has no variants: add one for each kind of session"),
            syn::Data::Union(_) => {
                format!("`{name}` is a union: make it a struct, or an enum with a variant for each kind of session")
            }
        };
        cx.error_spanned_by(name, message);
        None
    }

    /// Returns the fields of the struct, or those of each variant.
    pub(crate) fn all_fields(&self) -> Vec<&Fields<'a>> {
        match self {
            Self::Struct(fields) => vec![fields],
            Self::Enum(variants) => variants.iter().map(|variant| &variant.fields).collect(),
        }
    }
}

impl<'a> Variant<'a> {
    fn from_ast(cx: &mut Ctxt, original: &'a syn::Variant, prefix: Option<&LitStr>) -> Option<Self> {
        let attr::Variant { has_errors } = attr::Variant::from_ast(cx, &original.attrs);
        let fields = Fields::from_ast(cx, &original.ident, &original.fields, prefix, has_errors)?;
        Some(Self { original, fields })
    }
}

impl<'a> Fields<'a> {
    /// `name` is the one of the struct or variant, whose own attributes may have errors.
    fn from_ast(
        cx: &mut Ctxt,
        name: &Ident,
        fields: &'a syn::Fields,
        item_prefix: Option<&LitStr>,
        has_errors: bool,
    ) -> Option<Self> {
        let fields: Vec<Field> =
            fields.iter().enumerate().map(|(index, field)| Field::from_ast(cx, index, field)).collect();
        for field in &fields {
            field.check_prefix(cx, item_prefix);
        }
        let marked_session = find_marked(cx, &fields, |attrs| attrs.session.as_ref());
        let prefix = find_marked(cx, &fields, |attrs| attrs.prefix.as_ref());
        let session = match (marked_session, prefix, &*fields) {
            (Some(session), ..) => session,
            (None, None, [only]) => only,
            // An attribute with an error may be meant as the missing mark: do not report one mistake twice.
            (None, _, [_, ..]) if has_errors || fields.iter().any(|field| field.attrs.has_errors) => return None,
            (None, ..) => {
                cx.error_spanned_by(name, no_session(name, fields.len()));
                return None;
            }
        };
        Some(Self { session: session.clone(), prefix: prefix.cloned() })
    }
}

/// Returns the first field with a mark. More than one is an error.
fn find_marked<'f, 'a>(
    cx: &mut Ctxt,
    fields: &'f [Field<'a>],
    mark: impl Fn(&attr::Field) -> Option<&Ident>,
) -> Option<&'f Field<'a>> {
    let mut marked = fields.iter().filter_map(|field| Some((field, mark(&field.attrs)?)));
    let (first, _) = marked.next()?;
    for (_, mark) in marked {
        cx.error_spanned_by(mark, format!("duplicate `{mark}`: already on {first}, remove one of the two"));
    }
    Some(first)
}

fn no_session(name: &Ident, field_count: usize) -> String {
    match field_count {
        0 => format!("`{name}` has no fields: add one that holds the session"),
        1 => format!("`{name}` has only a prefix: add a field with `#[logto(session)]`"),
        n => format!("`{name}` has {n} fields: mark the one that holds the session with `#[logto(session)]`"),
    }
}

impl<'a> Field<'a> {
    fn from_ast(cx: &mut Ctxt, index: usize, original: &'a syn::Field) -> Self {
        let member = original.ident.clone().map_or_else(|| Member::from(index), Member::from);
        Self { member, original, attrs: attr::Field::from_ast(cx, &original.attrs) }
    }

    fn check_prefix(&self, cx: &mut Ctxt, item_prefix: Option<&LitStr>) {
        let Some(prefix) = &self.attrs.prefix else { return };
        if self.attrs.session.is_some() {
            cx.error_spanned_by(prefix, format!("{self} is both `session` and `prefix`: remove one of the two"));
        }
        if let Some(item_prefix) = item_prefix {
            let item_prefix = item_prefix.token();
            let message = format!("duplicate `prefix`: already {item_prefix} on the whole item, remove one of the two");
            cx.error_spanned_by(prefix, message);
        }
    }
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Member::Named(name) => write!(f, "field `{name}`"),
            Member::Unnamed(index) => write!(f, "field `{}`", index.index),
        }
    }
}
