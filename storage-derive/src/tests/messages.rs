//! Messages of which a snapshot would show only one case.

use syn::{File, Item, LitStr};

#[test]
fn the_key_nearest_to_an_unknown_one_comes_first() {
    let item = |unknown| format!("#[logto({unknown})] struct Storage(Session);");
    let field = |unknown| format!("struct Storage(#[logto({unknown})] String, #[logto(session)] Session);");
    for (text, nearest) in [
        (item("prefiks = \"a\""), "prefix"),
        (item("safe = \"deferred\""), "save"),
        (item("maxlen = 4"), "max_len"),
        (item("krate = \"a\""), "crate"),
        (field("sesion"), "session"),
        (field("is_session"), "session"),
        (field("prefxi"), "prefix"),
    ] {
        let message = first_message(&text);
        assert!(message.contains(&format!(" of `{nearest}`,")), "{text} says {message}");
    }
}

#[test]
fn an_expression_that_syn_cannot_parse_is_reported() {
    let message = first_message("struct Storage { session: Session, sizes: [u8; #] }");

    assert!(message.contains("move it into a `const`"), "{message}");
}

fn first_message(item: &str) -> String {
    let output = super::derive(item.parse().expect("tokens"));
    match syn::parse2::<File>(output).expect("items of a file").items.swap_remove(0) {
        Item::Macro(error) => error.mac.parse_body::<LitStr>().expect("a message").value(),
        _ => panic!("{item} has no error"),
    }
}
