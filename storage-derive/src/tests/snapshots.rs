//! Snapshots of expansions, one per file. `UPDATE_EXPECT=1 cargo test -p logto-storage-derive` updates them.
//!
//! Some are included in the documentation of the macro.

use expect_test::expect_file;
use proc_macro2::{Delimiter, Group, TokenStream};
use quote::quote;

/// Asserts that the item expands to `snapshots/valid/<name>.rs`.
fn expands(name: &str, item: TokenStream) {
    let expansion = expansion(item);
    assert!(!expansion.contains("compile_error"), "{expansion}");
    expect_file![format!("snapshots/valid/{name}.rs")].assert_eq(&expansion);
}

/// Asserts that the item expands to the errors and the impl of `snapshots/invalid/<name>.rs`.
fn is_refused(name: &str, item: TokenStream) {
    let expansion = expansion(item);
    assert!(expansion.contains("compile_error"), "{expansion}");
    expect_file![format!("snapshots/invalid/{name}.rs")].assert_eq(&expansion);
}

fn expansion(item: TokenStream) -> String {
    pretty(super::derive(item))
}

fn pretty(expansion: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(expansion).expect("items of a file"))
}

#[test]
fn scope() {
    let expansion = pretty(crate::derive_scope(quote! {
        #[deny(warnings)]
        #[deprecated]
        #[logto(scope = "write:things", resource = "https://api.example.com")]
        #[logto(crate = "my_sdk::api")]
        pub struct WriteThings;
    }));
    expect_file!["snapshots/valid/scope.rs"].assert_eq(&expansion);
}

#[test]
fn scope_without_a_resource() {
    let expansion = pretty(crate::derive_scope(quote! {
        #[logto(scope = "write:things")]
        struct WriteThings {}
    }));
    expect_file!["snapshots/valid/scope_without_a_resource.rs"].assert_eq(&expansion);
}

#[test]
fn scope_with_every_mistake() {
    let expansion = pretty(crate::derive_scope(quote! {
        #[logto(scope = "read write", resource = "api.example.com", resource = "x", scopes = "y", role = "z", crate = 5)]
        struct WriteThings<T> {
            things: T,
        }
    }));
    expect_file!["snapshots/invalid/scope_with_every_mistake.rs"].assert_eq(&expansion);
}

#[test]
fn role() {
    let expansion = pretty(crate::derive_role(quote! {
        #[logto(role = "Site admin")]
        #[logto(crate = "my_sdk::api")]
        pub struct Admin;
    }));
    expect_file!["snapshots/valid/role.rs"].assert_eq(&expansion);
}

#[test]
fn organization_role() {
    let expansion = pretty(crate::derive_role(quote! {
        #[logto(organization_role = "editor")]
        struct Editor;
    }));
    expect_file!["snapshots/valid/organization_role.rs"].assert_eq(&expansion);
}

#[test]
fn role_with_every_mistake() {
    let expansion = pretty(crate::derive_role(quote! {
        #[logto(role = "admin", role = "owner", organization_role = "editor", scope = "read", crate = 5)]
        struct Admin<T> {
            things: T,
        }
    }));
    expect_file!["snapshots/invalid/role_with_every_mistake.rs"].assert_eq(&expansion);
}

#[test]
fn named_struct() {
    expands(
        "named_struct",
        quote! {
            struct Storage {
                session: Session,
            }
        },
    );
}

#[test]
fn tuple_struct() {
    expands(
        "tuple_struct",
        quote! {
            struct Storage(Session);
        },
    );
}

#[test]
fn marked_session() {
    expands(
        "marked_session",
        quote! {
            pub struct Storage {
                requests_served: u64,
                #[logto(session)]
                session: Session,
            }
        },
    );
}

#[test]
fn fixed_prefix() {
    expands(
        "fixed_prefix",
        quote! {
            #[logto(prefix = "tenant-a:")]
            struct Storage(Session);
        },
    );
}

#[test]
fn prefix_field() {
    expands(
        "prefix_field",
        quote! {
            struct Storage(#[logto(prefix)] String, #[logto(session)] Session);
        },
    );
}

#[test]
fn deferred_save() {
    expands(
        "deferred_save",
        quote! {
            #[logto(save = "deferred")]
            struct Storage(Session);
        },
    );
}

#[test]
fn max_len() {
    expands(
        "max_len",
        quote! {
            #[logto(max_len = 4096)]
            struct Storage(Session);
        },
    );
}

#[test]
fn crate_path() {
    expands(
        "crate_path",
        quote! {
            #[logto(crate = "my_sdk::storage")]
            struct Storage(Session);
        },
    );
}

#[test]
fn every_option() {
    expands(
        "every_option",
        quote! {
            #[logto(save = "deferred", max_len = 4096)]
            #[logto(crate = "my_sdk::storage")]
            struct Storage<'r> {
                #[logto(session)]
                session: &'r Session,
                #[logto(prefix)]
                tenant: String,
                requests_served: u64,
            }
        },
    );
}

#[test]
fn type_parameters() {
    expands(
        "type_parameters",
        quote! {
            struct Storage<H: Clone, P: ?Sized> {
                #[logto(session)]
                session: Arc<H>,
                #[logto(prefix)]
                tenant: Box<P>,
            }
        },
    );
}

#[test]
fn lifetime_const_parameter_where_clause_and_defaults() {
    expands(
        "lifetime_const_parameter_where_clause_and_defaults",
        quote! {
            struct Storage<'r, T = (), const N: usize = 3>
            where
                T: Tag,
                [u8; N]: Default,
            {
                #[logto(session)]
                session: &'r Session,
                tags: [T; N],
            }
        },
    );
}

