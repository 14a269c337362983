//! Every test that `docs/FAULTS.md` names exists.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_test_that_the_faults_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/FAULTS.md")).unwrap();
    let tests: String = ["tests/faults/tests/faults", "vault/tests/faults"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).unwrap())
        .map(|file| fs::read_to_string::<PathBuf>(file.unwrap().path()).unwrap())
        .collect();

    // The last column of each table's rows, without the head and the line below it.
    let rows = page.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit_once("| "));
    let names: Vec<_> = rows.flat_map(|(_, last)| last.split(", ")).filter(|last| last.starts_with('`')).collect();
    let missing: Vec<_> =
        names.iter().filter(|name| !tests.contains(&format!("fn {}(", name.trim_matches('`')))).collect();

    assert!(names.len() > 30, "only {} names were found", names.len());
    assert!(missing.is_empty(), "{missing:?}");
}
