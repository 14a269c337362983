//! What the derive writes means the same whatever is in the scope of the item.

use std::sync::Arc;

use logto_storage_core::MemorySession;
use shapes::assert_keeps_items;

/// Nothing here is what its name says.
#[allow(dead_code, non_camel_case_types, unused_macros)]
mod types_and_modules {
    use logto_storage_core::{LogtoStorage, MemorySession};

    mod alloc {}
    mod core {}
    mod std {}

    struct AsRef;
    struct Box;
    struct Change;
    struct Changes;
    struct Cow;
    struct Err;
    struct Error;
    struct Future;
    struct Ok;
    struct Option;
    struct Result;
    struct Send;
    struct SessionHandle;
    struct Some;
    struct String;
    struct Vec;
    struct bool;
    struct str;
    struct usize;

    #[derive(LogtoStorage)]
    #[logto(prefix = "all:", save = "deferred", max_len = 100)]
    pub(super) struct Struct {
        pub(super) session: MemorySession,
    }

    #[derive(LogtoStorage)]
    #[logto(max_len = 100)]
    pub(super) enum Enum<P> {
        Plain(MemorySession),
        Prefixed(#[logto(session)] MemorySession, #[logto(prefix)] P),
    }
}

#[tokio::test]
async fn types_and_modules_may_have_the_names_of_the_standard_ones() {
    let session = MemorySession::default();
    assert_keeps_items(&types_and_modules::Struct { session: session.clone() }, &session, "all:").await;
    assert_keeps_items(&types_and_modules::Enum::<&str>::Plain(session.clone()), &session, "").await;
    assert_keeps_items(&types_and_modules::Enum::Prefixed(session.clone(), "p:"), &session, "p:").await;
}

/// The module `logto_storage_core` is not the crate.
mod module_of_our_name {
    use ::logto_storage_core::{LogtoStorage, MemorySession};

    mod logto_storage_core {}

    #[derive(LogtoStorage)]
    pub(super) struct Struct(pub(super) MemorySession);
}

#[tokio::test]
async fn a_module_may_have_the_name_of_the_crate() {
    let session = MemorySession::default();
    assert_keeps_items(&module_of_our_name::Struct(session.clone()), &session, "").await;
}

#[allow(dead_code, non_upper_case_globals)]
mod values {
    use logto_storage_core::{LogtoStorage, MemorySession};

    const call: &str = "call";
    const changes: &[&str] = &["changes"];
    const key: &str = "key";
    const session: u8 = 1;
    static prefix: &str = "prefix";
    static this: u8 = 2;
    static value: &str = "value";
    fn future() {}
    fn read() {}
    fn write() {}

    #[derive(LogtoStorage)]
    #[logto(prefix = "all:", max_len = 100)]
    pub(super) struct Struct {
        pub(super) session: MemorySession,
    }

    #[derive(LogtoStorage)]
    #[logto(max_len = 100)]
    pub(super) enum Enum<const key: usize> {
        Named {
            #[logto(session)]
            session: MemorySession,
            #[logto(prefix)]
            prefix: &'static str,
        },
        Tuple(MemorySession),
    }
}

#[tokio::test]
async fn constants_statics_and_functions_may_have_the_names_of_parameters() {
    let session = MemorySession::default();
    let named = values::Enum::<1>::Named { session: session.clone(), prefix: "p:" };
    assert_keeps_items(&values::Struct { session: session.clone() }, &session, "all:").await;
    assert_keeps_items(&named, &session, "p:").await;
    assert_keeps_items(&values::Enum::<1>::Tuple(session.clone()), &session, "").await;
}

#[allow(unused_macros)]
mod macros {
    use logto_storage_core::{LogtoStorage, MemorySession};

    macro_rules! concat {
        ($($tokens:tt)*) => {
            compile_error!("the derive uses a macro of the user")
        };
    }
    macro_rules! vec {
        ($($tokens:tt)*) => {
            compile_error!("the derive uses a macro of the user")
        };
    }

    #[derive(LogtoStorage)]
    #[logto(prefix = "all:", max_len = 100)]
    pub(super) struct Struct(pub(super) MemorySession);
}

#[tokio::test]
async fn macros_may_have_the_names_of_the_standard_ones() {
    let session = MemorySession::default();
    assert_keeps_items(&macros::Struct(session.clone()), &session, "all:").await;
}

/// Every type has methods of the names that the derive calls.
#[allow(dead_code)]
mod traits {
    use logto_storage_core::{LogtoStorage, MemorySession};

    trait Everywhere {
        fn as_ref(&self) {}
        fn concat(&self) {}
        fn get_item(&self) {}
        fn reload(&self) {}
        fn read(&self) {}
        fn set_item(&self) {}
        fn write(&self) {}
        fn deferred(self)
        where
            Self: Sized,
        {
        }
        fn into_future(self)
        where
            Self: Sized,
        {
        }
        fn limited(self)
        where
            Self: Sized,
        {
        }
        fn map(self)
        where
            Self: Sized,
        {
        }
        fn prefixed(self)
        where
            Self: Sized,
        {
        }
        fn renewing(self)
        where
            Self: Sized,
        {
        }
        fn all() {}
        fn one() {}
    }

