//! What the client's calls cost, and what of it they are made of.

use std::hint::black_box;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use benches::adapters::{Derived, tower_session};
use benches::items::{self, ACCESS_TOKEN_INDEX, ID_TOKEN, REFRESH_TOKEN, SIGN_IN_SESSION, stored};
use benches::report::{Report, ratio, time};
use benches::timing::{Candidate, Effort, Spread, compare, rounds};
use benches::{at_once, is_bench};
use fake_provider::keys::{Jwt, at_hash};
use fake_provider::{APP_ID, APP_SECRET, Endpoint, FakeProvider, now};
use logto_client::api::LogtoApi;
use logto_client::storage::{Change, LogtoStorage};
use logto_client::{IdTokenClaims, LogtoClient, LogtoConfig, LogtoScope, SignInOptions, TokenTarget, Url};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tower_sessions::Session;

const APP: &str = "http://localhost:3000/callback";
const API: &str = "https://api.example.com";

fn main() {
    let mut report = Report::new("client");
    let bench = Bench::start();
    callback(&mut report, &bench);
    pages(&mut report, &bench);
    api(&mut report, &bench);
    report.finish();
}

#[derive(LogtoScope)]
#[logto(scope = "write:things")]
struct WriteThings;

struct Bench {
    /// What it answers is made before it is asked, so that what is left of the time of a callback is the client's.
    provider: FakeProvider,
    client: LogtoClient,
    http: reqwest::Client,
    runtime: Runtime,
}

/// A sign-in that waits for its callback.
struct Begun {
    storage: Derived<Session>,
    callback: String,
    /// What the provider will answer.
    tokens: String,
}

impl Bench {
    fn start() -> Self {
        let provider = provider();
        let config = LogtoConfig::builder(provider.origin(), APP_ID).app_secret(APP_SECRET).resources([API]);
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let client = LogtoClient::with_http_client(config.build().unwrap(), http.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { provider, client, http, runtime }
    }

    fn begin(&self) -> Begun {
        let storage = Derived { session: tower_session() };
        let options = SignInOptions::new(APP);
        let url = self.runtime.block_on(self.client.session(&storage).sign_in(options)).unwrap();
        let param = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        let tokens = tokens(&self.provider, &param("nonce"));
        self.provider.prepare(Endpoint::Token, tokens.clone());
        Begun {
            storage,
            callback: format!("{APP}?code=a-code&state={}&iss={}", param("state"), self.provider.issuer()),
            tokens,
        }
    }

    fn finish(&self, begun: &Begun) {
        self.runtime.block_on(self.client.session(&begun.storage).handle_sign_in_callback(&begun.callback)).unwrap();
    }

    fn signed_in(&self) -> Derived<Session> {
        let begun = self.begin();
        self.finish(&begun);
        begun.storage
    }
}

/// A provider on a thread of its own, which ends with the program.
fn provider() -> FakeProvider {
    let (send, started) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            send.send(FakeProvider::start().await).unwrap();
            std::future::pending::<()>().await;
        });
    });
    started.recv().unwrap()
}

/// The answer to a code: the tokens of a user with a name, an email address, roles and organizations.
fn tokens(provider: &FakeProvider, nonce: &str) -> String {
    let (now, access_token, key) = (now(), "a".repeat(43), provider.key());
    let claims = json!({
        "iss": provider.issuer(), "sub": "abcdefghijkl", "aud": APP_ID, "exp": now + 3600, "iat": now,
        "nonce": nonce, "at_hash": at_hash(&access_token, key.algorithm),
        "name": "Ada Lovelace", "username": "ada", "picture": "https://example.com/ada.png",
        "email": "ada@example.com", "email_verified": true, "roles": ["admin", "editor"],
        "organizations": ["org_1", "org_2"], "organization_roles": ["org_1:owner", "org_2:member"],
        "created_at": 1_700_000_000_000_u64, "updated_at": 1_700_000_000_000_u64,
    });
    let tokens = json!({
        "access_token": access_token, "token_type": "Bearer", "expires_in": 3600, "scope": "openid offline_access profile",
        "refresh_token": "r".repeat(43), "id_token": Jwt::new(key, claims).encode(),
    });
    tokens.to_string()
}

// --- The callback

