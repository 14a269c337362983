//! What the derive writes passes every lint that a crate may turn on. (`unused_crate_dependencies` looks at a whole
//! package, and this one's tests share their dependencies.)

#![forbid(unsafe_code)]
#![deny(
    warnings,
    future_incompatible,
    keyword_idents,
    let_underscore,
    nonstandard_style,
    refining_impl_trait,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    unused
)]
#![deny(
    absolute_paths_not_starting_with_crate,
    ambiguous_negative_literals,
    closure_returning_async_block,
    deprecated_in_future,
    deref_into_dyn_supertrait,
    explicit_outlives_requirements,
    ffi_unwind_calls,
    impl_trait_redundant_captures,
    meta_variable_misuse,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    non_ascii_idents,
    private_bounds,
    private_interfaces,
    redundant_imports,
    redundant_lifetimes,
    single_use_lifetimes,
    trivial_bounds,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_import_braces,
    unused_lifetimes,
    unused_macro_rules,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
#![deny(clippy::all, clippy::pedantic, clippy::nursery)]

use std::borrow::Cow;
use std::sync::Arc;

use logto_storage_core::{Changes, LogtoStorage, MemorySession, Result, SessionHandle};
use shapes::assert_keeps_items;

/// A session, and nothing else.
#[derive(Clone, Debug, LogtoStorage)]
pub struct Plain {
    /// The session.
    pub session: MemorySession,
}

/// A session of which only a reference is held.
#[derive(Clone, Copy, Debug, LogtoStorage)]
pub struct Tuple<'r>(pub &'r MemorySession);

/// All options that an item may have.
#[derive(Clone, Debug, LogtoStorage)]
#[logto(prefix = "tenant-a:", save = "deferred", max_len = 100, crate = "logto_storage_core")]
pub struct WithOptions {
    /// The session.
    pub session: Arc<MemorySession>,
}

/// All kinds of parameters.
#[derive(Clone, Debug, LogtoStorage)]
pub struct Generic<'r, H: ?Sized, P = String, const N: usize = 1>
where
    P: Clone,
{
    /// The session.
    #[logto(session)]
    pub session: &'r H,
    /// What every key begins with.
    #[logto(prefix)]
    pub prefix: P,
    /// Something else.
    pub others: [u8; N],
}

/// Variants of all kinds.
#[derive(Clone, Debug, LogtoStorage)]
#[logto(max_len = 100)]
pub enum Variants<'r, H> {
    /// One field.
    Tuple(H),
    /// A field with a name.
    Named {
        /// The session.
        session: &'r MemorySession,
    },
    /// A field beside the session.
    Prefixed(#[logto(session)] MemorySession, #[logto(prefix)] Cow<'r, str>),
}

/// A private handle in the bound of a public struct.
#[derive(Clone, Debug, LogtoStorage)]
pub struct Private<H>(PrivateHandle<H>);

#[derive(Clone, Debug)]
struct PrivateHandle<H>(H);

impl<H: SessionHandle + Sync> SessionHandle for PrivateHandle<H> {
    async fn read(&self, key: Cow<'_, str>) -> Result<Option<String>> {
        self.0.read(key).await
    }

    async fn write<'a>(&'a self, changes: Changes<'a>) -> Result<()> {
        self.0.write(changes).await
    }
}

/// A name of another style, that the item allows.
#[derive(Clone, Copy, Debug, LogtoStorage)]
#[allow(non_camel_case_types)]
pub struct other_style<session>(session);

macro_rules! storage {
    ($(#[$attribute:meta])* $name:ident($session:ty), $prefix:literal) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, LogtoStorage)]
        #[logto(prefix = $prefix)]
        pub struct $name<'r>(pub &'r $session);
    };
}
storage! {
    /// Made by a macro.
    MadeByMacro(Arc<MemorySession>), "macro:"
}

#[tokio::test]
async fn what_passes_the_lints_keeps_items() {
    let session = MemorySession::default();
    let shared = Arc::new(session.clone());
    let generic: Generic<'_, MemorySession> = Generic { session: &session, prefix: "p:".to_owned(), others: [7] };

    assert_keeps_items(&Plain { session: session.clone() }, &session, "").await;
    assert_keeps_items(&Tuple(&session), &session, "").await;
    assert_keeps_items(&WithOptions { session: Arc::clone(&shared) }, &session, "tenant-a:").await;
    assert_keeps_items(&generic, &session, "p:").await;
    assert_keeps_items(&Variants::Tuple(session.clone()), &session, "").await;
    let named: Variants<'_, MemorySession> = Variants::Named { session: &session };
    let prefixed: Variants<'_, MemorySession> = Variants::Prefixed(session.clone(), "p:".into());
    assert_keeps_items(&named, &session, "").await;
    assert_keeps_items(&prefixed, &session, "p:").await;
    assert_keeps_items(&Private(PrivateHandle(session.clone())), &session, "").await;
    assert_keeps_items(&other_style(&session), &session, "").await;
    assert_keeps_items(&MadeByMacro(&shared), &session, "macro:").await;
}
