//! The README's translations say what the README does, as far as a program can tell, and no link leads nowhere.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

/// What is the same in every language.
#[derive(Default)]
struct Skeleton {
    /// The fenced blocks, each with its fences.
    blocks: Vec<String>,
    /// The levels.
    headings: Vec<usize>,
    /// How many cells each row has.
    rows: Vec<usize>,
    /// The inline code, sorted: a sentence's words may come in another order.
    code: Vec<String>,
    /// The targets, sorted.
    links: Vec<String>,
}

impl Skeleton {
    fn of(markdown: &str) -> Self {
        let mut skeleton = Self::default();
        let mut prose = String::new();
        let mut lines = markdown.lines();
        while let Some(line) = lines.next() {
            if line.starts_with("```") {
                let mut block = vec![line];
                block.extend(lines.by_ref().take_while(|line| *line != "```"));
                skeleton.blocks.push(block.join("\n"));
                continue;
            }
            if line.starts_with('#') {
                skeleton.headings.push(line.chars().take_while(|c| *c == '#').count());
            } else if line.starts_with('|') {
                skeleton.rows.push(line.matches('|').count() - 1);
            }
            prose.extend([line, "\n"]);
        }
        let mut text = String::new();
        for (index, part) in prose.split('`').enumerate() {
            if index % 2 == 0 {
                text.push_str(part);
            } else {
                skeleton.code.push(part.split_whitespace().collect::<Vec<_>>().join(" "));
            }
        }
        let targets = targets(&text, "](", ')').chain(targets(&text, "<http", '>'));
        skeleton.links = targets.map(str::to_owned).collect();
        skeleton.links.sort();
        skeleton.code.sort();
        skeleton
    }
}

/// What stands between `open` and `close`.
fn targets<'a>(text: &'a str, open: &'a str, close: char) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| Some(rest.split_once(close)?.0))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn assert_translates(name: &str) {
    let [english, translation] = ["README.md", name].map(|name| {
        let mut skeleton = Skeleton::of(&read(&root().join(name)));
        // The languages' links to each other.
        skeleton.links.retain(|target| !target.starts_with("README"));
        skeleton
    });
    assert_same("fenced block", &english.blocks, &translation.blocks);
    assert_same("heading", &english.headings, &translation.headings);
    assert_same("table row", &english.rows, &translation.rows);
    assert_same("inline code", &english.code, &translation.code);
    assert_same("link", &english.links, &translation.links);
}

/// Tells the first difference: where a list ends, the other has one more.
fn assert_same<T: PartialEq + Debug>(what: &str, english: &[T], translation: &[T]) {
    let same = english.iter().zip(translation).take_while(|(english, translation)| english == translation).count();
    assert_eq!(
        translation.get(same),
        english.get(same),
        "{what} {same} of the translation is another than the README's"
    );
}

#[test]
fn the_french_readme_has_the_code_headings_tables_and_links_of_the_english_one() {
    assert_translates("README.fr.md");
}

#[test]
fn the_portuguese_readme_has_the_code_headings_tables_and_links_of_the_english_one() {
    assert_translates("README.pt-BR.md");
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut folders = vec![root(), root().join("docs")];
    folders.extend(entries(&root().join("examples")));
    let files = folders.iter().filter(|path| path.is_dir()).flat_map(|folder| entries(folder));
    let mut checked = 0;
    let mut broken = Vec::new();
    for document in files.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        for link in Skeleton::of(&read(&document)).links {
            let file = link.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            checked += 1;
            if !document.with_file_name(file).exists() {
                broken.push(format!("{}: {link}", document.display()));
            }
        }
    }
    assert!(checked > 30, "only {checked} links were found");
    assert!(broken.is_empty(), "these lead nowhere:\n{}", broken.join("\n"));
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}
