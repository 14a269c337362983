use logto_vault::VaultStore;
use logto_vault::store::{Id, Record, Swapped};

use crate::fixture::{LONG, assert_fields, change, content, field, read, record, swap};

pub(crate) async fn missing_record_has_no_fields_and_no_lifetime<S: VaultStore>(store: S) {
    for names in [None, Some(&["k", "iYQ"][..]), Some(&[])] {
        assert_eq!(store.read(&Id::random(), names).await.unwrap(), Record::default(), "{names:?}");
    }
}

pub(crate) async fn some_fields_or_all_are_read<S: VaultStore>(store: S) {
    let (k, a, b) = (field("k"), field("a"), field("b"));
    let id = record(&store, &[("k", &k), ("iYQ", &a), ("iYg", &b)]).await;
    let all = [("k", &*k), ("iYQ", &*a), ("iYg", &*b)];
    let some = [
        (None, &all[..]),
        (Some(&["iYg", "iYQ", "k"][..]), &all),
        (Some(&["iYw", "iYQ"]), &all[1..2]),
        (Some(&["iYw"]), &[]),
        (Some(&[]), &[]),
    ];
    for (names, fields) in some {
        let record = store.read(&id, names).await.unwrap();
        assert_fields(&record, fields);
        assert!(record.remaining.is_some_and(|remaining| remaining <= LONG), "{names:?}: {record:?}");
    }
}

pub(crate) async fn fields_that_change_together_are_read_together<S: VaultStore + Clone>(store: S) {
    let (mut a, mut b) = (field("0"), field("0"));
    let id = record(&store, &[("iYQ", &a), ("iYg", &b)]).await;
    let writer = tokio::spawn({
        let store = store.clone();
        async move {
            for number in 1..=200 {
                let new = [(); 2].map(|()| field(number.to_string()));
                let steps = [change("iYQ", &a, &new[0]), change("iYg", &b, &new[1])];
                assert_eq!(swap(&store, &id, steps).await, Swapped::Done);
                [a, b] = new;
            }
        }
    });
    while !writer.is_finished() {
        let some = store.read(&id, Some(&["iYQ", "iYg"])).await.unwrap();
        for record in [some, read(&store, &id).await] {
            assert_eq!(content(&record.fields["iYQ"]), content(&record.fields["iYg"]));
        }
    }
    writer.await.unwrap();
}
