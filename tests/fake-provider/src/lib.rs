//! An `OpenID` provider for tests, over HTTP on a free port.
//!
//! It is honest, and as strict as Logto, since its answers are the development provider's. A test can then replace, change or hold
//! back the answers of an endpoint, change or re-sign ID tokens, and rotate keys. Every request is recorded, and every secret
//! remembered, so that errors and logs can be searched for them.

#![expect(clippy::missing_panics_doc, reason = "for tests, which fail by a panic")]

mod call;
mod honest;
pub mod keys;
mod reply;
mod secrets;

use std::collections::HashMap;
use std::future::IntoFuture as _;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dev_provider::Config;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::{Url, form_urlencoded};

pub use crate::call::{Call, Endpoint};
pub use crate::honest::{API, APP_ID, APP_SECRET, ORGANIZATIONS, POST_LOGOUT_REDIRECT_URI, REDIRECT_URI, SUBJECT};
use crate::honest::{Honest, config};
use crate::keys::{Jwt, Key, at_hash};
pub use crate::reply::{Gate, Reply, Sent};
pub use crate::secrets::MARK;
use crate::secrets::Secrets;

type Answer = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;
type ChangeJwt = Arc<dyn Fn(&mut Jwt) + Send + Sync>;

/// A running provider. It stops when it is dropped.
pub struct FakeProvider {
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

struct Inner {
    origin: String,
    honest: Honest,
    calls: Mutex<Vec<Call>>,
    answers: Mutex<HashMap<Endpoint, Answer>>,
    prepared: Mutex<HashMap<Endpoint, String>>,
    id_token: Mutex<Option<ChangeJwt>>,
    access_token: Mutex<Option<ChangeJwt>>,
    keys: Mutex<Vec<Key>>,
    expires_in: Mutex<Option<i64>>,
    refresh_tokens: Mutex<Vec<String>>,
    secrets: Mutex<Secrets>,
    token_requests: AtomicUsize,
    most_token_requests: AtomicUsize,
}

impl FakeProvider {
    /// Starts a provider that keeps a refresh token when it is used, as Logto does with a young one of a confidential client.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts a provider that replaces a refresh token whenever it is used. A replaced one that is used again ends its grant
    /// at once, without Logto's three seconds of grace.
    pub async fn start_rotating() -> Self {
        Self::start_with(|config| {
            config.rotate_refresh_token_at = 0.0;
            config.refresh_token_grace = Duration::ZERO;
        })
        .await
    }

