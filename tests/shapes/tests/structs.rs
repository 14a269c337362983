//! Structs: every way to hold a session handle.

use std::borrow::Cow;
use std::future::Future;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use logto_storage_core::{Changes, LogtoStorage, MemorySession, Result, SessionHandle};
use shapes::assert_keeps_items;

mod fields {
    use super::*;

    #[tokio::test]
    async fn the_only_named_field_is_the_session() {
        #[derive(LogtoStorage)]
        struct Storage {
            session: MemorySession,
        }

        let session = MemorySession::default();
        assert_keeps_items(&Storage { session: session.clone() }, &session, "").await;
    }

    #[tokio::test]
    async fn the_only_tuple_field_is_the_session() {
        #[derive(LogtoStorage)]
        struct Storage(MemorySession);

        let session = MemorySession::default();
        assert_keeps_items(&Storage(session.clone()), &session, "").await;
    }

    #[tokio::test]
    async fn of_several_named_fields_the_marked_one_is_the_session() {
        #[derive(LogtoStorage)]
        struct Storage {
            other: MemorySession,
            #[logto(session)]
            session: MemorySession,
            requests_served: u64,
        }

        let (session, other) = (MemorySession::default(), MemorySession::default());
        let storage = Storage { other: other.clone(), session: session.clone(), requests_served: 7 };
        assert_keeps_items(&storage, &session, "").await;

        storage.set_item("key", "value").await.unwrap();
        assert_eq!(storage.other.read("key".into()).await.unwrap(), None);
        assert_eq!(storage.requests_served, 7);
    }

    #[tokio::test]
    async fn of_several_tuple_fields_the_marked_one_is_the_session() {
        #[derive(LogtoStorage)]
        struct Storage(MemorySession, #[logto(session)] MemorySession);

        let (session, other) = (MemorySession::default(), MemorySession::default());
        let storage = Storage(other, session.clone());
        assert_keeps_items(&storage, &session, "").await;

        storage.set_item("key", "value").await.unwrap();
        assert_eq!(storage.0.read("key".into()).await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_session_may_be_behind_pointers() {
        #[derive(LogtoStorage)]
        struct Borrowed<'r> {
            session: &'r MemorySession,
        }
        #[derive(LogtoStorage)]
        struct BorrowedTuple<'r>(&'r MemorySession);
        #[derive(LogtoStorage)]
        struct Static(&'static MemorySession);
        #[derive(LogtoStorage)]
        struct Boxed(Box<MemorySession>);
        #[derive(LogtoStorage)]
        struct Counted(Rc<MemorySession>);
        #[derive(LogtoStorage)]
        struct Shared {
            session: Arc<MemorySession>,
        }
        #[derive(LogtoStorage)]
        struct BorrowedShared<'r>(&'r Arc<MemorySession>);
        #[derive(LogtoStorage)]
        struct Nested<'a, 'b>(&'a &'b Arc<MemorySession>);

        let session = MemorySession::default();
        let shared = Arc::new(session.clone());
        assert_keeps_items(&Borrowed { session: &session }, &session, "").await;
        assert_keeps_items(&BorrowedTuple(&session), &session, "").await;
        assert_keeps_items(&Static(Box::leak(Box::new(session.clone()))), &session, "").await;
        assert_keeps_items(&Boxed(Box::new(session.clone())), &session, "").await;
        assert_keeps_items(&Counted(Rc::new(session.clone())), &session, "").await;
        assert_keeps_items(&Shared { session: Arc::clone(&shared) }, &session, "").await;
        assert_keeps_items(&BorrowedShared(&shared), &session, "").await;
        assert_keeps_items(&Nested(&&shared), &session, "").await;
    }

    #[tokio::test]
    async fn the_session_type_may_be_an_alias_a_path_in_parentheses_or_a_macro() {
        type Alias = MemorySession;
        macro_rules! session_type {
            ($session:ty) => { Arc<$session> };
        }

        #[derive(LogtoStorage)]
        struct ByAlias(Alias);
        #[derive(LogtoStorage)]
        struct ByPath(::logto_storage_core::MemorySession);
        #[derive(LogtoStorage)]
        #[allow(unused_parens)]
        struct InParentheses((MemorySession));
        #[derive(LogtoStorage)]
        struct ByMacro<H>(session_type!(H));

        let session = MemorySession::default();
        assert_keeps_items(&ByAlias(session.clone()), &session, "").await;
        assert_keeps_items(&ByPath(session.clone()), &session, "").await;
        assert_keeps_items(&InParentheses(session.clone()), &session, "").await;
        assert_keeps_items(&ByMacro(Arc::new(session.clone())), &session, "").await;
    }
}

mod generics {
    use super::*;

