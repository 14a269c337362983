//! Random items as text. All of them parse as items, since rustc expands a derive for nothing else.

use std::ops::Range;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any as arbitrary, prop_oneof};
use proptest::sample::{Index, select, subsequence};

/// Plain names, raw names, and names that the expansion uses.
const NAMES: &[&str] = &[
    "Storage",
    "session",
    "tenant",
    "key",
    "value",
    "changes",
    "logto",
    "core",
    "str",
    "Some",
    "Ok",
    "Result",
    "LogtoStorage",
    "__logto_key",
    "__logto_session",
    "r#type",
    "r#match",
];

const LIFETIMES: &[&str] = &["'a", "'logto", "'logto_: 'logto"];
const PARAMETERS: &[&str] = &[
    "T: Clone + Keep<Session = Session>",
    "H: ?Sized + 'static",
    "r#type = Session",
    "const N: usize",
    "const key: bool = true",
];
const PREDICATES: &[&str] =
    &["T: Copy", "for<'x> &'x T: Into<String>", "'a: 'static", "[u8; { 1 + 2 }]: Default", "T:"];

/// `$0` and `$1` are other types.
const TYPES: &[&str] = &[
    "Arc<$0>",
    "&'a mut $0",
    "($0, $1)",
    "($0)",
    "[$0; 3]",
    "Box<[$0]>",
    "*const $0",
    "fn($0, ...) -> $1",
    "for<'x> unsafe extern \"C\" fn(&'x $0) -> $1",
    "Box<dyn Keep<$0, Session = $1> + Send + 'static>",
    "<$0 as Keep<$1>>::Session",
    "their::Map<'a, $0, { 1 + 2 }>",
    "their_session!($0, $1)",
];
const LEAF_TYPES: &[&str] =
    &["Session", "::std::string::String", "T", "r#type", "&'static str", "()", "!", "Self", "fn()"];

const OTHER_ATTRIBUTES: &[&str] = &[
    "#[deprecated]",
    "#[deprecated(since = \"0.2.0\", note = \"old\")]",
    "#[doc = \"Says nothing.\"]",
    "#[cfg_attr(all(), doc = \"Says nothing.\")]",
    "#[serde(rename = \"logto\")]",
    "#[logto::session]",
    "#[their::logto(prefix)]",
];

/// Entries that are valid in some place, on their own.
const ENTRIES: &[&str] = &[
    "session",
    "prefix",
    "prefix = \"tenant-a:\"",
    "save = \"immediate\"",
    "save = \"deferred\"",
    "max_len = 4096",
    "crate = \"my_sdk::storage\"",
];
const WRONG_ENTRIES: &[&str] = &[
    "",
    "save",
    "save =",
    "save = never",
    "save = \"never\"",
    "save == \"deferred\"",
    "save(\"deferred\")",
    "max_len = -1",
    "max_len = 1.5",
    "max_len = 4u8",
    "max_len = 99999999999999999999999",
    "max_len = \"x\"",
    "max_len = 4096 + 4096",
    "max_len = 'x'",
    "crate = \"not a path\"",
    "crate = \"\"",
    "crate = \"(\"",
    "crate = my_sdk::storage",
    "prefix = b\"tenant-a:\"",
    "prefix = \"tenant-a:\"suffix",
    "prefix = concat!(\"a\", \"b\")",
    "session = true",
    "session(true)",
    "session session",
    "logto::session",
    "::session",
    "sesion",
    "r#session",
    "r#struct",
    "_",
    "'session",
    "\"session\"",
    "4096",
    "(session)",
    "[{ session, prefix }]",
    "#![session]",
];
const WRONG_ATTRIBUTES: &[&str] =
    &["#[logto]", "#[logto = \"x\"]", "#[logto = 4 * 4]", "#[logto()]", "#[logto[session]]", "#[logto { prefix }]"];

/// Returns a valid item, and the same item with its options in another order and spread over several attributes.
pub(super) fn valid() -> impl Strategy<Value = (String, String)> {
    prop_oneof![
        with_options(options(false), item(valid_fields(true).boxed(), other_attributes().boxed(), 1..5)),
        with_options(options(true), item(valid_fields(false).boxed(), other_attributes().boxed(), 1..5)),
    ]
}

/// Returns an item that usually has mistakes.
pub(super) fn any() -> impl Strategy<Value = String> {
    let fields = prop_oneof![
        1 => Just(String::new()),
        2 => vec(field(any_attributes()), 0..4).prop_map(braced),
        2 => vec(field(any_attributes()), 0..4).prop_map(parenthesised),
        2 => vec(field(any_attributes()), 1).prop_map(parenthesised),
    ];
    let union = (name(), generics(), where_clause(), vec(field(any_attributes()), 1..3))
        .prop_map(|(name, generics, clause, fields)| format!("union {name}{generics} {clause} {}", braced(fields)));
    let item = prop_oneof![9 => item(fields.boxed(), any_attributes().boxed(), 0..4), 1 => union];
    (any_attributes(), item).prop_map(|(attributes, item)| format!("{attributes} {item}"))
}

/// Returns a struct or an enum without its attributes.
fn item(
    fields: BoxedStrategy<String>,
    of_variants: BoxedStrategy<String>,
    variants: Range<usize>,
) -> impl Strategy<Value = String> {
    let head = || (select(&["", "pub", "pub(in super::logto)"][..]), name(), generics(), where_clause());
    let variant = (of_variants, name(), fields.clone(), select(&["", "= 3"][..]))
        .prop_map(|(attributes, name, fields, discriminant)| format!("{attributes} {name} {fields} {discriminant},"));
    prop_oneof![
        (head(), fields).prop_map(|((visibility, name, generics, clause), fields)| {
            if fields.starts_with('{') {
                format!("{visibility} struct {name}{generics} {clause} {fields}")
            } else {
                format!("{visibility} struct {name}{generics} {fields} {clause};")
            }
        }),
        (head(), vec(variant, variants)).prop_map(|((visibility, name, generics, clause), variants)| {
            format!("{visibility} enum {name}{generics} {clause} {{ {} }}", variants.concat())
        }),
    ]
}

