//! What happens to a write on its way to Redis and back.

use std::time::Duration;

use logto_storage_core::Operation;
use servers::Redis;
use tokio::time::{sleep, timeout};

use crate::LIMIT;
use crate::app::{ANSWER, App, COMMAND};
use crate::proxy::{Fault, Proxy};
use crate::raw;
use crate::visitor::{Visitor, done, failed, signed_in, signed_out, timed};

pub(crate) async fn an_apply_cut_short_is_there_as_a_whole_or_not_at_all() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let mut app = App::start(proxy.port).await;
    let visitor = Visitor::signed_in(&app, "00000").await;
    let len = proxy.last_set();
    let (mut old, mut new) = (0, 0);

    for after in (0..len).step_by(16).chain([len - 1, len]) {
        let (before, token) = (visitor.page().await, format!("{after:05}"));
        proxy.next_set(Fault::Cut { after });
        assert_eq!(visitor.sign_in(&token).await, failed(), "after {after} of {len} bytes");
        app.assert_store_failed(Operation::Apply, "IO Error").await;
        app.connected().await;

        let page = visitor.page().await;
        assert_eq!(proxy.last_set(), len);
        if after == len {
            assert_eq!(page, signed_in(&token));
            new += 1;
        } else {
            assert_eq!(page, before);
            old += 1;
        }
    }
    println!("an apply cut short: {old} times nothing of it is there, {new} times all; never half");
    visitor.assert_nothing_is_lost("an apply cut short").await;
}

pub(crate) async fn a_failed_write_is_not_made_up_for_at_the_end_of_the_response() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let mut app = App::start(proxy.port).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    proxy.next_set(Fault::Cut { after: 0 });
    assert_eq!(visitor.sign_in_regardless("2").await, done());

    app.assert_store_failed(Operation::Apply, "IO Error").await;
    app.connected().await;
    assert_eq!(visitor.page().await, signed_in("1"));
    visitor.assert_nothing_is_lost("a failed write that the app overlooks").await;
}

pub(crate) async fn a_write_whose_answer_is_lost_fails_and_is_there_as_a_whole() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let mut app = App::start(proxy.port).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    proxy.next_set(Fault::LoseAnswer);
    let (answer, took) = timed(visitor.sign_in("2")).await;
    assert_eq!(answer, failed());
    app.assert_store_failed(Operation::Apply, "Unresponsive connection").await;
    assert!((ANSWER..COMMAND).contains(&took), "{took:?}");

    // The dead connection is one of several, and no longer in use.
    for _ in 0..8 {
        assert_eq!(visitor.page().await, signed_in("2"));
    }
    visitor.assert_nothing_is_lost("a lost answer").await;
}

pub(crate) async fn a_renewal_whose_answer_is_lost_signs_the_user_out() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let mut app = App::start(proxy.port).await;

    for lost in [Fault::Cut { after: 0 }, Fault::Cut { after: usize::MAX }] {
        let visitor = Visitor::signed_in(&app, "1").await;
        let old = visitor.session().unwrap();
        proxy.next_set(lost);
        assert_eq!(visitor.renew("2").await, failed());
        app.assert_store_failed(Operation::Renew, "IO Error").await;

        app.connected().await;
        assert_eq!(visitor.session().unwrap(), old, "no new cookie comes with an error");
        assert_eq!(visitor.page().await, signed_out());
        assert_eq!(visitor.count_lost("a renewal cut short").await, 2, "the session is lost as a whole");
        assert_eq!(visitor.sign_in("3").await, done());
        assert_eq!(visitor.page().await, signed_in("3"));
    }
    // Two visitors' sessions, and the one that Redis has created and nobody has heard of.
    assert_eq!(raw::number(&redis, &["DBSIZE"]), 3);
}

pub(crate) async fn a_slow_store_makes_a_slow_page() {
    const DELAY: Duration = Duration::from_millis(300);
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let app = App::start(proxy.port).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    proxy.next_set(Fault::Delay(DELAY));
    let (answer, took) = timed(visitor.sign_in("2")).await;

    assert_eq!(answer, done());
    assert!(took >= DELAY, "{took:?}");
    assert_eq!(visitor.page().await, signed_in("2"));
    visitor.assert_nothing_is_lost("a store 300 ms slow").await;
}

