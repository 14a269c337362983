use logto_vault::VaultStore;
use logto_vault::store::{Id, Step, Swap, Swapped, Version};
use tokio::task::JoinSet;

use crate::fixture::{LONG, assert_fields, change, content, create, field, look, read, record, swap};

/// Runs the swap of each of `count` tasks at once, and returns which of them were done.
async fn race<S: VaultStore + Clone>(store: &S, id: Id, count: usize, swap: impl Fn(usize) -> Swap) -> Vec<usize> {
    let mut tasks = JoinSet::new();
    for number in 0..count {
        let (store, swap) = (store.clone(), swap(number));
        tasks.spawn(async move { (number, store.swap(&id, &swap).await.unwrap()) });
    }
    let all = tasks.join_all().await.into_iter();
    all.filter(|(_, swapped)| *swapped == Swapped::Done).map(|(number, _)| number).collect()
}

pub(crate) async fn no_increment_of_many_writers_is_lost<S: VaultStore + Clone>(store: S) {
    increment_from_all(&[store]).await;
}

/// Increments a number from many writers, which take turns at using the stores.
pub(crate) async fn increment_from_all<S: VaultStore + Clone>(stores: &[S]) {
    let (k, zero) = (field("k"), field("0"));
    let id = record(&stores[0], &[("k", &k), ("iYQ", &zero)]).await;
    let mut writers = JoinSet::new();
    for store in stores.iter().cycle().take(200) {
        let (store, k, mut seen) = (store.clone(), k.clone(), zero.clone());
        writers.spawn(async move {
            loop {
                let count: u32 = String::from_utf8_lossy(content(&seen)).parse().unwrap();
                let steps = [look("k", &k), change("iYQ", &seen, &field((count + 1).to_string()))];
                match swap(&store, &id, steps).await {
                    // What came back is enough for the next attempt.
                    Swapped::Conflict(now) => seen = now.into_iter().nth(1).unwrap().unwrap(),
                    _ => return,
                }
            }
        });
    }
    writers.join_all().await;
    assert_eq!(content(&read(&stores[0], &id).await.fields["iYQ"]), b"200");
}

pub(crate) async fn one_of_many_creations_wins<S: VaultStore + Clone>(store: S) {
    let id = Id::random();
    let fields: Vec<_> = (0..50).map(|number: usize| field(number.to_string())).collect();
    let creation = |number: usize| {
        // Each has an item of its own as well, none of which may stay.
        let own = format!("i{number}");
        Swap::new([create("k", &fields[number]), create(&own, &fields[number])], LONG)
    };

    let done = race(&store, id, fields.len(), creation).await;

    let [winner] = done[..] else { panic!("{done:?}") };
    assert_fields(&read(&store, &id).await, &[("k", &fields[winner]), (&format!("i{winner}"), &fields[winner])]);
}

pub(crate) async fn one_of_many_replacements_wins<S: VaultStore + Clone>(store: S) {
    let (k, a) = (field("k"), field("a"));
    let id = record(&store, &[("k", &k), ("iYQ", &a)]).await;
    let fields: Vec<_> = (0..50).map(|number: usize| field(number.to_string())).collect();

    let renewal = |number: usize| Swap::replacing([change("k", &k, &fields[number]), look("iYQ", &a)], LONG);
    let done = race(&store, id, fields.len(), renewal).await;

    let [winner] = done[..] else { panic!("{done:?}") };
    assert_fields(&read(&store, &id).await, &[("k", &fields[winner])]);
}

pub(crate) async fn no_writer_changes_a_record_that_has_ended<S: VaultStore + Clone>(store: S) {
    let k = field("k");
    let id = record(&store, &[("k", &k)]).await;
    let mut writers = JoinSet::new();
    for number in 0..50 {
        let (store, k) = (store.clone(), k.clone());
        let (name, mut seen) = (format!("i{number}"), None);
        writers.spawn(async move {
            // Writes until the record has ended.
            loop {
                let new = field("new");
                let steps = [look("k", &k), Step::put(&name, seen, &*new)];
                match swap(&store, &id, steps).await {
                    Swapped::Done => seen = Version::of(&new),
                    _ => return,
                }
            }
        });
    }
    tokio::task::yield_now().await;
    assert_eq!(store.end(&id, Version::of(&k), LONG).await.unwrap(), Swapped::Done);
    let marker = read(&store, &id).await;
    writers.join_all().await;
    assert!(marker.fields.keys().eq(["k"]), "{marker:?}");
    assert_eq!(read(&store, &id).await.fields, marker.fields);
}
