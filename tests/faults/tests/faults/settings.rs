//! What fred does with other settings than those of `app::bounded`.

use std::time::Duration;

use servers::Redis;
use tokio::time::timeout;
use tower_sessions_redis_store::RedisStore;
use tower_sessions_redis_store::fred::prelude::{ConnectionConfig, PerformanceConfig, Pool, ReconnectPolicy};
use tower_sessions_redis_store::fred::types::config::UnresponsiveConfig;

use crate::LIMIT;
use crate::app::{App, config};
use crate::proxy::{Fault, Proxy};
use crate::visitor::{Visitor, failed, signed_in, timed};

/// Longer than any operation takes with the settings of `app::bounded`.
const LONG: Duration = Duration::from_secs(3);

pub(crate) async fn without_a_reconnect_policy_the_app_stays_broken_though_the_store_is_back() {
    let mut redis = Redis::start(&[]);
    let app = with_defaults(redis.port(), None).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    redis.kill();
    redis.restart();

    // One for each connection. Most hang; what comes just when its connection ends is an error.
    let page = || timeout(LONG, visitor.page());
    let pages = tokio::join!(page(), page(), page(), page());
    for page in <[_; 4]>::from(pages) {
        assert_ne!(page, Ok(signed_in("1")));
    }
}

pub(crate) async fn with_default_settings_a_request_waits_as_long_as_the_store_is_down() {
    let mut redis = Redis::start(&[]);
    let app = with_defaults(redis.port(), Some(ReconnectPolicy::default())).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    redis.kill();
    let page = visitor.page();
    tokio::pin!(page);
    assert!(timeout(LONG, &mut page).await.is_err(), "it has not been answered");
    redis.restart();

    assert_eq!(timeout(LIMIT, page).await.expect("it was kept"), signed_in("1"));
}

pub(crate) async fn with_default_settings_a_lost_answer_is_waited_for_without_end() {
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let app = with_defaults(proxy.port, Some(ReconnectPolicy::default())).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    proxy.next_set(Fault::LoseAnswer);
    let answer = timeout(LONG, visitor.sign_in("2")).await;

    assert!(answer.is_err(), "{answer:?}");
}

/// fred counts from the last command that it has sent, not from the first that has got no answer.
pub(crate) async fn a_dead_connection_is_used_on_and_on_if_commands_time_out_first() {
    const COMMAND: Duration = Duration::from_millis(200);
    const ANSWER: Duration = Duration::from_millis(600);
    let redis = Redis::start(&[]);
    let proxy = Proxy::start(redis.port()).await;
    let performance = PerformanceConfig { default_command_timeout: COMMAND, ..Default::default() };
    let unresponsive = UnresponsiveConfig { max_timeout: Some(ANSWER), interval: ANSWER / 4 };
    let connection = ConnectionConfig { unresponsive, ..Default::default() };
    let reconnect = Some(ReconnectPolicy::default());
    let pool = Pool::new(config(proxy.port), Some(performance), Some(connection), reconnect, 4).unwrap();
    let app = App::over(pool.clone(), RedisStore::new(pool)).await;
    let visitor = Visitor::signed_in(&app, "1").await;

    proxy.next_set(Fault::LoseAnswer);
    assert_eq!(visitor.sign_in("2").await, failed());
    let failures = async {
        for _ in 0..10 {
            while visitor.page().await != failed() {}
        }
    };
    let (failures, took) = timed(timeout(LIMIT, failures)).await;
    failures.expect("requests go on failing");

    println!("a dead connection in use: ten requests fail in {took:?}");
    assert!(took > 3 * ANSWER, "{took:?}");
}

async fn with_defaults(redis: u16, reconnect: Option<ReconnectPolicy>) -> App {
    let pool = Pool::new(config(redis), None, None, reconnect, 4).unwrap();
    App::over(pool.clone(), RedisStore::new(pool)).await
}
