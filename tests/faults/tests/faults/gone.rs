//! Redis drops a session's record: it evicts it when memory is short, or the record expires.

use logto_storage_core::Operation;
use servers::Redis;

use crate::app::App;
use crate::raw;
use crate::visitor::{Visitor, done, failed, failed_by_the_layer, signed_in, signed_out};

pub(crate) async fn a_record_evicted_between_requests_signs_the_user_out() {
    a_record_gone_between_requests(evict).await;
}

pub(crate) async fn a_record_expired_between_requests_signs_the_user_out() {
    a_record_gone_between_requests(expire).await;
}

pub(crate) async fn a_record_evicted_in_mid_request_is_an_error_and_signs_the_user_out() {
    a_record_gone_in_mid_request("evicted", evict).await;
}

pub(crate) async fn a_record_expired_in_mid_request_is_an_error_and_signs_the_user_out() {
    a_record_gone_in_mid_request("expired", expire).await;
}

async fn a_record_gone_between_requests(remove: fn(&Redis, &str)) {
    let redis = Redis::start(&["--maxmemory-policy", "allkeys-lru"]);
    let app = App::start(redis.port()).await;
    let (reader, writer) = (Visitor::signed_in(&app, "1").await, Visitor::signed_in(&app, "1").await);
    let old = writer.session();
    for visitor in [&reader, &writer] {
        remove(&redis, &visitor.session().unwrap());
    }

    assert_eq!(reader.page().await, signed_out());
    assert_eq!(reader.session(), None, "the cookie is removed");
    assert_eq!(reader.count_lost("a record gone between requests").await, 2, "the session is lost as a whole");
    assert_eq!(writer.sign_in("2").await, done());
    assert_ne!(writer.session(), old, "a new record has a new id");
    assert_eq!(writer.page().await, signed_in("2"));
}

pub(crate) async fn a_page_that_ends_after_a_renewal_fails_and_does_not_bring_the_old_record_back() {
    let redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;
    let old = visitor.session().unwrap();

    let between = async {
        let go_on = app.pause().await;
        assert_eq!(visitor.renew("3").await, done());
        go_on.send(()).unwrap();
    };
    let (answer, ()) = tokio::join!(visitor.sign_in_and_pause("2"), between);

    assert_eq!(answer, failed_by_the_layer());
    assert_eq!(raw::number(&redis, &["EXISTS", &old]), 0);
    assert_eq!(visitor.page().await, signed_in("3"));
}

/// `RedisStore` saves with `SET … XX`, which Redis answers with nil where there is no record.
async fn a_record_gone_in_mid_request(how: &str, remove: fn(&Redis, &str)) {
    let redis = Redis::start(&["--maxmemory-policy", "allkeys-lru"]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;
    let id = visitor.session().unwrap();

    let between = async {
        let go_on = app.pause().await;
        remove(&redis, &id);
        go_on.send(()).unwrap();
    };
    let (answer, ()) = tokio::join!(visitor.sign_in_twice("2", "3"), between);

    assert_eq!(answer, failed());
    app.assert_store_failed(Operation::Apply, "Could not convert to bool").await;
    assert_eq!(raw::number(&redis, &["EXISTS", &id]), 0);
    assert_eq!(visitor.page().await, signed_out());
    assert_eq!(
        visitor.count_lost(&format!("a record {how} in mid-request")).await,
        2,
        "the session is lost as a whole"
    );
    assert_eq!(visitor.sign_in("4").await, done());
    assert_eq!(visitor.page().await, signed_in("4"));
}

/// Less memory than Redis needs for itself: it evicts all that it may.
fn evict(redis: &Redis, id: &str) {
    raw::ok(redis, &["CONFIG", "SET", "maxmemory", "1"]);
    while raw::number(redis, &["EXISTS", id]) > 0 {}
    raw::ok(redis, &["CONFIG", "SET", "maxmemory", "0"]);
}

fn expire(redis: &Redis, id: &str) {
    // Whether it was there: an eviction takes everybody's.
    raw::number(redis, &["PEXPIREAT", id, "1"]);
}
