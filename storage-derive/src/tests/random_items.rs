//! Properties of every expansion, tested with random items.

mod items;

use std::cell::Cell;
use std::fmt::Debug;

use proc_macro2::{Span, TokenStream};
use proptest::prelude::{Strategy, TestCaseError, prop_assert, prop_assert_eq};
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::Parse;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Fields, File, Ident, ImplItem, Item, ItemImpl, LitStr, Macro, Path, Type, TypeGroup, UseTree,
    token,
};

#[test]
fn any_item_gives_one_impl_and_errors_that_point_into_the_item() {
    let (expanded, refused) = (Cell::new(0), Cell::new(0));
    for_all(2000, items::any(), |text| {
        let Derived { output, errors, implementation, keys } = Derived::from_text(&text)?;
        prop_assert_eq!(output.to_string(), super::derive(tokens(&text)?).to_string(), "derived again");
        for error in &errors {
            let message: LitStr = parse(error.tokens.clone())?;
            prop_assert!(!message.value().trim().is_empty());
            // rustc underlines everything between these two.
            prop_assert!(is_of(&text, error.path.span()), "{:?} starts outside", message.value());
            prop_assert!(is_of(&text, message.span()), "{:?} ends outside", message.value());
        }
        prop_assert_eq!(
            names(&implementation),
            [
                "get_item",
                "set_item",
                "remove_item",
                "apply",
                "apply_if",
                "apply_expiring",
                "renew",
                "check_renewal",
                "reload"
            ]
        );
        let allows = implementation.attrs.iter().any(|attr| attr.path().is_ident("allow"));
        prop_assert!(!allows || text.contains("#[deprecated"), "a lint is allowed, and nothing is deprecated");
        for key in &keys {
            prop_assert!(is_of(&text, key.span()), "the documentation of {key} is outside");
        }
        let count = if errors.is_empty() { &expanded } else { &refused };
        count.set(count.get() + 1);
        Ok(())
    });
    let (expanded, refused) = (expanded.get(), refused.get());
    assert!(expanded > 200 && refused > 200, "{expanded} items expanded, {refused} refused: too few of one kind");
}

#[test]
fn a_valid_item_expands_the_same_however_its_options_are_written() {
    for_all(500, items::valid(), |(text, rewritten)| {
        let derived = Derived::from_text(&text)?;
        let rewritten = Derived::from_text(&rewritten)?;
        prop_assert!(derived.errors.is_empty(), "{}", derived.output);
        prop_assert!(rewritten.errors.is_empty(), "{}", rewritten.output);
        let text = |derived: &Derived| derived.implementation.to_token_stream().to_string();
        prop_assert_eq!(text(&derived), text(&rewritten));
        let sorted = |derived: &Derived| {
            let mut keys: Vec<_> = derived.keys.iter().map(|key| key.unraw().to_string()).collect();
            keys.sort();
            keys
        };
        prop_assert_eq!(sorted(&derived), sorted(&rewritten));
        Ok(())
    });
}

#[test]
fn a_type_out_of_a_macro_expands_like_one_that_was_typed() {
    for_all(500, items::any(), |text| {
        let grouped = with_grouped_types(parse(tokens(&text)?)?);
        prop_assert_eq!(super::derive(grouped).to_string(), super::derive(tokens(&text)?).to_string());
        Ok(())
    });
}

fn for_all<S: Strategy<Value: Debug>>(cases: u32, items: S, test: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&items, test).unwrap_or_else(|failure| panic!("{failure}"));
}

/// The parts of an expansion: errors, exactly one impl of the trait for the item, and imports of documentation.
struct Derived {
    output: TokenStream,
    errors: Vec<Macro>,
    implementation: ItemImpl,
    /// The documented keys.
    keys: Vec<Ident>,
}

impl Derived {
    fn from_text(text: &str) -> Result<Self, TestCaseError> {
        let item: DeriveInput = parse(tokens(text)?)?;
        let output = super::derive(tokens(text)?);
        let (mut errors, mut impls, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for derived in parse::<File>(output.clone())?.items {
            match derived {
                Item::Macro(error) if ends_with(&error.mac.path, "compile_error") => errors.push(error.mac),
                Item::Impl(implementation) if is_for(&item, &implementation) => impls.push(implementation),
                Item::Use(import) => keys.push(documented_key(import.tree)?),
                other => return Err(TestCaseError::fail(format!("derived: {}", other.to_token_stream()))),
            }
        }
        let implementation = impls.pop().ok_or_else(|| TestCaseError::fail("no impl"))?;
        prop_assert!(impls.is_empty(), "several impls");
        Ok(Self { output, errors, implementation, keys })
    }
}

/// The key in `path::attributes::key as _`.
fn documented_key(mut tree: UseTree) -> Result<Ident, TestCaseError> {
    let mut module = None;
    loop {
        match tree {
            UseTree::Path(path) => (module, tree) = (Some(path.ident), *path.tree),
            UseTree::Rename(key) if key.rename == "_" && module.is_some_and(|module| module == "attributes") => {
                return Ok(key.ident);
            }
            other => return Err(TestCaseError::fail(format!("imported: {}", other.to_token_stream()))),
        }
    }
}

fn is_for(item: &DeriveInput, implementation: &ItemImpl) -> bool {
    let name = &item.ident;
    let (_, arguments, _) = item.generics.split_for_impl();
    let parameters = implementation.generics.params.len();
    implementation.trait_.as_ref().is_some_and(|(path, _)| ends_with(path, "LogtoStorage"))
        && implementation.self_ty.to_token_stream().to_string() == quote!(#name #arguments).to_string()
        && parameters == item.generics.params.len()
}

fn ends_with(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == name)
}

fn names(implementation: &ItemImpl) -> Vec<String> {
    let name = |item: &ImplItem| match item {
        ImplItem::Fn(method) => method.sig.ident.to_string(),
        other => other.to_token_stream().to_string(),
    };
    implementation.items.iter().map(name).collect()
}

/// Returns whether the span is of the item's text rather than of the derive.
fn is_of(text: &str, span: Span) -> bool {
    span.source_text().is_some_and(|place| !place.is_empty() && text.get(span.byte_range()) == Some(&place))
}

/// Returns the item as from a `macro_rules!` macro with `$session:ty` parameters: each type is in an invisible group.
fn with_grouped_types(mut item: DeriveInput) -> TokenStream {
    let group = |fields: &mut Fields| {
        for field in fields {
            let elem = Box::new(field.ty.clone());
            field.ty = Type::Group(TypeGroup { attrs: Vec::new(), group_token: token::Group::default(), elem });
        }
    };
    match &mut item.data {
        Data::Struct(data) => group(&mut data.fields),
        Data::Enum(data) => data.variants.iter_mut().for_each(|variant| group(&mut variant.fields)),
        Data::Union(_) => {}
    }
    item.into_token_stream()
}

fn tokens(text: &str) -> Result<TokenStream, TestCaseError> {
    text.parse().map_err(|error| TestCaseError::fail(format!("{error}")))
}

fn parse<T: Parse>(tokens: TokenStream) -> Result<T, TestCaseError> {
    let text = tokens.to_string();
    syn::parse2(tokens).map_err(|error| TestCaseError::fail(format!("{error} in {text}")))
}
