//! The app as its users meet it: the real binary, over HTTP.

use std::process::{Output, Stdio};
use std::time::Duration;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{Method, StatusCode};
use servers::{Browser, Page};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long anything may take that is over in a moment, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_new_visitor_is_greeted_and_gets_no_cookie() {
    let server = Server::start().await;

    let response = Visitor::at(&server).get().await;

    assert_eq!(response.status, StatusCode::OK);
    assert_eq!(response.headers.get(SET_COOKIE), None);
    assert_eq!(response.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    let page = response.body;
    assert!(page.contains("<h1>Hello Logto</h1>"), "{page}");
    assert_eq!(items_on(&page), []);
}

#[tokio::test]
async fn a_stored_item_is_there_in_a_later_request() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);

    visitor.store("logto_id_token", 1234).await;
    visitor.store("logto_refresh_token", 1).await;

    assert_eq!(visitor.items().await, [item("logto_refresh_token", 1), item("logto_id_token", 1234)]);
}

#[tokio::test]
async fn storing_an_item_again_replaces_it() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);

    visitor.store("logto_id_token", 100).await;
    visitor.store("logto_id_token", 7).await;

    assert_eq!(visitor.items().await, [item("logto_id_token", 7)]);
}

#[tokio::test]
async fn an_item_of_64_kib_is_kept_and_its_value_stays_on_the_server() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);

    visitor.store("logto_access_token_map", 65_536).await;

    let page = visitor.page().await;
    assert_eq!(items_on(&page), [item("logto_access_token_map", 65_536)]);
    assert!(page.len() < 65_536, "a page of {} bytes has room for the value", page.len());
    assert!(visitor.cookie().unwrap().len() < 100, "the cookie has the session's id and nothing else");
}

#[tokio::test]
async fn the_largest_size_on_offer_can_be_stored() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);
    assert!(visitor.page().await.contains(r#"max="1048576""#));

    visitor.store("logto_sign_in_session", 1_048_576).await;

    assert_eq!(visitor.items().await, [item("logto_sign_in_session", 1_048_576)]);
}

#[tokio::test]
async fn a_removed_item_is_gone_and_the_others_stay() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);
    visitor.store("logto_id_token", 10).await;
    visitor.store("logto_refresh_token", 20).await;

    visitor.send("items/remove", &[("key", "logto_id_token")]).await;
    assert_eq!(visitor.items().await, [item("logto_refresh_token", 20)]);

    visitor.send("items/remove", &[("key", "logto_refresh_token")]).await;
    assert_eq!(visitor.items().await, []);
}

#[tokio::test]
async fn removing_an_item_that_is_not_there_changes_nothing() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);

    visitor.send("items/remove", &[("key", "logto_id_token")]).await;

    assert_eq!(visitor.items().await, []);
    assert_eq!(visitor.cookie(), None, "an empty session needs no cookie");
}

#[tokio::test]
async fn a_renewed_session_keeps_its_items_under_a_new_id_only() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);
    visitor.store("logto_id_token", 10).await;
    let old_cookie = visitor.cookie().unwrap();
    let intruder = Visitor::at(&server);
    intruder.browser.take_cookies(&intruder.site, &old_cookie);
    assert_eq!(intruder.items().await, [item("logto_id_token", 10)], "the old id is worth something so far");

    visitor.send("renew", &[]).await;

    assert_ne!(visitor.cookie().unwrap(), old_cookie);
    assert_eq!(visitor.items().await, [item("logto_id_token", 10)]);
    assert_eq!(intruder.items().await, []);
}

#[tokio::test]
async fn two_visitors_do_not_see_each_others_items() {
    let server = Server::start().await;
    let (one, other) = (Visitor::at(&server), Visitor::at(&server));

    one.store("logto_id_token", 1).await;
    other.store("logto_refresh_token", 2).await;

    assert_eq!(one.items().await, [item("logto_id_token", 1)]);
    assert_eq!(other.items().await, [item("logto_refresh_token", 2)]);
}