    impl<T: ?Sized> Everywhere for T {}

    #[derive(LogtoStorage)]
    #[logto(prefix = "all:", save = "deferred", max_len = 100)]
    pub(super) struct Struct<H>(pub(super) H);

    #[derive(LogtoStorage)]
    #[logto(save = "deferred", max_len = 100)]
    pub(super) enum Enum<P> {
        Plain(MemorySession),
        Prefixed(#[logto(session)] MemorySession, #[logto(prefix)] P),
    }
}

#[tokio::test]
async fn methods_of_a_blanket_trait_are_not_called() {
    let session = MemorySession::default();
    assert_keeps_items(&traits::Struct(session.clone()), &session, "all:").await;
    assert_keeps_items(&traits::Enum::<&str>::Plain(session.clone()), &session, "").await;
    assert_keeps_items(&traits::Enum::Prefixed(session.clone(), "p:"), &session, "p:").await;
}

/// The struct has methods of its own, of the names that the derive calls or implements.
#[allow(dead_code, clippy::unused_self)]
mod inherent_methods {
    use logto_storage_core::{LogtoStorage, MemorySession};

    #[derive(LogtoStorage)]
    pub(super) struct Struct(pub(super) MemorySession);

    impl Struct {
        fn apply(&self) {}
        fn get_item(&self) {}
        fn read(&self) {}
        fn write(&self) {}
    }
}

#[tokio::test]
async fn inherent_methods_of_the_item_are_not_called() {
    let session = MemorySession::default();
    assert_keeps_items(&inherent_methods::Struct(session.clone()), &session, "").await;
}

mod names {
    use super::*;
    use logto_storage_core::LogtoStorage;

    #[tokio::test]
    async fn lifetimes_may_have_any_name() {
        #[derive(LogtoStorage)]
        struct Struct<'a, 'async_trait, 'life0, 'logto, 'logto_>(
            #[allow(clippy::type_complexity)] &'a &'async_trait &'life0 &'logto &'logto_ MemorySession,
        );
        #[derive(LogtoStorage)]
        enum Enum<'logto> {
            Borrowed(&'logto MemorySession),
        }
        #[derive(LogtoStorage)]
        struct Raw<'r#logto>(&'r#logto MemorySession);
        #[derive(LogtoStorage)]
        struct Bound<'logto, H>(&'logto H)
        where
            for<'logto_> &'logto_ H: Send;

        let session = MemorySession::default();
        assert_keeps_items(&Struct(&&&&&session), &session, "").await;
        assert_keeps_items(&Enum::Borrowed(&session), &session, "").await;
        assert_keeps_items(&Raw(&session), &session, "").await;
        assert_keeps_items(&Bound(&session), &session, "").await;
    }

    #[tokio::test]
    async fn fields_may_have_any_name() {
        #[derive(LogtoStorage)]
        struct Struct {
            #[logto(session)]
            __logto_key: MemorySession,
            #[logto(prefix)]
            __logto_value: String,
        }
        #[derive(LogtoStorage)]
        enum Enum {
            Crossed {
                #[logto(prefix)]
                session: Arc<str>,
                #[logto(session)]
                prefix: MemorySession,
            },
            Ours {
                #[logto(prefix)]
                __logto_session: Arc<str>,
                #[logto(session)]
                __logto_prefix: MemorySession,
            },
            Short {
                #[logto(session)]
                key: MemorySession,
                #[logto(prefix)]
                self_: String,
            },
        }

        let session = MemorySession::default();
        let storage = Struct { __logto_key: session.clone(), __logto_value: "struct:".to_owned() };
        let crossed = Enum::Crossed { session: "crossed:".into(), prefix: session.clone() };
        let ours = Enum::Ours { __logto_session: "ours:".into(), __logto_prefix: session.clone() };
        let short = Enum::Short { key: session.clone(), self_: "short:".to_owned() };
        assert_keeps_items(&storage, &session, "struct:").await;
        assert_keeps_items(&crossed, &session, "crossed:").await;
        assert_keeps_items(&ours, &session, "ours:").await;
        assert_keeps_items(&short, &session, "short:").await;
    }

    #[tokio::test]
    async fn type_parameters_may_have_any_name() {
        #[derive(LogtoStorage)]
        #[logto(prefix = "all:", max_len = 100)]
        struct Struct<Result, Option, String>(#[logto(session)] Result, Option, String);
        #[derive(LogtoStorage)]
        enum Enum<LogtoStorage, SessionHandle> {
            Ok(LogtoStorage),
            Err(SessionHandle),
        }

        let session = MemorySession::default();
        let storage = Struct(session.clone(), 1, 2);
        assert_keeps_items(&storage, &session, "all:").await;
        assert_eq!((storage.1, storage.2), (1, 2));
        assert_keeps_items(&Enum::<_, MemorySession>::Ok(session.clone()), &session, "").await;
        assert_keeps_items(&Enum::<MemorySession, _>::Err(&session), &session, "").await;
    }
}
