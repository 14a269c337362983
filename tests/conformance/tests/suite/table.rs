//! The table in `docs/SESSIONS.md`.

use std::path::Path;
use std::{env, fs};

use crate::cases::{Case, concurrency, differences, promises};
use crate::drivers::FRAMEWORKS;
use crate::observe;

const START: &str = "<!-- What follows is written by `UPDATE_DOCS=1 cargo test -p conformance`. -->\n";
const END: &str = "<!-- End of what is written by the tests. -->\n";

/// Compares it with what was observed, or writes it.
///
/// # Errors
///
/// What is to be done about a difference.
pub(crate) fn check() -> Result<(), String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/SESSIONS.md");
    let text = fs::read_to_string(&file).map_err(|error| format!("docs/SESSIONS.md: {error}"))?;
    let parts = text.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let (before, (written, after)) = parts.ok_or("docs/SESSIONS.md has lost its markers")?;
    let observed = tables()?;
    if env::var_os("UPDATE_DOCS").is_some() {
        return fs::write(&file, [before, START, &observed, END, after].concat()).map_err(|error| error.to_string());
    }
    let differences = written.lines().zip(observed.lines()).filter(|(written, observed)| written != observed);
    match differences.map(|(_, observed)| observed).next() {
        None if written == observed => Ok(()),
        first => Err(format!(
            "docs/SESSIONS.md does not tell what was observed; look at what has changed, and run \
             `UPDATE_DOCS=1 cargo test -p conformance`\n{}",
            first.unwrap_or("(its table is longer or shorter)")
        )),
    }
}

fn tables() -> Result<String, String> {
    let titles = || FRAMEWORKS.iter().map(|framework| framework.title);
    let mut text = String::new();
    for (title, cases) in [("One request", differences::CASES), ("Several requests", concurrency::CASES)] {
        write_head(&mut text, title, titles());
        for case in cases {
            write_row(&mut text, case.row, &outcomes(case)?);
        }
    }
    // What is the same everywhere takes one column.
    write_head(&mut text, "What all of them do", ["all"].into_iter());
    for case in promises::CASES {
        write_row(&mut text, case.row, &outcomes(case)?[..1]);
    }
    text.push('\n');
    Ok(text)
}

fn outcomes(case: &'static Case) -> Result<Vec<&'static str>, String> {
    FRAMEWORKS.iter().map(|framework| Ok(observe(framework, case)?.class)).collect()
}

fn write_head<'a>(text: &mut String, title: &str, columns: impl Iterator<Item = &'a str>) {
    let columns: Vec<_> = columns.collect();
    text.extend(["\n### ", title, "\n\n"]);
    write_row(text, "", &columns);
    text.extend(["|---", &"|---".repeat(columns.len()), "|\n"]);
}

fn write_row(text: &mut String, first: &str, cells: &[&str]) {
    text.extend(["| ", first]);
    for cell in cells {
        text.extend([" | ", cell]);
    }
    text.push_str(" |\n");
}
