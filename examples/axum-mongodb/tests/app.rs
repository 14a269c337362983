//! The app as its users meet it: the real binary, over HTTP and a real server.

mod common;

use std::process::ExitCode;

use mongodb::Client;
use mongodb::bson::{Document, doc};
use servers::{App, Example, Failing, Mongodb, Visitor};
use tokio::runtime::Runtime;

use crate::common::Database;

impl Example for Database {
    const PROGRAM: &'static str = env!("CARGO_BIN_EXE_axum-mongodb");
    const COOKIE: &'static str = "axum-mongodb";

    fn start() -> Self {
        Self::start()
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        vec![("MONGODB_URL", self.server.url().to_owned())]
    }
}

impl Failing for Database {
    const LOG: &'static str = r#"cannot get "logto_id_token": the session failed: "#;

    fn fail(&mut self) {
        self.server.kill();
    }

    fn recover(&mut self) {
        self.server.restart();
    }
}

/// The same, where the server hangs instead of being gone.
struct Hanging(Database);

impl Example for Hanging {
    const PROGRAM: &'static str = Database::PROGRAM;
    const COOKIE: &'static str = Database::COOKIE;

    fn start() -> Self {
        Self(Database::start())
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        self.0.variables()
    }
}

impl Failing for Hanging {
    const LOG: &'static str = Database::LOG;

    fn fail(&mut self) {
        self.0.server.pause();
    }

    fn recover(&mut self) {
        self.0.server.resume();
    }
}

fn main() -> ExitCode {
    let trials = servers::trials! {
        Mongodb::available() => [a_corrupt_session_is_told_without_its_data];
        Ok(()) => [a_server_that_is_down_is_named, a_url_that_is_none_is_told];
    };
    let trials = trials.example::<Database>(&Mongodb::available());
    let own = Mongodb::own_available();
    let trials = trials.failing::<Database>(own.clone(), "while_the_server_is_gone_requests_fail_soon");
    servers::run(trials.failing::<Hanging>(own, "while_the_server_hangs_requests_fail_soon"))
}

fn a_corrupt_session_is_told_without_its_data() {
    let database = Database::start();
    let (app, visitor) = (database.app(), Visitor::new());
    visitor.sign_in(&app, "a token");
    Runtime::new().unwrap().block_on(async {
        let client = Client::with_uri_str(database.server.url()).await.unwrap();
        let sessions = client.default_database().unwrap().collection::<Document>("sessions");
        let change = doc! { "$set": { "data": r#""secret""# } };
        assert_eq!(sessions.update_many(doc! {}, change).await.unwrap().modified_count, 1);
    });

    assert_eq!(visitor.get(&app).status, 503);
    assert_eq!(visitor.put(&app, "a token").status, 503);

    let log = app.log();
    assert!(log.contains("field `data` of a session's document: not a JSON object"), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert_eq!(log.lines().count(), 2, "a line for each request: {log}");
}

fn a_server_that_is_down_is_named() {
    // Nobody listens on port 1.
    let line = refusal("mongodb://somebody:hunter2@127.0.0.1:1/");

    assert!(line.starts_with("cannot use MongoDB: "), "{line}");
    assert!(line.contains("127.0.0.1:1"), "{line}");
}

fn a_url_that_is_none_is_told() {
    for url in ["", "hunter2", "http://somebody:hunter2@localhost", "mongodb://somebody:hunter2?@localhost"] {
        let line = refusal(url);
        assert!(line.starts_with("MONGODB_URL is not a MongoDB URL, "), "{line}");
    }
}

fn refusal(url: &str) -> String {
    App::refusal(Database::PROGRAM, &[("MONGODB_URL", url)])
}
