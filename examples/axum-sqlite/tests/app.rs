//! The app as its users meet it: the real binary, over HTTP, on a file of the test's own.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use servers::{App, Example, Visitor};
use tempfile::TempDir;
use tokio::runtime;
use tower_sessions_sqlx_store::sqlx::{Connection, SqliteConnection, query};

struct AxumSqlite(TempDir);

impl Example for AxumSqlite {
    const PROGRAM: &'static str = env!("CARGO_BIN_EXE_axum-sqlite");
    const COOKIE: &'static str = "axum-sqlite";

    fn start() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("DATABASE_URL", self.url("sessions.db"))]
    }
}

impl AxumSqlite {
    fn url(&self, file: &str) -> String {
        format!("sqlite://{}?mode=rwc", self.0.path().join(file).display())
    }
}

fn main() -> ExitCode {
    let trials = servers::trials!(Ok(()) => [
        while_another_program_holds_the_file_writes_fail_soon_and_afterwards_they_work_again,
        a_file_that_cannot_be_opened_is_named,
    ]);
    servers::run(trials.example::<AxumSqlite>(&Ok(())))
}

fn while_another_program_holds_the_file_writes_fail_soon_and_afterwards_they_work_again() {
    let example = AxumSqlite::start();
    let (app, visitor) = (example.app(), Visitor::new());
    visitor.sign_in(&app, "a token");
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    let mut other = runtime.block_on(SqliteConnection::connect(&example.url("sessions.db"))).unwrap();
    runtime.block_on(query("begin exclusive").execute(&mut other)).unwrap();

    let start = Instant::now();
    let response = visitor.put(&app, "secret");
    assert_eq!(response.status, 503);
    // It waits for five seconds.
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(response.body, "Your session cannot be used at the moment. Try again later.");
    assert!(visitor.page(&app).ends_with("has 7 bytes."), "who reads does not wait");

    runtime.block_on(query("rollback").execute(&mut other)).unwrap();
    visitor.sign_in(&app, "another token");
    assert!(visitor.page(&app).ends_with("has 13 bytes."));
    let log = app.log();
    assert!(log.contains(r#"cannot set "logto_id_token""#), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

fn a_file_that_cannot_be_opened_is_named() {
    let url = AxumSqlite::start().url("missing/sessions.db");

    let line = App::refusal(AxumSqlite::PROGRAM, &[("DATABASE_URL", &url)]);

    assert!(line.starts_with(&format!("cannot use {url} (DATABASE_URL): ")), "{line}");
}
