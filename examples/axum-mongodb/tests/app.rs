//! The app as its users meet it: the real binary, over HTTP and a real server.

mod common;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use mongodb::Client;
use mongodb::bson::{Document, doc};
use servers::{App, Mongodb, Visitor};
use tokio::runtime::Runtime;

use crate::common::Database;

const PROGRAM: &str = env!("CARGO_BIN_EXE_axum-mongodb");
const NOBODY: &str = "Nobody is signed in.";
/// How long the app may take to say that MongoDB is not there: its own limits, and something for a busy machine.
const LIMIT: Duration = Duration::from_secs(12);

fn main() -> ExitCode {
    servers::run(servers::trials!(
        Mongodb::available() => [
            a_new_visitor_is_nobody_and_gets_no_cookie,
            what_was_put_is_there_in_a_later_request,
            the_cookie_is_for_this_app_and_not_for_scripts,
            two_visitors_have_sessions_of_their_own,
            what_was_acknowledged_outlives_the_app,
            two_apps_read_at_once_what_either_has_written,
            a_corrupt_session_is_told_without_its_data,
        ],
        Mongodb::own_available() => [
            while_the_server_is_gone_visitors_are_told_so,
            while_the_server_hangs_visitors_are_told_so,
        ],
        Ok(()) => [
            without_a_server_it_says_so_in_one_line,
            a_url_that_is_none_is_told_in_one_line,
        ],
    ))
}

fn a_new_visitor_is_nobody_and_gets_no_cookie() {
    let database = Database::start();

    let response = Visitor::new().get(&start(&database));

    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("set-cookie"), None);
    assert_eq!(response.text().unwrap(), NOBODY);
}

fn what_was_put_is_there_in_a_later_request() {
    let database = Database::start();
    let (app, visitor) = (start(&database), Visitor::new());

    for token in ["a token", "another", "", &"é".repeat(512 * 1024)] {
        visitor.sign_in(&app, token);
        assert_eq!(visitor.page(&app), signed_in(token.len()));
    }
    assert_eq!(app.log(), "");
}

fn the_cookie_is_for_this_app_and_not_for_scripts() {
    let database = Database::start();

    let response = Visitor::new().put(&start(&database), "a token");

    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("axum-mongodb="), "{cookie}");
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"]);
}

fn two_visitors_have_sessions_of_their_own() {
    let database = Database::start();
    let app = start(&database);
    let (first, second, third) = (Visitor::new(), Visitor::new(), Visitor::new());

    first.sign_in(&app, "1");
    second.sign_in(&app, "22");

    assert_eq!(first.page(&app), signed_in(1));
    assert_eq!(second.page(&app), signed_in(2));
    assert_eq!(third.page(&app), NOBODY);
}

fn what_was_acknowledged_outlives_the_app() {
    let database = Database::start();
    let (mut app, visitor) = (start(&database), Visitor::new());
    for len in 1..=5 {
        visitor.sign_in(&app, &"x".repeat(len));
        app.kill();

        // On another port, which makes no difference to the cookie.
        app = start(&database);

        assert_eq!(visitor.page(&app), signed_in(len));
    }
}

fn two_apps_read_at_once_what_either_has_written() {
    let database = Database::start();
    let (mut writer, mut reader) = (start(&database), start(&database));
    let visitor = Visitor::new();

    for len in 1..=50 {
        visitor.sign_in(&writer, &"x".repeat(len));
        assert_eq!(visitor.page(&reader), signed_in(len));
        std::mem::swap(&mut writer, &mut reader);
    }

    // Whichever of them ends, the other has it all.
    visitor.sign_in(&writer, &"x".repeat(51));
    writer.kill();
    assert_eq!(visitor.page(&reader), signed_in(51));
    let writer = start(&database);
    visitor.sign_in(&writer, &"x".repeat(52));
    reader.kill();
    assert_eq!(visitor.page(&writer), signed_in(52));
}

fn a_corrupt_session_is_told_without_its_data() {
    let database = Database::start();
    let (app, visitor) = (start(&database), Visitor::new());
    visitor.sign_in(&app, "a token");
    Runtime::new().unwrap().block_on(async {
        let client = Client::with_uri_str(database.server.url()).await.unwrap();
        let sessions = client.default_database().unwrap().collection::<Document>("sessions");
        let change = doc! { "$set": { "data": r#""secret""# } };
        assert_eq!(sessions.update_many(doc! {}, change).await.unwrap().modified_count, 1);
    });

    assert_unavailable(&app, &visitor);

    let log = app.log();
    assert!(log.contains("field `data` of a session's document: no JSON object"), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert_eq!(log.lines().count(), 2, "a line for each request: {log}");
}

fn while_the_server_is_gone_visitors_are_told_so() {
    let mut database = Database::start();
    let (app, visitor) = (start(&database), Visitor::new());
    visitor.sign_in(&app, "a token");

    database.server.kill();
    assert_unavailable(&app, &visitor);
    database.server.restart();

    assert_eq!(visitor.page(&app), signed_in(7));
    visitor.sign_in(&app, "another");
    let log = app.log();
    assert!(log.contains(r#"cannot get "logto_id_token": the session failed: "#), "{log}");
    assert!(log.contains(r#"cannot set "logto_id_token": the session failed: "#), "{log}");
    assert!(!log.contains("a token") && !log.contains("lost"), "{log}");
}

fn while_the_server_hangs_visitors_are_told_so() {
    let database = Database::start();
    let (app, visitor) = (start(&database), Visitor::new());
    visitor.sign_in(&app, "a token");

    database.server.pause();
    assert_unavailable(&app, &visitor);
    database.server.resume();

    assert_eq!(visitor.page(&app), signed_in(7));
    visitor.sign_in(&app, "another");
}

fn without_a_server_it_says_so_in_one_line() {
    // Nobody listens on port 1.
    let line = refusal("mongodb://somebody:hunter2@127.0.0.1:1/");

    assert!(line.starts_with("cannot use MongoDB: "), "{line}");
    assert!(line.contains("127.0.0.1:1"), "{line}");
}

fn a_url_that_is_none_is_told_in_one_line() {
    for url in ["", "hunter2", "http://somebody:hunter2@localhost", "mongodb://somebody:hunter2?@localhost"] {
        let line = refusal(url);
        assert!(line.starts_with("MONGODB_URL cannot be used: "), "{line}");
    }
}

/// The line it says.
fn refusal(url: &str) -> String {
    let started = Instant::now();
    let line = App::refusal(PROGRAM, &[("MONGODB_URL", url)]);
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    assert!(!line.contains("hunter2"), "{line}");
    line
}

fn start(database: &Database) -> App {
    App::start(PROGRAM, &[("MONGODB_URL", database.server.url())])
}

fn signed_in(len: usize) -> String {
    format!("Signed in: the id token has {len} bytes.")
}

fn assert_unavailable(app: &App, visitor: &Visitor) {
    for ask in [Visitor::get, |visitor: &Visitor, app: &App| visitor.put(app, "lost")] {
        let asked = Instant::now();
        let response = ask(visitor, app);
        assert!(asked.elapsed() < LIMIT, "{:?}", asked.elapsed());
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(response.text().unwrap(), "Your session cannot be used at the moment. Try again later.");
    }
}
