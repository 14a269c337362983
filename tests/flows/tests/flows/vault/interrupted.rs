//! A process that waits for the provider, is killed or is stopped while it refreshes, and another one that may take over.

use std::mem;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use servers::{Browser, Rotation};
use tokio::time::sleep;

use crate::gates::Place;
use crate::provider::{On, Setup};
use crate::vault::world::{API, World, arrival, loaded, rotated_without_grace};

/// How long Logto accepts a refresh token that was replaced.
const GRACE: Duration = Duration::from_secs(3);

/// After how long without a sign of life another process takes over.
const TAKEOVER: Duration = Duration::from_secs(2);

/// Long enough for another process to see the lease.
const A_MOMENT: Duration = Duration::from_millis(150);

/// Nobody takes over from a process that lives, however long the provider takes.
pub(crate) async fn a_slow_provider_is_asked_by_one_process_only(on: On) {
    let world = World::signed_in(on, rotated_without_grace).await;
    let gate = world.hold_next(Place::Response);
    let (before, slow) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;
    let waiting = world.load(&world.b, API);

    sleep(TAKEOVER * 2).await;
    assert!(!waiting.is_finished());
    gate.open();

    let (status, token) = loaded(slow).await;
    assert_eq!(status, 200, "{token}");
    assert_eq!(loaded(waiting).await, (200, token));
    assert_eq!(world.provider.refreshes() - before, 1);
    world.assert_both_refresh().await;
}

/// As a deployment tells it to, with SIGTERM.
pub(crate) async fn a_process_that_is_told_to_end_completes_its_refresh(on: On) {
    let mut world = World::strict(on).await;
    let gate = world.hold_next(Place::Response);
    let (before, slow) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;

    world.a.signal("TERM").await;
    while Browser::new().request(Method::GET, &world.a.url("/")).send().await.is_ok() {
        sleep(A_MOMENT).await;
    }
    gate.open();

    let (status, token) = loaded(slow).await;
    assert_eq!(status, 200, "{token}");
    let replacement = world.another_process().await;
    mem::replace(&mut world.a, replacement).end().await;
    for app in world.apps() {
        assert_eq!(world.ok(app, API).await, token);
    }
    assert_eq!(world.provider.refreshes() - before, 1);
    world.assert_both_refresh().await;
}

pub(crate) async fn another_process_takes_over_from_one_that_is_killed_before_it_sends(on: On) {
    let mut world = World::signed_in(on, rotated_without_grace).await;
    world.lease.hold_next();
    let (before, lost) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&world.lease.gate).await;

    let takeover = interrupt(&world, "KILL").await;

    assert!(lost.await.unwrap().is_none());
    takeover.assert_token("killed before it sends");
    assert_eq!(world.provider.refreshes() - before, 1);
    world.restart_a().await;
    world.assert_user(Some("ann")).await;
    world.assert_both_refresh().await;
}

pub(crate) async fn another_process_takes_over_from_one_that_is_stopped_before_it_sends(on: On) {
    let world = World::signed_in(on, rotated_without_grace).await;
    world.lease.hold_next();
    let (before, stopped) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&world.lease.gate).await;

    let takeover = interrupt(&world, "STOP").await;
    world.lease.gate.open();
    world.a.signal("CONT").await;

    let token = takeover.assert_token("stopped before it sends");
    // To A, Redis has not answered in time. That is no reason to ask the user to sign in.
    let (status, answer) = loaded(stopped).await;
    assert!([200, 500].contains(&status), "{status}: {answer}");
    assert_eq!(world.ok(&world.a, API).await, token);
    assert_eq!(world.provider.refreshes() - before, 1);
    world.assert_user(Some("ann")).await;
    world.assert_both_refresh().await;
}

pub(crate) async fn another_process_takes_over_from_one_that_is_killed_before_its_request_arrives(on: On) {
    let mut world = World::signed_in(on, rotated_without_grace).await;
    let gate = world.hold_next(Place::Request);
    let (before, lost) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;

    let takeover = interrupt(&world, "KILL").await;
    gate.open();

    assert!(lost.await.unwrap().is_none());
    takeover.assert_token("killed before its request arrives");
    assert_eq!(world.provider.refreshes() - before, 1);
    world.restart_a().await;
    world.assert_user(Some("ann")).await;
    world.assert_both_refresh().await;
}

/// Both exchange the refresh token, one of them late: only the first to be stored counts.
pub(crate) async fn a_request_that_arrives_after_another_process_took_over_undoes_nothing(on: On) {
    let world = World::signed_in(on, rotated_with_grace).await;
    let gate = world.hold_next(Place::Request);
    let (before, stopped) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;

    let takeover = interrupt(&world, "STOP").await;
    let stored = world.ok(&world.b, "/refresh-token").await;
    gate.open();
    world.a.signal("CONT").await;

    let token = takeover.assert_token("stopped before its request arrives");
    assert_eq!(loaded(stopped).await, (200, token));
    assert_eq!(world.provider.refreshes() - before, 2);
    assert_eq!(world.ok(&world.a, "/refresh-token").await, stored);
    world.assert_user(Some("ann")).await;
    world.assert_both_refresh().await;
}