#[test]
fn lifetime_of_our_name() {
    expands(
        "lifetime_of_our_name",
        quote! {
            struct Storage<'logto, 'logto_>(&'logto Session<'logto_>);
        },
    );
}

#[test]
fn raw_identifiers() {
    expands(
        "raw_identifiers",
        quote! {
            struct r#match<r#dyn> {
                #[logto(session)]
                r#type: r#dyn,
                #[logto(prefix)]
                r#in: r#struct::r#fn,
            }
        },
    );
}

#[test]
fn deprecated_item() {
    expands(
        "deprecated_item",
        quote! {
            #[deprecated]
            struct Storage(Session);
        },
    );
}

#[test]
fn lint_levels() {
    expands(
        "lint_levels",
        quote! {
            #[allow(deprecated)]
            #[deny(missing_docs)]
            #[derive(Clone)]
            pub struct Storage<H> {
                #[logto(session)]
                session: old::Session<H>,
                #[deprecated]
                unused: u8,
            }
        },
    );
}

#[test]
fn deprecated_field() {
    expands(
        "deprecated_field",
        quote! {
            struct Storage {
                #[deprecated = "use the new one"]
                session: Session,
            }
        },
    );
}

#[test]
fn deprecated_variant() {
    expands(
        "deprecated_variant",
        quote! {
            enum Storage {
                #[deprecated(since = "0.2.0")]
                Web(Session),
            }
        },
    );
}

#[test]
fn enum_of_one_variant() {
    expands(
        "enum_of_one_variant",
        quote! {
            enum Storage {
                Web(Session),
            }
        },
    );
}

#[test]
fn enum_of_two_variants() {
    expands(
        "enum_of_two_variants",
        quote! {
            enum Storage {
                Web(Session),
                Test { session: MemorySession },
            }
        },
    );
}

#[test]
fn enum_of_three_variants() {
    expands(
        "enum_of_three_variants",
        quote! {
            #[logto(prefix = "tenant-a:", save = "deferred")]
            enum Storage<H> {
                Web(Session),
                Test(MemorySession),
                Other(H),
            }
        },
    );
}

#[test]
fn enum_with_max_len_and_a_prefix_in_one_variant() {
    expands(
        "enum_with_max_len_and_a_prefix_in_one_variant",
        quote! {
            #[logto(max_len = 65536)]
            enum Storage {
                Tenant {
                    #[logto(prefix)]
                    tenant: Arc<str>,
                    #[logto(session)]
                    session: Session,
                },
                Single(Session),
            }
        },
    );
}

#[test]
fn type_out_of_a_macro() {
    // The invisible group of a `$session:ty`.
    let session = Group::new(Delimiter::None, quote!(&'r Handle<H>));
    expands(
        "type_out_of_a_macro",
        quote! {
            struct Storage<'r, H>(#session);
        },
    );
}

#[test]
fn no_field_is_marked() {
    is_refused(
        "no_field_is_marked",
        quote! {
            struct Storage {
                session: Session,
                requests_served: u64,
            }
        },
    );
}

#[test]
fn nothing_to_hold_a_session() {
    is_refused(
        "nothing_to_hold_a_session",
        quote! {
            struct Storage;
        },
    );
}

#[test]
fn enum_without_variants() {
    is_refused(
        "enum_without_variants",
        quote! {
            enum Storage {}
        },
    );
}

#[test]
fn union() {
    is_refused(
        "union",
        quote! {
            #[logto(save = "never")]
            union Storage {
                session: Session,
            }
        },
    );
}

#[test]
fn unknown_keys() {
    is_refused(
        "unknown_keys",
        quote! {
            #[logto(perfix = "tenant-a:", logto::session)]
            enum Storage {
                #[logto(rename = "web")]
                Web(Session),
                Test(#[logto(sesion)] MemorySession),
            }
        },
    );
}

#[test]
fn keys_in_the_wrong_place() {
    is_refused(
        "keys_in_the_wrong_place",
        quote! {
            #[logto(session)]
            enum Storage {
                #[logto(prefix = "tenant-a:", session, save = "deferred")]
                Web(#[logto(max_len = 4096)] Session),
            }
        },
    );
}

#[test]
fn attributes_without_a_list() {
    is_refused(
        "attributes_without_a_list",
        quote! {
            #[logto]
            #[logto = "tenant-a:"]
            #[logto { save = "deferred" }]
            #[logto("tenant-a:")]
            struct Storage(Session);
        },
    );
}

#[test]
fn values_that_do_not_fit() {
    is_refused(
        "values_that_do_not_fit",
        quote! {
            #[logto(prefix = TENANT, save = "never", max_len = -1, crate = "no path")]
            struct Storage {
                #[logto(session = true)]
                session: Session,
                requests_served: u64,
            }
        },
    );
}

#[test]
fn only_one_may_stay() {
    is_refused(
        "only_one_may_stay",
        quote! {
            #[logto(prefix = "tenant-a:", save = "deferred")]
            #[logto(save = "immediate")]
            struct Storage {
                #[logto(session, prefix)]
                session: Session,
                #[logto(session)]
                other: Session,
                #[logto(prefix)]
                tenant: String,
            }
        },
    );
}

#[test]
fn mistakes_everywhere() {
    is_refused(
        "mistakes_everywhere",
        quote! {
            #[deprecated]
            #[logto(crate = "my_sdk::storage", max_length = 4096)]
            enum Storage<'logto, H: Clone = Session, const N: usize = 3>
            where
                H: 'logto,
            {
                #[logto]
                Web(#[logto(session())] &'logto H, [u8; N]),
                Test(Session, u64),
                Tenant(#[logto(prefix)] String),
                None,
            }
        },
    );
}
