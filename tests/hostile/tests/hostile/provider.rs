//! A provider of `OpenID` Connect on a free port: honest, as far as this client uses it, until a test bends a part of it.
//!
//! Whatever it issues or is given that is secret it remembers, or marks with [`MARK`], so that errors can be searched.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::{Url, form_urlencoded};

use crate::keys::{self, Jwt, Key};
use crate::reply::{Gate, Reply};

/// A part of every secret that is no hash and no signature.
pub(crate) const MARK: &str = "s3cr3t";
pub(crate) const APP_ID: &str = "app-1";
pub(crate) const APP_SECRET: &str = "app:s3cr3t/%";
pub(crate) const SUBJECT: &str = "user-1";

#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) enum Endpoint {
    Discovery,
    Keys,
    Token,
    UserInfo,
    Revocation,
    /// A place that only a redirect or a bent document leads to.
    Elsewhere,
}

/// A request as it came in.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) endpoint: Endpoint,
    pub(crate) headers: HeaderMap,
    pub(crate) form: HashMap<String, String>,
    provider: Arc<Inner>,
}

impl Call {
    /// A parameter of the form; empty if it was not sent.
    pub(crate) fn param(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    pub(crate) fn is_refresh(&self) -> bool {
        self.param("grant_type") == "refresh_token"
    }

    /// As [`Provider::bend`].
    pub(crate) fn bend(&self, endpoint: Endpoint, bend: impl Fn(&Self) -> Reply + Send + Sync + 'static) {
        lock(&self.provider.bends).insert(endpoint, Arc::new(bend));
    }

    /// What an honest provider answers, and does.
    pub(crate) fn honest(&self) -> (u16, Value) {
        self.provider.honest(self)
    }

    pub(crate) fn honest_reply(&self) -> Reply {
        let (status, body) = self.honest();
        Reply::json(status, &body)
    }

    /// The honest answer, with its JSON changed.
    pub(crate) fn bent(&self, bend: impl FnOnce(&mut Value)) -> Reply {
        let (status, mut body) = self.honest();
        bend(&mut body);
        Reply::json(status, &body)
    }
}

type Bend = Arc<dyn Fn(&Call) -> Reply + Send + Sync>;
type BendIdToken = Arc<dyn Fn(&mut Jwt) + Send + Sync>;

pub(crate) struct Provider {
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

struct Inner {
    origin: String,
    calls: Mutex<Vec<Call>>,
    bends: Mutex<HashMap<Endpoint, Bend>>,
    id_token: Mutex<Option<BendIdToken>>,
    keys: Mutex<Vec<Key>>,
    codes: Mutex<HashMap<String, Grant>>,
    refresh_tokens: Mutex<HashMap<String, Grant>>,
    secrets: Mutex<BTreeSet<String>>,
    issued: AtomicUsize,
    expires_in: AtomicI64,
    rotates: AtomicBool,
    token_requests: AtomicUsize,
    most_token_requests: AtomicUsize,
}

/// What the user has agreed to.
#[derive(Clone)]
struct Grant {
    redirect_uri: String,
    challenge: String,
    nonce: Option<String>,
    scope: String,
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let inner = Arc::new(Inner {
            origin: format!("http://{}", listener.local_addr().expect("an address")),
            calls: Mutex::default(),
            bends: Mutex::default(),
            id_token: Mutex::default(),
            keys: Mutex::new(vec![Key::es384("key-1")]),
            codes: Mutex::default(),
            refresh_tokens: Mutex::default(),
            secrets: Mutex::default(),
            issued: AtomicUsize::new(0),
            expires_in: AtomicI64::new(3600),
            rotates: AtomicBool::new(false),
            token_requests: AtomicUsize::new(0),
            most_token_requests: AtomicUsize::new(0),
        });
        let app = Router::new().fallback(serve).with_state(inner.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });
        Self { inner, server }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.inner.origin
    }

    pub(crate) fn issuer(&self) -> String {
        self.inner.issuer()
    }

