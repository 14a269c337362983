//! The binary.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::app::Visitor;

const LIMIT: Duration = Duration::from_secs(30);
const VARIABLES: [&str; 5] = ["PORT", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URIS", "POST_LOGOUT_REDIRECT_URIS"];

/// Killed at the end of the test, whichever way the test ends.
fn program(variables: &[(&str, &str)]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_dev-provider"));
    for variable in VARIABLES {
        program.env_remove(variable);
    }
    program.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    program
}

async fn banner(process: &mut Child) -> (Lines<BufReader<ChildStdout>>, String) {
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut banner = String::new();
    while !banner.contains("Ctrl-C") {
        let line = timeout(LIMIT, lines.next_line()).await.expect("it says where it is").unwrap();
        banner += &line.unwrap_or_else(|| panic!("it ended: {banner}"));
        banner.push('\n');
    }
    (lines, banner)
}

#[tokio::test]
async fn the_banner_tells_what_an_app_needs_and_what_this_is() {
    let mut process = program(&[("PORT", "0")]).spawn().unwrap();
    let (_stdout, banner) = banner(&mut process).await;
    for part in [
        "development only: anybody may sign in as anybody",
        "dev-client",
        "dev-secret",
        "http://localhost:3000/callback",
        "dev-machine with secret dev-machine-secret",
        "Alice, Bob, Carol",
    ] {
        assert!(banner.contains(part), "{part}: {banner}");
    }
    let endpoint = banner.lines().find_map(|line| line.strip_prefix("Endpoint ")).unwrap().trim();
    let discovery = Visitor::new().get(&format!("{endpoint}/oidc/.well-known/openid-configuration")).await;
    assert_eq!(discovery.status(), 200);
}

#[tokio::test]
async fn the_environment_overrides_the_client() {
    let mut process = program(&[
        ("PORT", "0"),
        ("CLIENT_ID", "another-id"),
        ("CLIENT_SECRET", ""),
        ("REDIRECT_URIS", "http://a.test/one http://a.test/two"),
        ("POST_LOGOUT_REDIRECT_URIS", "http://a.test/three"),
    ]);
    let (_stdout, banner) = banner(&mut process.spawn().unwrap()).await;
    for part in
        ["another-id", "(none: a public client)", "http://a.test/one http://a.test/two\n", "http://a.test/three\n"]
    {
        assert!(banner.contains(part), "{part}: {banner}");
    }
}

#[tokio::test]
async fn a_busy_or_malformed_port_is_told_in_one_line() {
    let busy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let busy = busy.local_addr().unwrap().port().to_string();
    for port in [&*busy, "http", "65536"] {
        let Output { status, stdout, stderr } =
            timeout(LIMIT, program(&[("PORT", port)]).output()).await.expect("it ends").unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!((status.code(), &*stdout), (Some(1), &b""[..]), "{stderr}");
        assert!(stderr.lines().count() == 1 && stderr.contains(port) && stderr.contains("PORT"), "{stderr}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_ends_it() {
    let mut process = program(&[("PORT", "0")]).spawn().unwrap();
    let (_stdout, _) = banner(&mut process).await;
    let id = process.id().unwrap().to_string();

    let kill = Command::new("sh").args(["-c", r#"kill -s INT "$1""#, "sh", &id]).status().await.unwrap();

    assert!(kill.success());
    assert!(timeout(LIMIT, process.wait()).await.expect("it ends").unwrap().success());
}
