//! The item as a storage, and every rule of what may be derived.

use std::fmt;

use syn::{Attribute, Data, DeriveInput, Field, Fields, Ident, LitInt, LitStr, Member, Path, Type, Variant};

use crate::attr::{Errors, FieldOptions, ItemOptions, nothing_on_variant};

/// What was understood, beside every problem found on the way.
pub(crate) struct Model<'a> {
    /// Where the traits are.
    pub(crate) krate: Path,
    /// Only whole if there are no errors.
    pub(crate) storage: Option<Storage<'a>>,
    pub(crate) errors: Errors,
}

pub(crate) struct Storage<'a> {
    /// Before every key; a [`Holder`] may have its own instead.
    pub(crate) prefix: Option<LitStr>,
    /// Whether saving is left to the web framework.
    pub(crate) deferred: bool,
    /// The most bytes a value may have.
    pub(crate) max_len: Option<LitInt>,
    pub(crate) shape: Shape<'a>,
}

pub(crate) enum Shape<'a> {
    Struct(Holder<'a>),
    Enum(Vec<(&'a Variant, Holder<'a>)>),
}

/// Fields of a struct or of a variant.
pub(crate) struct Holder<'a> {
    pub(crate) session: Place<'a>,
    /// A prefix that is known at run time only.
    pub(crate) prefix: Option<Place<'a>>,
}

/// One field.
#[derive(Clone)]
pub(crate) struct Place<'a> {
    pub(crate) member: Member,
    pub(crate) ty: &'a Type,
    pub(crate) attrs: &'a [Attribute],
}

impl<'a> Model<'a> {
    pub(crate) fn new(input: &'a DeriveInput, default_krate: fn() -> Path) -> Self {
        let mut errors = Errors::new();
        let ItemOptions { prefix, deferred, max_len, krate } = ItemOptions::parse(&input.attrs, &mut errors);
        let shape = Shape::new(input, prefix.as_ref(), &mut errors);
        Self {
            krate: krate.unwrap_or_else(default_krate),
            storage: shape.map(|shape| Storage { prefix, deferred, max_len, shape }),
            errors,
        }
    }
}

impl<'a> Storage<'a> {
    pub(crate) fn holders(&self) -> Vec<&Holder<'a>> {
        match &self.shape {
            Shape::Struct(holder) => vec![holder],
            Shape::Enum(variants) => variants.iter().map(|(_, holder)| holder).collect(),
        }
    }
}

impl<'a> Shape<'a> {
    fn new(input: &'a DeriveInput, prefix: Option<&LitStr>, errors: &mut Errors) -> Option<Self> {
        let name = &input.ident;
        let problem = match &input.data {
            Data::Struct(data) => return Holder::new(name, false, &data.fields, prefix, errors).map(Self::Struct),
            Data::Enum(data) if !data.variants.is_empty() => {
                let holder = |variant: &'a Variant| {
                    let unclear = !nothing_on_variant(&variant.attrs, errors);
                    let holder = Holder::new(&variant.ident, unclear, &variant.fields, prefix, errors)?;
                    Some((variant, holder))
                };
                // Every variant first: what is wrong with the second is told beside what is wrong with the first.
                let holders: Vec<_> = data.variants.iter().map(holder).collect();
                return holders.into_iter().collect::<Option<_>>().map(Self::Enum);
            }
            Data::Enum(_) => format!("`{name}` has no variant: give it one for each kind of session it may hold"),
            Data::Union(_) => {
                format!("`{name}` is a union: make it a struct, or an enum with a variant for each kind of session")
            }
        };
        errors.push(syn::Error::new_spanned(name, problem));
        None
    }
}

impl<'a> Holder<'a> {
    /// `name` is the struct's or the variant's. `unclear` if something stands there that was not understood.
    fn new(
        name: &Ident,
        unclear: bool,
        fields: &'a Fields,
        fixed_prefix: Option<&LitStr>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let fields: Vec<(Place, FieldOptions)> = fields
            .iter()
            .enumerate()
            .map(|(index, field)| (Place::new(index, field), FieldOptions::parse(&field.attrs, errors)))
            .collect();
        for (place, options) in &fields {
            let Some(mark) = &options.prefix else { continue };
            if options.session.is_some() {
                let message = format!("{place} is marked both `session` and `prefix`: only one may stay");
                errors.push(syn::Error::new_spanned(mark, message));
            }
            if let Some(fixed) = fixed_prefix {
                let fixed = fixed.token();
                let message =
                    format!("there are two prefixes, {fixed} for the whole item and {place}: only one may stay");
                errors.push(syn::Error::new_spanned(mark, message));
            }
        }
        let session = only_one(&fields, |options| options.session.as_ref(), errors);
        let prefix = only_one(&fields, |options| options.prefix.as_ref(), errors);
        let session = match (session, prefix, &*fields) {
            (Some(session), ..) => session,
            (None, None, [(only, _)]) => only,
            // It may be meant as the mark: that there is none would be a second error for the same slip.
            (None, _, [_, ..]) if unclear || fields.iter().any(|(_, options)| options.unclear) => return None,
            _ => {
                let message = match fields.len() {
                    0 => format!("`{name}` has no field: give it one that holds the session"),
                    1 => format!("`{name}` has only a prefix: give it a field marked `#[logto(session)]` too"),
                    n => {
                        format!("`{name}` has {n} fields: mark the one that holds the session with `#[logto(session)]`")
                    }
                };
                errors.push(syn::Error::new_spanned(name, message));
                return None;
            }
        };
        Some(Self { session: session.clone(), prefix: prefix.cloned() })
    }
}

/// The field that has the mark, if any has; it is an error if two have it.
fn only_one<'p, 'a>(
    fields: &'p [(Place<'a>, FieldOptions)],
    mark: impl Fn(&FieldOptions) -> Option<&Ident>,
    errors: &mut Errors,
) -> Option<&'p Place<'a>> {
    let mut marked = fields.iter().filter_map(|(place, options)| Some((place, mark(options)?)));
    let (first, _) = marked.next()?;
    for (place, mark) in marked {
        let message = format!("`{mark}` is on {first} and on {place}: only one may stay");
        errors.push(syn::Error::new_spanned(mark, message));
    }
    Some(first)
}

impl<'a> Place<'a> {
    fn new(index: usize, field: &'a Field) -> Self {
        let member = field.ident.clone().map_or_else(|| Member::from(index), Member::from);
        Self { member, ty: &field.ty, attrs: &field.attrs }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.member {
            Member::Named(name) => write!(f, "the field `{name}`"),
            Member::Unnamed(index) => write!(f, "the field `{}`", index.index),
        }
    }
}