#[tokio::test]
async fn the_cookie_is_out_of_reach_of_scripts_and_survives_the_way_back_from_logto() {
    let server = Server::start().await;

    let response = Visitor::at(&server).store("logto_id_token", 1).await;

    let cookie = response.headers[SET_COOKIE].to_str().unwrap();
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    let mut attributes: Vec<_> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert!(pair.starts_with("axum-tower-sessions="), "{pair}");
    assert_eq!(attributes, ["HttpOnly", "Max-Age=3600", "Path=/", "SameSite=Lax"]);
}

#[tokio::test]
async fn a_size_that_is_not_on_offer_is_explained_and_stores_nothing() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);
    visitor.store("logto_id_token", 5).await;

    for size in ["", "0", "-1", "1.5", "many", "1048577", "99999999999999999999999"] {
        let response = visitor.post("items", &[("key", "logto_id_token"), ("size", size)]).await;
        assert_refused(response, "a whole number of bytes from 1 to 1048576");
    }
    assert_refused(visitor.post("items", &[("key", "logto_id_token")]).await, "a whole number of bytes");

    assert_eq!(visitor.items().await, [item("logto_id_token", 5)]);
}

#[tokio::test]
async fn a_key_that_is_not_logtos_is_explained_and_stores_nothing() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);

    for key in ["", "logto", "LOGTO_ID_TOKEN", "<script>alert(1)</script>"] {
        let response = visitor.post("items", &[("key", key), ("size", "5")]).await;
        assert_refused(response, "Choose one from the list");
    }

    assert_eq!(visitor.cookie(), None, "nothing was stored, so there is no session");
}

#[tokio::test]
async fn a_key_that_is_not_logtos_is_not_removed() {
    let server = Server::start().await;

    let response = Visitor::at(&server).post("items/remove", &[("key", "theme")]).await;

    assert_refused(response, "Choose one from the list");
}

#[tokio::test]
async fn no_answer_is_kept_in_a_cache() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);

    let page = visitor.get().await;
    let redirect = visitor.store("logto_id_token", 1).await;
    let refusal = visitor.post("items", &[]).await;

    for response in [page, redirect, refusal] {
        assert_eq!(response.headers[CACHE_CONTROL], "no-store", "{}", response.status);
    }
}

#[tokio::test]
async fn after_a_restart_an_old_cookie_is_an_empty_session() {
    let mut server = Server::start().await;
    let mut visitor = Visitor::at(&server);
    visitor.store("logto_id_token", 1).await;
    server.process.kill().await.unwrap();

    // On another port, which makes no difference to the cookie.
    let server = Server::start().await;
    visitor.site = server.site.clone();

    assert!(visitor.cookie().is_some());
    assert_eq!(visitor.items().await, []);
    visitor.store("logto_id_token", 2).await;
    assert_eq!(visitor.items().await, [item("logto_id_token", 2)]);
}

#[tokio::test]
async fn a_busy_port_is_named_in_one_line() {
    let busy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = busy.local_addr().unwrap().port().to_string();

    let line = failure_to_start(&port).await;

    assert!(line.contains(&format!("cannot listen on port {port}:")), "{line}");
}

