//! The app as its users meet it: the real binary, over HTTP, on a file of the test's own.

use std::time::{Duration, Instant};

use servers::{App, Visitor};
use tempfile::TempDir;
use tower_sessions_sqlx_store::sqlx::{Connection, SqliteConnection, query};

const APP: &str = env!("CARGO_BIN_EXE_axum-sqlite");

#[test]
fn nobody_is_signed_in_at_first() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&folder);

    let response = Visitor::new().get(&app);

    assert_eq!(response.status(), 200);
    assert_eq!(response.headers().get("set-cookie"), None);
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.text().unwrap(), "Nobody is signed in.");
}

#[test]
fn a_stored_item_is_there_in_a_later_request() {
    let folder = tempfile::tempdir().unwrap();
    let (app, visitor) = (start(&folder), Visitor::new());

    visitor.sign_in(&app, "a token");
    assert_eq!(visitor.page(&app), signed_in(7));

    visitor.sign_in(&app, &"x".repeat(65_536));
    assert_eq!(visitor.page(&app), signed_in(65_536));
}

#[test]
fn two_visitors_do_not_see_each_others_items() {
    let folder = tempfile::tempdir().unwrap();
    let app = start(&folder);
    let (one, other, third) = (Visitor::new(), Visitor::new(), Visitor::new());

    one.sign_in(&app, "1");
    other.sign_in(&app, "22");

    assert_eq!(one.page(&app), signed_in(1));
    assert_eq!(other.page(&app), signed_in(2));
    assert_eq!(third.page(&app), "Nobody is signed in.");
}

#[test]
fn the_cookie_survives_the_way_back_from_logto() {
    let folder = tempfile::tempdir().unwrap();
    let (app, visitor) = (start(&folder), Visitor::new());

    let response = visitor.put(&app, "a token");

    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert!(pair.starts_with("axum-sqlite="), "{pair}");
    assert_eq!(attributes, ["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"]);
}

#[test]
fn what_was_acknowledged_outlives_the_app() {
    let folder = tempfile::tempdir().unwrap();
    let (mut app, visitor) = (start(&folder), Visitor::new());

    for len in 1..=5 {
        visitor.sign_in(&app, &"x".repeat(len));
        app.kill();

        app = start(&folder);
        assert_eq!(visitor.page(&app), signed_in(len));
    }
}

#[test]
fn while_another_program_holds_the_file_requests_fail_soon_and_afterwards_they_work_again() {
    let folder = tempfile::tempdir().unwrap();
    let (app, visitor) = (start(&folder), Visitor::new());
    visitor.sign_in(&app, "a token");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut other = runtime.block_on(SqliteConnection::connect(&url(&folder))).unwrap();
    runtime.block_on(query("begin exclusive").execute(&mut other)).unwrap();

    let start = Instant::now();
    let response = visitor.put(&app, "secret");
    assert_eq!(response.status(), 503);
    // It waits for five seconds.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.text().unwrap(), "Your session cannot be used at the moment. Try again later.");
    assert_eq!(visitor.page(&app), signed_in(7), "who reads does not wait");

    runtime.block_on(query("rollback").execute(&mut other)).unwrap();
    visitor.sign_in(&app, "another token");
    assert_eq!(visitor.page(&app), signed_in(13));
    let log = app.log();
    assert!(log.contains(r#"cannot set "logto_id_token""#), "{log}");
    assert!(!log.contains("secret"), "{log}");
}

#[test]
fn a_file_that_cannot_be_opened_is_named_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("missing/sessions.db").display());

    let line = App::refusal(APP, &[("DATABASE_URL", &url)]);

    assert!(line.starts_with(&format!("cannot use {url} (DATABASE_URL): ")), "{line}");
}

fn start(folder: &TempDir) -> App {
    App::start(APP, &[("DATABASE_URL", &url(folder))])
}

fn url(folder: &TempDir) -> String {
    format!("sqlite://{}?mode=rwc", folder.path().join("sessions.db").display())
}

fn signed_in(len: usize) -> String {
    format!("Signed in: the id token has {len} bytes.")
}
