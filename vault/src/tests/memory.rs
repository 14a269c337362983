use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::advance;

use crate::store::{Id, Record, Step, Swap, Swapped};
use crate::{MemoryVault, VaultStore};

const LIFETIME: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_millis(1);

async fn create(store: &MemoryVault, lifetime: Duration) -> Id {
    let id = Id::random();
    let swap = Swap::new([Step::put("k", None, *b"version 0001")], lifetime);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
    id
}

async fn remaining(store: &MemoryVault, id: &Id) -> Option<Duration> {
    store.read(id, None).await.unwrap().remaining
}

#[tokio::test(start_paused = true)]
async fn record_expires_at_the_end_of_its_lifetime() {
    let store = MemoryVault::default();
    let id = create(&store, LIFETIME).await;
    assert_eq!(remaining(&store, &id).await, Some(LIFETIME));
    advance(LIFETIME.saturating_sub(MOMENT)).await;
    assert_eq!(remaining(&store, &id).await, Some(MOMENT));
    advance(MOMENT).await;
    assert_eq!(store.read(&id, None).await.unwrap(), Record::default());
}

#[tokio::test(start_paused = true)]
async fn expired_records_are_removed_from_memory_within_a_minute() {
    let store = MemoryVault::default();
    let lasting = create(&store, LIFETIME).await;
    for _ in 0..100 {
        create(&store, Duration::from_secs(1)).await;
    }
    assert_eq!(format!("{store:?}"), "MemoryVault { records: 101 }");

    advance(Duration::from_secs(60)).await;
    // A call for any record is enough.
    remaining(&store, &Id::random()).await;

    assert_eq!(format!("{store:?}"), "MemoryVault { records: 1 }");
    assert!(remaining(&store, &lasting).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn ended_records_are_removed_from_memory_as_well() {
    let store = MemoryVault::default();
    let id = create(&store, LIFETIME).await;
    assert_eq!(store.end(&id, None, MOMENT).await.unwrap(), Swapped::Done);
    advance(Duration::from_secs(60)).await;
    remaining(&store, &Id::random()).await;
    assert_eq!(format!("{store:?}"), "MemoryVault { records: 0 }");
}

#[test]
fn store_works_without_a_runtime() {
    let store = MemoryVault::default();
    let future = pin!(async {
        let id = create(&store, LIFETIME).await;
        assert_eq!(store.end(&id, None, LIFETIME).await.unwrap(), Swapped::Done);
        remaining(&store, &id).await
    });
    let Poll::Ready(remaining) = future.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("it never waits");
    };
    assert!(remaining.is_some());
}
