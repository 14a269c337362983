//! The ticket cookie and its layer, over HTTP. `tests/vault` has what is the same under every session library.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRef, FromRequestParts, Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use fake_provider::{APP_ID, APP_SECRET, FakeProvider, Gate};
use futures_util::stream;
use logto_client::axum::{LogtoAuth, VaultLayer, VaultSession};
use logto_client::vault::store::{Id, Record, StoreError, Swap, Swapped, VaultStore, Version};
use logto_client::vault::{MemoryVault, Vault};
use logto_client::{Error, LogtoClient, LogtoConfig, LogtoSession, LogtoStorage, SignInOptions, TokenTarget};
use logto_vault::store::sealed::Sealed;
use reqwest::header::{ACCEPT, CACHE_CONTROL, COOKIE, SET_COOKIE};
use serde::Deserialize;
use servers::{Browser, Page, Request};
use tokio::net::TcpListener;

const API: &str = "https://api.example.com";

/// What Logto sends to all apps on localhost.
const LOGTOS_COOKIES: &str = r#"_logto={"appId":"app","x":"a=b"}; _interaction="abc"; flag"#;

type User = logto_client::axum::User<VaultSession>;

/// Items with a prefix, in the same record.
#[derive(LogtoStorage, FromRequestParts)]
#[logto(prefix = "tenant-a:")]
struct TenantStorage {
    session: VaultSession,
}

/// A store in memory that counts its reads.
#[derive(Clone, Default)]
struct CountedStore {
    records: MemoryVault,
    reads: Arc<AtomicUsize>,
}

impl Sealed for CountedStore {}

impl VaultStore for CountedStore {
    async fn read(&self, id: &Id, names: Option<&[&str]>) -> Result<Record, StoreError> {
        self.reads.fetch_add(1, SeqCst);
        self.records.read(id, names).await
    }

    async fn swap(&self, id: &Id, swap: &Swap) -> Result<Swapped, StoreError> {
        self.records.swap(id, swap).await
    }

    async fn end(&self, id: &Id, expected: Option<Version>, keep: Duration) -> Result<Swapped, StoreError> {
        self.records.end(id, expected, keep).await
    }
}

#[derive(Clone, FromRef)]
struct App {
    auth: LogtoAuth,
    /// Where streams wait until their head has arrived.
    gate: Gate,
}

struct Site {
    provider: FakeProvider,
    store: CountedStore,
    gate: Gate,
    /// Where the app listens. Its base URL may be another.
    url: String,
    browser: Browser,
}

impl Site {
    /// Serves the app at the URL of its own, over http.
    async fn start() -> Self {
        Self::start_at(None, |layer| layer).await
    }

    /// Serves the app behind a proxy, if there is a URL.
    async fn start_at(proxy_url: Option<&str>, change: impl FnOnce(VaultLayer) -> VaultLayer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://127.0.0.1:{}", listener.local_addr().expect("an address").port());
        let base_url = proxy_url.unwrap_or(&url);
        let provider = FakeProvider::start_with(|config| {
            config.redirect_uris = vec![format!("{base_url}/logto/sign-in-callback")];
            config.post_logout_redirect_uris = vec![format!("{base_url}/")];
            config.resources = vec![dev_provider::Resource::new(API, &[])];
        })
        .await;
        let config = LogtoConfig::builder(provider.origin(), APP_ID).app_secret(APP_SECRET).resources([API]);
        let client = LogtoClient::new(config.build().expect("a configuration")).expect("a client");
        let auth = LogtoAuth::builder(client, base_url).build().expect("a configuration");
        let (store, gate) = (CountedStore::default(), Gate::default());
        let layer = change(auth.vault_layer(Vault::new(store.clone())));
        let app = Router::new()
            .route("/", get(home))
            .route("/all-extractors", get(all_extractors))
            .route("/sign-in-then/{ending}", get(sign_in_then))
            .route("/stream/{action}", get(stream))
            .route("/plant", get(plant))
            .route("/tenant", get(tenant))
            .route("/cached", get(cached))
            .merge(auth.routes::<VaultSession, _>())
            .layer(layer)
            .route("/outside", get(home))
            .with_state(App { auth, gate: gate.clone() });
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { provider, store, gate, url, browser: Browser::new() }
    }

