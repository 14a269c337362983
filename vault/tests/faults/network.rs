//! Connections that break, fall silent or are slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use logto_vault::{RedisVault, Vault};
use servers::{NetworkFault, Proxy, Redis};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::attempt::{Attempt, CASES, Case};
use crate::fixture::{assert_every_record_expires, command, connect, heal, start};
use crate::{TIME_OUT, is_exhaustive};

/// How many connections each action is tried on at once.
const LANES: usize = 8;

/// A connection through a proxy.
struct Lane {
    proxy: Proxy,
    vault: Vault<RedisVault>,
    direct: Vault<RedisVault>,
}

impl Lane {
    async fn start(redis: u16, direct: &Vault<RedisVault>) -> Self {
        let proxy = Proxy::start(redis, "EVALSHA").await;
        let vault = connect(&format!("redis://127.0.0.1:{}", proxy.port())).await;
        Self { proxy, vault, direct: direct.clone() }
    }

    async fn prepare(&self, case: Case, fault: NetworkFault) -> Attempt {
        Attempt::prepare(case, format!("{fault:?}"), &self.vault, &self.direct).await
    }

    /// Does it while a fault happens, and again afterwards. Returns whether the fault has happened.
    async fn run(&self, attempt: Attempt, fault: NetworkFault) -> bool {
        self.proxy.fail(fault);
        let result = timeout(TIME_OUT, attempt.run()).await.expect("it does not wait without end");
        let has_failed = self.proxy.has_failed();
        assert!(has_failed || result == attempt.expected(), "{} without a fault: {result:?}", attempt.what());
        let outcome = attempt.assert_whole(result).await;
        self.proxy.end_silence();
        heal(&self.vault).await;
        attempt.assert_works_again(&outcome).await;
        has_failed
    }

    async fn load_script_again(&self, redis: &Redis, case: Case, fault: fn(usize) -> NetworkFault) {
        for after in (0..).step_by(if is_exhaustive() { 1 } else { 41 }) {
            let attempt = self.prepare(case, fault(after)).await;
            let _: () = command(redis, &["SCRIPT", "FLUSH"]).await;
            if !self.run(attempt, fault(after)).await {
                assert!(after > 0, "{case:?}: it has not failed");
                return;
            }
        }
    }
}

pub(crate) async fn request_that_is_cut_at_any_byte_is_applied_as_a_whole_or_not_at_all() {
    assert_whole_at_bytes(1, |after| NetworkFault::CutRequest { after }).await;
}

pub(crate) async fn response_that_is_cut_at_any_byte_leaves_a_whole_write() {
    assert_whole_at_bytes(1, |after| NetworkFault::CutResponse { after }).await;
}

pub(crate) async fn response_that_is_lost_fails_in_time_and_leaves_a_whole_write() {
    // Each of them waits for the time-out.
    let step = if is_exhaustive() { 1 } else { 48 };
    assert_whole_at_bytes(step, |after| NetworkFault::LoseResponse { after }).await;
}

/// Tries every action with a fault after each number of bytes, from 0 until the action is over before the fault happens.
async fn assert_whole_at_bytes(step: usize, fault: fn(usize) -> NetworkFault) {
    let (redis, direct) = start().await;
    let mut tasks = JoinSet::new();
    let tried = CASES.map(|_| Arc::new(AtomicUsize::new(0)));
    for (case, tried) in CASES.into_iter().zip(&tried) {
        for _ in 0..LANES {
            let (port, direct, tried) = (redis.port(), direct.clone(), Arc::clone(tried));
            tasks.spawn(async move {
                let lane = Lane::start(port, &direct).await;
                loop {
                    let fault = fault(tried.fetch_add(1, Ordering::SeqCst) * step);
                    let attempt = lane.prepare(case, fault).await;
                    if !lane.run(attempt, fault).await {
                        return;
                    }
                }
            });
        }
    }
    tasks.join_all().await;
    // The last of each connection has not failed.
    let failed: Vec<_> = tried.iter().map(|tried| tried.load(Ordering::SeqCst) - LANES).collect();
    println!("{:?} and so on: {failed:?}", fault(0));
    assert!(failed.iter().all(|failed| *failed > 0), "{failed:?}");
    assert_every_record_expires(&redis).await;
}

pub(crate) async fn script_is_loaded_again_at_any_byte() {
    let mut tasks = JoinSet::new();
    for case in CASES.into_iter().filter(Case::changes) {
        // Of its own: another connection would load the script.
        let (redis, direct) = start().await;
        tasks.spawn(async move {
            let lane = Lane::start(redis.port(), &direct).await;
            lane.load_script_again(&redis, case, |after| NetworkFault::CutRequest { after }).await;
            lane.load_script_again(&redis, case, |after| NetworkFault::CutResponse { after }).await;
        });
    }
    tasks.join_all().await;
}

pub(crate) async fn slow_network_makes_slow_requests() {
    for result in slow(Duration::from_millis(100)).await {
        result.unwrap();
    }
}

pub(crate) async fn network_slower_than_the_time_out_fails_in_time_and_delivers_whole_writes_later() {
    let results = slow(Duration::from_millis(2_500)).await;
    assert!(results.iter().all(Result::is_err), "{results:?}");
}

/// Does it all at once on one slow connection. Returns what is not as it is on a fast one.
async fn slow(delay: Duration) -> Vec<Result<(), String>> {
    let (redis, direct) = start().await;
    let lane = Lane::start(redis.port(), &direct).await;
    let mut attempts = Vec::new();
    for case in CASES {
        attempts.push(Arc::new(Attempt::prepare(case, format!("{delay:?} slow"), &lane.vault, &direct).await));
    }
    lane.proxy.slow_down(delay);
    let mut tasks = JoinSet::new();
    for attempt in &attempts {
        let attempt = Arc::clone(attempt);
        tasks.spawn(async move {
            let result = timeout(TIME_OUT, attempt.run()).await.expect("it does not wait without end");
            (attempt, result)
        });
    }
    let mut results = Vec::new();
    let done = tasks.join_all().await;
    lane.proxy.slow_down(Duration::ZERO);
    heal(&lane.vault).await;
    for (attempt, result) in done {
        results.push(if result == attempt.expected() { Ok(()) } else { Err(format!("{result:?}")) });
        let outcome = attempt.assert_whole(result).await;
        attempt.assert_works_again(&outcome).await;
    }
    results
}
