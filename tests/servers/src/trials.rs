//! Tests that need a server.

use std::env;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::Missing;

/// Tests, of which some need a server.
#[derive(Default)]
pub struct Trials(Vec<Trial>);

impl Trials {
    /// No test yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// One more, that needs what `available` tells of.
    #[must_use]
    pub fn test(mut self, available: Result<(), Missing>, name: &str, test: fn()) -> Self {
        let everything = env::var_os("CI").is_some_and(|ci| ci == "true");
        self.0.push(match available {
            Ok(()) => Trial::test(name, move || {
                test();
                Ok(())
            }),
            Err(Missing::Program(reason)) if everything => Trial::test(name, move || Err(Failed::from(reason))),
            Err(Missing::Program(reason) | Missing::Choice(reason)) => {
                Trial::test(name, || Ok(())).with_kind(reason).with_ignored_flag(true)
            }
        });
        self
    }
}

/// [`Trials`] of functions, which give the tests their names: `trials!(Redis::available() => [a, b], Ok(()) => [c])`.
#[macro_export]
macro_rules! trials {
    ($($available:expr => [$($test:ident),* $(,)?]),* $(,)?) => {{
        let trials = $crate::Trials::new();
        $(
            let available = $available;
            $(let trials = trials.test(available.clone(), stringify!($test), $test);)*
        )*
        trials
    }};
}

/// Runs the tests, as the `main` of a test target with `harness = false`.
pub fn run(trials: Trials) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials.0).exit_code()
}
