//! The README's translations show the README's commands and program, and no relative link is broken.

use std::fs;
use std::path::{Path, PathBuf};

/// The blocks that a translation repeats: how to run the example, how to test, and the program with its `Cargo.toml`.
const TRANSLATED_BLOCKS: usize = 4;

/// The section whose first block a translation repeats after them.
const TRANSLATED_SECTION: &str = "\n## Protect an API\n";

#[test]
fn the_french_readme_has_the_commands_and_the_program_of_the_english_one() {
    assert_translates("README.fr.md");
}

#[test]
fn the_portuguese_readme_has_the_commands_and_the_program_of_the_english_one() {
    assert_translates("README.pt-BR.md");
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut folders = vec![root(), root().join("docs"), root().join("examples")];
    folders.extend(entries(&root().join("examples")));
    let files = folders.iter().filter(|path| path.is_dir()).flat_map(|folder| entries(folder));
    let mut checked = 0;
    let mut broken = Vec::new();
    for document in files.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        for link in links(&read(&document)) {
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
    assert!(broken.is_empty(), "broken links:\n{}", broken.join("\n"));
}

#[test]
fn the_index_of_the_examples_has_each_of_them_and_its_command() {
    let index = read(&root().join("examples/README.md"));
    let mut listed: Vec<_> = index.lines().filter_map(|line| line.strip_prefix("| [")).collect();
    listed.sort_unstable();
    let folders = entries(&root().join("examples")).into_iter().filter(|path| path.is_dir());
    let mut folders: Vec<_> = folders.collect();
    folders.sort_unstable();
    assert_eq!(listed.len(), folders.len(), "{listed:?}");
    for (line, folder) in listed.into_iter().zip(folders) {
        let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(line.starts_with(&format!("{name}]({name}) |")), "{name} is not in its place: {line}");
        let manifest = read(&folder.join("Cargo.toml"));
        let package = manifest.split("name = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a package");
        assert!(line.ends_with(&format!("cargo run -p {package}` |")), "{line}");
    }
}

fn assert_translates(name: &str) {
    let [english, translation] = ["README.md", name].map(|name| read(&root().join(name)));
    let mut expected = fenced_blocks(&english);
    expected.truncate(TRANSLATED_BLOCKS);
    let (_, api) = english.split_once(TRANSLATED_SECTION).expect(TRANSLATED_SECTION);
    expected.extend(fenced_blocks(api).into_iter().next());
    assert_eq!(fenced_blocks(&translation), expected, "the code of {name} differs from that of README.md");
}

/// The fenced blocks, each with its opening fence.
fn fenced_blocks(markdown: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = markdown.lines();
    while let Some(fence) = lines.find(|line| line.starts_with("```")) {
        let code = lines.by_ref().take_while(|line| *line != "```");
        blocks.push([fence].into_iter().chain(code).collect::<Vec<_>>().join("\n"));
    }
    blocks
}

/// The targets of `[text](target)`, outside of code.
fn links(markdown: &str) -> Vec<String> {
    let mut prose = markdown.to_owned();
    for block in fenced_blocks(markdown) {
        prose = prose.replace(&block, "");
    }
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    links.map(|(target, _)| target.to_owned()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}
