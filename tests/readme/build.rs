//! Joins the Rust snippets of docs/FROM-GO.md into one program, so no snippet needs lines for the compiler alone.

use std::path::Path;
use std::{env, fs};

const GUIDE: &str = "../../docs/FROM-GO.md";

fn main() {
    println!("cargo::rerun-if-changed={GUIDE}");
    let guide = fs::read_to_string(GUIDE).expect(GUIDE);
    let mut program = String::new();
    let mut is_rust = false;
    for line in guide.lines() {
        match line {
            "```rust" => is_rust = true,
            "```" => is_rust = false,
            _ if is_rust => program.extend([line, "\n"]),
            _ => {}
        }
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("from_go.rs"), program).expect("OUT_DIR can be written to");
}