    fn request(&self, method: Method, path: &str) -> Request {
        self.browser.request(method, &format!("{}{path}", self.url)).header(ACCEPT, "text/html")
    }

    async fn get(&self, path: &str) -> Page {
        self.request(Method::GET, path).load().await
    }

    /// A page for somebody who has these cookies only.
    async fn get_with(&self, cookies: &str, path: &str) -> Page {
        let url = format!("{}{path}", self.url);
        self.browser
            .another()
            .request(Method::GET, &url)
            .header(ACCEPT, "text/html")
            .header(COOKIE, cookies)
            .load()
            .await
    }

    async fn user_with(&self, cookies: &str) -> String {
        self.get_with(cookies, "/").await.body
    }

    /// Signs in at the provider, and returns the callback's path and query.
    async fn callback(&self, begun: &Page, user: &str) -> String {
        let callback = self.provider.authorize_as(begun.location.as_ref().expect("the provider's URL"), user).await;
        format!("{}?{}", callback.path(), callback.query().expect("a code"))
    }

    async fn sign_in(&self, user: &str) -> Page {
        let callback = self.callback(&self.get("/logto/sign-in").await, user).await;
        let page = self.get(&callback).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{page:?}");
        page
    }

    fn cookie(&self) -> Option<String> {
        self.browser.cookie(&self.url, "logto_ticket").map(|ticket| format!("logto_ticket={ticket}"))
    }
}

async fn home(user: Option<User>) -> String {
    user.map_or("nobody".to_owned(), |user| user.claims.display_name().to_owned())
}

async fn all_extractors(
    user: User,
    again: Option<User>,
    session: LogtoSession<VaultSession>,
) -> Result<String, Response> {
    let is_authenticated = session.is_authenticated().await.map_err(|error| user.respond(error))?;
    assert!(is_authenticated && again.is_some());
    Ok(user.claims.display_name().to_owned())
}

async fn sign_in_then(
    Path(ending): Path<String>,
    State(auth): State<LogtoAuth>,
    session: LogtoSession<VaultSession>,
) -> Result<Response, StatusCode> {
    let url = session.sign_in(SignInOptions::new(auth.redirect_uri())).await.expect("a URL");
    match &*ending {
        "500" => Ok((StatusCode::INTERNAL_SERVER_ERROR, url.to_string()).into_response()),
        "err" => Err(StatusCode::INTERNAL_SERVER_ERROR),
        // Without a line in the log.
        _ => resume_unwind(Box::new("the test says so")),
    }
}

/// Does something once the head of the response has arrived, and streams what has come of it.
async fn stream(Path(action): Path<String>, State(app): State<App>, session: LogtoSession<VaultSession>) -> Response {
    Body::from_stream(stream::once(async move {
        app.gate.pass().await;
        let result: Result<(), Error> = match &*action {
            "sign-in" => session.sign_in(SignInOptions::new(app.auth.redirect_uri())).await.map(drop),
            "sign-out" => session.sign_out(None).await.map(drop),
            _ => session.access_token(TokenTarget::resource(API)).await.map(drop),
        };
        let told = result.err().map_or("done".to_owned(), |error| logto_chain(&error));
        Ok::<_, Infallible>(Bytes::from(told))
    }))
    .into_response()
}

fn logto_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[derive(Deserialize)]
struct Planted {
    cookie: String,
}

/// Sets a cookie for the ready routes only, as another app on this host could.
async fn plant(Query(planted): Query<Planted>) -> impl IntoResponse {
    ([(SET_COOKIE, format!("{}; Path=/logto", planted.cookie))], "planted")
}

