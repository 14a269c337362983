//! Enums: each variant by the rules of a struct.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use logto_storage_core::{Change, ErrorKind, LogtoStorage, MemorySession, Seen};
use shapes::{Call, Recorder, assert_keeps_items};

#[tokio::test]
async fn one_variant() {
    #[derive(LogtoStorage)]
    enum Storage {
        Only(MemorySession),
    }

    let session = MemorySession::default();
    assert_keeps_items(&Storage::Only(session.clone()), &session, "").await;
}

#[tokio::test]
async fn two_variants_of_unlike_handles() {
    #[derive(LogtoStorage)]
    enum Storage<'r> {
        Owned(MemorySession),
        Borrowed { session: &'r Arc<MemorySession> },
    }

    let session = MemorySession::default();
    assert_keeps_items(&Storage::Owned(session.clone()), &session, "").await;
    assert_keeps_items(&Storage::Borrowed { session: &Arc::new(session.clone()) }, &session, "").await;
}

#[tokio::test]
async fn three_variants_of_the_same_handle() {
    #[derive(LogtoStorage)]
    enum Storage {
        First(MemorySession),
        Second(MemorySession),
        Third(MemorySession),
    }

    let session = MemorySession::default();
    assert_keeps_items(&Storage::First(session.clone()), &session, "").await;
    assert_keeps_items(&Storage::Second(session.clone()), &session, "").await;
    assert_keeps_items(&Storage::Third(session.clone()), &session, "").await;
}

