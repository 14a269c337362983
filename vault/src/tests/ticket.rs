use crate::store::Id;
use crate::ticket::Ticket;

#[test]
fn text_is_43_characters_and_parses_to_the_same_ticket() {
    let ticket = Ticket::random();
    let text = ticket.encode();
    assert_eq!(text.len(), 43);
    assert_eq!(Ticket::parse_list(&text), [ticket]);
}

#[test]
fn two_tickets_are_in_order_new_and_old() {
    let old = Ticket::random();
    let new = Ticket::for_record(*old.id());
    assert_eq!(new.id(), old.id());
    assert_ne!(new, old);
    assert_eq!(Ticket::parse_list(&new.encode_with_others(&[], &old)), [new, old]);
}

#[test]
fn malformed_tickets_are_ignored() {
    let ticket = Ticket::random();
    let text = ticket.encode();
    let short = &text[1..];
    for malformed in ["", ".", "é", short, &format!("{text}="), &format!("{text}A"), &text.replace(&text[..1], "+")] {
        assert_eq!(Ticket::parse_list(malformed), [], "{malformed:?}");
        assert_eq!(Ticket::parse_list(&format!("{malformed}.{text}")), [ticket], "{malformed:?}");
    }
}

#[test]
fn of_many_tickets_the_newest_and_the_old_one_are_kept() {
    let (new, old) = (Ticket::random(), Ticket::random());
    let newer = [(); 10].map(|()| Ticket::random());
    let kept = Ticket::parse_list(&new.encode_with_others(&newer, &old));
    assert_eq!(kept, [&[new], &newer[..6], &[old]].concat());
}

#[test]
fn no_more_than_eight_tickets_are_read() {
    let tickets = [(); 9].map(|()| Ticket::random());
    let text = tickets.map(|ticket| ticket.encode()).join(".");
    assert_eq!(Ticket::parse_list(&text), tickets[..8]);
}

#[test]
fn debug_output_has_no_secret() {
    let ticket = Ticket::for_record(Id::from_bytes([0; 16]));
    assert_eq!(format!("{ticket:?}"), "Ticket { id: Id(AAAAAAAAAAAAAAAAAAAAAA), .. }");
}
