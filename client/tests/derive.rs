//! `#[derive(LogtoStorage)]` by this crate alone: its traits are found in `::logto_client::storage`.
#![cfg(feature = "derive")]

use std::sync::Arc;

use logto_client::{LogtoStorage, MemorySession};

async fn keeps_an_item(storage: impl LogtoStorage) {
    assert_eq!(storage.get_item("key").await.unwrap(), None);
    storage.set_item("key", "value").await.unwrap();
    assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("value"));
    storage.renew(&[logto_client::Change::remove("key")]).await.unwrap();
    assert_eq!(storage.get_item("key").await.unwrap(), None);
}

#[derive(LogtoStorage)]
struct Named {
    session: MemorySession,
}

#[derive(LogtoStorage)]
struct Tuple(MemorySession);

#[derive(LogtoStorage)]
enum Either {
    First(MemorySession),
    Second { session: Arc<MemorySession> },
}

#[derive(LogtoStorage)]
#[logto(prefix = "tenant-a:", save = "deferred", max_len = 100)]
struct Generic<'a, H: ?Sized, const N: usize> {
    _numbers: [u8; N],
    #[logto(session)]
    session: &'a H,
}

#[tokio::test]
async fn structs_enums_and_generics_are_storages() {
    keeps_an_item(Named { session: MemorySession::default() }).await;
    keeps_an_item(Tuple(MemorySession::default())).await;
    keeps_an_item(Either::First(MemorySession::default())).await;
    keeps_an_item(Either::Second { session: Arc::default() }).await;
    keeps_an_item(Generic { _numbers: [0; 3], session: &MemorySession::default() }).await;
}

#[tokio::test]
async fn the_attributes_work_as_in_the_core() {
    let session = MemorySession::default();
    let prefixed = Generic { _numbers: [], session: &session };
    prefixed.set_item("key", "value").await.unwrap();
    assert_eq!(Named { session: session.clone() }.get_item("tenant-a:key").await.unwrap().as_deref(), Some("value"));
    let error = prefixed.set_item("key", &"x".repeat(101)).await.unwrap_err();
    assert!(matches!(error.kind(), logto_client::storage::ErrorKind::TooLarge { .. }), "{error:?}");
}

mod elsewhere {
    pub(crate) mod api {
        pub(crate) use logto_client::api::{LogtoScope, Permission, Rule, attributes};
    }

    /// What `crate` leads to goes before the default.
    pub(crate) mod storage {
        pub(crate) use logto_client::storage::{
            AllSeen, Change, Changes, LogtoStorage, Result, Seen, SessionHandle, attributes,
        };
    }
}

#[derive(LogtoStorage)]
#[logto(crate = "crate::elsewhere::storage")]
struct Elsewhere(MemorySession);

#[tokio::test]
async fn another_path_may_be_given() {
    keeps_an_item(Elsewhere(MemorySession::default())).await;
}

mod scopes {
    //! `#[derive(LogtoScope)]`.
    #![deny(warnings)]
    #![forbid(unused)]

    use logto_client::LogtoScope;

    #[derive(LogtoScope)]
    #[logto(scope = "write:things", resource = "https://api.example.com/v1?a=b")]
    pub(crate) struct Unit;

    #[derive(LogtoScope)]
    #[logto(scope = "read:things")]
    pub(crate) struct Braces {}

    #[derive(LogtoScope)]
    #[logto(scope = "~!#$%&'()*+,-./:;<=>?@[]^_`{|}~", crate = "crate::elsewhere::api")]
    #[logto(resource = "urn:logto:resource:organizations")]
    pub(crate) struct r#Elsewhere();

    #[test]
    fn a_scope_is_what_its_attributes_say() {
        assert_eq!((Unit::SCOPE, Unit::RESOURCE), ("write:things", Some("https://api.example.com/v1?a=b")));
        assert_eq!((Braces::SCOPE, Braces::RESOURCE), ("read:things", None));
        assert_eq!(Elsewhere::SCOPE, "~!#$%&'()*+,-./:;<=>?@[]^_`{|}~");
        assert_eq!(Elsewhere::RESOURCE, Some("urn:logto:resource:organizations"));
    }

    #[test]
    fn a_scope_can_be_local_to_a_function() {
        #[derive(LogtoScope)]
        #[logto(scope = "local")]
        struct Local;
        assert_eq!(Local::SCOPE, "local");
    }
}

mod roles {
    //! `#[derive(LogtoRole)]`.
    #![deny(warnings)]
    #![forbid(unused)]

    use logto_client::LogtoRole;
    use logto_client::api::{AnyOf, Permission, Rule};

    #[derive(LogtoRole)]
    #[logto(role = "Site admin")]
    pub(crate) struct Admin;

    #[derive(LogtoRole)]
    #[logto(organization_role = "éditeur", crate = "crate::elsewhere::api")]
    pub(crate) struct Editor {}

    #[test]
    fn a_role_is_a_permission() {
        assert_eq!(Admin::RULE, Rule::role("Site admin"));
        assert_eq!(Editor::RULE, Rule::organization_role("éditeur"));
        assert_eq!(<(Admin, Editor)>::RULE, Rule::AllOf(&[Admin::RULE, Editor::RULE]));
        assert_eq!(AnyOf::<(Admin, super::scopes::Unit)>::RULE, Rule::AnyOf(&[Admin::RULE, super::scopes::Unit::RULE]));
    }
}
