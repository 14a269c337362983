//! The app as its users meet it: the real binary, over HTTP, on a real PostgreSQL.

use std::process::ExitCode;

use servers::{App, Example, Failing, Postgres};

struct AxumPostgres(Postgres);

impl Example for AxumPostgres {
    const PROGRAM: &'static str = env!("CARGO_BIN_EXE_axum-postgres");
    const COOKIE: &'static str = "axum-postgres";

    fn start() -> Self {
        Self(Postgres::start())
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("DATABASE_URL", self.0.url())]
    }
}

impl Failing for AxumPostgres {
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
    let available = Postgres::available();
    let failure = "without_its_server_requests_fail_soon_and_with_it_they_work_again";
    servers::run(trials.example::<AxumPostgres>(&available).failing::<AxumPostgres>(available, failure))
}

fn a_server_that_is_down_is_named() {
    let line = refusal("postgres://somebody:hunter2@127.0.0.1:1/");

    assert!(line.contains("cannot use postgres://127.0.0.1:1: "), "{line}");
}

fn a_url_that_is_none_is_told() {
    let line = refusal("//somebody:hunter2@127.0.0.1");

    assert!(line.starts_with("DATABASE_URL is not a Postgres URL: "), "{line}");
}

fn refusal(url: &str) -> String {
    App::refusal(AxumPostgres::PROGRAM, &[("DATABASE_URL", url)])
}
