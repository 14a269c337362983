//! One suite for every framework's sessions: the same requests to a real server of each, without a vault and with one.
//!
//! What we promise fails where it is not kept. What depends on the library is observed, and compared with the tables in
//! `docs/SESSIONS.md`; `UPDATE_DOCS=1` writes the tables anew. A test is named `framework::case`, or `framework::vault::case`.

mod cases;
mod drivers;
mod gate;
mod script;
mod site;
mod table;
mod vaults;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use servers::{Redis, Trials};
use tokio::runtime;

use crate::cases::{Case, Outcome, concurrency, differences, promises, vault};
use crate::drivers::{COOKIES, FRAMEWORKS, Framework};
use crate::vaults::Items;

fn main() -> ExitCode {
    let mut trials = Trials::new();
    for framework in &FRAMEWORKS {
        for (name, _) in framework.ours {
            cases::named(name);
        }
        for case in [promises::CASES, differences::CASES, concurrency::CASES].into_iter().flatten() {
            let name = test_name(framework, case, Items::Session);
            trials = trials.test(Ok(()), name, || observed_or_panic(framework, case, Items::Session));
        }
    }
    for framework in frameworks_with_vault() {
        for case in vault::cases() {
            for &items in vaults(case) {
                let available = if items == Items::RedisVault { Redis::available() } else { Ok(()) };
                let name = test_name(framework, case, items);
                trials = trials.test(available, name, move || observed_or_panic(framework, case, items));
            }
        }
    }
    trials = trials.test(Redis::available(), "docs::the_tables_match_what_is_observed", || {
        table::check().unwrap_or_else(|difference| panic!("{difference}"));
    });
    let exit = servers::run(trials);
    vaults::stop_redis();
    exit
}

fn test_name(framework: &Framework, case: &Case, items: Items) -> String {
    let vault = match items {
        Items::Session => "",
        Items::MemoryVault => "memory_vault::",
        Items::RedisVault => "redis_vault::",
    };
    format!("{}::{vault}{}", framework.name, case.name)
}

fn frameworks_with_vault() -> impl Iterator<Item = &'static Framework> {
    FRAMEWORKS.iter().chain(&COOKIES)
}

/// The vaults that a case is tried with: one in memory is of one process.
fn vaults(case: &Case) -> &'static [Items] {
    if case.many_processes { &[Items::RedisVault] } else { &[Items::MemoryVault, Items::RedisVault] }
}

fn observed_or_panic(framework: &'static Framework, case: &'static Case, items: Items) {
    if let Err(broken) = observe(framework, case, items) {
        panic!("{broken}");
    }
}

/// Runs the case with the framework, once in all: both its own test and that of the tables ask for it.
///
/// # Errors
///
/// A promise was not kept.
fn observe(framework: &'static Framework, case: &'static Case, items: Items) -> Result<Outcome, String> {
    type Key = (&'static str, &'static str, Items);
    type Observed = Arc<OnceLock<Result<Outcome, String>>>;
    static OBSERVED: Mutex<Option<HashMap<Key, Observed>>> = Mutex::new(None);
    let observed = {
        let mut all = OBSERVED.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.get_or_insert_default().entry((framework.name, case.name, items)).or_default())
    };
    observed.get_or_init(|| run(framework, case, items)).clone()
}

fn run(framework: &Framework, case: &Case, items: Items) -> Result<Outcome, String> {
    if case.many_processes && !framework.many_processes {
        return Ok("not applicable".into());
    }
    let test = test_name(framework, case, items);
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let site = || (framework.site)(items);
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { (case.run)(site()).await })));
    let outcome = outcome.map_err(|_| format!("{test} panicked: see above"))?;
    if let Some(promised) = framework.promised(case.name, items).filter(|promised| *promised != outcome.class) {
        return Err(format!("{test}: observed {}, promised {promised}", outcome.class));
    }
    if let Some(numbers) = &outcome.numbers {
        println!("{test}: {}: {numbers}", outcome.class);
    }
    Ok(outcome)
}
