//! What differs between libraries, as `docs/VAULT.md` says.

use std::fs;

use crate::apps::{LIBRARIES, Library};

const SECTION: &str = "## Under each session library";

pub(crate) const OLD_COOKIE: &str = "The cookie from before a sign-in, afterwards";
pub(crate) const CALLBACK_THEN_500: &str = "A callback, then the handler responds with 500";
pub(crate) const CALLBACK_THEN_ERR: &str = "A callback, then the handler returns `Err`";
pub(crate) const CALLBACK_THEN_PANIC: &str = "A callback, then the handler panics";
pub(crate) const FAILED_CALLBACK: &str = "The vault's store fails in a callback, and the handler responds with 500";
pub(crate) const LATE_PAGES: &str = "Pages of the previous user that end after a sign-in";

const ROWS: [&str; 6] =
    [OLD_COOKIE, CALLBACK_THEN_500, CALLBACK_THEN_ERR, CALLBACK_THEN_PANIC, FAILED_CALLBACK, LATE_PAGES];

/// Fails unless the table has what was observed.
pub(crate) fn assert_documented(library: Library, row: &str, observed: &str) {
    let rows = rows();
    let column = LIBRARIES.iter().position(|other| other.title == library.title).expect("a library") + 1;
    let documented = rows.iter().find(|cells| cells[0] == row).map(|cells| &*cells[column]);
    assert_eq!(Some(observed), documented, "{row}, {}: observed and documented", library.title);
}

pub(crate) fn the_table_has_the_libraries_and_the_rows_that_are_observed() {
    let mut rows = rows();
    let titles = rows.remove(0);
    assert_eq!(titles[1..], LIBRARIES.map(|library| library.title));
    assert_eq!(rows.iter().map(|cells| &*cells[0]).collect::<Vec<_>>(), ROWS);
}

/// The cells of the table, without the line below its titles.
fn rows() -> Vec<Vec<String>> {
    let docs = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/VAULT.md")).expect("the docs");
    let (_, section) = docs.split_once(SECTION).expect("the section");
    let lines = section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.enumerate().filter(|(index, _)| *index != 1).map(|(_, line)| cells(line)).collect()
}
