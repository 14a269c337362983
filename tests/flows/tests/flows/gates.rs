//! Where a test holds up what an app and its servers say to each other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use dev_provider::DevProvider;
use fake_provider::Gate;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::provider::{Provider, Setup, dev_config};

/// The item's name in the vault: `i` and base64url of `logto_refresh_lease`.
const LEASE_FIELD: &[u8] = b"ibG9ndG9fcmVmcmVzaF9sZWFzZQ";

/// Before the token endpoint of a development provider.
pub(crate) struct TokenGate {
    next: NextTokenRequest,
    _server: JoinSet<()>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The provider has not got the request.
    Request,
    /// The provider has done what it was asked.
    Response,
}

type NextTokenRequest = Arc<Mutex<Option<(Place, Gate)>>>;

impl TokenGate {
    pub(crate) async fn start(setup: &Setup, app_url: &str) -> (Provider, Self) {
        let next = NextTokenRequest::default();
        let layer = from_fn_with_state(next.clone(), hold);
        let (provider, server) = serve_provider(setup, app_url, |router| router.layer(layer)).await;
        (provider, Self { next, _server: server })
    }

    /// Holds the next request to the token endpoint, but none after it.
    pub(crate) fn hold_next(&self, place: Place) -> Gate {
        let gate = Gate::default();
        *self.next.lock().unwrap() = Some((place, gate.clone()));
        gate
    }
}

/// Starts a development provider behind a layer.
pub(crate) async fn serve_provider(
    setup: &Setup,
    app_url: &str,
    add_layer: impl FnOnce(Router) -> Router,
) -> (Provider, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let provider = DevProvider::unserved(dev_config(setup, &origin, app_url)).unwrap();
    let router = add_layer(provider.router());
    let mut server = JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (Provider::DevProvider(provider), server)
}

async fn hold(State(held): State<NextTokenRequest>, request: Request, next: Next) -> Response {
    let is_token_request = request.uri().path().ends_with("/token");
    let held = if is_token_request { held.lock().unwrap().take() } else { None };
    match held {
        Some((Place::Request, gate)) => {
            gate.pass().await;
            next.run(request).await
        }
        Some((Place::Response, gate)) => {
            let response = next.run(request).await;
            gate.pass().await;
            response
        }
        None => next.run(request).await,
    }
}

/// Stands between a process and Redis, and can hold Redis's answer to the write that takes the lease of a refresh.
pub(crate) struct LeaseGate {
    pub(crate) url: String,
    pub(crate) gate: Gate,
    is_armed: Arc<AtomicBool>,
    _server: JoinSet<()>,
}

impl LeaseGate {
    pub(crate) async fn start(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (gate, is_armed) = (Gate::default(), Arc::<AtomicBool>::default());
        let mut server = JoinSet::new();
        let (held, arm) = (gate.clone(), is_armed.clone());
        server.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (app, _) = listener.accept().await.unwrap();
                let redis = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
                connections.spawn(forward(app, redis, held.clone(), arm.clone()));
            }
        });
        Self { url, gate, is_armed, _server: server }
    }

    /// Holds the answer to the next lease.
    pub(crate) fn hold_next(&self) {
        self.is_armed.store(true, Ordering::SeqCst);
    }
}

async fn forward(app: TcpStream, redis: TcpStream, gate: Gate, is_armed: Arc<AtomicBool>) {
    let ((from_app, to_app), (from_redis, to_redis)) = (app.into_split(), redis.into_split());
    let is_held = AtomicBool::new(false);
    let requests = copy(from_app, to_redis, |bytes| {
        // A script's arguments come in one piece, as everything that is as small.
        let takes_lease = has(bytes, b"EVALSHA") && has(bytes, LEASE_FIELD);
        if takes_lease && is_armed.swap(false, Ordering::SeqCst) {
            is_held.store(true, Ordering::SeqCst);
        }
        None
    });
    let responses = copy(from_redis, to_app, |_| is_held.swap(false, Ordering::SeqCst).then_some(&gate));
    tokio::join!(requests, responses);
}

/// Copies until one side hangs up. Bytes wait at the gate that is returned for them.
async fn copy<'a>(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    gate_for: impl Fn(&[u8]) -> Option<&'a Gate>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if let Some(gate) = gate_for(&buffer[..length]) {
            gate.pass().await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
