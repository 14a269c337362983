//! How long a storage's operations take.

use benches::adapters::{
    ByAsyncTrait, ByHand, Derived, FixedPrefix, Limited, LimitedPrefix, PREFIX, RunTimePrefix, memory_by_hand,
    tower_session,
};
use benches::operations::{self, Operation, Values, signed_in};
use benches::report::{Report, ratio, time};
use benches::timing::{Candidate, Effort, compare};
use logto_storage_core::{DynStorage, LogtoStorage, MemorySession, SessionHandle};

/// The rows: each operation, and those whose time depends on the value at three lengths.
const ROWS: [(Operation, usize); 10] = [
    (Operation::GetHit, 32),
    (Operation::GetHit, KIB),
    (Operation::GetHit, 64 * KIB),
    (Operation::GetMiss, KIB),
    (Operation::Set, 32),
    (Operation::Set, KIB),
    (Operation::Set, 64 * KIB),
    (Operation::Remove, KIB),
    (Operation::ApplyFour, KIB),
    (Operation::RenewFour, KIB),
];

const KIB: usize = 1024;

fn main() {
    let mut report = Report::new("storage");
    let (memory, tower) = (MemorySession::default, tower_session);
    adapters(&mut report, "On `MemorySession`", memory, || memory_by_hand(memory()));
    adapters(&mut report, "On tower-sessions 0.15 with its memory store", tower, || ByHand { session: tower() });
    options(&mut report, "Options, on `MemorySession`", memory);
    options(&mut report, "Options, on tower-sessions", tower);
    report.finish();
}

fn adapters<H, S>(report: &mut Report, title: &str, session: impl Fn() -> H, by_hand: impl Fn() -> S)
where
    H: SessionHandle + Send + Sync + 'static,
    S: LogtoStorage + Sync + 'static,
{
    let rows = ROWS.map(|(operation, len)| {
        let values = Values::of(len);
        let boxed: Box<dyn DynStorage> = Box::new(Derived { session: session() });
        let timings = compare(
            Effort::new(),
            vec![
                candidate(operation, by_hand(), &values),
                candidate(operation, Derived { session: session() }, &values),
                candidate(operation, ByAsyncTrait(by_hand()), &values),
                candidate(operation, boxed, &values),
            ],
        );
        let mut row = vec![title_of(operation, len), time(timings[0].value.median)];
        row.extend(timings[1..].iter().map(|timing| ratio(timing.ratio)));
        row
    });
    report.table(title, &["", "by hand", "derived", "`async-trait`", "`Box<dyn DynStorage>`"], &rows);
}

fn options<H: SessionHandle + Send + Sync>(report: &mut Report, title: &str, session: impl Fn() -> H) {
    let rows = [Operation::GetHit, Operation::Set, Operation::ApplyFour].map(|operation| {
        let values = Values::of(KIB);
        let timings = compare(
            Effort::new(),
            vec![
                candidate(operation, Derived { session: session() }, &values),
                candidate(operation, FixedPrefix { session: session() }, &values),
                candidate(operation, RunTimePrefix { session: session(), prefix: PREFIX.to_owned() }, &values),
                candidate(operation, Limited { session: session() }, &values),
                candidate(operation, LimitedPrefix { session: session() }, &values),
            ],
        );
        let mut row = vec![operation.title().to_owned(), time(timings[0].value.median)];
        row.extend(timings[1..].iter().map(|timing| ratio(timing.ratio)));
        row
    });
    report.table(
        title,
        &["1 KiB values", "none", "`prefix = \"…\"`", "`prefix` of a field", "`max_len`", "`prefix` and `max_len`"],
        &rows,
    );
}

fn candidate<'a>(operation: Operation, storage: impl LogtoStorage + 'a, values: &'a Values) -> Candidate<'a> {
    let storage = signed_in(storage, values);
    Box::new(move |times| operations::run(operation, &storage, values, times))
}

fn title_of(operation: Operation, len: usize) -> String {
    let len = if len < KIB { format!("{len} B") } else { format!("{} KiB", len / KIB) };
    format!("{}, {len}", operation.title_of_run())
}
