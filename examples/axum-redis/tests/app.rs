//! The app as its users meet it: the real binary, over HTTP, on a real Redis.

use std::process::ExitCode;

use servers::{App, Example, Failing, Redis};

struct AxumRedis(Redis);

impl Example for AxumRedis {
    const PROGRAM: &'static str = env!("CARGO_BIN_EXE_axum-redis");
    const COOKIE: &'static str = "axum-redis";

    fn start() -> Self {
        Self(Redis::start(&[]))
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("REDIS_URL", self.0.url())]
    }
}

impl Failing for AxumRedis {
    const LOG: &'static str = r#"cannot get "logto_id_token": the session failed: "#;

    fn fail(&mut self) {
        self.0.kill();
    }

    fn recover(&mut self) {
        self.0.restart();
    }
}

fn main() -> ExitCode {
    let trials = servers::trials!(Ok(()) => [a_server_that_is_down_is_named, a_url_that_is_none_is_told]);
    let available = Redis::available();
    let failure = "without_its_server_requests_fail_soon_and_with_it_they_work_again";
    servers::run(trials.example::<AxumRedis>(&available).failing::<AxumRedis>(available, failure))
}

fn a_server_that_is_down_is_named() {
    let line = refusal("redis://somebody:hunter2@127.0.0.1:1");

    assert!(line.contains("cannot connect to redis://127.0.0.1:1: "), "{line}");
}

fn a_url_that_is_none_is_told() {
    let line = refusal("//somebody:hunter2@127.0.0.1");

    assert!(line.starts_with("REDIS_URL is not a Redis URL: "), "{line}");
}

fn refusal(url: &str) -> String {
    App::refusal(AxumRedis::PROGRAM, &[("REDIS_URL", url)])
}
