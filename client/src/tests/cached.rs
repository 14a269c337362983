use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::advance;

use crate::error::{Endpoint, RequestError, RequestErrorKind};
use crate::util::cached::Cached;

const HOUR: Duration = Duration::from_secs(3600);

fn failure(status: u16) -> RequestError {
    RequestError::new(Endpoint::Jwks, RequestErrorKind::Status(status))
}

fn status(error: &RequestError) -> u16 {
    match error.kind() {
        RequestErrorKind::Status(status) => *status,
        other => panic!("{other:?}"),
    }
}

async fn must_not_fetch() -> Result<u32, RequestError> {
    panic!("the value at hand had to do")
}

#[tokio::test]
async fn a_value_is_fetched_once_while_it_is_young_enough() {
    let cached = Cached::new();
    assert_eq!(*cached.get(HOUR, || async { Ok(1) }).await.unwrap(), 1);
    assert_eq!(*cached.get(HOUR, must_not_fetch).await.unwrap(), 1);
    assert_eq!(*cached.get(Duration::ZERO, || async { Ok(2) }).await.unwrap(), 2);
    assert_eq!(*cached.get(HOUR, must_not_fetch).await.unwrap(), 2);
}

#[tokio::test]
async fn the_last_good_value_stays_in_use_after_a_failure_and_nobody_asks_again_at_once() {
    let cached = Cached::new();
    cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    assert_eq!(*cached.get(Duration::ZERO, || async { Err(failure(500)) }).await.unwrap(), 1);
    assert_eq!(*cached.get(Duration::ZERO, must_not_fetch).await.unwrap(), 1, "however old it is");
}

#[tokio::test]
async fn without_a_good_value_a_failure_is_told_and_the_next_one_asks_again() {
    let cached = Cached::new();
    for expected in [500, 502] {
        let error = cached.get(HOUR, || async move { Err::<u32, _>(failure(expected)) }).await.unwrap_err();
        assert_eq!(status(&error), expected);
    }
    assert_eq!(*cached.get(HOUR, || async { Ok(1) }).await.unwrap(), 1);
}

