//! A server that hangs, refuses writes, is full, or has no connection left.

use logto_storage_core::ErrorKind;
use tokio::time::timeout;

use crate::attempt::Attempts;
use crate::fixture::heal;
use crate::server::{On, Server};

pub(crate) async fn paused_server_fails_requests_in_time_and_works_again(on: On) {
    let (server, direct) = Server::start(on).await;
    let vault = server.connect().await;
    let attempts = Attempts::prepare("paused", &vault, &direct).await;

    server.pause();
    let done = attempts.run(on).await;
    server.resume();

    for (attempt, result) in done.iter() {
        assert_eq!(*result, Err(ErrorKind::Session), "{}", attempt.what());
    }
    done.assert_works_again(&vault).await;
    server.assert_every_record_expires().await;
}

pub(crate) async fn read_only_server_refuses_writes_and_can_be_read(on: On) {
    let (server, direct) = Server::start(on).await;
    let vault = server.connect().await;
    let attempts = Attempts::prepare("read-only", &vault, &direct).await;

    server.set_read_only(true).await;
    let done = attempts.run(on).await;

    for (attempt, result) in done.iter() {
        let outcome = attempt.assert_whole(*result).await;
        if attempt.changes() {
            assert_eq!(*result, Err(ErrorKind::Session), "{}", attempt.what());
            assert!(!outcome.is_applied(), "{}", attempt.what());
        } else if attempt.expected().is_ok() {
            assert_eq!(*result, Ok(()), "{}", attempt.what());
        }
    }
    server.set_read_only(false).await;
    done.assert_works_again(&vault).await;
    server.assert_every_record_expires().await;
}

pub(crate) async fn server_without_a_free_connection_fails_in_time_and_works_again(on: On) {
    let (server, direct) = Server::start(on).await;
    let vault = server.connect().await;
    let attempts = Attempts::prepare("without a free connection", &vault, &direct).await;

    let occupied = server.occupy_connections().await;
    let done = attempts.run(on).await;
    let connects = timeout(on.time_out(), server.accepts_connections()).await.expect("it does not wait without end");
    assert!(!connects);
    // A connection that there is can be used.
    heal(&vault).await;
    occupied.end().await;

    done.assert_works_again(&vault).await;
    server.assert_every_record_expires().await;
    timeout(on.time_out(), async { while !server.accepts_connections().await {} }).await.expect("connections again");
}

pub(crate) async fn full_redis_refuses_writes_as_a_whole_and_works_again() {
    let (redis, direct) = Server::start(On::Redis).await;
    let vault = redis.connect().await;
    let attempts = Attempts::prepare("full", &vault, &direct).await;

    redis.redis::<()>(&["CONFIG", "SET", "maxmemory", "1"]).await;
    let done = attempts.run(On::Redis).await;
    // Renewals and ends make room first.
    let refused: Vec<_> = done.iter().filter(|(_, result)| *result == Err(ErrorKind::Session)).collect();
    assert_eq!(refused.len(), 6, "{:?}", refused.iter().map(|(attempt, _)| attempt.what()).collect::<Vec<_>>());
    for (attempt, result) in done.iter() {
        attempt.assert_whole(*result).await;
    }
    redis.redis::<()>(&["CONFIG", "SET", "maxmemory", "0"]).await;

    done.assert_works_again(&vault).await;
    redis.assert_every_record_expires().await;
}
