//! The app as its users meet it: the real binary, over HTTP, on a real Redis.

use std::process::ExitCode;

use servers::{App, Example, Failing, Redis};

struct ActixWeb(Redis);

impl Example for ActixWeb {
    const PROGRAM: &'static str = env!("CARGO_BIN_EXE_actix-web-app");
    const COOKIE: &'static str = "actix-web-app";

    fn start() -> Self {
        Self(Redis::start(&[]))
    }

    /// With one key for all: it is what all machines have in common, and what outlives a restart.
    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("REDIS_URL", self.0.url()), ("SESSION_KEY", "key!".repeat(16))]
    }
}

impl Failing for ActixWeb {
    const LOG: &'static str = "onnection refused";

    fn fail(&mut self) {
        self.0.kill();
    }

    fn recover(&mut self) {
        self.0.restart();
    }
}

fn main() -> ExitCode {
    let trials = servers::trials!(Ok(()) => [
        a_server_that_is_down_is_named,
        a_url_that_is_none_is_told,
        a_short_key_is_told,
    ]);
    let available = Redis::available();
    let failure = "without_its_server_requests_fail_soon_and_with_it_they_work_again";
    servers::run(trials.example::<ActixWeb>(&available).failing::<ActixWeb>(available, failure))
}

fn a_server_that_is_down_is_named() {
    let line = refusal(&[("REDIS_URL", "redis://somebody:hunter2@127.0.0.1:1")]);

    assert!(line.contains("cannot connect to redis://127.0.0.1:1: "), "{line}");
}

fn a_url_that_is_none_is_told() {
    let line = refusal(&[("REDIS_URL", "//somebody:hunter2@127.0.0.1")]);

    assert!(line.starts_with("REDIS_URL is not a Redis URL: "), "{line}");
}

fn a_short_key_is_told() {
    let line = refusal(&[("SESSION_KEY", "hunter2"), ("REDIS_URL", "redis://127.0.0.1:1")]);

    assert_eq!(line, "SESSION_KEY has 7 bytes: set it to a secret of 64 or more\n");
}

fn refusal(variables: &[(&str, &str)]) -> String {
    App::refusal(ActixWeb::PROGRAM, variables)
}