    /// Starts a provider whose development provider is configured otherwise.
    pub async fn start_with(configure: impl FnOnce(&mut Config)) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        let mut config = config(&origin);
        configure(&mut config);
        let mut secrets = Secrets::default();
        for spelling in spellings_of_app_secret(&config) {
            secrets.remember(&spelling);
        }
        let inner = Arc::new(Inner {
            origin,
            honest: Honest::new(config),
            calls: Mutex::default(),
            answers: Mutex::default(),
            prepared: Mutex::default(),
            id_token: Mutex::default(),
            access_token: Mutex::default(),
            keys: Mutex::new(vec![Key::es384("key-1")]),
            expires_in: Mutex::default(),
            refresh_tokens: Mutex::default(),
            secrets: Mutex::new(secrets),
            token_requests: AtomicUsize::new(0),
            most_token_requests: AtomicUsize::new(0),
        });
        let app = Router::new().fallback(serve).with_state(inner.clone());
        // A small answer is sent at once, not when the one before it is acknowledged.
        let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("a socket"));
        let server = tokio::spawn(async move { axum::serve(listener, app).into_future().await.expect("a server") });
        Self { inner, server }
    }

    /// Returns what a client calls the endpoint of Logto.
    pub fn origin(&self) -> &str {
        &self.inner.origin
    }

    pub fn issuer(&self) -> &str {
        self.inner.honest.issuer()
    }

    // --- Faults

    /// Answers the endpoint's requests by `reply` from now on.
    pub fn answer(&self, endpoint: Endpoint, reply: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        self.inner.answer(endpoint, reply);
    }

    /// Answers the refreshes by `reply` from now on, and other token requests honestly.
    pub fn answer_refreshes(&self, reply: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        self.answer(Endpoint::Token, move |call| if call.is_refresh() { reply(call) } else { call.honest_reply() });
    }

    /// Answers honestly, but not before the gate opens.
    pub fn hold(&self, endpoint: Endpoint) -> Gate {
        self.hold_answer(endpoint, Call::honest_reply)
    }

    /// Answers by `reply`, but not before the gate opens.
    pub fn hold_answer(&self, endpoint: Endpoint, reply: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Gate {
        let gate = Gate::default();
        let held = gate.clone();
        self.answer(endpoint, move |call| reply(call).behind(&held));
        gate
    }

    /// Answers the refreshes honestly, but not before the gate opens.
    pub fn hold_refreshes(&self) -> Gate {
        let gate = Gate::default();
        let held = gate.clone();
        self.answer_refreshes(move |call| call.honest_reply().behind(&held));
        gate
    }

    /// Changes every ID token before it is signed.
    pub fn change_id_tokens(&self, change: impl Fn(&mut Jwt) + Send + Sync + 'static) {
        *lock(&self.inner.id_token) = Some(Arc::new(change));
    }

    /// Changes every access token that is a JWT before it is signed.
    pub fn change_access_tokens(&self, change: impl Fn(&mut Jwt) + Send + Sync + 'static) {
        *lock(&self.inner.access_token) = Some(Arc::new(change));
    }

    /// Forgets all changes of answers and tokens, but not of the keys and the lifetime of tokens.
    pub fn answer_honestly(&self) {
        lock(&self.inner.answers).clear();
        *lock(&self.inner.id_token) = None;
        *lock(&self.inner.access_token) = None;
    }

    /// Answers the endpoint's requests by this JSON from now on: as quickly as possible, without a record of them.
    pub fn prepare(&self, endpoint: Endpoint, body: impl Into<String>) {
        lock(&self.inner.prepared).insert(endpoint, body.into());
    }

    // --- State

    /// Changes the keys. The first one signs; all are in the key set.
    pub fn set_keys(&self, keys: Vec<Key>) {
        *lock(&self.inner.keys) = keys;
    }

    /// Returns the key that signs.
    pub fn key(&self) -> Key {
        lock(&self.inner.keys)[0].clone()
    }

    /// Signs an access token for [`API`] that is valid for an hour, with the changes of the test. It was requested by
    /// [`APP_ID`], with the scope `read`, and is unlike any other.
    pub fn access_token(&self, change: impl FnOnce(&mut Jwt)) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let now = now();
        let claims = json!({
            "jti": COUNT.fetch_add(1, Ordering::Relaxed).to_string(), "sub": SUBJECT, "iat": now, "exp": now + 3600,
            "scope": "read", "client_id": APP_ID, "iss": self.issuer(), "aud": API,
        });
        let mut token = Jwt::new(self.key(), claims);
        token.header["typ"] = json!("at+jwt");
        change(&mut token);
        let token = token.encode();
        lock(&self.inner.secrets).remember(&token);
        token
    }

    /// Changes how many seconds access tokens live, as the token endpoint reports it.
    pub fn set_expires_in(&self, seconds: i64) {
        *lock(&self.inner.expires_in) = Some(seconds);
    }

    /// Signs the user in, consents, and returns where the browser goes next.
    pub async fn authorize(&self, authorization_url: &Url) -> Url {
        self.authorize_as(authorization_url, SUBJECT).await
    }

    /// As [`authorize`](Self::authorize), for the user of this id or name. A new name creates a user.
    pub async fn authorize_as(&self, authorization_url: &Url, user: &str) -> Url {
        let callback = self.inner.honest.authorize(authorization_url, user).await;
        let code = callback.query_pairs().find(|(name, _)| name == "code").expect("a code").1;
        lock(&self.inner.secrets).remember(&code);
        callback
    }

    /// Uses a refresh token as another process of the app would, without a record of it, and returns the provider's honest
    /// answer; `None` if it refuses.
    pub fn refresh(&self, refresh_token: &str) -> Option<Value> {
        self.inner.refresh(refresh_token)
    }

    /// Returns the issued refresh tokens that still work. Each is used once to find out.
    pub fn usable_refresh_tokens(&self) -> Vec<String> {
        let issued = lock(&self.inner.refresh_tokens).clone();
        issued.into_iter().filter(|token| self.refresh(token).is_some()).collect()
    }

    // --- Records

    /// Returns the endpoint's requests, the oldest first.
    pub fn calls(&self, endpoint: Endpoint) -> Vec<Call> {
        lock(&self.inner.calls).iter().filter(|call| call.endpoint == endpoint).cloned().collect()
    }

    /// Returns the requests to all endpoints, the oldest first.
    pub fn all_calls(&self) -> Vec<Call> {
        lock(&self.inner.calls).clone()
    }

    pub fn count(&self, endpoint: Endpoint) -> usize {
        lock(&self.inner.calls).iter().filter(|call| call.endpoint == endpoint).count()
    }

    pub fn count_all(&self) -> usize {
        lock(&self.inner.calls).len()
    }

    /// Returns the refresh tokens that came in, in their order.
    pub fn refreshes(&self) -> Vec<String> {
        let calls = self.calls(Endpoint::Token);
        calls.iter().filter(|call| call.is_refresh()).map(|call| call.param("refresh_token").to_owned()).collect()
    }

    /// Returns how many token requests there were at the same time, at most.
    pub fn most_token_requests_at_once(&self) -> usize {
        self.inner.most_token_requests.load(Ordering::SeqCst)
    }

    /// Returns the fragment of a secret that the text contains, if any: of a code, a verifier or a token so far, or of the app's
    /// secret in any of its encodings; or [`MARK`].
    pub fn secret_in(&self, text: &str) -> Option<String> {
        lock(&self.inner.secrets).fragment_in(text)
    }

    #[track_caller]
    pub fn assert_no_secret_in(&self, text: &str) {
        if let Some(fragment) = self.secret_in(text) {
            panic!("{fragment:?} of a secret is in: {text}");
        }
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(State(provider): State<Arc<Inner>>, request: Request) -> Response {
    let endpoint = Endpoint::at(request.uri().path());
    let prepared = lock(&provider.prepared).get(&endpoint).cloned();
    if let Some(body) = prepared {
        return Reply::text_json(200, body).response;
    }
    let _in_flight = (endpoint == Endpoint::Token).then(|| InFlight::begin(&provider));
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.expect("a request's body");
    let body = String::from_utf8_lossy(&body).into_owned();
    let call = Call::new(provider.clone(), Request::from_parts(head, body));
    lock(&provider.secrets).remember(call.param("code_verifier"));
    lock(&provider.calls).push(call.clone());
    let answer = lock(&provider.answers).get(&endpoint).cloned();
    let Reply { response, gate } = answer.map_or_else(|| call.honest_reply(), |answer| answer(&call));
    if let Some(gate) = gate {
        gate.pass().await;
    }
    response
}

/// A token request that is not answered yet.
struct InFlight<'a>(&'a Inner);