/// Returns fields of which one is the session and one may be the prefix.
fn valid_fields(may_have_prefix: bool) -> impl Strategy<Value = String> {
    let fields = vec(field(other_attributes()), 1..4);
    (fields, arbitrary::<(Index, Index)>(), arbitrary::<[bool; 3]>()).prop_map(
        move |(mut fields, (session, prefix), [is_named, is_marked, has_prefix])| {
            let (session, prefix) = (session.index(fields.len()), prefix.index(fields.len()));
            if is_marked || fields.len() > 1 {
                fields[session].0.push_str(if is_named { "#[logto(session)]" } else { "#[logto(r#session)]" });
            }
            if may_have_prefix && has_prefix && prefix != session {
                fields[prefix].0.push_str("#[logto(prefix,)]");
            }
            if is_named { braced(fields) } else { parenthesised(fields) }
        },
    )
}

/// Attributes, name and type.
type Field = (String, &'static str, String);

fn field(attributes: impl Strategy<Value = String>) -> impl Strategy<Value = Field> {
    (attributes, name(), ty())
}

fn braced(fields: Vec<Field>) -> String {
    let fields = fields.into_iter().map(|(attributes, name, ty)| format!("{attributes} pub {name}: {ty},"));
    format!("{{ {} }}", fields.collect::<String>())
}

fn parenthesised(fields: Vec<Field>) -> String {
    let fields = fields.into_iter().map(|(attributes, _, ty)| format!("{attributes} {ty},"));
    format!("({})", fields.collect::<String>())
}

/// Valid options, in any order.
fn options(with_prefix: bool) -> impl Strategy<Value = Vec<&'static str>> {
    let one_of = |values: &'static [&'static str]| option::of(select(values));
    let prefix = select(&["prefix = \"tenant-a:\"", "prefix = r#\"\"#"][..]);
    (
        if with_prefix { prefix.prop_map(Some).boxed() } else { Just(None).boxed() },
        one_of(&["save = \"immediate\"", "save = \"deferred\""]),
        one_of(&["max_len = 0", "max_len = 65_536", "max_len = 0xFFusize"]),
        one_of(&["crate = \"my_sdk::storage\"", "crate = \"::r#type\"", "crate = \"self\""]),
    )
        .prop_map(|(prefix, save, max_len, krate)| {
            [prefix, save, max_len, krate].into_iter().flatten().collect::<Vec<_>>()
        })
        .prop_shuffle()
}

/// The item with the options in one attribute and in order, and the item with them as they come.
fn with_options(
    options: impl Strategy<Value = Vec<&'static str>>,
    item: impl Strategy<Value = String>,
) -> impl Strategy<Value = (String, String)> {
    let separator = select(&[", ", ",)] #[doc = \"Between.\"] #[logto("][..]);
    (options, separator, item).prop_map(|(mut options, separator, item)| {
        let rewritten = attribute(&options, separator);
        options.sort_unstable();
        (format!("{} {item}", attribute(&options, ", ")), format!("{rewritten} {item}"))
    })
}

fn attribute(options: &[&str], separator: &str) -> String {
    if options.is_empty() { String::new() } else { format!("#[logto({})]", options.join(separator)) }
}

fn any_attributes() -> impl Strategy<Value = String> {
    let entry = prop_oneof![3 => select(ENTRIES), 1 => select(WRONG_ENTRIES)];
    let attribute = prop_oneof![
        6 => vec(entry, 1..4).prop_map(|entries| format!("#[logto({})]", entries.join(", "))),
        2 => select(OTHER_ATTRIBUTES).prop_map(str::to_owned),
        1 => select(WRONG_ATTRIBUTES).prop_map(str::to_owned),
    ];
    prop_oneof![4 => Just(String::new()), 1 => vec(attribute, 1..3).prop_map(|attributes| attributes.concat())]
}

fn other_attributes() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(""), 1 => select(OTHER_ATTRIBUTES)].prop_map(str::to_owned)
}

fn name() -> impl Strategy<Value = &'static str> {
    select(NAMES)
}

fn ty() -> impl Strategy<Value = String> {
    let leaf = select(LEAF_TYPES).prop_map(str::to_owned);
    leaf.prop_recursive(2, 6, 2, |inner| {
        (select(TYPES), inner.clone(), inner)
            .prop_map(|(ty, first, second)| ty.replace("$0", &first).replace("$1", &second))
    })
}

fn generics() -> impl Strategy<Value = String> {
    let lifetimes = subsequence(LIFETIMES, 0..=LIFETIMES.len());
    let parameters = subsequence(PARAMETERS, 0..=PARAMETERS.len());
    let some = (lifetimes, parameters)
        .prop_map(|(lifetimes, parameters)| format!("<{}>", [lifetimes, parameters].concat().join(", ")));
    prop_oneof![Just(String::new()), some]
}

fn where_clause() -> impl Strategy<Value = String> {
    let some =
        subsequence(PREDICATES, 0..=PREDICATES.len()).prop_map(|predicates| format!("where {}", predicates.join(", ")));
    prop_oneof![Just(String::new()), some]
}
