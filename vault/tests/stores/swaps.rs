use logto_vault::VaultStore;
use logto_vault::store::{Id, Record, Step, Swap, Swapped};

use crate::fixture::{LONG, assert_fields, change, conflict, create, field, look, read, record, swap};

pub(crate) async fn fields_are_created_and_changed<S: VaultStore>(store: S) {
    let (id, old, new, other) = (Id::random(), field("old"), field("new"), field("other"));

    assert_eq!(swap(&store, &id, [create("iYQ", &old)]).await, Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("iYQ", &old)]);

    assert_eq!(swap(&store, &id, [change("iYQ", &old, &new), create("iYg", &other)]).await, Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("iYQ", &new), ("iYg", &other)]);
}

pub(crate) async fn other_fields_stay<S: VaultStore>(store: S) {
    let (a, b, c) = (field("a"), field("b"), field("c"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let other = record(&store, &[("iYQ", &a)]).await;

    assert_eq!(swap(&store, &id, [create("iYg", &b)]).await, Swapped::Done);
    assert_eq!(swap(&store, &id, [change("iYg", &b, &c)]).await, Swapped::Done);

    assert_fields(&read(&store, &id).await, &[("iYQ", &a), ("iYg", &c)]);
    assert_fields(&read(&store, &other).await, &[("iYQ", &a)]);
}

pub(crate) async fn conflict_changes_nothing_and_returns_what_is_there<S: VaultStore>(store: S) {
    let (k, a, new, unknown) = (field("k"), field("a"), field("new"), field("unknown"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;
    let wrong = [
        // Each has a first step that matches.
        [look("k", &k), create("iYQ", &new), create("iYg", &new)],
        [look("k", &k), change("iYQ", &unknown, &new), create("iYg", &new)],
        [create("iYg", &new), look("k", &unknown), change("iYQ", &a, &new)],
        [change("iYQ", &a, &new), Step::look("k", None), create("iYg", &new)],
        [change("iYQ", &a, &new), look("iYg", &unknown), look("k", &k)],
        [change("iYQ", &a, &new), change("iYg", &unknown, &new), look("k", &k)],
    ];
    for steps in wrong {
        let there = |step: &Step| match &*step.name {
            "k" => Some(&k[..]),
            "iYQ" => Some(&a[..]),
            _ => None,
        };
        let now: Vec<_> = steps.iter().map(there).collect();
        assert_eq!(swap(&store, &id, steps).await, conflict(&now));
        assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &a)]);
    }
    let nowhere = Id::random();
    let steps = [change("iYQ", &a, &new), create("iYg", &new)];
    assert_eq!(swap(&store, &nowhere, steps).await, conflict(&[None, None]));
    assert_eq!(read(&store, &nowhere).await, Record::default());
}

pub(crate) async fn field_that_is_only_looked_at_must_match_and_stays<S: VaultStore>(store: S) {
    let (k, a) = (field("k"), field("a"));
    let id = record(&store, &[("k", &k)]).await;

    let steps = [look("k", &k), Step::look("iYg", None), create("iYQ", &a)];
    assert_eq!(swap(&store, &id, steps).await, Swapped::Done);

    assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &a)]);

    let nowhere = Id::random();
    assert_eq!(swap(&store, &nowhere, [Step::look("k", None)]).await, Swapped::Done);
    assert_eq!(read(&store, &nowhere).await, Record::default());
}

pub(crate) async fn swap_that_is_sent_again_is_done_and_changes_nothing<S: VaultStore>(store: S) {
    let (k, a, b, later) = (field("k"), field("a"), field("b"), field("later"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;
    let steps = [look("k", &k), change("iYQ", &a, &b), create("iYg", &b)];
    assert_eq!(swap(&store, &id, steps.clone()).await, Swapped::Done);
    assert_eq!(swap(&store, &id, steps.clone()).await, Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &b), ("iYg", &b)]);

    // Also if a part of it has been changed since.
    assert_eq!(swap(&store, &id, [change("iYg", &b, &later), change("k", &k, &later)]).await, Swapped::Done);
    assert_eq!(swap(&store, &id, steps).await, Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("k", &later), ("iYQ", &b), ("iYg", &later)]);
}

pub(crate) async fn swap_that_is_sent_again_after_a_later_one_is_a_conflict<S: VaultStore>(store: S) {
    let (a, b, later) = (field("a"), field("b"), field("later"));
    let id = record(&store, &[("iYQ", &a)]).await;
    let steps = [change("iYQ", &a, &b)];
    assert_eq!(swap(&store, &id, steps.clone()).await, Swapped::Done);
    assert_eq!(swap(&store, &id, [change("iYQ", &b, &later)]).await, Swapped::Done);

    assert_eq!(swap(&store, &id, steps).await, conflict(&[Some(&later)]));
    assert_fields(&read(&store, &id).await, &[("iYQ", &later)]);
}

pub(crate) async fn swap_without_steps_is_done<S: VaultStore>(store: S) {
    let a = field("a");
    let id = record(&store, &[("iYQ", &a)]).await;
    assert_eq!(swap(&store, &id, []).await, Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("iYQ", &a)]);
}

pub(crate) async fn ambiguous_swap_is_an_error<S: VaultStore>(store: S) {
    let id = Id::random();
    let ambiguous = [
        vec![create("iYQ", b"")],
        vec![create("iYg", &field("b")), create("iYQ", b"11 bytes...")],
        vec![create("iYQ", &field("a")), create("iYQ", &field("b"))],
        vec![create("iYQ", &field("a")), Step::look("iYQ", None)],
    ];
    for steps in ambiguous {
        assert!(store.swap(&id, &Swap::new(steps.clone(), LONG)).await.is_err(), "{steps:?}");
        assert_eq!(read(&store, &id).await, Record::default());
    }
}
