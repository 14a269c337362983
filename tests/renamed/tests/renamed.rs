//! `logto-storage-core` is called `kept` in this package's Cargo.toml: the derive finds it where `crate = "…"` leads.

use std::borrow::Cow;

use kept::{Change, ErrorKind, LogtoStorage, MemorySession, SessionHandle};

/// Goes through all methods; `session` holds the items under keys that begin with `prefix`.
async fn assert_keeps_items(storage: &impl LogtoStorage, session: &MemorySession, prefix: &str) {
    let held = async |key| session.read(Cow::Owned([prefix, key].concat())).await.unwrap();

    storage.set_item("key", "value").await.unwrap();
    assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("value"));
    assert_eq!(held("key").await.as_deref(), Some("value"));
    storage.remove_item("key").await.unwrap();
    assert_eq!(held("key").await, None);

    storage.apply(&[Change::set("a", "1"), Change::set("b", "2"), Change::remove("a")]).await.unwrap();
    assert_eq!((held("a").await, held("b").await.as_deref()), (None, Some("2")));
    storage.renew(&[Change::remove("b"), Change::set("c", "3")]).await.unwrap();
    assert_eq!((held("b").await, held("c").await.as_deref()), (None, Some("3")));
    assert!(!storage.reload().await.unwrap());
}

/// A test of items of all kinds, each derived with this `crate = "…"`.
macro_rules! derived_with {
    ($test:ident: $path:literal) => {
        #[tokio::test]
        async fn $test() {
            #[derive(LogtoStorage)]
            #[logto(crate = $path)]
            struct Plain {
                session: MemorySession,
            }
            #[derive(LogtoStorage)]
            #[logto(crate = $path, prefix = "fixed:", save = "deferred", max_len = 5)]
            struct WithOptions<'r, H: ?Sized>(&'r H);
            #[derive(LogtoStorage)]
            #[logto(max_len = 5, crate = $path)]
            enum Variants<P> {
                Plain(MemorySession),
                Prefixed(#[logto(session)] MemorySession, #[logto(prefix)] P),
            }

            let session = MemorySession::default();
            assert_keeps_items(&Plain { session: session.clone() }, &session, "").await;
            assert_keeps_items(&WithOptions(&session), &session, "fixed:").await;
            assert_keeps_items(&Variants::<&str>::Plain(session.clone()), &session, "").await;
            assert_keeps_items(&Variants::Prefixed(session.clone(), "field:"), &session, "field:").await;

            let error = WithOptions(&session).set_item("key", "longer").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TooLarge { len: 6, max_len: 5 });
            assert_eq!(error.key(), Some("fixed:key"));
        }
    };
}

/// A re-export in the crate that derives.
mod own {
    pub(crate) mod storage {
        pub(crate) use kept::*;
    }
}

derived_with!(by_the_name_in_cargo_toml: "kept");
derived_with!(by_the_name_in_cargo_toml_from_the_root: "::kept");
derived_with!(through_a_module_of_an_sdk: "renamed::storage");
derived_with!(through_a_module_of_an_sdk_from_the_root: "::renamed::storage");
derived_with!(through_a_module_of_this_crate: "crate::own::storage");
derived_with!(through_a_module_beside_the_item: "own::storage");
derived_with!(through_a_module_of_the_modules_own: "self::own::storage");
