use logto_vault::VaultStore;
use logto_vault::store::{Id, Record, Step, Swapped};

use crate::fixture::{assert_fields, change, conflict, create, field, look, read, record, replace, swap};

pub(crate) async fn replaced_record_holds_exactly_what_was_put<S: VaultStore>(store: S) {
    let (k, a, b, new) = (field("k"), field("a"), field("b"), field("new"));
    let id = record(&store, &[("k", &k), ("iYQ", &a), ("iYg", &b)]).await;

    let steps = [change("k", &k, &new), look("iYQ", &a), change("iYg", &b, &new), create("iYw", &new)];
    assert_eq!(replace(&store, &id, steps).await, Swapped::Done);

    assert_fields(&read(&store, &id).await, &[("k", &new), ("iYg", &new), ("iYw", &new)]);
}

pub(crate) async fn replacement_can_create_a_record<S: VaultStore>(store: S) {
    let (id, k) = (Id::random(), field("k"));
    assert_eq!(replace(&store, &id, [create("k", &k), Step::look("iYQ", None)]).await, Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("k", &k)]);
}

pub(crate) async fn replacement_requires_that_there_is_no_other_field<S: VaultStore>(store: S) {
    let (k, a, new) = (field("k"), field("a"), field("new"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;

    let swapped = replace(&store, &id, [change("k", &k, &new), Step::look("iYg", None)]).await;

    // All that it has asked for is as expected.
    assert_eq!(swapped, conflict(&[Some(&k), None]));
    assert_eq!(replace(&store, &id, [create("iYg", &new)]).await, conflict(&[None]), "a creation");
    assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &a)]);
}

pub(crate) async fn replacement_requires_the_expected_versions<S: VaultStore>(store: S) {
    let (k, a, new, unknown) = (field("k"), field("a"), field("new"), field("unknown"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;
    let wrong = [
        [change("k", &unknown, &new), change("iYQ", &a, &new)],
        [change("k", &k, &new), look("iYQ", &unknown)],
        [change("k", &k, &new), create("iYQ", &new)],
        [create("k", &new), look("iYQ", &a)],
    ];
    for steps in wrong {
        assert_eq!(replace(&store, &id, steps).await, conflict(&[Some(&k), Some(&a)]));
        assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &a)]);
    }
    // As many fields as there are, but not the same.
    let steps = [change("k", &k, &new), look("iYg", &unknown)];
    assert_eq!(replace(&store, &id, steps).await, conflict(&[Some(&k), None]));
    assert_fields(&read(&store, &id).await, &[("k", &k), ("iYQ", &a)]);
}

pub(crate) async fn replacement_that_is_sent_again_is_done<S: VaultStore>(store: S) {
    let (k, a, new) = (field("k"), field("a"), field("new"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;
    let steps = [change("k", &k, &new), look("iYQ", &a)];
    assert_eq!(replace(&store, &id, steps.clone()).await, Swapped::Done);
    assert_eq!(swap(&store, &id, [create("iYg", &a)]).await, Swapped::Done);

    assert_eq!(replace(&store, &id, steps).await, Swapped::Done);
    assert_fields(&read(&store, &id).await, &[("k", &new), ("iYg", &a)]);
}

pub(crate) async fn replacement_by_nothing_leaves_no_record<S: VaultStore>(store: S) {
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    assert_eq!(replace(&store, &id, [look("k", &k)]).await, Swapped::Done);
    assert_eq!(read(&store, &id).await, Record::default());
    assert_eq!(replace(&store, &id, []).await, Swapped::Done);
    assert_eq!(read(&store, &id).await, Record::default());
}
