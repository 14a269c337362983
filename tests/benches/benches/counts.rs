//! What can be counted: allocations, bytes, copies of a value, the store's work, instructions. A count has no noise, so
//! what is promised is checked here, in every run of the tests.

use std::process::Command;
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use benches::adapters::{
    ByAsyncTrait, ByHand, Calls, CountingStore, Derived, FixedPrefix, Limited, LimitedPrefix, PREFIX, RunTimePrefix,
    memory_by_hand, tower_session,
};
use benches::operations::{self, ALL, Operation, Values, once, signed_in};
use benches::report::Report;
use benches::{at_once, is_bench};
use logto_storage_core::{Change, DynStorage, LogtoStorage, MemorySession, SessionHandle};
use tower_sessions::Session;

const KIB: usize = 1024;

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    if let [_, run, session, adapter, operation, times] = &*arguments
        && run == RUN
    {
        return run_for_callgrind(session, adapter, operation, times);
    }
    let mut report = Report::new("counts");
    same_behaviour();
    allocations(&mut report);
    options(&mut report);
    copies(&mut report);
    store_calls(&mut report);
    if is_bench() {
        instructions(&mut report);
    }
    report.finish();
}

// --- Behaviour

/// What is compared does the same: what it answers, what the store is asked for, and what is in the store then.
fn same_behaviour() {
    let derived = |session| Derived { session };
    let by_hand = |session| ByHand { session };
    assert_eq!(observe(derived), observe(by_hand));
    let memory = MemorySession::default();
    let (derived, by_hand) = (Derived { session: memory.clone() }, memory_by_hand(memory));
    for operation in ALL {
        let values = Values::of(32);
        operations::run(operation, &signed_in(&derived, &values), &values, 2);
        operations::run(operation, &signed_in(&by_hand, &values), &values, 2);
        let items = |storage: &dyn DynStorage| operations::KEYS.map(|key| at_once(storage.get_item(key)).unwrap());
        assert_eq!(items(&derived), items(&by_hand));
    }
}

fn observe<S: LogtoStorage>(storage: impl Fn(Session) -> S) -> Vec<String> {
    let store = CountingStore::default();
    let session = Session::new(None, Arc::new(store.clone()), None);
    let storage = storage(session.clone());
    let mut seen = Vec::new();
    let mut note = |outcome: String| {
        let data = store.last().map(|record| record.data.into_iter().collect::<std::collections::BTreeMap<_, _>>());
        seen.push(format!("{outcome} {:?} {data:?}", store.take_calls()));
    };
    note(format!("{:?}", at_once(storage.remove_item("a"))));
    note(format!("{:?}", at_once(storage.set_item("a", "1"))));
    note(format!("{:?}", at_once(storage.apply(&[Change::set("b", "2"), Change::remove("a")]))));
    note(format!("{:?}", at_once(storage.renew(&[Change::set("c", "3"), Change::remove("d")]))));
    note(format!("{:?}", at_once(storage.get_item("b"))));
    note(format!("{:?}", at_once(storage.remove_item("b"))));
    at_once(session.insert_value("number", 1.into())).unwrap();
    note(format!("{:?}", at_once(storage.get_item("number"))));
    store.fill();
    note(format!("{:?}", at_once(storage.set_item("c", "4"))));
    note(format!("{:?}", at_once(storage.remove_item("c"))));
    note(format!("{:?}", at_once(storage.apply(&[Change::set("c", "5"), Change::set("e", "6"), Change::remove("c")]))));
    note(format!("{:?} {:?}", at_once(storage.get_item("c")), at_once(storage.get_item("e"))));
    seen
}

// --- Allocations

fn allocations(report: &mut Report) {
    let head = ["allocations (bytes)", "by hand", "derived", "`async-trait`", "`Box<dyn DynStorage>`"];
    let memory = MemorySession::default;
    let rows = ALL.map(|operation| {
        let counts = [
            count(operation, memory_by_hand(memory())),
            count(operation, Derived { session: memory() }),
            count(operation, ByAsyncTrait(memory_by_hand(memory()))),
            count(operation, boxed(memory())),
        ];
        compare(operation, &counts)
    });
    report.table("On `MemorySession`, values of 1 KiB", &head, &rows);
    let rows = ALL.map(|operation| {
        let counts = [
            count(operation, ByHand { session: tower_session() }),
            count(operation, Derived { session: tower_session() }),
            count(operation, ByAsyncTrait(ByHand { session: tower_session() })),
            count(operation, boxed(tower_session())),
        ];
        compare(operation, &counts)
    });
    report.table("On tower-sessions 0.15 with its memory store, values of 1 KiB", &head, &rows);
}