fn callback(report: &mut Report, bench: &Bench) {
    // The discovery document, the key set and the connection are there.
    let first = bench.begin();
    bench.finish(&first);
    let token_endpoint: Url = format!("{}/token", bench.provider.issuer()).parse().unwrap();
    let key = bench.provider.key();
    let public_key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key.public_bytes());
    let parts = ["`handle_sign_in_callback`", "the request", "the signature (ES384)", "JSON", "the storage"];
    let timings = rounds(if is_bench() { 501 } else { 1 }, parts.len(), |part| {
        let begun = bench.begin();
        let answer: Map<String, Value> = serde_json::from_str(&begun.tokens).unwrap();
        let text = |name: &str| answer[name].as_str().unwrap();
        let (message, signature) = text("id_token").rsplit_once('.').unwrap();
        let signature = decoded(signature);
        let items = [text("id_token"), text("refresh_token"), text("access_token")].map(stored);
        let index = items::access_token_index(["@".to_owned()]);
        let start = Instant::now();
        match part {
            0 => bench.finish(&begun),
            1 => bench.runtime.block_on(async {
                let form = [("grant_type", "authorization_code"), ("code", "a-code"), ("redirect_uri", APP)];
                let answer = bench.http.post(token_endpoint.clone()).form(&form).send().await.unwrap();
                black_box(answer.bytes().await.unwrap());
            }),
            2 => public_key.verify(message.as_bytes(), &signature).unwrap(),
            3 => {
                let answer: Map<String, Value> = serde_json::from_str(&begun.tokens).unwrap();
                black_box(claims(answer["id_token"].as_str().unwrap()));
                black_box([text("id_token"), text("refresh_token"), text("access_token")].map(stored));
            }
            _ => {
                let [id_token, refresh_token, access_token] = &items;
                at_once(begun.storage.get_item(SIGN_IN_SESSION)).unwrap().unwrap();
                at_once(begun.storage.get_item(REFRESH_TOKEN)).unwrap();
                at_once(begun.storage.get_item(ACCESS_TOKEN_INDEX)).unwrap();
                let changes = [
                    Change::set(ID_TOKEN, id_token),
                    Change::set(REFRESH_TOKEN, refresh_token),
                    Change::set(ACCESS_TOKEN_INDEX, &index),
                    Change::set("logto_access_token:@", access_token),
                    Change::remove(SIGN_IN_SESSION),
                ];
                at_once(begun.storage.renew(&changes)).unwrap();
            }
        }
        nanoseconds(start)
    });
    let known: f64 = timings[1..].iter().map(|timing| timing.value.median).sum();
    let total = timings[0].value.median;
    let mut rows: Vec<_> = (parts.iter().zip(&timings))
        .map(|(part, timing)| vec![(*part).to_owned(), spread(timing.value), share(timing.value.median, total)])
        .collect();
    rows.push(vec!["the rest".to_owned(), time((total - known).max(0.0)), share((total - known).max(0.0), total)]);
    report.table("A callback", &["", "time", "share"], &rows);
}

// --- A signed-in user's pages

