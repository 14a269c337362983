//! The expansion imports the documentation of every key of `#[logto(…)]`, for editors. The imports resolve, and pass the
//! strictest lints, wherever the item is.

#![no_implicit_prelude]
#![deny(warnings)]
#![forbid(unused)]

use ::logto_storage_core::{LogtoStorage, MemorySession};
use ::shapes::assert_keeps_items;
use ::std::clone::Clone;
use ::std::default::Default;

#[derive(LogtoStorage)]
#[logto(save = "deferred", max_len = 100, crate = "::logto_storage_core")]
struct InAModule {
    #[logto(session)]
    session: MemorySession,
    #[logto(prefix)]
    prefix: &'static str,
}

mod sdk {
    pub(crate) mod storage {
        pub(crate) use ::logto_storage_core::{
            AllSeen, Change, Changes, LogtoStorage, Result, Seen, SessionHandle, attributes,
        };
    }
}

// Without `#[tokio::test]`, which allows lints.
#[test]
fn keys_are_found_in_a_module_and_in_a_function() {
    #[derive(LogtoStorage)]
    #[logto(prefix = "function:", crate = "sdk::storage")]
    struct InAFunction(#[logto(session)] MemorySession);

    #[derive(LogtoStorage)]
    #[logto(crate = "crate::sdk::storage", r#save = "immediate")]
    enum Raw {
        First(#[logto(r#session)] MemorySession),
        Second(#[logto(session)] MemorySession, #[logto(prefix)] &'static str),
    }

    let session = MemorySession::default();
    let runtime = ::tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        assert_keeps_items(&InAModule { session: session.clone(), prefix: "module:" }, &session, "module:").await;
        assert_keeps_items(&InAFunction(session.clone()), &session, "function:").await;
        assert_keeps_items(&Raw::First(session.clone()), &session, "").await;
        assert_keeps_items(&Raw::Second(session.clone(), "raw:"), &session, "raw:").await;
    });
}
