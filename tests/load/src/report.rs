//! Tables, on the terminal and in `docs/BENCHMARKS.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, thread};

use anyhow::{Context as _, Result};

use crate::apps::kibibytes;

const BEGIN: &str = "<!-- Written by `UPDATE_DOCS=1 cargo run --profile production -p load`. -->\n";
const END: &str = "<!-- End of what is written. -->\n";

#[derive(Default)]
pub(crate) struct Report(String);

impl Report {
    /// A paragraph.
    pub(crate) fn line(&mut self, line: &str) {
        self.add(&format!("{line}\n\n"));
    }

    pub(crate) fn table(&mut self, title: &str, head: &[&str], rows: &[Vec<String>]) {
        let mut table = format!("### {title}\n\n| {} |\n|---{}|\n", head.join(" | "), "|---:".repeat(head.len() - 1));
        for row in rows {
            let _ = writeln!(table, "| {} |", row.join(" | "));
        }
        self.add(&(table + "\n"));
    }

    fn add(&mut self, text: &str) {
        print!("{text}");
        self.0 += text;
    }

    /// Writes what was printed into the page.
    pub(crate) fn write(&self) -> Result<()> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/BENCHMARKS.md");
        let page = fs::read_to_string(&file)?;
        fs::write(&file, self.within(&page).context("docs/BENCHMARKS.md has lost its marks")?)?;
        Ok(())
    }

    /// The page, with this between its marks.
    fn within(&self, page: &str) -> Option<String> {
        let (before, rest) = page.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some([before, BEGIN, "\n", &self.0, END, after].concat())
    }
}

/// What it was measured on.
pub(crate) fn machine() -> Result<String> {
    let cores = thread::available_parallelism()?;
    let info = fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let memory = kibibytes(&fs::read_to_string("/proc/meminfo")?, "MemTotal").context("no MemTotal")?;
    Ok(format!(
        "{cores} cores of {}, {} of memory",
        model.map_or("a processor", |(_, model)| model.trim()),
        bytes(memory)
    ))
}

/// The quartiles.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    low: f64,
    pub(crate) median: f64,
    high: f64,
}

impl Spread {
    /// Of one value at least.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut all: Vec<_> = values.into_iter().collect();
        all.sort_by(f64::total_cmp);
        let quartile = |n: usize| all[(all.len() - 1) * n / 4];
        Self { low: quartile(1), median: quartile(2), high: quartile(3) }
    }

    pub(crate) fn show(&self, decimals: usize) -> String {
        let Self { low, median, high } = self;
        format!("{median:.decimals$} ({low:.decimals$}–{high:.decimals$})")
    }
}

/// A size.
pub(crate) fn bytes(bytes: f64) -> String {
    match bytes {
        bytes if bytes < 10_240.0 => format!("{bytes:.0} B"),
        bytes if bytes < 1_048_576.0 => format!("{:.0} KiB", bytes / 1024.0),
        bytes if bytes < 1_073_741_824.0 => format!("{:.0} MiB", bytes / 1_048_576.0),
        bytes => format!("{:.1} GiB", bytes / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let end = "<!-- End of what is written. -->\n";
        let page = format!("a\n{BEGIN}old\n{end}b\n<!-- Another. -->\nc\n{end}");
        let mut report = Report::default();
        report.line("new");
        let expected = format!("a\n{BEGIN}\nnew\n\n{end}b\n<!-- Another. -->\nc\n{end}");
        assert_eq!(report.within(&page), Some(expected));
        assert_eq!(report.within("a page without marks"), None);
    }

    #[test]
    fn a_spread_is_the_median_between_the_quartiles() {
        let spread = Spread::of([5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(spread, Spread { low: 2.0, median: 3.0, high: 4.0 });
        assert_eq!(spread.show(1), "3.0 (2.0–4.0)");
    }

    #[test]
    fn sizes_have_a_unit_that_fits() {
        assert_eq!([bytes(4096.0), bytes(20_480.0), bytes(5e6), bytes(5e9)], ["4096 B", "20 KiB", "5 MiB", "4.7 GiB"]);
    }
}