async fn tenant(storage: TenantStorage) -> String {
    storage.set_item("cart", "apples").await.expect("a vault");
    storage.get_item("cart").await.expect("a vault").expect("an item")
}

/// A careless handler, which makes proxies keep its responses.
async fn cached(State(auth): State<LogtoAuth>, session: LogtoSession<VaultSession>) -> impl IntoResponse {
    let url = session.sign_in(SignInOptions::new(auth.redirect_uri())).await.expect("a URL");
    ([(CACHE_CONTROL, "public, max-age=60")], Redirect::to(url.as_str()))
}

fn set_cookies(page: &Page) -> Vec<&str> {
    page.headers.get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().expect("text")).collect()
}

/// The name and value of the response's only cookie, and its attributes.
fn set_cookie(page: &Page) -> (&str, &str) {
    let cookies = set_cookies(page);
    assert_eq!(cookies.len(), 1, "{page:?}");
    cookies[0].split_once("; ").expect("attributes")
}

const ATTRIBUTES: &str = "Path=/; HttpOnly; SameSite=Lax; Max-Age=34560000";

#[tokio::test]
async fn over_http_a_user_signs_in_and_out_with_one_cookie() {
    let site = Site::start().await;
    let begun = site.get("/logto/sign-in").await;
    let (pending, attributes) = set_cookie(&begun);
    assert!(pending.starts_with("logto_ticket="), "{pending}");
    assert_eq!(attributes, ATTRIBUTES);

    let callback = site.callback(&begun, "Ada").await;
    let signed_in = site.get(&callback).await;
    let (ticket, attributes) = set_cookie(&signed_in);
    assert_eq!(ticket.len(), "logto_ticket=".len() + 43);
    assert_eq!(attributes, ATTRIBUTES);
    assert_ne!(ticket, pending, "an old ticket may be known to others");
    let page = site.get("/").await;
    assert_eq!(page.body, "Ada");
    assert!(set_cookies(&page).is_empty());

    let signed_out = site.request(Method::POST, "/logto/sign-out").load().await;
    assert_eq!(set_cookie(&signed_out), ("logto_ticket=", "Path=/; HttpOnly; SameSite=Lax; Max-Age=0"));
    assert_eq!(site.cookie(), None);
    assert_eq!(site.get("/").await.body, "nobody");
    for old in [pending, ticket] {
        assert_eq!(site.user_with(old).await, "nobody");
    }
}

#[tokio::test]
async fn over_https_the_cookie_is_secure_and_for_this_host_only() {
    let site = Site::start_at(Some("https://app.example.com"), |layer| layer).await;
    let begun = site.get_with("", "/logto/sign-in").await;
    let (pending, attributes) = set_cookie(&begun);
    assert!(pending.starts_with("__Host-logto_ticket="), "{pending}");
    assert_eq!(attributes, format!("{ATTRIBUTES}; Secure"));

    let callback = site.callback(&begun, "Ada").await;
    let signed_in = site.get_with(pending, &callback).await;

    let (ticket, attributes) = set_cookie(&signed_in);
    assert_eq!(attributes, format!("{ATTRIBUTES}; Secure"));
    assert_eq!(site.user_with(ticket).await, "Ada");
    let without_prefix = ticket.strip_prefix("__Host-").expect("the prefix");
    assert_eq!(site.user_with(without_prefix).await, "nobody", "another app on the host may have set it");
    assert_eq!(site.user_with(&format!("{without_prefix}; {ticket}")).await, "Ada");
}

#[tokio::test]
async fn an_app_may_name_its_cookie() {
    let site = Site::start_at(None, |layer| layer.cookie_name("shop").expect("a name")).await;
    assert!(set_cookie(&site.get("/logto/sign-in").await).0.starts_with("shop="));
}

