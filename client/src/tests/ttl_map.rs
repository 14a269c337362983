use std::time::Duration;

use tokio::time::{advance, sleep};

use crate::util::ttl_map::TtlMap;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn an_entry_is_found_until_nobody_has_asked_for_it_in_its_time() {
    let map = TtlMap::new(|_| MINUTE);
    assert_eq!(map.get_or_insert_with("a", || 1), (1, true));
    advance(MINUTE / 2).await;
    assert_eq!(map.get_or_insert_with("a", || 2), (1, false));
    advance(MINUTE / 2).await;
    assert_eq!(map.get_or_insert_with("a", || 3), (1, false), "the time starts anew with each use");
    advance(MINUTE).await;
    assert_eq!(map.get_or_insert_with("a", || 4), (4, true));
}

#[tokio::test(start_paused = true)]
async fn entries_leave_memory_after_a_peak_without_any_further_use() {
    let map = TtlMap::new(|is_important| if *is_important { 10 * MINUTE } else { 2 * MINUTE });
    map.insert("important", true);
    for n in 0..10_000 {
        map.insert(&n.to_string(), false);
    }
    sleep(2 * MINUTE).await;
    assert_eq!(map.len(), 10_001, "before the next sweep");
    sleep(2 * MINUTE).await;
    assert_eq!(map.len(), 1);
    sleep(8 * MINUTE).await;
    assert_eq!(map.len(), 0);

    map.insert("again", false);
    sleep(4 * MINUTE).await;
    assert_eq!(map.len(), 0, "an emptied map is swept again");
}

#[test]
fn the_sweeper_of_a_runtime_that_has_ended_is_replaced() {
    let map = TtlMap::new(|()| MINUTE);
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime().block_on(async { map.insert("a", ()) });
    runtime().block_on(async {
        map.insert("b", ());
        sleep(5 * MINUTE).await;
        assert_eq!(map.len(), 0);
    });
}

#[test]
fn a_map_works_outside_a_runtime() {
    let map = TtlMap::new(|_| MINUTE);
    map.insert("a", 1);
    assert_eq!(map.get_or_insert_with("a", || 2), (1, false));
}

#[tokio::test(start_paused = true)]
async fn at_its_capacity_a_map_drops_what_was_used_least_recently() {
    let map = TtlMap::new(|()| 10 * MINUTE);
    map.insert("old", ());
    advance(MINUTE).await;
    for n in 0..99_999 {
        map.insert(&n.to_string(), ());
    }
    assert_eq!(map.len(), 100_000);
    advance(MINUTE).await;
    assert_eq!(map.get("0"), Some(()));
    map.insert("new", ());
    assert!(map.len() < 100_000);
    assert_eq!((map.get("old"), map.get("0"), map.get("new")), (None, Some(()), Some(())));
}

#[tokio::test(start_paused = true)]
async fn at_its_capacity_a_map_drops_a_sixteenth_of_what_was_used_at_once() {
    let map = TtlMap::new(|()| MINUTE);
    for n in 0..100_000 {
        map.insert(&n.to_string(), ());
    }
    map.insert("new", ());
    assert_eq!(map.len(), 100_000 - 100_000 / 16 + 1);
    assert_eq!(map.get("new"), Some(()));
}

#[tokio::test(start_paused = true)]
async fn at_its_capacity_a_map_drops_what_has_expired_first() {
    let map = TtlMap::new(|()| MINUTE / 2);
    for n in 0..100_000 {
        map.insert(&n.to_string(), ());
    }
    advance(MINUTE / 2).await;
    map.insert("new", ());
    assert_eq!((map.len(), map.get("new")), (1, Some(())));
}