fn pages(report: &mut Report, bench: &Bench) {
    let storage = bench.signed_in();
    let id_token = bench.runtime.block_on(bench.client.session(&storage).id_token()).unwrap().unwrap();
    let id_token = id_token.as_str();
    let item = stored(id_token);
    let read = |times| repeat(times, || at_once(storage.get_item(ID_TOKEN)).unwrap());
    let session = || bench.client.session(&storage);
    compared(
        report,
        "The signed-in user",
        vec![
            ("`get_item` of the ID token, by itself", Box::new(read) as Candidate<'_>),
            (
                "`is_authenticated()`",
                Box::new(|times| repeat(times, || at_once(session().is_authenticated()).unwrap())),
            ),
            ("`context()`", Box::new(|times| repeat(times, || at_once(session().context()).unwrap()))),
            ("the claims' JSON, by itself", Box::new(|times| repeat(times, || claims(id_token)))),
            ("the item's JSON, by itself", Box::new(|times| repeat(times, || parsed(&item)))),
        ],
    );
    for tokens in [1, 8] {
        let storage = bench.signed_in();
        let item = access_tokens(&storage, tokens);
        let session = || bench.client.session(&storage);
        let key = items::access_token_key(&items::target(0));
        let read = |times| repeat(times, || at_once(storage.get_item(&key)).unwrap());
        let token = |times| repeat(times, || at_once(session().access_token(TokenTarget::resource(API))).unwrap());
        compared(
            report,
            &format!("An access token, with {tokens} in the session"),
            vec![
                ("`get_item` of the access token, by itself", Box::new(read) as Candidate<'_>),
                ("`access_token(…)`", Box::new(token)),
                ("the item's JSON, by itself", Box::new(|times| repeat(times, || parsed(&item)))),
            ],
        );
    }
}

// --- A request to an API

fn api(report: &mut Report, bench: &Bench) {
    let build = |max_tokens| {
        let api = LogtoApi::builder(bench.provider.origin()).audience(API).max_remembered_tokens(max_tokens);
        let api = api.http_client(bench.http.clone()).build().unwrap();
        bench.runtime.block_on(api.prefetch()).unwrap();
        api
    };
    let (remembering, forgetful) = (build(16_384), build(0));
    let token = bench.provider.access_token(|token| {
        token.claims["jti"] = json!("abcdefghijklmnopqrstu");
        token.claims["scope"] = json!("read:things write:things read:orders write:orders");
    });
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (signature, key) = (decoded(signature), bench.provider.key());
    let public_key = UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, key.public_bytes());
    let verified = at_once(remembering.verify(&token)).unwrap();
    report.line(&format!("The token has {} bytes.", token.len()));
    compared(
        report,
        "An access token at an API",
        vec![
            (
                "`verify(…)` of a repeated token",
                Box::new(|times| repeat(times, || at_once(remembering.verify(&token)).unwrap())) as Candidate<'_>,
            ),
            ("its SHA-256, by itself", Box::new(|times| repeat(times, || digest::digest(&SHA256, token.as_bytes())))),
            ("`allows::<P>()`", Box::new(|times| repeat(times, || verified.allows::<WriteThings>()))),
        ],
    );
    compared(
        report,
        "An access token that is not remembered",
        vec![
            (
                "`verify(…)`",
                Box::new(|times| repeat(times, || at_once(forgetful.verify(&token)).unwrap())) as Candidate<'_>,
            ),
            (
                "the signature (ES384), by itself",
                Box::new(|times| repeat(times, || public_key.verify(message.as_bytes(), &signature).unwrap())),
            ),
        ],
    );
}

fn compared(report: &mut Report, title: &str, candidates: Vec<(&str, Candidate<'_>)>) {
    let (names, candidates): (Vec<_>, Vec<_>) = candidates.into_iter().unzip();
    let timings = compare(Effort::new(), candidates);
    let rows: Vec<_> = (names.iter().zip(timings))
        .map(|(name, timing)| vec![(*name).to_owned(), time(timing.value.median), ratio(timing.ratio)])
        .collect();
    report.table(title, &["", "time", "ratio"], &rows);
}

/// Stores the access tokens of so many APIs. Returns the item of the first.
fn access_tokens(storage: &impl LogtoStorage, count: usize) -> String {
    let id_token = parsed(&at_once(storage.get_item(ID_TOKEN)).unwrap().unwrap());
    let item = items::access_token(&id_token["signIn"]);
    let targets: Vec<_> = (0..count).map(items::target).collect();
    for target in &targets {
        at_once(storage.set_item(&items::access_token_key(target), &item)).unwrap();
    }
    at_once(storage.set_item(ACCESS_TOKEN_INDEX, &items::access_token_index(targets))).unwrap();
    item
}

/// The item as any JSON: more than the least, since every part of it is copied.
fn parsed(item: &str) -> Value {
    serde_json::from_str(item).unwrap()
}

fn claims(token: &str) -> IdTokenClaims {
    serde_json::from_slice(&decoded(token.split('.').nth(1).unwrap())).unwrap()
}

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

fn repeat<T>(times: u64, mut run: impl FnMut() -> T) {
    for _ in 0..times {
        black_box(run());
    }
}

#[expect(clippy::cast_precision_loss, reason = "a call is far shorter than what a float counts exactly")]
fn nanoseconds(start: Instant) -> f64 {
    start.elapsed().as_nanos() as f64
}

fn spread(spread: Spread) -> String {
    format!("{} ({}–{})", time(spread.median), time(spread.low), time(spread.high))
}

fn share(part: f64, whole: f64) -> String {
    format!("{:.0} %", part / whole * 100.0)
}
