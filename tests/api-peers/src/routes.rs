//! A protected route beside the same one unprotected, over loopback.

use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use std::{fs, thread};

use axum_jwt_auth::Decoder;
use jsonwebtoken_10::Algorithm;
use jwt_authorizer::{Authorizer, IntoLayer as _, JwtClaims};
use logto_client::api::{Bearer, LogtoApi};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::is_bench;
use crate::report::{Report, ratio};
use crate::setup::{AXUM_JWT_AUTH, Claims, JWT_AUTHORIZER, OURS, Setup};
use crate::timing::{Candidate, Spread, calibrate, rounds};

/// One is a client that waits for each response; with eight, the server has a request ready nearly always.
const CONNECTIONS: [usize; 2] = [1, 8];

const ROUTES: [&str; 2] = ["/open", "/protected"];

pub(crate) fn run(report: &mut Report, setup: &Setup) {
    let libraries = setup.libraries(Algorithm::ES384);
    let token = setup.token();
    let servers = [
        (format!("{OURS}, axum 0.8"), start(|listener| ours(listener, libraries.ours))),
        (format!("{JWT_AUTHORIZER}, axum 0.7"), start(|listener| jwt_authorizer(listener, libraries.jwt_authorizer))),
        (format!("{AXUM_JWT_AUTH}, axum 0.8"), start(|listener| axum_jwt_auth(listener, libraries.axum_jwt_auth))),
    ];
    let head =
        ["", "open, requests/s", "protected, requests/s", "of the open one’s", "CPU, open, µs", "CPU, protected, µs"];
    for connections in CONNECTIONS {
        let row = |(name, server): &(String, Server)| row(setup, name, server, &token, connections);
        let rows: Vec<_> = servers.iter().map(row).collect();
        report.table(&format!("A protected route beside an open one, connections: {connections}"), &head, &rows);
    }
}