/// Starts one request that waits, and nine more that want the same; what all of them are answered, and how many
/// requests there were.
async fn ten_at_once(outcome: Result<u32, RequestError>) -> (Vec<Result<u32, u16>>, usize) {
    let cached = Arc::new(Cached::new());
    let requests = Arc::new(AtomicUsize::new(0));
    let (under_way, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let ask = || {
        let (cached, requests, outcome) = (Arc::clone(&cached), Arc::clone(&requests), outcome.clone());
        let (under_way, answer) = (Arc::clone(&under_way), Arc::clone(&answer));
        async move {
            let fetch = || async move {
                if requests.fetch_add(1, SeqCst) == 0 {
                    under_way.notify_one();
                    answer.notified().await;
                }
                outcome
            };
            cached.get(HOUR, fetch).await.map(|value| *value).map_err(|error| status(&error))
        }
    };
    let first = tokio::spawn(ask());
    under_way.notified().await;
    // They are polled in order, so that all nine wait when the answer comes.
    let waiting: Vec<_> = (0..9).map(|_| tokio::spawn(ask())).collect();
    let answers = tokio::spawn(async move { answer.notify_one() });
    answers.await.unwrap();
    let mut answers = vec![first.await.unwrap()];
    for one in waiting {
        answers.push(one.await.unwrap());
    }
    (answers, requests.load(SeqCst))
}

#[tokio::test]
async fn ten_at_once_send_one_request_and_share_its_value() {
    assert_eq!(ten_at_once(Ok(7)).await, (vec![Ok(7); 10], 1));
}

#[tokio::test]
async fn ten_at_once_send_one_request_and_share_its_failure() {
    assert_eq!(ten_at_once(Err(failure(503))).await, (vec![Err(503); 10], 1));
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_any_more_leaves_the_next_one_its_turn() {
    let cached = Arc::new(Cached::new());
    let under_way = Arc::new(Notify::new());
    let abandoned = tokio::spawn({
        let (cached, under_way) = (Arc::clone(&cached), Arc::clone(&under_way));
        let fetch = || async move {
            under_way.notify_one();
            std::future::pending().await
        };
        async move { cached.get(HOUR, fetch).await.map(drop) }
    });
    under_way.notified().await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    assert_eq!(*cached.get(HOUR, || async { Ok(1) }).await.unwrap(), 1);
}

#[tokio::test]
async fn a_value_that_lacks_something_is_renewed_however_young_it_is() {
    let cached = Cached::new();
    let first = cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    let second = cached.renewed(Arc::clone(&first), || async { Ok(2) }).await.unwrap();
    assert_eq!(*second, 2);
    assert_eq!(*cached.get(HOUR, must_not_fetch).await.unwrap(), 2);
    assert_eq!(*cached.renewed(first, must_not_fetch).await.unwrap(), 2, "another request has renewed it");
    assert_eq!(*cached.renewed(second, || async { Ok(3) }).await.unwrap(), 3, "the second rotation in a minute");
}

#[tokio::test(start_paused = true)]
async fn renewals_have_a_budget_of_five_that_grows_by_one_a_minute() {
    let cached = Cached::new();
    let mut value = cached.get(HOUR, || async { Ok(0) }).await.unwrap();
    let mut renew = async |to: u32| {
        value = cached.renewed(Arc::clone(&value), || async move { Ok(to) }).await.unwrap();
        *value
    };
    for n in 1..=5 {
        assert_eq!(renew(n).await, n);
    }
    assert_eq!(renew(6).await, 5, "the budget is spent");
    advance(Duration::from_secs(59)).await;
    assert_eq!(renew(7).await, 5);
    advance(Duration::from_secs(1)).await;
    assert_eq!(renew(8).await, 8);
    assert_eq!(renew(9).await, 8);
    advance(24 * HOUR).await;
    for n in 10..=14 {
        assert_eq!(renew(n).await, n);
    }
    assert_eq!(renew(15).await, 14, "it does not grow beyond five");
}

#[tokio::test(start_paused = true)]
async fn the_last_good_value_stays_in_use_for_a_day_at_most() {
    let cached = Cached::new();
    cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    advance(23 * HOUR).await;
    assert_eq!(*cached.get(HOUR, || async { Err(failure(503)) }).await.unwrap(), 1);
    advance(HOUR).await;
    let error = cached.get(HOUR, || async { Err(failure(502)) }).await.unwrap_err();
    assert_eq!(status(&error), 502);
    assert_eq!(*cached.get(HOUR, || async { Ok(2) }).await.unwrap(), 2);
}

#[tokio::test]
async fn a_renewal_that_nobody_waits_for_any_more_keeps_nobody_from_the_next() {
    let cached = Arc::new(Cached::new());
    let first = cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    let under_way = Arc::new(Notify::new());
    let abandoned = tokio::spawn({
        let (cached, first, under_way) = (Arc::clone(&cached), Arc::clone(&first), Arc::clone(&under_way));
        let fetch = || async move {
            under_way.notify_one();
            std::future::pending().await
        };
        async move { cached.renewed(first, fetch).await.map(drop) }
    });
    under_way.notified().await;
    abandoned.abort();
    assert!(abandoned.await.unwrap_err().is_cancelled());
    assert_eq!(*cached.renewed(first, || async { Ok(2) }).await.unwrap(), 2);
}

#[tokio::test]
async fn a_value_that_cannot_be_renewed_stays_in_use() {
    let cached = Cached::new();
    let first = cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    let error = cached.renewed(Arc::clone(&first), || async { Err(failure(500)) }).await.unwrap_err();
    assert_eq!(status(&error), 500);
    assert_eq!(*cached.get(HOUR, must_not_fetch).await.unwrap(), 1);
    for _ in 0..4 {
        cached.renewed(Arc::clone(&first), || async { Err(failure(500)) }).await.unwrap_err();
    }
    assert_eq!(*cached.renewed(first, must_not_fetch).await.unwrap(), 1, "failures spend the budget, too");
}

#[tokio::test]
async fn the_value_at_hand_is_the_last_one_however_old_it_is() {
    let cached = Cached::new();
    assert_eq!(cached.last(), None);
    cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    cached.get(Duration::ZERO, || async { Err(failure(500)) }).await.unwrap();
    assert_eq!(cached.last().as_deref(), Some(&1));
}

#[tokio::test(start_paused = true)]
async fn a_value_lives_for_its_age_and_not_a_moment_longer() {
    let cached = Cached::new();
    cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    advance(Duration::from_secs(3599)).await;
    assert_eq!(*cached.get(HOUR, must_not_fetch).await.unwrap(), 1);
    advance(Duration::from_secs(1)).await;
    assert_eq!(*cached.get(HOUR, || async { Ok(2) }).await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_minute_after_a_failure_an_old_value_is_fetched_again() {
    let cached = Cached::new();
    cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    advance(HOUR).await;
    cached.get(HOUR, || async { Err(failure(503)) }).await.unwrap();
    advance(Duration::from_secs(59)).await;
    assert_eq!(*cached.get(HOUR, must_not_fetch).await.unwrap(), 1);
    advance(Duration::from_secs(1)).await;
    assert_eq!(*cached.get(HOUR, || async { Ok(2) }).await.unwrap(), 2);
}

#[tokio::test]
async fn a_success_ends_the_pause_after_a_failure() {
    let cached = Cached::new();
    let first = cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    cached.get(Duration::ZERO, || async { Err(failure(503)) }).await.unwrap();
    assert_eq!(*cached.renewed(first, || async { Ok(2) }).await.unwrap(), 2);
    assert_eq!(*cached.get(Duration::ZERO, || async { Ok(3) }).await.unwrap(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_renewal_does_not_put_off_the_growth_of_the_budget() {
    let cached = Cached::new();
    let mut value = cached.get(HOUR, || async { Ok(0) }).await.unwrap();
    let mut renew = async |to: u32| {
        value = cached.renewed(Arc::clone(&value), || async move { Ok(to) }).await.unwrap();
        *value
    };
    assert_eq!(renew(1).await, 1);
    advance(Duration::from_secs(59)).await;
    for n in 2..=5 {
        assert_eq!(renew(n).await, n);
    }
    assert_eq!(renew(6).await, 5, "the budget is spent");
    advance(Duration::from_secs(1)).await;
    assert_eq!(renew(7).await, 7, "a minute after the first renewal");
}

#[tokio::test(start_paused = true)]
async fn one_caller_a_minute_is_asked_to_renew_an_old_value_at_hand() {
    let cached = Cached::new();
    assert!(cached.at_hand(HOUR).is_none());
    cached.get(HOUR, || async { Ok(1) }).await.unwrap();
    let at_hand = || cached.at_hand(HOUR).map(|(value, is_due)| (*value, is_due));

    advance(HOUR.saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(at_hand(), Some((1, false)));
    advance(Duration::from_secs(1)).await;
    assert_eq!((at_hand(), at_hand()), (Some((1, true)), Some((1, false))));
    advance(Duration::from_secs(59)).await;
    assert_eq!(at_hand(), Some((1, false)));
    advance(Duration::from_secs(1)).await;
    assert_eq!((at_hand(), at_hand()), (Some((1, true)), Some((1, false))));
    advance(22 * HOUR).await;
    assert_eq!(at_hand(), Some((1, true)));
    advance(HOUR).await;
    assert_eq!(at_hand(), None, "a day old");
}