    /// Names a handle by an associated type, as a framework's trait does.
    trait Framework {
        type Handle;
    }

    /// Has no session, and is no handle.
    struct InMemory;

    impl Framework for InMemory {
        type Handle = MemorySession;
    }

    /// A handle with parameters of its own.
    struct Slot<H, const N: usize>([H; N]);

    impl<H: SessionHandle, const N: usize> SessionHandle for Slot<H, N> {
        fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
            self.0[0].read(key)
        }

        fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
            self.0[0].write(changes)
        }
    }

    /// A handle that may be unsized.
    struct Row<H: ?Sized>(H);

    impl SessionHandle for Row<[MemorySession]> {
        fn read(&self, key: Cow<'_, str>) -> impl Future<Output = Result<Option<String>>> + Send {
            self.0[0].read(key)
        }

        fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = Result<()>> + Send {
            self.0[0].write(changes)
        }
    }

    #[tokio::test]
    async fn a_parameter_may_be_bounded_defaulted_or_bare() {
        #[derive(LogtoStorage)]
        struct Bounded<H: SessionHandle> {
            session: H,
        }
        #[derive(LogtoStorage)]
        struct Defaulted<H = MemorySession> {
            session: H,
        }
        #[derive(LogtoStorage)]
        struct Bare<H>(H);
        #[derive(LogtoStorage)]
        struct InWhereClause<H>(H)
        where
            H: SessionHandle + Clone,
            for<'logto> &'logto H: Sized;
        #[derive(LogtoStorage)]
        struct InEmptyWhereClause<H>(H);

        let session = MemorySession::default();
        let defaulted: Defaulted = Defaulted { session: session.clone() };
        assert_keeps_items(&defaulted, &session, "").await;
        assert_keeps_items(&Bounded { session: session.clone() }, &session, "").await;
        assert_keeps_items(&Bare(&session), &session, "").await;
        assert_keeps_items(&InWhereClause(session.clone()), &session, "").await;
        assert_keeps_items(&InEmptyWhereClause(session.clone()), &session, "").await;
    }

    #[tokio::test]
    async fn a_bare_parameter_need_not_be_a_handle_where_nobody_wants_a_storage() {
        #[derive(LogtoStorage)]
        struct Storage<H>(H);

        assert_eq!(Storage("no handle").0, "no handle");
    }

    #[tokio::test]
    async fn parameters_of_all_kinds_go_together() {
        #[derive(LogtoStorage)]
        struct Storage<'a, 'b: 'a, H, T, const N: usize = 1>
        where
            T: Copy,
        {
            #[logto(session)]
            session: &'a Slot<&'b H, N>,
            other: T,
        }

        let session = MemorySession::default();
        let storage = Storage { session: &Slot([&session]), other: 7 };
        assert_keeps_items(&storage, &session, "").await;
        assert_eq!(storage.other, 7);
    }

    #[tokio::test]
    async fn a_handle_may_be_unsized_behind_a_reference() {
        #[derive(LogtoStorage)]
        struct Storage<'a, H: ?Sized> {
            session: &'a H,
        }
        #[derive(LogtoStorage)]
        struct InWhereClause<H>(Arc<H>)
        where
            H: ?Sized;

        let session = MemorySession::default();
        assert_keeps_items(&Storage::<MemorySession> { session: &session }, &session, "").await;
        assert_keeps_items(&Storage::<Row<[_]>> { session: &Row([session.clone()]) }, &session, "").await;
        assert_keeps_items(&InWhereClause::<Row<[_]>>(Arc::new(Row([session.clone()]))), &session, "").await;
    }

    #[tokio::test]
    async fn a_storage_may_be_unsized() {
        #[derive(LogtoStorage)]
        struct Storage<H: ?Sized>(H);

        let session = MemorySession::default();
        let storage: Box<Storage<Row<[_]>>> = Box::new(Storage(Row([session.clone()])));
        assert_keeps_items(&*storage, &session, "").await;
    }

    #[tokio::test]
    async fn the_bound_is_on_the_field_and_not_on_the_parameter() {
        #[derive(LogtoStorage)]
        struct Shared<H>(Arc<H>);
        #[derive(LogtoStorage)]
        struct Associated<F: Framework> {
            session: F::Handle,
        }
        #[derive(LogtoStorage)]
        struct Qualified<F: Framework>(Box<<F as Framework>::Handle>);

        let session = MemorySession::default();
        assert_keeps_items(&Shared(Arc::new(session.clone())), &session, "").await;
        assert_keeps_items(&Associated::<InMemory> { session: session.clone() }, &session, "").await;
        assert_keeps_items(&Qualified::<InMemory>(Box::new(session.clone())), &session, "").await;
    }

    #[tokio::test]
    async fn a_parameter_beside_the_session_has_no_bound() {
        #[derive(LogtoStorage)]
        struct Marked<Tag> {
            #[logto(session)]
            session: MemorySession,
            tag: PhantomData<Tag>,
        }
        #[derive(LogtoStorage)]
        struct Beside<H, T>(#[logto(session)] H, T);

        let session = MemorySession::default();
        assert_keeps_items(&Marked::<InMemory> { session: session.clone(), tag: PhantomData }, &session, "").await;
        let beside = Beside(session.clone(), InMemory);
        assert_keeps_items(&beside, &session, "").await;
        let InMemory = beside.1;
    }
}