fn row(setup: &Setup, name: &str, server: &Server, token: &str, connections: usize) -> Vec<String> {
    let mut loads = ROUTES.map(|path| setup.runtime.block_on(Load::new(server.address, path, token, connections)));
    let (count, turn) = if is_bench() { (41, Duration::from_millis(100)) } else { (1, Duration::ZERO) };
    let times = loads.each_mut().map(|load| {
        let mut candidate: [Candidate<'_>; 1] = [Box::new(|times| setup.runtime.block_on(load.run(times)))];
        calibrate(turn, &mut candidate)
    });
    let mut cpu = [Vec::new(), Vec::new()];
    let rates = rounds(count, ROUTES.len(), |route| {
        let (start, cpu_before) = (Instant::now(), server.cpu_time());
        setup.runtime.block_on(loads[route].run(times[route]));
        let seconds = start.elapsed().as_secs_f64();
        let requests = as_float(times[route] * connections as u64);
        cpu[route].push(as_float(server.cpu_time() - cpu_before) / 1e3 / requests);
        requests / seconds
    });
    let cpu = cpu.map(|values| format!("{:.1}", Spread::of(values).median));
    let rate = |route: usize| format!("{:.0}", rates[route].value.median);
    let [open, protected] = cpu;
    vec![name.to_owned(), rate(0), rate(1), ratio(rates[1].ratio), open, protected]
}

// --- The servers

/// A server with one thread of its own, which ends with the program.
struct Server {
    address: SocketAddr,
    /// The thread's folder in `/proc/self/task`.
    thread: String,
}

impl Server {
    /// Its CPU time in nanoseconds. Other than the rates, it does not depend on the machine's other load. 0 where the
    /// kernel does not report it.
    fn cpu_time(&self) -> u64 {
        let times = fs::read_to_string(format!("/proc/{}/schedstat", self.thread)).unwrap_or_default();
        times.split(' ').next().and_then(|time| time.parse().ok()).unwrap_or_default()
    }
}

fn start<F: Future<Output = ()>>(serve: impl FnOnce(tokio::net::TcpListener) -> F + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let (send, started) = mpsc::channel();
    thread::spawn(move || {
        let thread = fs::read_link("/proc/thread-self").unwrap_or_default();
        send.send(thread.display().to_string()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { serve(tokio::net::TcpListener::from_std(listener).unwrap()).await });
    });
    Server { address, thread: started.recv().unwrap() }
}

async fn ours(listener: tokio::net::TcpListener, api: LogtoApi) {
    use axum::{Router, routing::get};

    async fn protected(token: Bearer) -> String {
        greeting(token.sub())
    }

    let app = Router::new().route(ROUTES[0], get(open)).route(ROUTES[1], get(protected)).with_state(api);
    axum::serve(listener, app).await.unwrap();
}

async fn jwt_authorizer(listener: tokio::net::TcpListener, authorizer: Arc<Authorizer<Claims>>) {
    use axum_0_7::{Router, routing::get};

    async fn protected(JwtClaims(claims): JwtClaims<Claims>) -> String {
        greeting(&claims.sub)
    }

    // A layer is for the routes above it.
    let app = Router::new().route(ROUTES[1], get(protected)).layer(authorizer.into_layer()).route(ROUTES[0], get(open));
    axum_0_7::serve(listener, app).await.unwrap();
}

async fn axum_jwt_auth(listener: tokio::net::TcpListener, decoder: Decoder<Claims>) {
    use axum::{Router, routing::get};

    async fn protected(token: axum_jwt_auth::Claims<Claims>) -> String {
        greeting(&token.claims.sub)
    }

    let app = Router::new().route(ROUTES[0], get(open)).route(ROUTES[1], get(protected)).with_state(decoder);
    axum::serve(listener, app).await.unwrap();
}

async fn open() -> String {
    greeting("abcdefghijkl")
}

/// What both routes answer.
fn greeting(sub: &str) -> String {
    format!("hello, {sub}")
}

// --- The client

/// Connections that are kept, each with one request at a time.
struct Load {
    connections: Vec<TcpStream>,
    request: Arc<[u8]>,
    response_length: usize,
}

impl Load {
    /// The same request for both routes, but for the path: an open route gets the token as well.
    async fn new(address: SocketAddr, path: &str, token: &str, count: usize) -> Self {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n\r\n");
        let mut connections = Vec::new();
        for _ in 0..count {
            let connection = TcpStream::connect(address).await.unwrap();
            connection.set_nodelay(true).unwrap();
            connections.push(connection);
        }
        let response_length = first_response(&mut connections[0], request.as_bytes()).await;
        Self { connections, request: request.into_bytes().into(), response_length }
    }

    /// Sends so many requests per connection.
    async fn run(&mut self, times: u64) {
        let mut tasks = JoinSet::new();
        for mut connection in self.connections.drain(..) {
            let (request, mut response) = (Arc::clone(&self.request), vec![0; self.response_length]);
            tasks.spawn(async move {
                for _ in 0..times {
                    connection.write_all(&request).await.unwrap();
                    connection.read_exact(&mut response).await.unwrap();
                    assert!(is_greeting(&response));
                }
                connection
            });
        }
        self.connections = tasks.join_all().await;
    }
}

/// Returns its length, which is that of all others: only the date differs.
async fn first_response(connection: &mut TcpStream, request: &[u8]) -> usize {
    connection.write_all(request).await.unwrap();
    let mut response = vec![0; 4096];
    let mut length = 0;
    while !is_greeting(&response[..length]) {
        let read = connection.read(&mut response[length..]).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&response[..length]));
        length += read;
    }
    length
}

fn is_greeting(response: &[u8]) -> bool {
    response.starts_with(b"HTTP/1.1 200 OK\r\n") && response.ends_with(b"\r\n\r\nhello, abcdefghijkl")
}

#[expect(clippy::cast_precision_loss, reason = "a turn is far shorter than what a float counts exactly")]
fn as_float(count: u64) -> f64 {
    count as f64
}