/// The row of one operation. The derived storage allocates what the one by hand does, and a box is one more.
fn compare(operation: Operation, counts: &[AllocationInfo; 4]) -> Vec<String> {
    let [by_hand, derived, _, boxed] = counts;
    let name = operation.title();
    assert_eq!(derived.count_total, by_hand.count_total, "{name}, derived");
    assert_eq!(boxed.count_total, derived.count_total + 1, "{name}, boxed");
    let mut row = vec![name.to_owned()];
    row.extend(counts.iter().map(|count| format!("{} ({})", count.count_total, count.bytes_total)));
    row
}

fn options(report: &mut Report) {
    let mut rows = Vec::new();
    for operation in ALL {
        rows.push(with_options(&format!("{}, `MemorySession`", operation.title()), operation, MemorySession::default));
        rows.push(with_options(&format!("{}, tower-sessions", operation.title()), operation, tower_session));
    }
    let head =
        ["allocations", "none", "`prefix = \"…\"`", "`prefix` of a field", "`max_len`", "`prefix` and `max_len`"];
    report.table("Options", &head, &rows);
}

/// A prefix makes one allocation a key at most, and a limit none.
fn with_options<H: SessionHandle + Send + Sync>(
    title: &str,
    operation: Operation,
    session: impl Fn() -> H,
) -> Vec<String> {
    let plain = count(operation, Derived { session: session() }).count_total;
    let counts = [
        count(operation, FixedPrefix { session: session() }).count_total,
        count(operation, RunTimePrefix { session: session(), prefix: PREFIX.to_owned() }).count_total,
        count(operation, Limited { session: session() }).count_total,
        count(operation, LimitedPrefix { session: session() }).count_total,
    ];
    let [fixed, run_time, limited, limited_prefix] = counts;
    for prefixed in [fixed, run_time, limited_prefix] {
        assert!(prefixed <= plain + operation.keys(), "{title}: {prefixed} allocations, without a prefix {plain}");
    }
    assert_eq!(limited, plain, "{title}");
    let mut row = vec![title.to_owned(), plain.to_string()];
    row.extend(counts.map(|count| count.to_string()));
    row
}

fn count(operation: Operation, storage: impl LogtoStorage) -> AllocationInfo {
    count_at(operation, &storage, KIB)
}

/// Of one call, in a session that has been in use: what grows once has grown.
fn count_at(operation: Operation, storage: &impl LogtoStorage, len: usize) -> AllocationInfo {
    let values = Values::of(len);
    let storage = signed_in(storage, &values);
    operations::run(operation, &storage, &values, 3);
    let value = values.next();
    if operation == Operation::Remove {
        at_once(storage.set_item(operations::KEYS[0], value)).unwrap();
    }
    measure(|| once(operation, &storage, value))
}

fn boxed<H: SessionHandle + Send + Sync + 'static>(session: H) -> Box<dyn DynStorage> {
    Box::new(Derived { session })
}

// --- Copies

/// How often the bytes of a 64 KiB value are copied to somewhere new.
fn copies(report: &mut Report) {
    let of =
        |operation, storage: &dyn DynStorage| count_at(operation, &storage, 64 * KIB).bytes_total / (64 * KIB as u64);
    let memory = Derived { session: MemorySession::default() };
    let tower = Derived { session: tower_session() };
    let tower_by_hand = ByHand { session: tower_session() };
    let own = |operation| {
        let (session, values) = (tower_session(), Values::of(64 * KIB));
        signed_in(Derived { session: session.clone() }, &values);
        let key = operations::KEYS[0];
        let used = measure(|| {
            if operation == Operation::GetHit {
                return drop(at_once(session.get_value(key)).unwrap());
            }
            at_once(session.insert_value(key, values.next().into())).unwrap();
            at_once(session.save()).unwrap();
        });
        used.bytes_total / (64 * KIB as u64)
    };
    // What is read is handed over, so that one copy is the fewest.
    assert_eq!((of(Operation::GetHit, &memory), of(Operation::GetHit, &tower), own(Operation::GetHit)), (1, 1, 1));
    let rows = [Operation::GetHit, Operation::Set].map(|operation| {
        let counts = [of(operation, &memory), own(operation), of(operation, &tower), of(operation, &tower_by_hand)];
        let mut row = vec![operation.title().to_owned()];
        row.extend(counts.map(|count| count.to_string()));
        row
    });
    let head = ["", "`MemorySession`, derived", "tower-sessions, its own methods", "derived", "by hand"];
    report.table("Copies of a value of 64 KiB", &head, &rows);
}

