//! What is under the session's key in Redis is no record that this app can read.

use logto_storage_core::Operation;
use servers::Redis;

use crate::app::App;
use crate::raw;
use crate::visitor::{Visitor, done, failed, signed_in, signed_out};

pub(crate) async fn bad_bytes_are_an_error_and_stay_until_the_user_gets_out() {
    an_unreadable_record("bad bytes", |_| b"\xc1\xff no record".to_vec()).await;
}

pub(crate) async fn an_empty_value_is_an_error_and_stays_until_the_user_gets_out() {
    an_unreadable_record("an empty value", |_| Vec::new()).await;
}

pub(crate) async fn a_record_of_a_newer_format_is_an_error_and_stays_until_the_user_gets_out() {
    // A list of three, as MessagePack has it, becomes one of four.
    an_unreadable_record("a newer format", |record| [b"\x94", &record[1..], b"\xc0"].concat()).await;
}

async fn an_unreadable_record(what: &str, corrupt: fn(&[u8]) -> Vec<u8>) {
    let redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let other = Visitor::signed_in(&app, "other").await;

    for way_out in [WayOut::ClearCookies, WayOut::DeleteKey, WayOut::Forget] {
        let mut visitor = Visitor::signed_in(&app, "1").await;
        let key = visitor.session().unwrap();
        let corrupt = corrupt(&raw::command(&redis, &[b"GET", key.as_bytes()]));
        assert_eq!(raw::command(&redis, &[b"SET", key.as_bytes(), &corrupt]), b"+OK");

        assert_eq!(visitor.page().await, failed());
        app.assert_store_failed(Operation::Get, "Decoding failed").await;
        assert_eq!(visitor.set("theme", "dark").await, failed());
        app.assert_store_failed(Operation::Set, "Decoding failed").await;
        assert_eq!(visitor.sign_in("2").await, failed());
        app.assert_store_failed(Operation::Apply, "Decoding failed").await;
        assert_eq!(visitor.renew("2").await, failed());
        app.assert_store_failed(Operation::Renew, "Decoding failed").await;
        assert_eq!(raw::command(&redis, &[b"GET", key.as_bytes()]), corrupt, "{what} is overwritten");

        match way_out {
            WayOut::ClearCookies => visitor.clear_cookies(),
            WayOut::DeleteKey => assert_eq!(raw::number(&redis, &["DEL", &key]), 1),
            WayOut::Forget => assert_eq!(visitor.forget().await.0, 200),
        }
        assert_eq!(visitor.page().await, signed_out());
        assert_eq!(visitor.session(), None);
        assert_eq!(visitor.count_lost(&format!("{what} in the record")).await, 2, "the session is lost as a whole");
        assert_eq!(visitor.sign_in("3").await, done());
        assert_eq!(visitor.page().await, signed_in("3"));
    }
    assert_eq!(other.page().await, signed_in("other"), "the trouble is one user's");
    other.assert_nothing_is_lost(&format!("{what} in another user's record")).await;
}

enum WayOut {
    /// The user removes the cookie. What cannot be read stays in Redis until it expires.
    ClearCookies,
    /// Somebody deletes the key in Redis.
    DeleteKey,
    /// A page of the app's calls the session's `flush`, which needs no reading.
    Forget,
}
