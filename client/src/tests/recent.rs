use std::time::Duration;

use crate::recent::Recent;

#[test]
fn an_entry_is_found_until_nobody_asked_for_it_in_a_while() {
    let recent = Recent::new(|_| Duration::from_secs(60));
    assert_eq!(recent.get_or_insert_with("a", || 1), (1, true));
    assert_eq!(recent.get_or_insert_with("a", || 2), (1, false));

    let forgetful = Recent::new(|_| Duration::ZERO);
    assert_eq!(forgetful.get_or_insert_with("a", || 1), (1, true));
    assert_eq!(forgetful.get_or_insert_with("a", || 2), (2, true));
}

#[test]
fn old_entries_do_not_pile_up() {
    let recent = Recent::new(|()| Duration::ZERO);
    for n in 0..10_000 {
        recent.insert(&n.to_string(), ());
    }
    assert!(recent.len() <= 64);
}

#[test]
fn an_entry_that_is_to_be_kept_longer_outlives_the_others() {
    let recent = Recent::new(|important| if *important { Duration::from_secs(60) } else { Duration::ZERO });
    recent.insert("a", true);
    for n in 0..1000 {
        recent.insert(&n.to_string(), false);
    }
    assert!(recent.len() <= 65);
    assert_eq!(recent.get_or_insert_with("a", || false), (true, false));
}
