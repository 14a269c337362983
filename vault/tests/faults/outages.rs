//! A Redis that hangs, and one whose memory is full.

use std::sync::Arc;

use logto_storage_core::ErrorKind;
use logto_vault::{RedisVault, Vault};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::TIME_OUT;
use crate::attempt::{Attempt, CASES};
use crate::fixture::{assert_every_record_expires, command, connect, heal, start};

pub(crate) async fn paused_redis_fails_requests_in_time_and_works_again() {
    let (redis, direct) = start().await;
    let vault = connect(&redis.url()).await;
    let attempts = prepare("paused", &vault, &direct).await;

    redis.pause();
    let done = run(attempts).await;
    redis.resume();

    for (attempt, result) in &done {
        assert_eq!(*result, Err(ErrorKind::Session), "{}", attempt.what());
    }
    assert_works_again(done, &vault).await;
    assert_every_record_expires(&redis).await;
}

pub(crate) async fn full_redis_refuses_writes_as_a_whole_and_works_again() {
    let (redis, direct) = start().await;
    let vault = connect(&redis.url()).await;
    let attempts = prepare("full", &vault, &direct).await;

    let _: () = command(&redis, &["CONFIG", "SET", "maxmemory", "1"]).await;
    let done = run(attempts).await;
    // Renewals and ends make room first.
    let refused = done.iter().filter(|(_, result)| *result == Err(ErrorKind::Session)).count();
    assert_eq!(refused, 6, "{:?}", done.iter().map(|(attempt, result)| (attempt.what(), result)).collect::<Vec<_>>());
    for (attempt, result) in &done {
        attempt.assert_whole(*result).await;
    }
    let _: () = command(&redis, &["CONFIG", "SET", "maxmemory", "0"]).await;

    assert_works_again(done, &vault).await;
    assert_every_record_expires(&redis).await;
}

async fn prepare(what: &str, vault: &Vault<RedisVault>, direct: &Vault<RedisVault>) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    for case in CASES {
        attempts.push(Attempt::prepare(case, what.to_owned(), vault, direct).await);
    }
    attempts
}

type Done = Vec<(Arc<Attempt>, Result<(), ErrorKind>)>;

/// Does it all at once.
async fn run(attempts: Vec<Attempt>) -> Done {
    let mut tasks = JoinSet::new();
    for attempt in attempts {
        tasks.spawn(async move {
            let result = timeout(TIME_OUT, attempt.run()).await.expect("it does not wait without end");
            (Arc::new(attempt), result)
        });
    }
    tasks.join_all().await
}

async fn assert_works_again(done: Done, vault: &Vault<RedisVault>) {
    heal(vault).await;
    for (attempt, result) in done {
        let outcome = attempt.assert_whole(result).await;
        attempt.assert_works_again(&outcome).await;
    }
}