mod raw_identifiers {
    use super::*;

    #[tokio::test]
    async fn names_of_structs_fields_and_parameters_may_be_raw() {
        #[derive(LogtoStorage)]
        #[allow(non_camel_case_types)]
        struct r#match {
            #[logto(session)]
            r#type: MemorySession,
            #[logto(prefix)]
            r#fn: String,
        }
        #[derive(LogtoStorage)]
        struct r#Loop<'r#if, r#Struct> {
            r#loop: &'r#if r#Struct,
        }

        let session = MemorySession::default();
        assert_keeps_items(&r#match { r#type: session.clone(), r#fn: "fn:".to_owned() }, &session, "fn:").await;
        assert_keeps_items(&r#Loop { r#loop: &session }, &session, "").await;
    }

    #[tokio::test]
    async fn a_parameter_is_the_same_raw_or_not() {
        #[derive(LogtoStorage)]
        struct Declared<r#H>(H);
        #[derive(LogtoStorage)]
        struct Used<H>(r#H);

        let session = MemorySession::default();
        assert_keeps_items(&Declared(session.clone()), &session, "").await;
        assert_keeps_items(&Used(session.clone()), &session, "").await;
    }
}

mod made_by_macros {
    use super::*;

    #[tokio::test]
    async fn from_a_type_and_names() {
        macro_rules! storages {
            ($($name:ident { $field:ident: $session:ty })*) => {$(
                #[derive(LogtoStorage)]
                struct $name<'r> {
                    $field: &'r $session,
                }
            )*};
        }
        storages! {
            First { session: MemorySession }
            Second { handle: Arc<MemorySession> }
        }

        let session = MemorySession::default();
        assert_keeps_items(&First { session: &session }, &session, "").await;
        assert_keeps_items(&Second { handle: &Arc::new(session.clone()) }, &session, "").await;
    }

    #[tokio::test]
    async fn from_a_generic_type() {
        macro_rules! storage {
            ($name:ident<$($lifetime:lifetime,)? $parameter:ident> $session:ty) => {
                #[derive(LogtoStorage)]
                struct $name<$($lifetime,)? $parameter>($session);
            };
        }
        storage!(Owned<H> H);
        storage!(Shared<H> Arc<H>);
        storage!(Borrowed<'r, H> &'r Box<H>);

        let session = MemorySession::default();
        assert_keeps_items(&Owned(session.clone()), &session, "").await;
        assert_keeps_items(&Shared(Arc::new(session.clone())), &session, "").await;
        assert_keeps_items(&Borrowed(&Box::new(session.clone())), &session, "").await;
    }

    #[tokio::test]
    async fn from_values_of_attributes() {
        macro_rules! storage {
            ($name:ident, $prefix:literal, $max_len:literal) => {
                #[derive(LogtoStorage)]
                #[logto(prefix = $prefix, max_len = $max_len)]
                struct $name(MemorySession);
            };
            ($name:ident, $prefix:expr, $max_len:expr, $save:expr, $krate:expr) => {
                #[derive(LogtoStorage)]
                #[logto(prefix = $prefix, max_len = $max_len, save = $save, crate = $krate)]
                struct $name(MemorySession);
            };
        }
        storage!(FromLiterals, "literal:", 3);
        storage!(FromExpressions, "expression:", 3, "deferred", "::logto_storage_core");

        let session = MemorySession::default();
        let (literals, expressions) = (FromLiterals(session.clone()), FromExpressions(session.clone()));
        assert_keeps_items(&literals, &session, "literal:").await;
        assert_keeps_items(&expressions, &session, "expression:").await;
        assert!(literals.set_item("key", "four").await.is_err());
        assert!(expressions.set_item("key", "four").await.is_err());
    }

    #[tokio::test]
    async fn from_whole_items_and_attributes() {
        macro_rules! as_it_is {
            ($($item:tt)*) => { $($item)* };
        }
        macro_rules! item {
            ($item:item) => {
                #[derive(LogtoStorage)]
                $item
            };
        }
        macro_rules! with_option {
            ($option:meta, $mark:meta, $name:ident($session:ty)) => {
                #[derive(LogtoStorage)]
                #[logto($option, save = "deferred")]
                struct $name(#[logto($mark)] $session, u8);
            };
        }
        macro_rules! with_attribute {
            ($attribute:meta, $visibility:vis struct $name:ident($session:ty)) => {
                #[derive(LogtoStorage)]
                #[$attribute]
                $visibility struct $name($session);
            };
        }
        as_it_is! {
            #[derive(LogtoStorage)]
            struct AsItIs<'r> { session: &'r MemorySession }
        }
        item! {
            #[logto(prefix = "item:")]
            struct Item<'r>(&'r MemorySession);
        }
        with_option!(prefix = "option:", session, WithOption(MemorySession));
        with_attribute!(logto(prefix = "attribute:"), pub(crate) struct WithAttribute(MemorySession));

        let session = MemorySession::default();
        assert_keeps_items(&AsItIs { session: &session }, &session, "").await;
        assert_keeps_items(&Item(&session), &session, "item:").await;
        let with_option = WithOption(session.clone(), 7);
        assert_keeps_items(&with_option, &session, "option:").await;
        assert_eq!(with_option.1, 7);
        assert_keeps_items(&WithAttribute(session.clone()), &session, "attribute:").await;
    }

    #[tokio::test]
    async fn within_another_macro() {
        macro_rules! outer {
            ($name:ident, $session:ty) => {
                inner!($name, Arc<$session>);
            };
        }
        macro_rules! inner {
            ($name:ident, $session:ty) => {
                #[derive(LogtoStorage)]
                struct $name<'r>(&'r $session);
            };
        }
        outer!(Storage, MemorySession);

        let session = MemorySession::default();
        assert_keeps_items(&Storage(&Arc::new(session.clone())), &session, "").await;
    }
}