#[tokio::test]
async fn seven_variants_of_all_kinds() {
    #[derive(LogtoStorage)]
    enum Storage<'r> {
        Tuple(MemorySession),
        Named {
            session: Box<MemorySession>,
        },
        SecondOfTuple(u8, #[logto(session)] Rc<MemorySession>),
        SecondOfNamed {
            requests_served: u8,
            #[logto(session)]
            session: Arc<MemorySession>,
        },
        Borrowed(&'r MemorySession),
        PrefixedTuple(#[logto(prefix)] &'r str, #[logto(session)] MemorySession),
        PrefixedNamed {
            #[logto(session)]
            session: &'r MemorySession,
            #[logto(prefix)]
            tenant: String,
        },
    }

    let session = MemorySession::default();
    let named = Storage::Named { session: Box::new(session.clone()) };
    let second_of_tuple = Storage::SecondOfTuple(7, Rc::new(session.clone()));
    let second_of_named = Storage::SecondOfNamed { requests_served: 7, session: Arc::new(session.clone()) };
    let prefixed_named = Storage::PrefixedNamed { session: &session, tenant: "named:".to_owned() };
    assert_keeps_items(&Storage::Tuple(session.clone()), &session, "").await;
    assert_keeps_items(&named, &session, "").await;
    assert_keeps_items(&second_of_tuple, &session, "").await;
    assert_keeps_items(&second_of_named, &session, "").await;
    assert_keeps_items(&Storage::Borrowed(&session), &session, "").await;
    assert_keeps_items(&Storage::PrefixedTuple("tuple:", session.clone()), &session, "tuple:").await;
    assert_keeps_items(&prefixed_named, &session, "named:").await;

    assert!(matches!(second_of_tuple, Storage::SecondOfTuple(7, _)));
    assert!(matches!(second_of_named, Storage::SecondOfNamed { requests_served: 7, .. }));
}

#[tokio::test]
async fn a_generic_enum_bounds_what_each_variant_holds() {
    trait Framework {
        type Handle;
    }
    struct InMemory;
    impl Framework for InMemory {
        type Handle = MemorySession;
    }

    #[derive(LogtoStorage)]
    enum Storage<'r, F: Framework, H = MemorySession, T = (), const N: usize = 1>
    where
        T: Copy,
    {
        Web(F::Handle),
        Test(Arc<H>),
        Borrowed(#[logto(session)] &'r H, T, [u8; N]),
    }

    let session = MemorySession::default();
    let borrowed: Storage<InMemory> = Storage::Borrowed(&session, (), [7]);
    assert_keeps_items(&Storage::<InMemory>::Web(session.clone()), &session, "").await;
    assert_keeps_items(&Storage::<InMemory>::Test(Arc::new(session.clone())), &session, "").await;
    assert_keeps_items(&borrowed, &session, "").await;
    assert!(matches!(borrowed, Storage::Borrowed(_, (), [7])));
}

#[tokio::test]
async fn variants_may_have_the_names_of_what_the_derive_uses() {
    #[derive(LogtoStorage)]
    #[logto(max_len = 100)]
    enum Any {
        Ok(MemorySession),
        Err(MemorySession),
        Some {
            r#type: MemorySession,
        },
        None(MemorySession),
        LogtoStorage(MemorySession),
        SessionHandle(MemorySession),
        #[allow(non_camel_case_types)]
        r#match {
            #[logto(session)]
            r#fn: MemorySession,
            #[logto(prefix)]
            r#mod: Cow<'static, str>,
        },
    }

    let session = MemorySession::default();
    assert_keeps_items(&Any::Ok(session.clone()), &session, "").await;
    assert_keeps_items(&Any::Err(session.clone()), &session, "").await;
    assert_keeps_items(&Any::Some { r#type: session.clone() }, &session, "").await;
    assert_keeps_items(&Any::None(session.clone()), &session, "").await;
    assert_keeps_items(&Any::LogtoStorage(session.clone()), &session, "").await;
    assert_keeps_items(&Any::SessionHandle(session.clone()), &session, "").await;
    assert_keeps_items(&Any::r#match { r#fn: session.clone(), r#mod: "mod:".into() }, &session, "mod:").await;
}

#[tokio::test]
async fn options_of_the_enum_hold_for_every_variant() {
    #[derive(LogtoStorage)]
    #[logto(prefix = "all:", save = "deferred", max_len = 3)]
    enum Storage {
        Tuple(Recorder),
        Named { session: Arc<Recorder> },
    }

    let recorder = Recorder::default();
    let session = Arc::new(recorder.clone());
    for storage in [Storage::Tuple(recorder.clone()), Storage::Named { session }] {
        storage.apply(&[Change::set("key", "123")]).await.unwrap();
        assert_eq!(recorder.take_calls(), [Call::write([("all:key", Some("123"))]).deferred()]);

        let error = storage.set_item("key", "1234").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge { len: 4, max_len: 3 });
        assert_eq!(error.key(), Some("all:key"));
        assert_eq!(recorder.take_calls(), []);
    }
}

#[tokio::test]
async fn a_variant_calls_its_own_session_only_once_a_method() {
    #[derive(LogtoStorage)]
    enum Storage {
        First(Recorder),
        Second(Recorder),
    }

    let (first, second) = (Recorder::default(), Recorder::default());
    let (of_first, of_second) = (Storage::First(first.clone()), Storage::Second(second.clone()));
    let changes = [Change::set("a", "1"), Change::remove("b")];

    of_second.apply(&changes).await.unwrap();
    of_second.renew(&changes).await.unwrap();
    of_second.apply_if(&[Seen::new("a", Some("1"))], &changes).await.unwrap();
    assert!(of_second.check_renewal().is_err());
    assert!(of_second.reload().await.unwrap());

    let written = || Call::write([("a", Some("1")), ("b", None)]);
    let compared = Call::write_if([("a", Some("1"))]);
    let calls = [written(), written().renewing(), compared, written(), Call::CheckRenewal, Call::Reload];
    assert_eq!(second.take_calls(), calls);
    assert_eq!(of_first.get_item("a").await.unwrap(), None);
    assert_eq!(first.take_calls(), [Call::Read("a".to_owned())]);
}

#[tokio::test]
async fn a_hundred_and_fifty_variants_made_by_a_macro() {
    macro_rules! storage {
        ($($variant:ident)*) => {
            #[derive(LogtoStorage)]
            #[logto(max_len = 100)]
            enum Storage {
                $($variant(MemorySession),)*
            }

            const VARIANTS: &[fn(MemorySession) -> Storage] = &[$(Storage::$variant),*];
        };
    }
    storage! {
        V000 V001 V002 V003 V004 V005 V006 V007 V008 V009 V010 V011 V012 V013 V014
        V015 V016 V017 V018 V019 V020 V021 V022 V023 V024 V025 V026 V027 V028 V029
        V030 V031 V032 V033 V034 V035 V036 V037 V038 V039 V040 V041 V042 V043 V044
        V045 V046 V047 V048 V049 V050 V051 V052 V053 V054 V055 V056 V057 V058 V059
        V060 V061 V062 V063 V064 V065 V066 V067 V068 V069 V070 V071 V072 V073 V074
        V075 V076 V077 V078 V079 V080 V081 V082 V083 V084 V085 V086 V087 V088 V089
        V090 V091 V092 V093 V094 V095 V096 V097 V098 V099 V100 V101 V102 V103 V104
        V105 V106 V107 V108 V109 V110 V111 V112 V113 V114 V115 V116 V117 V118 V119
        V120 V121 V122 V123 V124 V125 V126 V127 V128 V129 V130 V131 V132 V133 V134
        V135 V136 V137 V138 V139 V140 V141 V142 V143 V144 V145 V146 V147 V148 V149
    }

    assert_eq!(VARIANTS.len(), 150);
    for variant in VARIANTS {
        let session = MemorySession::default();
        assert_keeps_items(&variant(session.clone()), &session, "").await;
    }
}

#[tokio::test]
async fn an_enum_made_by_a_macro_of_types_and_patterns() {
    macro_rules! storage {
        ($name:ident<$parameter:ident> { $($variant:ident($session:ty, $prefix:ty)),* }) => {
            #[derive(LogtoStorage)]
            enum $name<$parameter> {
                $($variant(#[logto(session)] $session, #[logto(prefix)] $prefix),)*
            }
        };
    }
    storage!(Storage<P> { Shared(Arc<MemorySession>, P), Owned(MemorySession, Arc<str>) });

    let session = MemorySession::default();
    let shared = Storage::Shared(Arc::new(session.clone()), "shared:");
    let owned = Storage::<String>::Owned(session.clone(), "owned:".into());
    assert_keeps_items(&shared, &session, "shared:").await;
    assert_keeps_items(&owned, &session, "owned:").await;
}
