//! Connections that break, fall silent or are slow.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use logto_vault::{BoxVault, Vault};
use servers::{NetworkFault, Proxy};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::attempt::{Attempt, Attempts, CASES, Case};
use crate::fixture::heal;
use crate::is_exhaustive;
use crate::server::{On, Server, proxy};

/// A connection through a proxy.
struct Lane {
    on: On,
    proxy: Proxy,
    vault: Vault<BoxVault>,
    direct: Vault<BoxVault>,
}

impl Lane {
    async fn start(on: On, port: u16, direct: &Vault<BoxVault>) -> Self {
        let proxy = proxy(port).await;
        let vault = on.connect_once(proxy.port()).await;
        Self { on, proxy, vault, direct: direct.clone() }
    }

    async fn prepare(&self, case: Case, fault: NetworkFault) -> Attempt {
        Attempt::prepare(case, format!("{fault:?}"), &self.vault, &self.direct).await
    }

    /// Does it while a fault happens, and again afterwards. Returns whether the fault has happened.
    async fn run(&self, attempt: Attempt, fault: NetworkFault) -> bool {
        self.proxy.fail(fault);
        let result = timeout(self.on.time_out(), attempt.run()).await.expect("it does not wait without end");
        let has_failed = self.proxy.has_failed();
        assert!(has_failed || result == attempt.expected(), "{} without a fault: {result:?}", attempt.what());
        let outcome = attempt.assert_whole(result).await;
        self.proxy.end_silence();
        heal(&self.vault).await;
        attempt.assert_works_again(&outcome).await;
        has_failed
    }

    /// Tries an action with a fault after some numbers of bytes, each time on a server that has forgotten how it is called.
    async fn call_anew(&self, server: &Server, case: Case, fault: fn(usize) -> NetworkFault) -> usize {
        for (tried, after) in (0..).step_by(anew_step(self.on)).enumerate() {
            let attempt = self.prepare(case, fault(after)).await;
            server.forget_calls().await;
            if !self.run(attempt, fault(after)).await {
                assert!(after > 0, "{case:?}: it has not failed");
                return tried;
            }
        }
        unreachable!("the action ends")
    }
}

pub(crate) async fn request_that_is_cut_at_any_byte_is_applied_as_a_whole_or_not_at_all(on: On) {
    assert_whole_at_bytes(on, cut_step(on), |after| NetworkFault::CutRequest { after }).await;
}

pub(crate) async fn response_that_is_cut_at_any_byte_leaves_a_whole_write(on: On) {
    assert_whole_at_bytes(on, cut_step(on), |after| NetworkFault::CutResponse { after }).await;
}

pub(crate) async fn response_that_is_lost_fails_in_time_and_leaves_a_whole_write(on: On) {
    // Each of them waits for the time-out.
    let step = if is_exhaustive() { 1 } else { 48 };
    assert_whole_at_bytes(on, step, |after| NetworkFault::LoseResponse { after }).await;
}

/// A connection to PostgreSQL is a new process there, and its requests are longer.
fn cut_step(on: On) -> usize {
    match on {
        On::Redis => 1,
        On::Postgres if is_exhaustive() => 1,
        On::Postgres => 23,
    }
}

fn anew_step(on: On) -> usize {
    match on {
        _ if is_exhaustive() => 1,
        On::Redis => 41,
        On::Postgres => 97,
    }
}

/// How many connections each action is tried on at once.
fn lanes(on: On) -> usize {
    match on {
        On::Redis => 8,
        // It accepts 100 in all, and takes a moment to notice that one has ended.
        On::Postgres => 3,
    }
}

/// Tries every action with a fault after each number of bytes, from 0 until the action is over before the fault happens.
async fn assert_whole_at_bytes(on: On, step: usize, fault: fn(usize) -> NetworkFault) {
    let (server, direct) = Server::start(on).await;
    let mut tasks = JoinSet::new();
    let tried = CASES.map(|_| Arc::new(AtomicUsize::new(0)));
    for (case, tried) in CASES.into_iter().zip(&tried) {
        for _ in 0..lanes(on) {
            let (port, direct, tried) = (server.port(), direct.clone(), Arc::clone(tried));
            tasks.spawn(async move {
                let lane = Lane::start(on, port, &direct).await;
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
    let failed: Vec<_> = tried.iter().map(|tried| tried.load(Ordering::SeqCst) - lanes(on)).collect();
    println!("{on:?}: {:?} and so on, by {step}: {failed:?}", fault(0));
    assert!(failed.iter().all(|failed| *failed > 0), "{failed:?}");
    server.assert_every_record_expires().await;
}

/// Redis has lost its scripts, PostgreSQL its connections and with them their statements.
pub(crate) async fn request_that_has_to_begin_anew_is_whole_after_a_cut_at_any_byte(on: On) {
    let cases: Vec<_> = CASES.into_iter().filter(Case::changes).collect();
    let mut tasks = JoinSet::new();
    // A server of its own for what is tried at once: another connection would load the script, or lose its statements.
    for cases in cases.chunks(if on == On::Redis { 1 } else { cases.len() }) {
        let (cases, (server, _)) = (cases.to_owned(), Server::start(on).await);
        tasks.spawn(async move {
            let direct = on.connect_once(server.port()).await;
            let lane = Lane::start(on, server.port(), &direct).await;
            let mut tried = Vec::new();
            for case in cases {
                tried.push(lane.call_anew(&server, case, |after| NetworkFault::CutRequest { after }).await);
                tried.push(lane.call_anew(&server, case, |after| NetworkFault::CutResponse { after }).await);
            }
            tried
        });
    }
    println!("{on:?}: anew, by {}: {:?}", anew_step(on), tasks.join_all().await.concat());
}

pub(crate) async fn slow_network_makes_slow_requests(on: On) {
    for result in slow(on, Duration::from_millis(100)).await {
        result.unwrap();
    }
}

pub(crate) async fn network_slower_than_the_time_out_fails_in_time_and_delivers_whole_writes_later(on: On) {
    let results = slow(on, Duration::from_millis(2_500)).await;
    assert!(results.iter().all(Result::is_err), "{results:?}");
}

/// Does it all at once on a slow network. Returns what is not as it is on a fast one.
async fn slow(on: On, delay: Duration) -> Vec<Result<(), String>> {
    let (server, direct) = Server::start(on).await;
    let proxy = server.proxy().await;
    let vault = on.connect(proxy.port()).await;
    let attempts = Attempts::prepare(&format!("{delay:?} slow"), &vault, &direct).await;

    proxy.slow_down(delay);
    let done = attempts.run(on).await;
    proxy.slow_down(Duration::ZERO);

    let outcome = |attempt: &Attempt, result| {
        if result == attempt.expected() { Ok(()) } else { Err(format!("{}: {result:?}", attempt.what())) }
    };
    let results = done.iter().map(|(attempt, result)| outcome(attempt, *result)).collect();
    done.assert_works_again(&vault).await;
    results
}