impl<'a> InFlight<'a> {
    fn begin(provider: &'a Inner) -> Self {
        let now = provider.token_requests.fetch_add(1, Ordering::SeqCst) + 1;
        provider.most_token_requests.fetch_max(now, Ordering::SeqCst);
        Self(provider)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.token_requests.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Inner {
    fn answer(&self, endpoint: Endpoint, reply: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        lock(&self.answers).insert(endpoint, Arc::new(reply));
    }

    fn jwks(&self) -> Vec<Value> {
        lock(&self.keys).iter().map(Key::bound_jwk).collect()
    }

    /// Makes the development provider's tokens this provider's own: signed with its key, and with the changes of the test.
    fn issued(&self, mut tokens: Value) -> Value {
        let key = lock(&self.keys)[0].clone();
        if let Some(seconds) = *lock(&self.expires_in) {
            tokens["expires_in"] = json!(seconds);
        }
        let mut access_token = tokens["access_token"].as_str().expect("an access token").to_owned();
        if let Some(claims) = Jwt::claims_of(&access_token) {
            let mut token = Jwt::new(key.clone(), claims);
            token.header["typ"] = json!("at+jwt");
            let change = lock(&self.access_token).clone();
            if let Some(change) = change {
                change(&mut token);
            }
            access_token = token.encode();
            tokens["access_token"] = json!(access_token);
        }
        if let Some(claims) = tokens["id_token"].as_str().and_then(Jwt::claims_of) {
            let mut token = Jwt::new(key, claims);
            if token.claims.get("at_hash").is_some() {
                token.claims["at_hash"] = json!(at_hash(&access_token, token.key.algorithm));
            }
            let change = lock(&self.id_token).clone();
            if let Some(change) = change {
                change(&mut token);
            }
            tokens["id_token"] = json!(token.encode());
        }
        if let Some(token) = tokens["refresh_token"].as_str() {
            let mut issued = lock(&self.refresh_tokens);
            if issued.iter().all(|known| known != token) {
                issued.push(token.to_owned());
            }
        }
        for kind in ["access_token", "id_token", "refresh_token"] {
            lock(&self.secrets).remember(tokens[kind].as_str().unwrap_or_default());
        }
        tokens
    }

    fn refresh(&self, refresh_token: &str) -> Option<Value> {
        let form = [("grant_type", "refresh_token"), ("client_id", APP_ID), ("refresh_token", refresh_token)];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = axum::http::Request::post("/oidc/token")
            .header("authorization", format!("Basic {}", STANDARD.encode(basic_credentials(APP_ID, APP_SECRET))))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.into());
        let (status, _, body) = self.honest.answer(request.expect("a request"));
        (status == 200).then(|| self.issued(serde_json::from_slice(&body).expect("tokens")))
    }
}

/// The secret as a request carries it: plain, form-encoded, and in `client_secret_basic`.
fn spellings_of_app_secret(config: &Config) -> Vec<String> {
    let Some(secret) = &config.client_secret else { return Vec::new() };
    vec![secret.clone(), form_encoded(secret), STANDARD.encode(basic_credentials(&config.client_id, secret))]
}

/// RFC 6749, section 2.3.1: both are form-encoded first.
fn basic_credentials(client_id: &str, secret: &str) -> String {
    format!("{}:{}", form_encoded(client_id), form_encoded(secret))
}

fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Returns the seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
