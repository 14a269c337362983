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
    assert_eq!(Ticket::parse_list(&new.encode_with_old(&old)), [new, old]);
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
fn of_more_than_two_tickets_the_first_two_count() {
    let tickets = [Ticket::random(), Ticket::random(), Ticket::random()];
    let text = tickets.map(|ticket| ticket.encode()).join(".");
    assert_eq!(Ticket::parse_list(&text), tickets[..2]);
}

#[test]
fn debug_output_has_no_secret() {
    let ticket = Ticket::for_record(Id::from_bytes([0; 16]));
    assert_eq!(format!("{ticket:?}"), "Ticket { id: Id(AAAAAAAAAAAAAAAAAAAAAA), .. }");
}
