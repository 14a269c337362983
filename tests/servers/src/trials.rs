//! Tests that need a server.

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::Missing;

/// Tests, some of which need a server.
#[derive(Default)]
pub struct Trials(Vec<Test>);

struct Test {
    available: Result<(), Missing>,
    name: String,
    run: Box<dyn FnOnce() + Send>,
}

impl Trials {
    /// Creates an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a test. It is ignored, or fails under `CI=true`, if what it needs is not `available`.
    #[must_use]
    pub fn test(
        mut self,
        available: Result<(), Missing>,
        name: impl Into<String>,
        run: impl FnOnce() + Send + 'static,
    ) -> Self {
        self.0.push(Test { available, name: name.into(), run: Box::new(run) });
        self
    }

    /// Adds tests under a common name: `group::test`.
    #[must_use]
    pub fn group(mut self, group: &str, tests: Self) -> Self {
        self.0.extend(tests.0.into_iter().map(|test| Test { name: format!("{group}::{}", test.name), ..test }));
        self
    }
}

/// Lists functions as [`Trials`] and names the tests after them. Each line starts with what its tests need; functions of a module
/// follow its name:
///
/// ```
/// # mod reads { pub fn works() {} }
/// # mod writes { pub fn works() {} pub fn fails() {} }
/// # fn starts() {}
/// let trials = servers::trials! {
///     Ok(()) => [starts];
///     servers::Redis::available() => reads [works], writes [works, fails];
/// };
/// ```
///
/// A first line of the form `|test| …;` calls functions that are not a plain `fn()`, each with code of its own for its type:
///
/// ```
/// # async fn reads() {}
/// # fn block_on(future: impl Future<Output = ()>) {}
/// let trials = servers::trials! {
///     |test| block_on(test());
///     Ok(()) => [reads];
/// };
/// ```
#[macro_export]
macro_rules! trials {
    (@list |$test:ident| $run:expr; $($available:expr => $($($module:ident)? [$($name:ident),+ $(,)?]),+);+ $(;)?) => {{
        let trials = $crate::Trials::new();
        $(
            let available = $available;
            $(let trials = $crate::trials!(@add trials, available, |$test| $run, $($module)? [$($name),+]);)+
        )+
        trials
    }};
    (@add $trials:ident, $available:ident, |$test:ident| $run:expr, $module:ident [$($name:ident),+]) => {
        $trials.group(stringify!($module), {
            let trials = $crate::Trials::new();
            $(let trials = $crate::trials!(@one trials, $available, |$test| $run, $name, $module::$name);)+
            trials
        })
    };
    (@add $trials:ident, $available:ident, |$test:ident| $run:expr, [$($name:ident),+]) => {{
        $(let $trials = $crate::trials!(@one $trials, $available, |$test| $run, $name, $name);)+
        $trials
    }};
    (@one $trials:ident, $available:ident, |$test:ident| $run:expr, $name:ident, $function:path) => {
        $trials.test($available.clone(), stringify!($name), move || {
            let $test = $function;
            $run;
        })
    };
    (@$($wrong:tt)*) => { compile_error!("expected lines of the form `available => [test, test], module [test];`") };
    (|$test:ident| $run:expr; $($list:tt)+) => { $crate::trials!(@list |$test| $run; $($list)+) };
    ($($list:tt)+) => { $crate::trials!(@list |test| test(); $($list)+) };
}

/// Runs the tests, as the `main` of a test target with `harness = false`.
pub fn run(trials: Trials) -> ExitCode {
    let everything = env::var_os("CI").is_some_and(|ci| ci == "true");
    let trials = trials.0.into_iter().map(|test| trial(test, everything)).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn trial(Test { available, name, run }: Test, everything: bool) -> Trial {
    match available {
        Ok(()) => Trial::test(name, || {
            run();
            Ok(())
        }),
        Err(Missing::Program(reason)) if everything => Trial::test(name, || Err(Failed::from(reason))),
        Err(Missing::Program(reason) | Missing::Choice(reason)) => {
            Trial::test(name, || Ok(())).with_kind(reason).with_ignored_flag(true)
        }
    }
}
