//! What the environment makes of the program.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use servers::{App, Browser, block_on};

use crate::visitor::{PROGRAM, settings};

/// How long anything may take that is over in a moment, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn without_any_it_starts_with_a_provider_of_its_own() {
    let program = Program::start(&[]);
    let lines = program.banner();

    let url = lines[0].strip_prefix("Listening on ").expect("where it listens");
    let port = url.strip_prefix("http://localhost:").expect("a URL of this machine");
    assert!(port.parse::<u16>().is_ok_and(|port| port != 0), "{url}");
    let banner = lines.join("\n");
    assert!(banner.contains(&format!("\nOpen {url}/ and click “Sign in”.\n")), "{banner}");
    assert!(banner.contains("anybody may sign in as anybody"), "{banner}");
    assert!(banner.contains("Set LOGTO_ENDPOINT, LOGTO_APP_ID and LOGTO_APP_SECRET to use your Logto."), "{banner}");
    let provider = lines.iter().find_map(|line| line.split_once("development provider at ")?.1.split(',').next());
    let discovery = format!("{}/oidc/.well-known/openid-configuration", provider.expect("the provider's URL"));
    let document = block_on(Browser::new().get(&discovery)).body;
    assert!(document.contains("\"authorization_endpoint\""), "{document}");
}

pub(crate) fn with_a_logto_it_says_what_to_register_there() {
    let mut variables = vec![
        ("BASE_URL", "https://app.example.com/"),
        ("LOGTO_ENDPOINT", "https://tenant.logto.app"),
        ("LOGTO_APP_ID", "an-id"),
        ("LOGTO_APP_SECRET", "hunter2"),
    ];
    let banner = Program::start(&variables).banner().join("\n");

    assert!(banner.contains("Users sign in at https://tenant.logto.app. Register there for this app:"), "{banner}");
    assert!(banner.contains("https://app.example.com/logto/sign-in-callback\n"), "{banner}");
    assert!(banner.contains("https://app.example.com/\n"), "{banner}");
    assert!(!banner.contains("development provider") && !banner.contains("hunter2"), "{banner}");

    variables.remove(0);
    let program = Program::start(&variables);
    let lines = program.banner();
    let url = lines[0].strip_prefix("Listening on ").expect("where it listens");
    assert!(lines.iter().any(|line| line.ends_with(&format!(" {url}/logto/sign-in-callback"))), "{lines:?}");
    assert!(lines.iter().any(|line| line.ends_with(&format!(" {url}/"))), "{lines:?}");
}

pub(crate) fn part_of_a_logto_is_refused_and_what_is_missing_is_named() {
    let all = [("LOGTO_ENDPOINT", "https://tenant.logto.app"), ("LOGTO_APP_ID", "id"), ("LOGTO_APP_SECRET", "hunter2")];
    for given in 1_u8..7 {
        let is_given = |index: &usize| given >> index & 1 == 1;
        let (given, missing): (Vec<_>, Vec<_>) = (0..all.len()).partition(is_given);
        let names = |indices: &[usize]| indices.iter().map(|index| all[*index].0).collect::<Vec<_>>().join(" and ");

        let line = refusal(&given.iter().map(|index| all[*index]).collect::<Vec<_>>());

        let begin = format!("{} is set, but not {}: ", names(&given), names(&missing));
        assert!(line.replace(" are set", " is set").starts_with(&begin), "{line}");
    }
}

pub(crate) fn what_cannot_be_used_is_refused_in_one_line() {
    for (name, values, hint) in [
        ("PORT", &["http", "65536", "-1", "3000 "][..], "set it to a number from 0 (any free port) to 65535"),
        (
            "BASE_URL",
            &[
                "app.example.com",
                "ftp://app.example.com",
                "https://app.example.com/path",
                "https://app.example.com/?a=b",
            ],
            "BASE_URL",
        ),
        ("LOGTO_ENDPOINT", &["tenant.logto.app", "ftp://tenant.logto.app"], "LOGTO_ENDPOINT"),
        ("LOGTO_RESOURCES", &["not-a-url https://api.example.com"], "LOGTO_RESOURCES"),
    ] {
        for value in values {
            let mut variables = vec![(name, *value)];
            if name.starts_with("LOGTO_") {
                let logto = [
                    ("LOGTO_ENDPOINT", "https://a.logto.app"),
                    ("LOGTO_APP_ID", "id"),
                    ("LOGTO_APP_SECRET", "hunter2"),
                ];
                variables.splice(0..0, logto);
            }
            let line = refusal(&variables);
            assert!(line.contains(hint), "{name}={value}: {line}");
        }
    }
}