// --- The store's work

fn store_calls(report: &mut Report) {
    let calls = |loads, creates, saves, deletes| Calls { loads, creates, saves, deletes };
    let rows = ALL.map(|operation| {
        let store = CountingStore::default();
        let values = Values::of(KIB);
        let before = Session::new(None, Arc::new(store.clone()), None);
        signed_in(Derived { session: before.clone() }, &values);
        store.take_calls();
        // The next request of the same visitor.
        let session = Session::new(before.id(), Arc::new(store.clone()), None);
        once(operation, &Derived { session }, values.next());
        let seen = store.take_calls();
        let designed = match operation {
            Operation::GetHit | Operation::GetMiss => calls(1, 0, 0, 0),
            Operation::Set | Operation::Remove | Operation::ApplyFour => calls(1, 0, 1, 0),
            Operation::RenewFour => calls(1, 1, 0, 1),
        };
        assert_eq!(seen, designed, "{}", operation.title());
        let Calls { loads, creates, saves, deletes } = seen;
        vec![
            operation.title().to_owned(),
            loads.to_string(),
            saves.to_string(),
            creates.to_string(),
            deletes.to_string(),
        ]
    });
    let head = ["first operation of a request", "`load`", "`save`", "`create`", "`delete`"];
    report.table("Calls to tower-sessions' store", &head, &rows);
}

// --- Instructions

/// The argument by which this program does what callgrind counts.
const RUN: &str = "run-for-callgrind";
const ADAPTERS: [&str; 4] = ["by hand", "derived", "async-trait", "boxed"];
const SESSIONS: [&str; 2] = ["MemorySession", "tower-sessions"];

fn instructions(report: &mut Report) {
    if Command::new("valgrind").arg("--version").output().is_err() {
        report.line("Instructions were not counted: valgrind is not installed.");
        return;
    }
    for session in SESSIONS {
        let rows = ALL.map(|operation| {
            let counts = ADAPTERS.map(|adapter| instructions_per_call(session, adapter, operation));
            let [by_hand, ..] = counts;
            let mut row = vec![operation.title_of_run().to_owned(), format!("{by_hand:.0}")];
            row.extend(counts[1..].iter().map(|count| format!("{count:.0} ({:.3})", count / by_hand)));
            row
        });
        let head = ["instructions per call (ratio)", "by hand", "derived", "`async-trait`", "`Box<dyn DynStorage>`"];
        report.table(&format!("Instructions, on {session}, values of 1 KiB"), &head, &rows);
    }
}

/// What each further call costs: the difference of two runs, so that start-up and the first calls are left out.
fn instructions_per_call(session: &str, adapter: &str, operation: Operation) -> f64 {
    const FEW: u32 = 200;
    const MANY: u32 = 2200;
    let run = |times: u32| -> f64 {
        let valgrind = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(std::env::current_exe().expect("this program"))
            .args([RUN, session, adapter, &format!("{operation:?}"), &times.to_string()])
            .output()
            .expect("valgrind");
        let said = String::from_utf8_lossy(&valgrind.stderr).into_owned();
        assert!(valgrind.status.success(), "{said}");
        let collected = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
        collected.expect("callgrind's count")
    };
    (run(MANY) - run(FEW)) / f64::from(MANY - FEW)
}

fn run_for_callgrind(session: &str, adapter: &str, operation: &str, times: &str) {
    let operation = ALL.into_iter().find(|known| format!("{known:?}") == operation).expect("an operation");
    let times = times.parse().expect("a number");
    let memory = MemorySession::default;
    match (session, adapter) {
        ("MemorySession", "by hand") => run(operation, memory_by_hand(memory()), times),
        ("MemorySession", "derived") => run(operation, Derived { session: memory() }, times),
        ("MemorySession", "async-trait") => run(operation, ByAsyncTrait(memory_by_hand(memory())), times),
        ("MemorySession", "boxed") => run(operation, boxed(memory()), times),
        ("tower-sessions", "by hand") => run(operation, ByHand { session: tower_session() }, times),
        ("tower-sessions", "derived") => run(operation, Derived { session: tower_session() }, times),
        ("tower-sessions", "async-trait") => run(operation, ByAsyncTrait(ByHand { session: tower_session() }), times),
        ("tower-sessions", "boxed") => run(operation, boxed(tower_session()), times),
        _ => panic!("no adapter {adapter} on {session}"),
    }
}

fn run(operation: Operation, storage: impl LogtoStorage, times: u64) {
    let values = Values::of(KIB);
    operations::run(operation, &signed_in(storage, &values), &values, times);
}
