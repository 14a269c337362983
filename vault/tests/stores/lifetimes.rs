use std::time::Duration;

use logto_vault::VaultStore;
use logto_vault::store::{Id, Record, Step, Swap, Swapped, Version};
use tokio::time::{sleep, timeout};

use crate::fixture::{LIMIT, LONG, assert_fields, change, conflict, create, field, look, read, swap};

const SHORT: Duration = Duration::from_millis(50);

async fn lives(store: &impl VaultStore, id: &Id, steps: impl Into<Vec<Step>>, lifetime: Duration) {
    assert_eq!(store.swap(id, &Swap::new(steps, lifetime)).await.unwrap(), Swapped::Done);
}

/// Fails unless the record lives about so long.
async fn assert_lifetime(store: &impl VaultStore, id: &Id, lifetime: Duration) {
    let remaining = read(store, id).await.remaining.expect("a lifetime");
    assert!(remaining <= lifetime && remaining + LONG / 2 > lifetime, "{remaining:?} of {lifetime:?}");
}

async fn expired(store: &impl VaultStore, id: &Id) {
    let expired = async {
        while read(store, id).await != Record::default() {
            sleep(SHORT / 5).await;
        }
    };
    timeout(LIMIT, expired).await.expect("it expires");
}

pub(crate) async fn lifetime_is_extended_and_never_shortened<S: VaultStore>(store: S) {
    let (id, a, b, c) = (Id::random(), field("a"), field("b"), field("c"));
    lives(&store, &id, [create("iYQ", &a)], LONG).await;
    assert_lifetime(&store, &id, LONG).await;
    lives(&store, &id, [change("iYQ", &a, &b)], LONG * 2).await;
    assert_lifetime(&store, &id, LONG * 2).await;
    lives(&store, &id, [change("iYQ", &b, &c)], SHORT).await;
    assert_lifetime(&store, &id, LONG * 2).await;
}

pub(crate) async fn lifetime_is_extended_by_a_look<S: VaultStore>(store: S) {
    let (id, a) = (Id::random(), field("a"));
    lives(&store, &id, [create("iYQ", &a)], LONG).await;
    lives(&store, &id, [look("iYQ", &a)], LONG * 2).await;
    assert_lifetime(&store, &id, LONG * 2).await;
}

pub(crate) async fn replacement_sets_the_lifetime_exactly<S: VaultStore>(store: S) {
    let (id, a, b) = (Id::random(), field("a"), field("b"));
    lives(&store, &id, [create("iYQ", &a)], LONG * 4).await;
    let swap = Swap::replacing([change("iYQ", &a, &b)], LONG);
    assert_eq!(store.swap(&id, &swap).await.unwrap(), Swapped::Done);
    assert_lifetime(&store, &id, LONG).await;
}

pub(crate) async fn swap_that_is_sent_again_does_not_extend_the_lifetime<S: VaultStore>(store: S) {
    let (id, a) = (Id::random(), field("a"));
    lives(&store, &id, [create("iYQ", &a)], LONG).await;
    lives(&store, &id, [create("iYQ", &a)], LONG * 4).await;
    assert_lifetime(&store, &id, LONG).await;
}

pub(crate) async fn conflict_does_not_extend_the_lifetime<S: VaultStore>(store: S) {
    let (id, a, b) = (Id::random(), field("a"), field("b"));
    lives(&store, &id, [create("iYQ", &a)], LONG).await;
    for swap in [Swap::new([create("iYQ", &b)], LONG * 4), Swap::replacing([create("iYQ", &b)], LONG * 4)] {
        assert_eq!(store.swap(&id, &swap).await.unwrap(), conflict(&[Some(&a)]));
        assert_lifetime(&store, &id, LONG).await;
    }
}

pub(crate) async fn expired_record_has_no_field<S: VaultStore>(store: S) {
    let (id, k, a) = (Id::random(), field("k"), field("a"));
    lives(&store, &id, [create("k", &k), create("iYQ", &a)], SHORT).await;
    expired(&store, &id).await;

    assert_eq!(store.read(&id, Some(&["k", "iYQ"])).await.unwrap(), Record::default());
    let late = [look("k", &k), change("iYQ", &a, &field("b"))];
    assert_eq!(swap(&store, &id, late).await, conflict(&[None, None]));
    let ended = store.end(&id, Version::of(&k), LONG).await.unwrap();
    assert_eq!(ended, conflict(&[None]));

    // A new record has nothing of the old one.
    lives(&store, &id, [create("k", &k)], LONG).await;
    assert_fields(&read(&store, &id).await, &[("k", &k)]);
    assert_lifetime(&store, &id, LONG).await;
}

pub(crate) async fn expired_marker_lets_a_record_be_created<S: VaultStore>(store: S) {
    let (id, k) = (Id::random(), field("k"));
    lives(&store, &id, [create("k", &k)], LONG).await;
    assert_eq!(store.end(&id, None, SHORT).await.unwrap(), Swapped::Done);
    expired(&store, &id).await;
    lives(&store, &id, [create("k", &k)], LONG).await;
}

pub(crate) async fn lifetime_can_be_zero_and_without_bounds<S: VaultStore>(store: S) {
    let (id, k) = (Id::random(), field("k"));
    lives(&store, &id, [create("k", &k)], Duration::ZERO).await;
    assert_eq!(read(&store, &id).await, Record::default());

    lives(&store, &id, [create("k", &k)], Duration::MAX).await;
    assert!(read(&store, &id).await.remaining > Some(LONG * 1000));
    assert_eq!(store.end(&id, None, Duration::MAX).await.unwrap(), Swapped::Done);
    assert!(read(&store, &id).await.remaining > Some(LONG * 1000));
}
