//! One suite for every framework's sessions: the same requests to a real server of each.
//!
//! What we promise fails where it is not kept. What depends on the library is observed, and compared with the table in
//! `docs/SESSIONS.md`; `UPDATE_DOCS=1` writes the table anew. A test is named `framework::case`.

mod cases;
mod drivers;
mod gate;
mod script;
mod site;
mod table;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime;

use crate::cases::{Case, Outcome, concurrency, differences, promises};
use crate::drivers::{FRAMEWORKS, Framework};

fn main() -> ExitCode {
    let cases = || [promises::CASES, differences::CASES, concurrency::CASES].into_iter().flatten();
    let mut trials = Vec::new();
    for framework in &FRAMEWORKS {
        for (name, _) in framework.ours {
            assert!(cases().any(|case| case.name == *name), "{} promises the unknown case {name:?}", framework.name);
        }
        for case in cases() {
            let name = format!("{}::{}", framework.name, case.name);
            trials.push(Trial::test(name, || {
                observe(framework, case)?;
                Ok(())
            }));
        }
    }
    trials.push(Trial::test("docs::the_table_matches_what_is_observed", || table::check().map_err(Failed::from)));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Runs the case with the framework, once in all: both its own test and that of the table ask for it.
///
/// # Errors
///
/// A promise was not kept.
fn observe(framework: &'static Framework, case: &'static Case) -> Result<Outcome, String> {
    type Observed = Arc<OnceLock<Result<Outcome, String>>>;
    static OBSERVED: Mutex<Option<HashMap<(&str, &str), Observed>>> = Mutex::new(None);
    let observed = {
        let mut all = OBSERVED.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.get_or_insert_default().entry((framework.name, case.name)).or_default())
    };
    observed.get_or_init(|| run(framework, case)).clone()
}

fn run(framework: &Framework, case: &Case) -> Result<Outcome, String> {
    if case.many_processes && !framework.many_processes {
        return Ok("not applicable".into());
    }
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(async { (case.run)((framework.site)()).await })));
    let outcome = outcome.map_err(|_| format!("{}::{} panicked: see above", framework.name, case.name))?;
    for (name, class) in framework.ours {
        if case.name == *name && outcome.class != *class {
            return Err(format!("{}::{name}: observed {}, promised {class}", framework.name, outcome.class));
        }
    }
    if let Some(numbers) = &outcome.numbers {
        println!("{}::{}: {}: {numbers}", framework.name, case.name, outcome.class);
    }
    Ok(outcome)
}
