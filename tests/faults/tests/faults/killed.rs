//! Redis is killed, as in a power cut, and comes back.

use std::sync::Arc;
use std::time::Duration;

use logto_storage_core::Operation;
use servers::Redis;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tower_sessions_redis_store::fred::prelude::ClientLike;

use crate::app::{App, COMMAND, bounded, config};
use crate::raw;
use crate::visitor::{Answer, Visitor, done, failed, failed_by_the_layer, signed_in, signed_out, timed};
use crate::{LIMIT, SLACK};

pub(crate) async fn a_read_fails_while_the_store_is_down_and_works_again_after() {
    let mut redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    redis.kill();
    assert_fails_in_time("a read", timed(visitor.page()).await);
    app.assert_store_failed(Operation::Get, "").await;

    redis.restart();
    back(&app, &visitor).await;
    assert_eq!(visitor.page().await, signed_in("1"));
    visitor.assert_nothing_is_lost("killed before a read").await;
}

pub(crate) async fn a_write_fails_while_the_store_is_down_and_works_again_after() {
    let mut redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    redis.kill();
    assert_fails_in_time("an apply", timed(visitor.sign_in("2")).await);
    app.assert_store_failed(Operation::Apply, "").await;
    assert_fails_in_time("a set", timed(visitor.set("theme", "dark")).await);
    app.assert_store_failed(Operation::Set, "").await;
    assert_fails_in_time("a renewal", timed(visitor.renew("3")).await);
    app.assert_store_failed(Operation::Renew, "").await;

    redis.restart();
    back(&app, &visitor).await;
    assert_eq!(visitor.page().await, signed_in("1"), "nothing could reach the store");
    assert_eq!(visitor.sign_in("4").await, done());
    assert_eq!(visitor.page().await, signed_in("4"));
    visitor.assert_nothing_is_lost("killed before a write").await;
}

pub(crate) async fn a_new_visitor_gets_no_session_while_the_store_is_down() {
    let mut redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::of(&app);

    redis.kill();
    assert_eq!(visitor.page().await, signed_out(), "who has no session needs no store");
    assert_fails_in_time("a first write", timed(visitor.sign_in("1")).await);
    app.assert_store_failed(Operation::Apply, "").await;
    assert_eq!(visitor.session(), None);

    redis.restart();
    app.connected().await;
    assert_eq!(raw::number(&redis, &["DBSIZE"]), 0);
    until_done(&app, &visitor, "2").await;
    assert_eq!(visitor.page().await, signed_in("2"));
    visitor.assert_nothing_is_lost("killed before a first write").await;
}

pub(crate) async fn of_two_applies_with_a_kill_between_them_the_first_stays() {
    let mut redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    let between = async {
        let go_on = app.pause().await;
        visitor.told_ok("2");
        redis.kill();
        go_on.send(()).unwrap();
    };
    let (answer, ()) = tokio::join!(visitor.sign_in_twice("2", "3"), between);

    assert_eq!(answer, failed());
    app.assert_store_failed(Operation::Apply, "").await;
    redis.restart();
    back(&app, &visitor).await;
    assert_eq!(visitor.page().await, signed_in("2"));
    visitor.assert_nothing_is_lost("killed between two applies").await;
}

pub(crate) async fn a_kill_after_the_write_is_an_empty_page_and_the_write_stays() {
    let mut redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    let after = async {
        let go_on = app.pause().await;
        visitor.told_ok("2");
        redis.kill();
        go_on.send(()).unwrap();
    };
    let (answer, ()) = tokio::join!(visitor.sign_in_and_pause("2"), after);

    assert_eq!(answer, failed_by_the_layer(), "the layer saves again what the handler has saved");
    redis.restart();
    back(&app, &visitor).await;
    assert_eq!(visitor.page().await, signed_in("2"));
    visitor.assert_nothing_is_lost("killed after a write").await;
}

pub(crate) async fn no_acknowledged_write_is_lost_whenever_the_store_is_killed() {
    const VISITORS: usize = 4;
    const WRITES_BETWEEN_KILLS: usize = 100;
    let mut redis = Redis::start(&[]);
    let app = App::start(redis.port()).await;
    let (sender, mut acknowledged) = mpsc::unbounded_channel();
    let mut writers = Vec::new();
    let mut visitors = Vec::new();
    for _ in 0..VISITORS {
        let visitor = Arc::new(Visitor::signed_in(&app, "0").await);
        let (writer, sender) = (Arc::clone(&visitor), sender.clone());
        writers.push(tokio::spawn(async move {
            for count in 0.. {
                if writer.set(&format!("item-{count}"), &count.to_string()).await == done() {
                    sender.send(()).unwrap();
                }
            }
        }));
        visitors.push(visitor);
    }

    for _ in 0..3 {
        for _ in 0..WRITES_BETWEEN_KILLS {
            timeout(LIMIT, acknowledged.recv()).await.expect("writes go on").unwrap();
        }
        redis.kill();
        redis.restart();
        app.connected().await;
    }
    redis.kill();
    for writer in writers {
        writer.abort();
        let _ = writer.await;
    }
    redis.restart();

    for visitor in visitors {
        back(&app, &visitor).await;
        visitor.assert_nothing_is_lost("killed four times while writing").await;
    }
}

pub(crate) async fn an_app_is_told_at_its_start_that_the_store_is_down() {
    let mut redis = Redis::start(&[]);
    redis.kill();

    let (started, took) = timed(timeout(LIMIT, bounded(config(redis.port())).0.init())).await;

    assert!(started.expect("init returns").is_err());
    assert!(took < COMMAND + SLACK, "{took:?}");
}

fn assert_fails_in_time(what: &str, (answer, took): (Answer, Duration)) {
    println!("{what} while Redis is down: {} after {took:?}", answer.0);
    assert_eq!(answer, failed());
    assert!(took < COMMAND + SLACK, "{took:?}");
}

/// Waits until the store is of use again. A connection may look alive for a moment after its end.
async fn back(app: &App, visitor: &Visitor) {
    let back = async {
        app.connected().await;
        while visitor.page().await == failed() {
            app.connected().await;
        }
    };
    timeout(LIMIT, back).await.expect("the app works again without a restart");
}

async fn until_done(app: &App, visitor: &Visitor, token: &str) {
    let done = async {
        while visitor.sign_in(token).await != done() {
            app.connected().await;
        }
    };
    timeout(LIMIT, done).await.expect("the app works again without a restart");
}