pub(crate) async fn a_store_slower_than_the_time_out_is_an_error_and_the_write_comes_as_a_whole() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let mut app = App::start(proxy.port).await;
    let visitor = Visitor::signed_in(&app, "1").await;
    let old = record(&redis, &visitor);

    proxy.next_set(Fault::Delay(Duration::from_secs(2)));
    let (answer, took) = timed(visitor.sign_in("2")).await;
    assert_eq!(answer, failed());
    app.assert_store_failed(Operation::Apply, "Unresponsive connection").await;
    assert!((ANSWER..COMMAND).contains(&took), "{took:?}");
    assert_eq!(visitor.page().await, signed_in("1"));

    until_changed(&redis, &visitor, &old).await;
    assert_eq!(visitor.page().await, signed_in("2"));
    visitor.assert_nothing_is_lost("a store 2 s slow").await;
}

pub(crate) async fn a_write_that_a_client_leaves_is_there_as_a_whole() {
    let redis = Redis::start(&[]);
    let mut proxy = Proxy::start(redis.port()).await;
    let mut app = App::start(proxy.port).await;
    let visitor = Visitor::signed_in(&app, "1").await;
    let old = record(&redis, &visitor);

    proxy.next_set(Fault::Hold);
    let held = tokio::select! {
        answer = visitor.sign_in("2") => panic!("{answer:?} while its write is held"),
        held = proxy.held() => held,
    };
    // The client is gone, and with it the handler.
    app.idle().await;
    assert_eq!(record(&redis, &visitor), old);
    held.send(()).unwrap();

    until_changed(&redis, &visitor, &old).await;
    assert_eq!(visitor.page().await, signed_in("2"));
    assert_eq!(visitor.sign_in("3").await, done());
    assert_eq!(visitor.page().await, signed_in("3"));
    visitor.assert_nothing_is_lost("a client that leaves during a write").await;
}

pub(crate) async fn of_two_applies_that_a_client_leaves_between_the_first_stays() {
    let redis = Redis::start(&[]);
    let mut app = App::start(redis.port()).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    let pause = tokio::select! {
        answer = visitor.sign_in_twice("2", "3") => panic!("{answer:?} while the handler pauses"),
        pause = app.pause() => pause,
    };
    visitor.told_ok("2");
    app.idle().await;
    assert!(pause.send(()).is_err(), "the handler is gone");

    assert_eq!(visitor.page().await, signed_in("2"));
    visitor.assert_nothing_is_lost("a client that leaves between two applies").await;
}

/// The limit of what tower-sessions can do: it writes whole records, and Redis takes the last.
pub(crate) async fn a_write_that_lands_after_its_time_out_undoes_what_was_written_since() {
    let redis = Redis::start(&[]);
    let mut proxy = Proxy::start(redis.port()).await;
    let mut app = App::start(proxy.port).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    proxy.next_set(Fault::Hold);
    assert_eq!(visitor.sign_in("2").await, failed());
    app.assert_store_failed(Operation::Apply, "Unresponsive connection").await;
    let held = proxy.held().await;
    assert_eq!(visitor.set("theme", "dark").await, done());
    let newer = record(&redis, &visitor);
    held.send(()).unwrap();

    until_changed(&redis, &visitor, &newer).await;
    assert_eq!(visitor.page().await, signed_in("2"));
    assert_eq!(visitor.count_lost("a write that lands after its time-out").await, 1);
}

fn record(redis: &Redis, visitor: &Visitor) -> Vec<u8> {
    raw::command(redis, &[b"GET", visitor.session().unwrap().as_bytes()])
}

/// Waits until Redis has got a write that nobody waits for any more.
async fn until_changed(redis: &Redis, visitor: &Visitor, old: &[u8]) {
    let changed = async {
        while record(redis, visitor) == old {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, changed).await.expect("the write lands");
}