pub(crate) fn a_taken_port_is_refused_in_one_line() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();

    let line = refusal(&[("PORT", &port)]);

    assert!(line.starts_with(&format!("cannot listen on port {port}: ")), "{line}");
    assert!(line.ends_with("; set PORT to another port, or to 0 for any free port\n"), "{line}");
}

pub(crate) fn a_store_that_is_none_is_refused_in_one_line() {
    for store in ["mysql://somebody:hunter2@127.0.0.1", "Memory", "/tmp/sessions.db", ":hunter2"] {
        let line = refusal(&[("STORE", store)]);
        assert!(line.starts_with("STORE is invalid: set it to `memory` or a URL, redis://…, "), "{store}: {line}");
    }
    for (store, scheme) in [
        ("redis://:hunter2@a:b:c", "redis"),
        ("redis://:hunter2@127.0.0.1:1,redis://:hunter2@a:b:c", "redis"),
        ("postgres://somebody:hunter2@127.0.0.1:port/sessions", "postgres"),
        ("mongodb://somebody:hunter2@127.0.0.1:1", "mongodb"),
    ] {
        let line = refusal(&[("STORE", store)]);
        assert!(line.starts_with(&format!("cannot use the {scheme} store (STORE): ")), "{store}: {line}");
    }
}

pub(crate) fn a_store_that_is_not_there_is_refused_in_one_line() {
    for (store, scheme) in [
        ("redis://somebody:hunter2@127.0.0.1:1", "redis"),
        ("redis://:hunter2@127.0.0.1:1,redis://:hunter2@127.0.0.1:2", "redis"),
        ("rediss://somebody:hunter2@127.0.0.1:1", "rediss"),
        ("postgres://somebody:hunter2@127.0.0.1:1/sessions", "postgres"),
        ("mongodb://somebody:hunter2@127.0.0.1:1/sessions", "mongodb"),
        ("sqlite:/there/is/no/such/folder/vault.db", "sqlite"),
    ] {
        let line = refusal(&[("STORE", store)]);
        assert!(line.starts_with(&format!("cannot use the {scheme} store (STORE): ")), "{store}: {line}");
    }
}

/// Even while browsers hold connections open, as they do.
pub(crate) fn told_to_end_it_ends_well() {
    for signal in ["INT", "TERM"] {
        let mut program = Program::start(&[]);
        let url = program.banner().remove(0).split_off("Listening on ".len());
        let browser = Browser::new();
        assert_eq!(block_on(browser.get(&url)).status, 200);
        let address = url.trim_start_matches("http://");
        let _silent = TcpStream::connect(address).expect("a connection");

        let mut kill = Command::new("sh");
        kill.args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &program.process.id().to_string()]);
        assert!(kill.status().is_ok_and(|status| status.success()), "cannot send {signal}");

        program.assert_ends_well();
    }
}

fn refusal(variables: &[(&str, &str)]) -> String {
    App::refusal(PROGRAM, &settings(variables))
}

/// A running program of which all is read that it says. It is killed when dropped.
struct Program {
    process: Child,
    said: Receiver<String>,
}

impl Program {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.env("PORT", "0").envs(settings(variables)).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut process = command.spawn().expect(PROGRAM);
        let stdout = process.stdout.take().expect("it is piped");
        let (say, said) = mpsc::channel();
        thread::spawn(move || BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { process, said }
    }

    fn banner(&self) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.last().is_none_or(|line| line != "Press Ctrl-C to stop.") {
            let line = self.said.recv_timeout(LIMIT);
            lines.push(line.unwrap_or_else(|error| panic!("{error} after {lines:?}")));
        }
        lines
    }

    fn assert_ends_well(&mut self) {
        // Its output ends with it.
        assert_eq!(self.said.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
        assert_eq!(self.process.wait().expect("its status").code(), Some(0));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