pub(crate) async fn another_process_takes_over_from_one_that_is_killed_before_it_stores_the_response(on: On) {
    let mut world = World::signed_in(on, rotated_with_grace).await;
    let gate = world.hold_next(Place::Response);
    let (before, lost) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;

    let takeover = interrupt(&world, "KILL").await;

    assert!(lost.await.unwrap().is_none());
    takeover.assert_token("killed before it stores the response");
    assert_eq!(world.provider.refreshes() - before, 2);
    world.restart_a().await;
    world.assert_user(Some("ann")).await;
    world.assert_both_refresh().await;
}

pub(crate) async fn another_process_takes_over_from_one_that_is_stopped_before_it_stores_the_response(on: On) {
    let world = World::signed_in(on, rotated_with_grace).await;
    let gate = world.hold_next(Place::Response);
    let (before, stopped) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;

    let takeover = interrupt(&world, "STOP").await;
    let stored = world.ok(&world.b, "/refresh-token").await;
    gate.open();
    world.a.signal("CONT").await;

    let token = takeover.assert_token("stopped before it stores the response");
    assert_eq!(loaded(stopped).await, (200, token));
    assert_eq!(world.provider.refreshes() - before, 2);
    assert_eq!(world.ok(&world.a, "/refresh-token").await, stored);
    world.assert_user(Some("ann")).await;
    world.assert_both_refresh().await;
}

pub(crate) async fn nobody_waits_for_a_killed_process_and_the_user_is_signed_out(on: On) {
    let mut world = World::signed_in(on, rotated_with_grace).await;
    let gate = world.hold_next(Place::Response);
    let (before, lost) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;
    world.a.signal("KILL").await;
    assert!(lost.await.unwrap().is_none());

    sleep(GRACE).await;
    let answer = world.json(&world.b, API).await;

    world.restart_a().await;
    assert_signed_out(&world, &answer).await;
    assert_eq!(world.provider.refreshes() - before, 2);
    world.sign_in("ann").await;
    world.assert_both_refresh().await;
}

pub(crate) async fn without_grace_a_killed_process_signs_the_user_out(on: On) {
    let mut world = World::signed_in(on, rotated_without_grace).await;
    let gate = world.hold_next(Place::Response);
    let (before, lost) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;

    let takeover = interrupt(&world, "KILL").await;

    assert!(lost.await.unwrap().is_none());
    world.restart_a().await;
    assert_signed_out(&world, &takeover.answer).await;
    assert_eq!(world.provider.refreshes() - before, 2);
    world.sign_in("ann").await;
    world.assert_both_refresh().await;
}

pub(crate) async fn without_grace_a_stopped_process_signs_the_user_out(on: On) {
    let world = World::signed_in(on, rotated_without_grace).await;
    let gate = world.hold_next(Place::Response);
    let (before, stopped) = (world.provider.refreshes(), world.load(&world.a, API));
    arrival(&gate).await;

    let takeover = interrupt(&world, "STOP").await;
    gate.open();
    world.a.signal("CONT").await;

    let (status, answer) = loaded(stopped).await;
    assert_eq!((status, &answer["error"]), (401, &"NotAuthenticated".into()), "{answer}");
    assert_signed_out(&world, &takeover.answer).await;
    assert_eq!(world.provider.refreshes() - before, 2);
    world.sign_in("ann").await;
    world.assert_both_refresh().await;
}

/// What B has answered instead of A.
struct Takeover {
    answer: (u16, Value),
    after: Duration,
}

impl Takeover {
    /// The token that B got.
    fn assert_token(&self, what: &str) -> Value {
        let (status, token) = &self.answer;
        assert_eq!(*status, 200, "{token}");
        println!("{what}: taken over after {:?}", self.after);
        token.clone()
    }
}

/// B waits for A, which gets the signal.
async fn interrupt(world: &World, signal: &str) -> Takeover {
    let waiting = world.load(&world.b, API);
    sleep(A_MOMENT).await;
    world.a.signal(signal).await;
    let interrupted = Instant::now();
    Takeover { answer: loaded(waiting).await, after: interrupted.elapsed() }
}

async fn assert_signed_out(world: &World, (status, answer): &(u16, Value)) {
    assert_eq!((*status, &answer["error"]), (401, &"SessionEnded".into()), "{answer}");
    world.assert_signed_out(&world.browser).await;
}

/// As Logto has it: a replaced token works for [`GRACE`].
fn rotated_with_grace(setup: &mut Setup) {
    setup.provider.rotation = Rotation::Always;
}
