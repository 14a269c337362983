//! Redis answers, but takes no write.

use logto_storage_core::Operation;
use servers::Redis;

use crate::app::App;
use crate::raw;
use crate::visitor::{Visitor, done, failed, signed_in, signed_out};

pub(crate) async fn a_full_store_refuses_writes_and_keeps_what_it_has() {
    let redis = Redis::start(&["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    fill(&redis);
    assert_eq!(visitor.sign_in("2").await, failed());
    app.assert_store_failed(Operation::Apply, "OOM command not allowed").await;
    assert_eq!(visitor.set("theme", "dark").await, failed());
    app.assert_store_failed(Operation::Set, "OOM command not allowed").await;
    assert_eq!(visitor.page().await, signed_in("1"));

    raw::ok(&redis, &["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(visitor.page().await, signed_in("1"));
    assert_eq!(visitor.sign_in("3").await, done());
    assert_eq!(visitor.page().await, signed_in("3"));
    visitor.assert_nothing_is_lost("a full store").await;
}

pub(crate) async fn a_renewal_in_a_full_store_signs_the_user_out() {
    let redis = Redis::start(&["--maxmemory", "8mb", "--maxmemory-policy", "noeviction"]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    fill(&redis);
    assert_eq!(visitor.renew("2").await, failed());
    app.assert_store_failed(Operation::Renew, "OOM command not allowed").await;

    assert_eq!(visitor.page().await, signed_out(), "the old record goes before the new one is made");
    assert_eq!(visitor.count_lost("a renewal in a full store").await, 2, "the session is lost as a whole");
    raw::ok(&redis, &["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(visitor.sign_in("3").await, done());
    assert_eq!(visitor.page().await, signed_in("3"));
}

pub(crate) async fn a_replica_refuses_writes_and_can_be_read() {
    let redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    // As after a failover: what was the primary is a replica now, of one that it does not reach.
    raw::ok(&redis, &["REPLICAOF", "127.0.0.1", "1"]);
    assert_eq!(visitor.sign_in("2").await, failed());
    app.assert_store_failed(Operation::Apply, "READONLY").await;
    assert_eq!(visitor.renew("2").await, failed());
    app.assert_store_failed(Operation::Renew, "READONLY").await;
    assert_eq!(visitor.page().await, signed_in("1"));

    raw::ok(&redis, &["REPLICAOF", "NO", "ONE"]);
    assert_eq!(visitor.sign_in("3").await, done());
    assert_eq!(visitor.page().await, signed_in("3"));
    visitor.assert_nothing_is_lost("a replica").await;
}

/// One value larger than all there may be. Redis makes it, since it looks before, and nothing more.
fn fill(redis: &Redis) {
    assert_eq!(raw::number(redis, &["SETRANGE", "ballast", "9000000", "x"]), 9_000_001);
}
