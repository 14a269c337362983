//! What `#[logto(…)]` before the item and on its fields does.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::{Change, ErrorKind, LogtoStorage, MemorySession, Operation, SessionHandle};
use shapes::{Call, Recorder, assert_keeps_items};

mod prefix {
    use super::*;

    #[tokio::test]
    async fn a_fixed_prefix_is_before_every_key() {
        #[derive(LogtoStorage)]
        #[logto(prefix = "tenant-a:")]
        struct Storage(MemorySession);
        #[derive(LogtoStorage)]
        #[logto(prefix = r#"ünlikely "quoted" {key}:"#)]
        struct Unlikely(MemorySession);
        #[derive(LogtoStorage)]
        #[logto(prefix = "")]
        struct Empty(MemorySession);

        let session = MemorySession::default();
        assert_keeps_items(&Storage(session.clone()), &session, "tenant-a:").await;
        assert_keeps_items(&Unlikely(session.clone()), &session, r#"ünlikely "quoted" {key}:"#).await;
        assert_keeps_items(&Empty(session.clone()), &session, "").await;
    }

    #[tokio::test]
    async fn a_field_gives_the_prefix_at_run_time_whatever_string_it_is() {
        #[derive(LogtoStorage)]
        struct Named<P> {
            #[logto(prefix)]
            tenant: P,
            #[logto(session)]
            session: MemorySession,
        }

        async fn assert_prefixes(tenant: impl AsRef<str>, expected: &str) {
            let session = MemorySession::default();
            assert_keeps_items(&Named { tenant, session: session.clone() }, &session, expected).await;
        }

        let name = "tenant:".to_owned();
        assert_prefixes(name.clone(), "tenant:").await;
        assert_prefixes(&name, "tenant:").await;
        assert_prefixes(&*name, "tenant:").await;
        assert_prefixes(Cow::Borrowed(&*name), "tenant:").await;
        assert_prefixes(Box::<str>::from(&*name), "tenant:").await;
        assert_prefixes(Arc::<str>::from(&*name), "tenant:").await;
    }

    #[tokio::test]
    async fn a_prefix_field_may_have_any_concrete_string_type() {
        struct Tenant(u8);
        impl AsRef<str> for Tenant {
            fn as_ref(&self) -> &str {
                ["zero:", "one:"][usize::from(self.0)]
            }
        }

        #[derive(LogtoStorage)]
        struct Owned(#[logto(session)] MemorySession, #[logto(prefix)] String);
        #[derive(LogtoStorage)]
        struct Borrowed<'r>(#[logto(session)] &'r MemorySession, #[logto(prefix)] &'r str);
        #[derive(LogtoStorage)]
        struct Shared(#[logto(prefix)] Arc<str>, #[logto(session)] MemorySession);
        #[derive(LogtoStorage)]
        struct Counted(#[logto(prefix)] Rc<str>, #[logto(session)] MemorySession);
        #[derive(LogtoStorage)]
        struct Either<'r>(#[logto(prefix)] Cow<'r, str>, #[logto(session)] MemorySession);
        #[derive(LogtoStorage)]
        struct Their(#[logto(prefix)] Tenant, #[logto(session)] MemorySession);
        #[derive(LogtoStorage)]
        struct Generic<T: AsRef<str> + ?Sized>(#[logto(session)] MemorySession, #[logto(prefix)] T);

        let session = MemorySession::default();
        assert_keeps_items(&Owned(session.clone(), "owned:".to_owned()), &session, "owned:").await;
        assert_keeps_items(&Borrowed(&session, "borrowed:"), &session, "borrowed:").await;
        assert_keeps_items(&Shared("shared:".into(), session.clone()), &session, "shared:").await;
        assert_keeps_items(&Counted("counted:".into(), session.clone()), &session, "counted:").await;
        assert_keeps_items(&Either("either:".into(), session.clone()), &session, "either:").await;
        assert_keeps_items(&Their(Tenant(1), session.clone()), &session, "one:").await;
        assert_keeps_items(&Generic(session.clone(), Tenant(0)), &session, "zero:").await;
    }

    #[tokio::test]
    async fn two_prefixes_keep_two_tenants_of_one_session_apart() {
        #[derive(LogtoStorage)]
        struct Storage<'r> {
            #[logto(session)]
            session: &'r MemorySession,
            #[logto(prefix)]
            tenant: &'static str,
        }

        let session = MemorySession::default();
        let a = Storage { session: &session, tenant: "a:" };
        let b = Storage { session: &session, tenant: "b:" };
        a.set_item("id_token", "of a").await.unwrap();
        b.apply(&[Change::set("id_token", "of b")]).await.unwrap();

        assert_eq!(a.get_item("id_token").await.unwrap().as_deref(), Some("of a"));
        assert_eq!(b.get_item("id_token").await.unwrap().as_deref(), Some("of b"));
        assert_eq!(session.read("id_token".into()).await.unwrap(), None);

        a.renew(&[Change::remove("id_token")]).await.unwrap();
        assert_eq!(a.get_item("id_token").await.unwrap(), None);
        assert_eq!(b.get_item("id_token").await.unwrap().as_deref(), Some("of b"));
    }
}

mod save {
    use super::*;

    #[derive(LogtoStorage)]
    struct Default(Recorder);

    #[derive(LogtoStorage)]
    #[logto(save = "immediate")]
    struct Immediate(Recorder);

    #[derive(LogtoStorage)]
    #[logto(save = "deferred")]
    struct Deferred(Recorder);

    const A_MINUTE: Duration = Duration::from_secs(90);

    const CHANGES: &[Change] = &[Change::set("a", "1"), Change::remove("b")];

    async fn make_every_change(storage: impl LogtoStorage) {
        storage.set_item("a", "1").await.unwrap();
        storage.remove_item("b").await.unwrap();
        storage.apply(CHANGES).await.unwrap();
        storage.renew(CHANGES).await.unwrap();
        storage.apply_expiring(CHANGES, A_MINUTE).await.unwrap();
        storage.apply_if(&[], CHANGES).await.unwrap();
    }

    fn writes() -> [Call; 7] {
        let both = || Call::write([("a", Some("1")), ("b", None)]);
        let (set, remove) = (Call::write([("a", Some("1"))]), Call::write([("b", None)]));
        [set, remove, both(), both().renewing(), both().expiring_after(A_MINUTE), Call::write_if([]), both()]
    }

    #[tokio::test]
    async fn every_change_is_saved_now_unless_said_otherwise() {
        let recorder = Recorder::default();
        make_every_change(Default(recorder.clone())).await;
        assert_eq!(recorder.take_calls(), writes());

        make_every_change(Immediate(recorder.clone())).await;
        assert_eq!(recorder.take_calls(), writes());
    }

    #[tokio::test]
    async fn a_deferred_change_is_saved_by_the_framework_but_a_renewal_now() {
        let recorder = Recorder::default();
        make_every_change(Deferred(recorder.clone())).await;

        let [set, remove, apply, renew, expiring, compared, conditional] = writes();
        let calls = [
            set.deferred(),
            remove.deferred(),
            apply.deferred(),
            renew,
            expiring.deferred(),
            compared,
            conditional.deferred(),
        ];
        assert_eq!(recorder.take_calls(), calls);
    }
}

mod max_len {
    use super::*;

    #[derive(LogtoStorage)]
    #[logto(max_len = 4)]
    struct Storage(Recorder);

    #[derive(LogtoStorage)]
    #[logto(max_len = 4)]
    struct Prefixed(#[logto(session)] Recorder, #[logto(prefix)] &'static str);

    #[tokio::test]
    async fn a_value_may_have_as_many_bytes_as_the_limit() {
        let recorder = Recorder::default();
        let storage = Storage(recorder.clone());
        storage.set_item("key", "1234").await.unwrap();
        assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("1234"));
        storage.set_item("key longer than the limit", "").await.unwrap();
    }

    #[tokio::test]
    async fn one_byte_more_is_refused_and_the_old_value_stays() {
        let recorder = Recorder::default();
        let storage = Storage(recorder.clone());
        storage.set_item("key", "old").await.unwrap();
        recorder.take_calls();

        let error = storage.set_item("key", "12345").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge { len: 5, max_len: 4 });
        assert_eq!((error.operation(), error.key()), (Some(Operation::Set), Some("key")));
        assert_eq!(error.to_string(), r#"cannot set "key": the value has 5 bytes, more than the limit of 4"#);
        assert_eq!(recorder.take_calls(), []);
        assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("old"));
    }

    #[tokio::test]
    async fn bytes_are_counted_and_not_characters() {
        let storage = Storage(Recorder::default());
        storage.set_item("key", "éé").await.unwrap();
        storage.set_item("key", "🦀").await.unwrap();

        let error = storage.set_item("key", "éé!").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge { len: 5, max_len: 4 });
    }

    #[tokio::test]
    async fn one_value_too_many_refuses_all_changes() {
        let recorder = Recorder::default();
        let storage = Storage(recorder.clone());
        let changes = [
            Change::set("small", "1"),
            Change::remove("removed"),
            Change::set("first large", "12345"),
            Change::set("second large", "123456"),
        ];

        let error = storage.apply(&changes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge { len: 5, max_len: 4 });
        assert_eq!((error.operation(), error.key()), (Some(Operation::Apply), Some("first large")));
        assert_eq!(recorder.take_calls(), []);

        let error = storage.renew(&changes).await.unwrap_err();
        assert_eq!((error.operation(), error.key()), (Some(Operation::Renew), Some("first large")));
        assert_eq!(recorder.take_calls(), []);

        let error = storage.apply_if(&[], &changes).await.unwrap_err();
        assert_eq!(error.key(), Some("first large"));
        assert_eq!(recorder.take_calls(), []);
    }

    #[tokio::test]
    async fn the_key_in_the_error_is_the_one_that_the_session_knows() {
        let recorder = Recorder::default();
        let storage = Prefixed(recorder.clone(), "tenant-a:");

        let error = storage.apply(&[Change::set("id_token", "12345")]).await.unwrap_err();
        assert_eq!(error.key(), Some("tenant-a:id_token"));
        let error = storage.set_item("id_token", "12345").await.unwrap_err();
        assert_eq!(error.key(), Some("tenant-a:id_token"));
        assert_eq!(recorder.take_calls(), []);
    }

    #[tokio::test]
    async fn a_value_that_is_there_already_is_read_and_removed_whatever_its_length() {
        #[derive(LogtoStorage)]
        struct Unlimited(MemorySession);
        #[derive(LogtoStorage)]
        #[logto(max_len = 0x0_0usize)]
        struct OnlyEmpty(MemorySession);

        let session = MemorySession::default();
        Unlimited(session.clone()).set_item("key", "long").await.unwrap();
        let storage = OnlyEmpty(session.clone());
        assert_eq!(storage.get_item("key").await.unwrap().as_deref(), Some("long"));
        storage.apply(&[Change::remove("key")]).await.unwrap();
        assert_eq!(session.read("key".into()).await.unwrap(), None);

        storage.set_item("key", "").await.unwrap();
        assert!(storage.set_item("key", "1").await.is_err());
    }
}

mod krate {
    use super::*;

    mod sdk {
        pub(super) mod storage {
            pub(crate) use logto_storage_core::*;
        }
        pub(super) mod r#mod {
            pub(crate) use logto_storage_core::*;
        }
        pub(super) mod within {
            use logto_storage_core::{LogtoStorage, MemorySession};

            #[derive(LogtoStorage)]
            #[logto(crate = "super::storage")]
            pub(in super::super) struct BySuper(pub(in super::super) MemorySession);
        }
    }

    #[tokio::test]
    async fn the_traits_are_found_by_any_path() {
        #[derive(LogtoStorage)]
        #[logto(crate = "logto_storage_core")]
        struct ByName(MemorySession);
        #[derive(LogtoStorage)]
        #[logto(crate = "::logto_storage_core")]
        struct ByAbsoluteName(MemorySession);
        #[derive(LogtoStorage)]
        #[logto(crate = "crate::krate::sdk::storage")]
        struct ByCrate(MemorySession);
        #[derive(LogtoStorage)]
        #[logto(crate = "self::sdk::storage", prefix = "all:", max_len = 100, save = "deferred")]
        struct BySelf<H>(H);
        #[derive(LogtoStorage)]
        #[logto(crate = "sdk::r#mod")]
        enum ByRawName {
            First(#[logto(session)] MemorySession, #[logto(prefix)] &'static str),
            Second(MemorySession),
        }

        let session = MemorySession::default();
        assert_keeps_items(&ByName(session.clone()), &session, "").await;
        assert_keeps_items(&ByAbsoluteName(session.clone()), &session, "").await;
        assert_keeps_items(&ByCrate(session.clone()), &session, "").await;
        assert_keeps_items(&BySelf(session.clone()), &session, "all:").await;
        assert_keeps_items(&sdk::within::BySuper(session.clone()), &session, "").await;
        assert_keeps_items(&ByRawName::First(session.clone(), "first:"), &session, "first:").await;
        assert_keeps_items(&ByRawName::Second(session.clone()), &session, "").await;
    }
}

mod spelling {
    use super::*;

    #[tokio::test]
    async fn options_may_be_in_one_attribute_or_in_several() {
        #[derive(LogtoStorage)]
        #[logto(max_len = 4)]
        #[logto()]
        #[logto(save = "deferred", prefix = "p:")]
        struct Storage(#[logto()] Recorder);
        #[derive(LogtoStorage)]
        #[r#logto(r#max_len = 4)]
        struct Raw(#[logto(r#session)] Recorder, #[logto(r#prefix)] &'static str);
        #[cfg_attr(all(), derive(LogtoStorage), logto(prefix = "cfg:"))]
        struct Conditional {
            #[cfg_attr(all(), logto(session))]
            session: Recorder,
            #[cfg(any())]
            #[logto(session)]
            absent: Recorder,
        }

        let recorder = Recorder::default();
        let storage = Storage(recorder.clone());
        storage.set_item("key", "1234").await.unwrap();
        assert_eq!(recorder.take_calls(), [Call::write([("p:key", Some("1234"))]).deferred()]);
        assert!(storage.set_item("key", "12345").await.is_err());

        let raw = Raw(recorder.clone(), "raw:");
        raw.set_item("key", "1234").await.unwrap();
        assert_eq!(recorder.take_calls(), [Call::write([("raw:key", Some("1234"))])]);
        assert!(raw.set_item("key", "12345").await.is_err());

        Conditional { session: recorder.clone() }.set_item("key", "1").await.unwrap();
        assert_eq!(recorder.take_calls(), [Call::write([("cfg:key", Some("1"))])]);
    }
}
