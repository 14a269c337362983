//! Tables, on the terminal and in `docs/BENCHMARKS.md`.

use std::fmt::{self, Write as _};
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

use crate::timing::Spread;

/// What one bench prints.
pub struct Report {
    /// What writes it.
    command: String,
    text: String,
}

impl Report {
    /// Of `cargo bench`.
    pub fn new(bench: &str) -> Self {
        Self::by(format!("cargo bench -p benches --bench {bench}"))
    }

    /// Of another command.
    pub fn by(command: impl Into<String>) -> Self {
        let mut report = Self { command: command.into(), text: String::new() };
        report.line(&machine());
        report
    }

    /// A paragraph.
    pub fn line(&mut self, line: &str) {
        self.add(format_args!("{line}\n\n"));
    }

    pub fn table(&mut self, title: &str, head: &[&str], rows: &[Vec<String>]) {
        let mut table = format!("### {title}\n\n| {} |\n|---{}|\n", head.join(" | "), "|---:".repeat(head.len() - 1));
        for row in rows {
            let _ = writeln!(table, "| {} |", row.join(" | "));
        }
        self.add(format_args!("{table}\n"));
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        print!("{text}");
        let _ = self.text.write_fmt(text);
    }

    /// Writes what was printed into the page, if `UPDATE_DOCS` is set.
    ///
    /// # Panics
    ///
    /// If the page cannot be written, or has lost its marks.
    pub fn finish(self) {
        if env::var_os("UPDATE_DOCS").is_none() {
            return;
        }
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/BENCHMARKS.md");
        let start = format!("<!-- Written by `UPDATE_DOCS=1 {}`. -->\n", self.command);
        let end = "<!-- End of what is written. -->\n";
        let page = fs::read_to_string(&file).expect("docs/BENCHMARKS.md");
        let parts = page.split_once(&start).and_then(|(before, rest)| Some((before, rest.split_once(end)?.1)));
        let (before, after) = parts.expect("docs/BENCHMARKS.md has lost its marks");
        fs::write(&file, [before, &start, "\n", &self.text, end, after].concat()).expect("docs/BENCHMARKS.md");
    }
}

/// What it was measured on.
fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|info| {
        let line = info.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let rustc = Command::new("rustc").arg("--version").output().ok();
    let rustc = rustc.map_or_else(String::new, |output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!("{cores} cores of {}, {}, {rustc}.", model.as_deref().unwrap_or("a processor"), env::consts::OS)
}

/// A time in nanoseconds.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 999.5 => format!("{ns:.0} ns"),
        ns if ns < 99_950.0 => format!("{:.1} µs", ns / 1e3),
        ns if ns < 999_500.0 => format!("{:.0} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

pub fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 10_240.0 => format!("{bytes:.0} B"),
        bytes if bytes < 1_073_741_824.0 => format!("{:.0} MiB", bytes / 1_048_576.0),
        bytes => format!("{:.1} GiB", bytes / 1_073_741_824.0),
    }
}

/// A ratio, and its quartiles.
pub fn ratio(ratio: Spread) -> String {
    format!("{:.2} ({:.2}–{:.2})", ratio.median, ratio.low, ratio.high)
}

/// Seconds, and their quartiles.
pub fn seconds(spread: Spread) -> String {
    format!("{:.2} ({:.2}–{:.2})", spread.median, spread.low, spread.high)
}