#[tokio::test]
async fn visitors_get_no_cookie_and_cost_no_read() {
    let site = Site::start().await;
    for (method, path, status) in [
        (Method::GET, "/", 200),
        (Method::HEAD, "/", 200),
        // To the sign-in.
        (Method::GET, "/all-extractors", 303),
        (Method::GET, "/logto/sign-out", 200),
        (Method::POST, "/logto/sign-out", 303),
        (Method::HEAD, "/logto/sign-in", 405),
        (Method::GET, "/logto/sign-in-callback?code=a&state=b", 400),
        (Method::GET, "/missing", 404),
    ] {
        let page = site.request(method.clone(), path).load().await;
        assert_eq!(page.status, status, "{method} {path}");
        assert!(set_cookies(&page).is_empty(), "{method} {path}");
    }
    assert_eq!(site.store.reads.load(SeqCst), 0);
}

#[tokio::test]
async fn a_signed_in_page_costs_one_read_whatever_it_extracts() {
    let site = Site::start().await;
    site.sign_in("Ada").await;
    for (method, path) in [(Method::GET, "/"), (Method::GET, "/all-extractors"), (Method::HEAD, "/all-extractors")] {
        site.store.reads.store(0, SeqCst);
        let page = site.request(method.clone(), path).load().await;
        assert_eq!(page.status, 200, "{page:?}");
        assert_eq!(site.store.reads.load(SeqCst), 1, "{method} {path}");
    }
}

#[tokio::test]
async fn other_cookies_and_garbage_disturb_nothing() {
    let site = Site::start().await;
    site.sign_in("Ada").await;
    let ticket = site.cookie().expect("a ticket");
    for cookies in [format!("{LOGTOS_COOKIES}; {ticket}"), format!("{ticket}; {LOGTOS_COOKIES}")] {
        assert_eq!(site.user_with(&cookies).await, "Ada", "{cookies}");
    }
    let forged = format!("logto_ticket={}", "A".repeat(43));
    let garbage = ["logto_ticket=", "logto_ticket={\"a\":1}", &format!("logto_ticket={}", "A".repeat(8000)), &forged];
    for cookie in garbage {
        assert_eq!(site.user_with(cookie).await, "nobody", "{cookie}");
        assert_eq!(site.user_with(&format!("{cookie}; {ticket}")).await, "Ada", "{cookie}");
        // It does not keep its owner from signing in.
        let begun = site.get_with(cookie, "/logto/sign-in").await;
        let pending = set_cookie(&begun).0;
        let callback = site.callback(&begun, "Bob").await;
        let signed_in = site.get_with(&format!("{cookie}; {pending}"), &callback).await;
        assert_eq!(site.user_with(&format!("{cookie}; {}", set_cookie(&signed_in).0)).await, "Bob", "{cookie}");
    }
}

#[tokio::test]
async fn a_ticket_that_somebody_has_planted_is_worthless_after_the_sign_in() {
    let site = Site::start().await;
    // Over http, another app on the host can set one with a longer path.
    let attackers = site.get_with("", "/logto/sign-in").await;
    let planted = set_cookie(&attackers).0;
    site.get(&format!("/plant?cookie={planted}")).await;
    assert_eq!(site.browser.cookies(&format!("{}/logto/sign-in", site.url)).as_deref(), Some(planted));

    site.sign_in("Ada").await;

    assert_eq!(site.get("/").await.body, "Ada");
    assert_eq!(site.user_with(planted).await, "nobody");
    // The browser still sends both to the ready routes. Real ones begin with the longer path.
    let own = site.cookie().expect("a ticket");
    assert_eq!(site.user_with(&format!("{planted}; {own}")).await, "Ada");
    assert!(site.browser.cookies(&format!("{}/logto/sign-out", site.url)).expect("cookies").contains(planted));
    assert_eq!(site.request(Method::POST, "/logto/sign-out").load().await.status, StatusCode::SEE_OTHER);
    assert_eq!(site.get("/").await.body, "nobody");
}

