//! A gateway in front of a Logto that is down.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take that is over soon, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// Answers 503 to every request, or 200 once Logto is back, and remembers the requests.
pub(crate) struct Gateway(Arc<Mutex<State>>);

struct State {
    status: u16,
    /// Such as `POST /oidc/token`.
    requests: Vec<String>,
}

impl Gateway {
    pub(crate) fn start(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("the provider's port");
        let state = Arc::new(Mutex::new(State { status: 503, requests: Vec::new() }));
        let gateway = Self(Arc::clone(&state));
        thread::spawn(move || {
            for connection in listener.incoming() {
                answer(&connection.expect("a connection"), &state);
            }
        });
        gateway
    }

    /// Answers 200 from now on.
    pub(crate) fn recover(&self) {
        self.0.lock().expect("the state").status = 200;
    }

    /// The requests so far whose path ends like this.
    pub(crate) fn count(&self, path_end: &str) -> usize {
        self.0.lock().expect("the state").requests.iter().filter(|request| request.ends_with(path_end)).count()
    }

    /// Waits for so many requests whose path ends like this.
    pub(crate) fn wait_for(&self, count: usize, path_end: &str) {
        let deadline = Instant::now() + LIMIT;
        while self.count(path_end) < count {
            assert!(Instant::now() < deadline, "{:?}", self.0.lock().expect("the state").requests);
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Reads one request, and closes the connection after the answer.
fn answer(mut connection: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).expect("a request") == 0 {
            return;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().expect("a length"))
    });
    reader.read_exact(&mut vec![0; length.unwrap_or(0)]).expect("a body");
    let (request, _) = head.split_once(" HTTP/").expect("a request line");
    let status = {
        let mut state = state.lock().expect("the state");
        state.requests.push(request.to_owned());
        state.status
    };
    let answer = format!("HTTP/1.1 {status} Answered\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    connection.write_all(answer.as_bytes()).expect("it is sent");
}