    /// Answers the endpoint's requests from now on.
    pub(crate) fn bend(&self, endpoint: Endpoint, bend: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        lock(&self.inner.bends).insert(endpoint, Arc::new(bend));
    }

    /// Answers the token requests that exchange no code.
    pub(crate) fn bend_refresh(&self, bend: impl Fn(&Call) -> Reply + Send + Sync + 'static) {
        self.bend(Endpoint::Token, move |call| if call.is_refresh() { bend(call) } else { call.honest_reply() });
    }

    /// Answers honestly, but not before the gate is opened.
    pub(crate) fn hold(&self, endpoint: Endpoint) -> Gate {
        self.bend_and_hold(endpoint, Call::honest_reply)
    }

    /// Answers as told, but not before the gate is opened.
    pub(crate) fn bend_and_hold(
        &self,
        endpoint: Endpoint,
        bend: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Gate {
        let gate = Gate::default();
        let held = gate.clone();
        self.bend(endpoint, move |call| bend(call).behind(&held));
        gate
    }

    pub(crate) fn hold_refreshes(&self) -> Gate {
        let gate = Gate::default();
        let held = gate.clone();
        self.bend_refresh(move |call| call.honest_reply().behind(&held));
        gate
    }

    pub(crate) fn bend_id_token(&self, bend: impl Fn(&mut Jwt) + Send + Sync + 'static) {
        *lock(&self.inner.id_token) = Some(Arc::new(bend));
    }

    pub(crate) fn be_honest_again(&self) {
        lock(&self.inner.bends).clear();
        *lock(&self.inner.id_token) = None;
    }

    /// The first one signs; all are in the key set.
    pub(crate) fn set_keys(&self, keys: Vec<Key>) {
        *lock(&self.inner.keys) = keys;
    }

    pub(crate) fn key(&self) -> Key {
        lock(&self.inner.keys)[0].clone()
    }

    /// Seconds that access tokens live.
    pub(crate) fn set_expires_in(&self, seconds: i64) {
        self.inner.expires_in.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn rotate_refresh_tokens(&self) {
        self.inner.rotates.store(true, Ordering::SeqCst);
    }

    /// The user agrees: where the provider then sends the browser.
    pub(crate) fn authorize(&self, sign_in: &Url) -> Url {
        let params: HashMap<_, _> = sign_in.query_pairs().into_owned().collect();
        assert_eq!(params["code_challenge_method"], "S256");
        assert_eq!(params["client_id"], APP_ID);
        let code = self.inner.issue("code");
        let mut callback = Url::parse(&params["redirect_uri"]).expect("a URL");
        callback.query_pairs_mut().extend_pairs([
            ("code", code.as_str()),
            ("state", &params["state"]),
            ("iss", &self.issuer()),
        ]);
        let grant = Grant {
            redirect_uri: params["redirect_uri"].clone(),
            challenge: params["code_challenge"].clone(),
            nonce: params.get("nonce").cloned(),
            scope: params["scope"].clone(),
        };
        lock(&self.inner.codes).insert(code, grant);
        callback
    }

    pub(crate) fn calls(&self, endpoint: Endpoint) -> Vec<Call> {
        lock(&self.inner.calls).iter().filter(|call| call.endpoint == endpoint).cloned().collect()
    }

    pub(crate) fn count(&self, endpoint: Endpoint) -> usize {
        lock(&self.inner.calls).iter().filter(|call| call.endpoint == endpoint).count()
    }

    pub(crate) fn count_all(&self) -> usize {
        lock(&self.inner.calls).len()
    }

    /// The refresh tokens that came in, in their order.
    pub(crate) fn refreshes(&self) -> Vec<String> {
        let calls = self.calls(Endpoint::Token);
        calls.iter().filter(|call| call.is_refresh()).map(|call| call.param("refresh_token").to_owned()).collect()
    }

    /// Those that are good.
    pub(crate) fn refresh_tokens(&self) -> Vec<String> {
        lock(&self.inner.refresh_tokens).keys().cloned().collect()
    }

    /// How many token requests there were at most at the same time.
    pub(crate) fn most_token_requests_at_once(&self) -> usize {
        self.inner.most_token_requests.load(Ordering::SeqCst)
    }

    /// Whatever must be in no error.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets: Vec<_> = lock(&self.inner.secrets).iter().cloned().collect();
        secrets.push(MARK.into());
        secrets.push(form_urlencoded::byte_serialize(APP_SECRET.as_bytes()).collect());
        secrets.push(STANDARD.encode(basic_credentials()));
        secrets
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(State(provider): State<Arc<Inner>>, request: Request) -> Response {
    struct InFlight<'a>(&'a AtomicUsize);
    impl Drop for InFlight<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    let (head, body) = request.into_parts();
    let endpoint = match head.uri.path() {
        "/oidc/.well-known/openid-configuration" => Endpoint::Discovery,
        "/oidc/jwks" => Endpoint::Keys,
        "/oidc/token" => Endpoint::Token,
        "/oidc/me" => Endpoint::UserInfo,
        "/oidc/token/revocation" => Endpoint::Revocation,
        _ => Endpoint::Elsewhere,
    };
    let _in_flight = (endpoint == Endpoint::Token).then(|| {
        let now = provider.token_requests.fetch_add(1, Ordering::SeqCst) + 1;
        provider.most_token_requests.fetch_max(now, Ordering::SeqCst);
        InFlight(&provider.token_requests)
    });
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a request's body");
    let form: HashMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
    if let Some(verifier) = form.get("code_verifier") {
        provider.remember(verifier);
    }
    let call = Call { endpoint, headers: head.headers, form, provider: provider.clone() };
    lock(&provider.calls).push(call.clone());
    let bend = lock(&provider.bends).get(&endpoint).cloned();
    let Reply { response, gate } = bend.map_or_else(|| call.honest_reply(), |bend| bend(&call));
    if let Some(gate) = gate {
        gate.pass().await;
    }
    response
}

impl Inner {
    fn issuer(&self) -> String {
        format!("{}/oidc", self.origin)
    }

    fn honest(&self, call: &Call) -> (u16, Value) {
        match call.endpoint {
            Endpoint::Discovery => (200, self.discovery()),
            Endpoint::Keys => (200, json!({"keys": lock(&self.keys).iter().map(Key::jwk).collect::<Vec<_>>()})),
            Endpoint::Token => self.token(call).unwrap_or_else(|error| {
                (
                    if error == "invalid_client" { 401 } else { 400 },
                    json!({
                        "code": format!("oidc.{error}"), "message": error, "error": error, "error_description": error,
                    }),
                )
            }),
            Endpoint::UserInfo => (200, json!({"sub": SUBJECT, "name": "Ada"})),
            Endpoint::Revocation => {
                lock(&self.refresh_tokens).remove(call.param("token"));
                (200, json!({}))
            }
            Endpoint::Elsewhere => (404, json!({"message": "not found"})),
        }
    }

    fn discovery(&self) -> Value {
        let issuer = self.issuer();
        json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"),
            "userinfo_endpoint": format!("{issuer}/me"),
            "revocation_endpoint": format!("{issuer}/token/revocation"),
            "end_session_endpoint": format!("{issuer}/session/end"),
            "jwks_uri": format!("{issuer}/jwks"),
            "authorization_response_iss_parameter_supported": true,
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "id_token_signing_alg_values_supported": ["ES384"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        })
    }

    fn token(&self, call: &Call) -> Result<(u16, Value), &'static str> {
        let authorization = call.headers.get(header::AUTHORIZATION).ok_or("invalid_client")?;
        let expected = format!("Basic {}", STANDARD.encode(basic_credentials()));
        if authorization != expected.as_str() || call.param("client_id") != APP_ID {
            return Err("invalid_client");
        }
        match call.param("grant_type") {
            "authorization_code" => {
                let grant = lock(&self.codes).remove(call.param("code")).ok_or("invalid_grant")?;
                let verifier =
                    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, call.param("code_verifier").as_bytes());
                if keys::base64url(verifier) != grant.challenge || call.param("redirect_uri") != grant.redirect_uri {
                    return Err("invalid_grant");
                }
                let access_token = self.issue("access");
                let mut body = self.access(call, &access_token, &grant);
                body["id_token"] = json!(self.id_token(&access_token, grant.nonce.as_deref()));
                if grant.scope.split(' ').any(|scope| scope == "offline_access") {
                    body["refresh_token"] = json!(self.issue_refresh_token(grant));
                }
                Ok((200, body))
            }
            "refresh_token" => {
                let old = call.param("refresh_token");
                let grant = lock(&self.refresh_tokens).get(old).cloned().ok_or("invalid_grant")?;
                let access_token = self.access_token(call);
                let mut body = self.access(call, &access_token, &grant);
                body["id_token"] = json!(self.id_token(&access_token, None));
                if self.rotates.load(Ordering::SeqCst) {
                    lock(&self.refresh_tokens).remove(old);
                    body["refresh_token"] = json!(self.issue_refresh_token(grant));
                }
                Ok((200, body))
            }
            _ => Err("unsupported_grant_type"),
        }
    }

    fn access(&self, call: &Call, access_token: &str, grant: &Grant) -> Value {
        let scope = if call.form.contains_key("resource") { "read" } else { &grant.scope };
        json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": self.expires_in.load(Ordering::SeqCst),
            "scope": scope,
        })
    }

    /// Opaque without a resource or an organization, a JWT with either.
    fn access_token(&self, call: &Call) -> String {
        let (resource, organization) = (call.form.get("resource"), call.form.get("organization_id"));
        let audience = match (resource, organization) {
            (None, None) => return self.issue("access"),
            (Some(resource), _) => resource.clone(),
            (None, Some(organization)) => format!("urn:logto:organization:{organization}"),
        };
        let now = now();
        let mut claims = json!({
            "iss": self.issuer(), "sub": SUBJECT, "aud": audience, "client_id": APP_ID, "scope": "read",
            "iat": now, "exp": now + 3600, "jti": self.issued.fetch_add(1, Ordering::SeqCst).to_string(),
        });
        if let (Some(_), Some(organization)) = (resource, organization) {
            claims["organization_id"] = json!(organization);
        }
        let token = Jwt::new(lock(&self.keys)[0].clone(), claims).encode();
        self.remember(&token);
        token
    }

    fn id_token(&self, access_token: &str, nonce: Option<&str>) -> String {
        let now = now();
        let key = lock(&self.keys)[0].clone();
        let mut claims = json!({
            "iss": self.issuer(), "sub": SUBJECT, "aud": APP_ID, "iat": now, "exp": now + 3600, "name": "Ada",
        });
        // Logto leaves both out when it refreshes.
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
            claims["at_hash"] = json!(keys::at_hash(access_token, key.algorithm));
        }
        let mut token = Jwt::new(key, claims);
        if let Some(bend) = lock(&self.id_token).clone() {
            bend(&mut token);
        }
        let token = token.encode();
        self.remember(&token);
        token
    }

    fn issue_refresh_token(&self, grant: Grant) -> String {
        let token = self.issue("refresh");
        lock(&self.refresh_tokens).insert(token.clone(), grant);
        token
    }

    fn issue(&self, kind: &str) -> String {
        format!("{kind}-{MARK}-{}", self.issued.fetch_add(1, Ordering::SeqCst))
    }

    fn remember(&self, secret: &str) {
        lock(&self.secrets).insert(secret.to_owned());
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// RFC 6749, 2.3.1: both form-encoded first.
fn basic_credentials() -> String {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("{}:{}", encode(APP_ID), encode(APP_SECRET))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