#[tokio::test]
async fn a_handler_that_fails_or_panics_leaves_the_browser_its_cookie() {
    let site = Site::start().await;
    for ending in ["500", "err", "panic"] {
        let page = site.get_with("", &format!("/sign-in-then/{ending}")).await;
        assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR, "{ending}");
        let ticket = set_cookie(&page).0;
        site.store.reads.store(0, SeqCst);
        assert_eq!(site.user_with(ticket).await, "nobody");
        assert_eq!(site.store.reads.load(SeqCst), 1, "{ending}: it is a ticket");
    }
}

#[tokio::test]
async fn a_response_with_a_ticket_is_cached_by_nobody() {
    let site = Site::start().await;
    let page = site.get("/cached").await;
    assert!(set_cookie(&page).0.starts_with("logto_ticket="));
    assert_eq!(page.headers[CACHE_CONTROL], "no-store");
    let again = site.get("/cached").await;
    assert!(set_cookies(&again).is_empty());
    assert_eq!(again.headers[CACHE_CONTROL], "public, max-age=60");
}

#[tokio::test]
async fn a_stream_refreshes_tokens_but_cannot_change_who_is_signed_in() {
    let site = Site::start().await;
    site.sign_in("Ada").await;
    for (action, expected) in [
        ("token", "done"),
        // The pending sign-in is in the record that the browser has a ticket to.
        ("sign-in", "done"),
    ] {
        assert_eq!(streamed(&site, action).await, expected, "{action}");
    }
    assert_eq!(site.get("/").await.body, "Ada");
    let visitor = Site { browser: site.browser.another(), ..site };
    let told = streamed(&visitor, "sign-in").await;
    assert!(told.contains("the response has begun"), "{told}");
    assert_eq!(visitor.get("/").await.body, "nobody");
}

#[tokio::test]
async fn a_sign_out_in_a_stream_fails_but_the_ticket_is_worthless() {
    let site = Site::start().await;
    site.sign_in("Ada").await;

    let told = streamed(&site, "sign-out").await;

    assert!(told.contains("the response has begun"), "{told}");
    assert_eq!(site.get("/").await.body, "nobody");
    site.sign_in("Bob").await;
    assert_eq!(site.get("/").await.body, "Bob");
}

/// The body of a response whose head has arrived before the handler does its part.
async fn streamed(site: &Site, action: &str) -> String {
    let response = site.request(Method::GET, &format!("/stream/{action}")).send().await.expect("a head");
    assert!(response.headers().get(SET_COOKIE).is_none());
    site.gate.let_one_pass();
    response.text().await.expect("a body")
}

#[tokio::test]
async fn two_tabs_that_start_their_first_sign_in_at_once_leave_one_that_works() {
    let site = Site::start().await;
    let (first, second) = tokio::join!(site.get("/logto/sign-in"), site.get("/logto/sign-in"));
    let mut completed = 0;
    for begun in [first, second] {
        let callback = site.callback(&begun, "Ada").await;
        // The other one is refused, unless Ada is signed in already: then she is sent on.
        completed += usize::from(site.get(&callback).await.status == StatusCode::SEE_OTHER);
    }
    assert!(completed >= 1);
    assert_eq!(site.get("/").await.body, "Ada");
}

#[tokio::test]
async fn a_storage_of_the_apps_own_shares_the_session() {
    let site = Site::start().await;
    assert_eq!(site.get("/tenant").await.body, "apples");
    let ticket = site.cookie().expect("a ticket");
    site.sign_in("Ada").await;
    assert_eq!(site.get("/").await.body, "Ada");
    assert_eq!(site.user_with(&ticket).await, "nobody");
}

#[tokio::test]
async fn outside_of_the_layer_the_extractor_is_refused() {
    let site = Site::start().await;
    let page = site.get("/outside").await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(page.body, "The app's vault layer is missing.");
}