#[tokio::test]
async fn a_port_that_is_none_is_named_in_one_line() {
    for port in ["", "http", "-1", "65536", "30 00", "3000\n"] {
        let line = failure_to_start(port).await;
        assert!(line.starts_with(&format!("PORT is {port:?}: set it to a number")), "{line}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it_well_while_browsers_are_connected() {
    let server = Server::start().await;
    let visitor = Visitor::at(&server);
    visitor.page().await;
    // Browsers also connect ahead of their first request.
    let _silent = tokio::net::TcpStream::connect(server.site.trim_start_matches("http://")).await.unwrap();

    let Output { status, stdout, .. } = server.end("INT").await;

    assert_eq!(status.code(), Some(0));
    assert_eq!(stdout, b"", "the address is all that it prints");
}

#[cfg(unix)]
#[tokio::test]
async fn a_service_manager_can_end_it() {
    let server = Server::start().await;

    assert_eq!(server.end("TERM").await.status.code(), Some(0));
}

/// A running app, killed at the end of the test, whichever way the test ends.
struct Server {
    process: Child,
    site: String,
}

impl Server {
    async fn start() -> Self {
        let mut process = app("0").stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        timeout(LIMIT, stdout.read_line(&mut line)).await.expect("the app says where it listens").unwrap();
        let site = line.strip_prefix("Listening on ").and_then(|rest| rest.strip_suffix('\n'));
        let site = site.unwrap_or_else(|| panic!("the app's first line is {line:?}"));
        assert!(site.starts_with("http://localhost:"), "{site}");
        let site = site.to_owned();
        assert_eq!(stdout.buffer(), b"", "nothing follows the address");
        process.stdout = Some(stdout.into_inner());
        Self { process, site }
    }

    /// Sends the signal, and waits for the end. What the app printed after its address is in the output.
    #[cfg(unix)]
    async fn end(self, signal: &str) -> Output {
        let process = self.process.id().unwrap().to_string();
        let kill = Command::new("sh").args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &process]).status();
        assert!(kill.await.unwrap().success());
        timeout(LIMIT, self.process.wait_with_output()).await.expect("the app ends").unwrap()
    }
}

/// What the app says when it cannot start.
async fn failure_to_start(port: &str) -> String {
    let Output { status, stdout, stderr } =
        timeout(LIMIT, app(port).output()).await.expect("the app does not start").unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{stderr}");
    assert_eq!(stdout, b"");
    assert!(!stderr.contains("panicked"), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr
}

fn app(port: &str) -> Command {
    let mut app = Command::new(env!("CARGO_BIN_EXE_axum-tower-sessions"));
    app.env("PORT", port).kill_on_drop(true);
    app
}

/// One visitor, with cookies of their own.
struct Visitor {
    browser: Browser,
    site: String,
}

impl Visitor {
    fn at(server: &Server) -> Self {
        Self { browser: Browser::new(), site: server.site.clone() }
    }

    async fn get(&self) -> Page {
        self.browser.get(&self.site).await
    }

    async fn page(&self) -> String {
        let page = self.get().await;
        assert_eq!(page.status, StatusCode::OK);
        page.body
    }

    async fn items(&self) -> Vec<(String, usize)> {
        items_on(&self.page().await)
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Page {
        self.browser
            .request(Method::POST, &format!("{}/{path}", self.site))
            .with(|request| request.form(form))
            .load()
            .await
    }

    /// A form that is accepted.
    async fn send(&self, path: &str, form: &[(&str, &str)]) -> Page {
        let page = self.post(path, form).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER);
        assert_eq!(page.headers[LOCATION], "/");
        page
    }

    async fn store(&self, key: &str, size: usize) -> Page {
        self.send("items", &[("key", key), ("size", &size.to_string())]).await
    }

    fn cookie(&self) -> Option<String> {
        self.browser.cookies(&self.site)
    }
}

/// The rows of the table: keys and sizes.
fn items_on(page: &str) -> Vec<(String, usize)> {
    let rows = page.split(r#"<th scope="row">"#).skip(1);
    let cells = rows.map(|row| row.split_once("</td>").unwrap().0.split_once("</th><td>").unwrap());
    cells.map(|(key, size)| item(key, size.parse().unwrap())).collect()
}

fn item(key: &str, size: usize) -> (String, usize) {
    (key.to_owned(), size)
}

fn assert_refused(response: Page, advice: &str) {
    assert_eq!(response.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(response.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    let page = response.body;
    assert!(page.contains(advice), "{page}");
}
