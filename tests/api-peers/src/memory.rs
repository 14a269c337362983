//! What a remembered token takes.

use crate::is_bench;
use crate::report::Report;
use crate::setup::Setup;
use crate::timing::at_once;

pub(crate) fn run(report: &mut Report, setup: &Setup) {
    let counts: &[usize] = if is_bench() { &[1_000, 4_000, 16_000] } else { &[10] };
    let rows: Vec<_> = counts.iter().map(|count| row(setup, *count)).collect();
    report.table("Remembered tokens", &["tokens", "bytes per token", "allocations per token"], &rows);
}

fn row(setup: &Setup, count: usize) -> Vec<String> {
    // Room for all of them, wherever their digests put them.
    let api = setup.ours(2 * count + 1_000);
    let tokens: Vec<_> = (0..count).map(|_| setup.token()).collect();
    let held = allocation_counter::measure(|| {
        for token in &tokens {
            at_once(api.verify(token)).unwrap();
        }
    });
    let each = |total: i64| total / i64::try_from(count).unwrap();
    vec![count.to_string(), each(held.bytes_current).to_string(), each(held.count_current).to_string()]
}
