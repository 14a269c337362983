use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use tokio::sync::Notify;
use tokio::task::yield_now;

use crate::util::single_flight::{SingleFlight, Turn};

type Flight = Arc<SingleFlight<&'static str, u32>>;

async fn lead(flight: &Flight, key: &'static str) -> crate::util::single_flight::Leader<&'static str, u32> {
    match flight.join(&key).await {
        Turn::Lead(leader) => leader,
        Turn::Share(result) => panic!("{result} is shared"),
    }
}

#[tokio::test]
async fn waiters_share_the_result_of_their_key_and_others_lead_next() {
    let flight = Flight::new(SingleFlight::new());
    let leader = lead(&flight, "a").await;
    let calls = Arc::new(AtomicUsize::new(0));
    let wait = |key: &'static str| {
        let (flight, calls) = (Arc::clone(&flight), Arc::clone(&calls));
        tokio::spawn(async move {
            flight
                .run(key, || async {
                    calls.fetch_add(1, SeqCst);
                    2
                })
                .await
        })
    };
    let waiting = [wait("a"), wait("b"), wait("a"), wait("b")];
    yield_now().await;
    leader.end("a", 1);
    let mut results = Vec::new();
    for result in waiting {
        results.push(result.await.unwrap());
    }
    assert_eq!(results, [1, 2, 1, 2]);
    assert_eq!(calls.load(SeqCst), 1, "one of the two leads");
}

#[tokio::test]
async fn a_result_for_all_is_shared_whatever_the_key() {
    let flight = Flight::new(SingleFlight::new());
    let leader = lead(&flight, "a").await;
    let waiting = tokio::spawn({
        let flight = Arc::clone(&flight);
        async move { flight.run("b", || async { panic!("the result is shared") }).await }
    });
    yield_now().await;
    leader.end_for_all(7);
    assert_eq!(waiting.await.unwrap(), 7);
}

#[tokio::test]
async fn a_caller_that_comes_later_leads() {
    let flight = Flight::new(SingleFlight::new());
    assert_eq!(flight.run("a", || async { 1 }).await, 1);
    assert_eq!(flight.run("a", || async { 2 }).await, 2);
    lead(&flight, "a").await.end_for_all(3);
    assert_eq!(flight.run("a", || async { 4 }).await, 4);
}

#[tokio::test]
async fn a_leader_that_goes_away_makes_way_for_the_next() {
    let flight = Flight::new(SingleFlight::new());
    let under_way = Arc::new(Notify::new());
    let abandoned = tokio::spawn({
        let (flight, under_way) = (Arc::clone(&flight), Arc::clone(&under_way));
        let work = || async move {
            under_way.notify_one();
            std::future::pending().await
        };
        async move { flight.run("a", work).await }
    });
    under_way.notified().await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    assert_eq!(flight.run("a", || async { 1 }).await, 1);
}

#[tokio::test]
async fn a_forgotten_result_is_shared_with_nobody() {
    let flight = Flight::new(SingleFlight::new());
    let leader = lead(&flight, "a").await;
    let waiting = tokio::spawn({
        let flight = Arc::clone(&flight);
        async move { flight.run("a", || async { 2 }).await }
    });
    yield_now().await;
    leader.end("a", 1);
    flight.forget();
    assert_eq!(waiting.await.unwrap(), 2);
}
