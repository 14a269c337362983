use crate::seal::{ApplicationKeys, DataKey, Guard, Item, field_name};
use crate::store::{Id, Version};
use crate::ticket::Ticket;

const NAME: &str = "iYQ";

fn value(value: &[u8]) -> Item {
    Item::Value(value.to_vec())
}

#[test]
fn item_opens_to_what_was_sealed() {
    let (key, id) = (DataKey::random(), Id::random());
    for content in [&b""[..], b"value", &vec![0; 1 << 20]] {
        let field = key.seal(&id, NAME, Some(content));
        assert_eq!(field.len(), 12 + 1 + content.len() + 16);
        assert_eq!(key.open(&id, NAME, &field), Some(value(content)));
    }
    assert_eq!(key.open(&id, NAME, &key.seal(&id, NAME, None)), Some(Item::Removed));
}

#[test]
fn every_sealing_has_a_version_of_its_own() {
    let (key, id) = (DataKey::random(), Id::random());
    let versions = [(); 2].map(|()| Version::of(&key.seal(&id, NAME, None)).unwrap());
    assert_ne!(versions[0], versions[1]);
}

#[test]
fn moved_item_does_not_open() {
    let (key, id) = (DataKey::random(), Id::random());
    let field = key.seal(&id, NAME, Some(b"value"));
    assert_eq!(key.open(&Id::random(), NAME, &field), None, "another record");
    assert_eq!(key.open(&id, "iYg", &field), None, "another name");
    assert_eq!(DataKey::random().open(&id, NAME, &field), None, "another key");
}

#[test]
fn changed_flag_does_not_open() {
    let (key, id) = (DataKey::random(), Id::random());
    for sealed in [Some(&b"value"[..]), Some(b""), None] {
        let mut field = key.seal(&id, NAME, sealed);
        for flag in (0..=u8::MAX).filter(|flag| *flag != field[12]).collect::<Vec<_>>() {
            field[12] = flag;
            assert_eq!(key.open(&id, NAME, &field), None, "{flag}");
        }
    }
}

#[test]
fn forged_tombstone_does_not_open() {
    let (key, id) = (DataKey::random(), Id::random());
    let field = key.seal(&id, NAME, Some(b"value"));
    let forged = [&field[..12], &[0]].concat();
    assert_eq!(key.open(&id, NAME, &forged), None);
}

#[test]
fn truncated_and_changed_bytes_do_not_open() {
    let (key, id) = (DataKey::random(), Id::random());
    let field = key.seal(&id, NAME, Some(b"value"));
    for len in 0..field.len() {
        assert_eq!(key.open(&id, NAME, &field[..len]), None, "{len}");
    }
    for index in 0..field.len() {
        let mut field = field.clone();
        field[index] ^= 1;
        assert_eq!(key.open(&id, NAME, &field), None, "{index}");
    }
    assert_eq!(key.open(&id, NAME, &[field, vec![0]].concat()), None);
}

#[test]
fn names_of_items_are_unambiguous_and_never_the_guards() {
    assert_eq!(field_name(""), "i");
    assert_eq!(field_name("k"), "iaw");
    assert_eq!(field_name("a.b\0$é"), "iYS5iACTDqQ");
}

fn guard(is_signed_in: bool) -> Guard {
    Guard { data_key: DataKey::random(), is_signed_in }
}

/// Whether the guard opens, and then to the same key.
fn opens(guard: &Guard, ticket: &Ticket, keys: &ApplicationKeys, field: &[u8]) -> bool {
    let Some((opened, _)) = Guard::open(ticket, keys, field) else { return false };
    let item = guard.data_key.seal(ticket.id(), NAME, Some(b"value"));
    assert_eq!(opened.data_key.open(ticket.id(), NAME, &item), Some(value(b"value")));
    assert_eq!(opened.is_signed_in, guard.is_signed_in);
    true
}

#[test]
fn guard_opens_with_its_ticket_only() {
    let (ticket, none) = (Ticket::random(), ApplicationKeys::default());
    for is_signed_in in [false, true] {
        let guard = guard(is_signed_in);
        let field = guard.seal(&ticket, &none);
        assert!(opens(&guard, &ticket, &none, &field));
        assert!(!opens(&guard, &Ticket::for_record(*ticket.id()), &none, &field), "another secret");
        assert!(!opens(&guard, &Ticket::random(), &none, &field), "a forged ticket");
    }
}

#[test]
fn first_application_key_seals_and_all_open() {
    let ticket = Ticket::random();
    let guard = guard(true);
    let old = guard.seal(&ticket, &ApplicationKeys::new(["old"]));
    let new = guard.seal(&ticket, &ApplicationKeys::new(["new", "old"]));
    let opens =
        |keys: &[&str], field: &[u8]| opens(&guard, &ticket, &ApplicationKeys::new(keys.iter().copied()), field);
    assert!(opens(&["new", "old"], &old) && opens(&["new", "old"], &new));
    assert!(opens(&["new"], &new) && !opens(&["new"], &old));
    assert!(!opens(&["old"], &new) && !opens(&[], &new) && !opens(&[], &old));
}

#[test]
fn empty_application_key_is_as_none() {
    let ticket = Ticket::random();
    let guard = guard(false);
    let field = guard.seal(&ticket, &ApplicationKeys::default());
    assert!(opens(&guard, &ticket, &ApplicationKeys::new(["new", ""]), &field));
}

#[test]
fn malformed_guard_does_not_open() {
    let (ticket, none) = (Ticket::random(), ApplicationKeys::default());
    let guard = guard(true);
    let field = guard.seal(&ticket, &none);
    for len in 0..field.len() {
        assert!(!opens(&guard, &ticket, &none, &field[..len]), "{len}");
    }
    for index in 0..field.len() {
        let mut field = field.clone();
        field[index] ^= 1;
        assert!(!opens(&guard, &ticket, &none, &field), "{index}");
    }
    // The marker of a record that has ended.
    assert!(!opens(&guard, &ticket, &none, Version::random().as_bytes()));
}

#[test]
fn debug_output_has_no_key() {
    let keys = ApplicationKeys::new(["hunter2"]);
    assert_eq!(format!("{keys:?}"), "ApplicationKeys(1 keys)");
    assert_eq!(format!("{:?}", guard(true)), "Guard { data_key: DataKey(..), is_signed_in: true }");
}
