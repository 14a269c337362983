use std::time::Duration;

use logto_vault::VaultStore;
use logto_vault::store::{Id, Record, Step, Swapped, Version};

use crate::fixture::{GUARD, LONG, assert_fields, change, conflict, create, field, look, read, record, replace, swap};

async fn end(store: &impl VaultStore, id: &Id, expected: Option<&[u8]>) -> Swapped {
    let expected = expected.map(|field| Version::of(field).unwrap());
    store.end(id, expected, LONG).await.unwrap()
}

/// The marker that a record was replaced by.
async fn marker(store: &impl VaultStore, id: &Id) -> Vec<u8> {
    let record = read(store, id).await;
    let marker = record.fields.get(GUARD).filter(|marker| record.fields.len() == 1 && marker.len() == 12);
    marker.unwrap_or_else(|| panic!("not a marker: {record:?}")).clone()
}

pub(crate) async fn ended_record_is_a_marker_only<S: VaultStore>(store: S) {
    let (k, a) = (field("k"), field("a"));
    let ids = [(); 2].map(|()| Id::random());
    let mut markers = Vec::new();
    for id in ids {
        assert_eq!(swap(&store, &id, [create("k", &k), create("iYQ", &a)]).await, Swapped::Done);
        assert_eq!(end(&store, &id, Some(&k)).await, Swapped::Done);
        markers.push(marker(&store, &id).await);
    }
    assert_ne!(markers[0], markers[1]);
    assert_ne!(markers[0], k[..12]);
}

pub(crate) async fn nothing_late_gets_past_the_marker<S: VaultStore>(store: S) {
    let (k, a, new) = (field("k"), field("a"), field("new"));
    let create_it = [create("k", &k), create("iYQ", &a)];
    let id = Id::random();
    assert_eq!(swap(&store, &id, create_it.clone()).await, Swapped::Done);
    assert_eq!(end(&store, &id, Some(&k)).await, Swapped::Done);
    let marker = marker(&store, &id).await;

    let now = conflict(&[Some(&marker), None]);
    assert_eq!(swap(&store, &id, create_it.clone()).await, now, "the creation, sent again");
    assert_eq!(replace(&store, &id, create_it).await, now, "a creation that replaces");
    assert_eq!(swap(&store, &id, [look("k", &k), change("iYQ", &a, &new)]).await, now, "a write");
    assert_eq!(swap(&store, &id, [look("k", &k), create("iYg", &new)]).await, now, "a new item");
    assert_eq!(replace(&store, &id, [change("k", &k, &new), look("iYQ", &a)]).await, now, "a renewal");
    assert_eq!(end(&store, &id, Some(&k)).await, conflict(&[Some(&marker)]), "a second end");
    assert_fields(&read(&store, &id).await, &[("k", &marker)]);
}

pub(crate) async fn end_requires_the_expected_guard<S: VaultStore>(store: S) {
    let (k, a) = (field("k"), field("a"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;
    assert_eq!(end(&store, &id, Some(&a)).await, conflict(&[Some(&k)]));
    assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &a)]);
}

pub(crate) async fn end_without_expectation_always_ends<S: VaultStore>(store: S) {
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    assert_eq!(end(&store, &id, None).await, Swapped::Done);
    let first = marker(&store, &id).await;
    assert_eq!(end(&store, &id, None).await, Swapped::Done);
    assert_ne!(marker(&store, &id).await, first);
}

pub(crate) async fn end_of_nothing_leaves_nothing<S: VaultStore>(store: S) {
    let id = Id::random();
    assert_eq!(end(&store, &id, None).await, Swapped::Done);
    assert_eq!(end(&store, &id, Some(&field("k"))).await, conflict(&[None]));
    assert_eq!(read(&store, &id).await, Record::default());
}

pub(crate) async fn record_without_a_guard_is_ended_without_expectation_only<S: VaultStore>(store: S) {
    let a = field("a");
    let id = record(&store, &[("iYQ", &a)]).await;
    assert_eq!(end(&store, &id, Some(&a)).await, conflict(&[None]));
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
    assert_eq!(end(&store, &id, None).await, Swapped::Done);
    marker(&store, &id).await;
}

pub(crate) async fn marker_lives_exactly_as_long_as_asked<S: VaultStore>(store: S) {
    let k = field("k");
    for keep in [LONG / 2, LONG * 2] {
        let id = record(&store, &[("k", &k)]).await;
        assert_eq!(store.end(&id, Version::of(&k), keep).await.unwrap(), Swapped::Done);
        let remaining = read(&store, &id).await.remaining.expect("a lifetime");
        assert!(remaining <= keep && remaining > keep / 2, "{remaining:?}");
    }
    let id = record(&store, &[("k", &k)]).await;
    assert_eq!(store.end(&id, None, Duration::ZERO).await.unwrap(), Swapped::Done);
    assert_eq!(read(&store, &id).await, Record::default());
    assert_eq!(swap(&store, &id, [Step::look("k", None)]).await, Swapped::Done);
}
