//! The ready routes over a storage of the app's own, in a router that is nested under a path and has a state of its own.

use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::StatusCode;
use axum::middleware::from_extractor_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dev_provider::{Config, DevProvider};
use logto_client::axum::LogtoAuth;
use logto_client::{LogtoClient, LogtoConfig, LogtoSession, LogtoStorage, TokenTarget};
use reqwest::Client;
use reqwest::header::{ACCEPT, LOCATION};
use reqwest::redirect::Policy;
use tokio::net::TcpListener;
use tower_sessions_0_15::cookie::SameSite;
use tower_sessions_0_15::{MemoryStore, Session, SessionManagerLayer};

/// The app's own: axum's derive makes it an extractor, and the items have a prefix.
#[derive(LogtoStorage, FromRequestParts)]
#[logto(prefix = "tenant-a:")]
struct Storage {
    session: Session,
}

type User = logto_client::axum::User<Storage>;

#[derive(Clone, FromRef)]
struct App {
    auth: LogtoAuth,
    greeting: &'static str,
}

async fn home(user: Option<User>, State(greeting): State<&'static str>) -> String {
    format!("{greeting} {}", user.map_or("stranger".to_owned(), |user| user.claims.user.name.unwrap_or_default()))
}

async fn keys(_user: User, session: Session) -> String {
    let keys = ["tenant-a:logto_id_token", "logto_id_token"];
    let mut found = Vec::new();
    for key in keys {
        if session.get_value(key).await.expect("a session").is_some() {
            found.push(key);
        }
    }
    found.join(" ")
}

async fn token(user: User) -> Response {
    match user.session.access_token(TokenTarget::resource("https://unlisted.example.com")).await {
        Ok(token) => token.as_str().to_owned().into_response(),
        Err(error) => user.respond(error),
    }
}

async fn session(session: LogtoSession<Storage>) -> String {
    session.is_authenticated().await.expect("a session").to_string()
}

struct Site {
    url: String,
    provider: DevProvider,
    browser: Client,
}

impl Site {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
        let url = format!("{origin}/app");
        let provider = DevProvider::start(Config {
            endpoint: "http://127.0.0.1:0".to_owned(),
            redirect_uris: vec![format!("{url}/auth/sign-in-callback")],
            post_logout_redirect_uris: vec![format!("{url}/")],
            ..Config::default()
        });
        let provider = provider.await.expect("a provider");
        let config = LogtoConfig::builder(provider.endpoint(), "dev-client").app_secret("dev-secret");
        let client = LogtoClient::new(config.build().expect("a configuration")).expect("a client");
        let auth = LogtoAuth::builder(client, &url)
            .prefix("/auth")
            .on_error(|failure| (failure.status, format!("custom: {}", failure.error)).into_response());
        let auth = auth.build().expect("a configuration");

        let protected = Router::new()
            .route("/area/page", get(|| async { "protected" }))
            .route_layer(from_extractor_with_state::<User, App>(App { auth: auth.clone(), greeting: "" }));
        let app = Router::new()
            .route("/", get(home))
            .route("/keys", get(keys))
            .route("/token", get(token))
            .route("/session", get(session))
            .merge(protected)
            .merge(auth.routes::<Storage, App>())
            .with_state(App { auth, greeting: "Hello" });
        let sessions =
            SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Lax).with_secure(false);
        let app = Router::new()
            .nest("/app", app.clone())
            .route("/app/", get(|| async { "the app's front page" }))
            .layer(sessions);
        tokio::spawn(async move { axum::serve(listener, app).await });

        let browser = Client::builder().no_proxy().cookie_store(true).redirect(Policy::none());
        let browser = browser.timeout(Duration::from_secs(30)).build().expect("an HTTP client");
        Self { url, provider, browser }
    }

    async fn page(&self, path: &str) -> (StatusCode, String) {
        let page = self.browser.get(format!("{}{path}", self.url)).header(ACCEPT, "text/html").send();
        let page = page.await.expect("an answer");
        let status = page.status();
        match page.headers().get(LOCATION) {
            Some(location) => (status, location.to_str().expect("text").to_owned()),
            None => (status, page.text().await.expect("text")),
        }
    }

    /// From the sign-in's URL to where the app sends the user in the end.
    async fn sign_in(&self, sign_in_url: &str, name: &str) -> String {
        let to_provider = self.browser.get(sign_in_url).send().await.expect("an answer");
        let provider_page = to_provider.headers()[LOCATION].to_str().expect("text").to_owned();
        let page = self.browser.get(provider_page).send().await.expect("an answer").text().await.expect("text");
        let (_, interaction) = page.split_once("name=\"interaction\" value=\"").expect("a form");
        let (interaction, _) = interaction.split_once('"').expect("a value");
        let form = [("interaction", interaction), ("name", name)];
        let agreed = self.browser.post(format!("{}/sign-in", self.provider.issuer())).form(&form).send();
        let callback = agreed.await.expect("an answer").headers()[LOCATION].to_str().expect("text").to_owned();
        let end = self.browser.get(callback).send().await.expect("an answer");
        end.headers()[LOCATION].to_str().expect("text").to_owned()
    }
}

#[tokio::test]
async fn a_user_signs_in_and_out_over_a_storage_of_the_apps_own() {
    let site = Site::start().await;
    assert_eq!(site.page("").await, (StatusCode::OK, "Hello stranger".to_owned()));

    let (status, sign_in) = site.page("/keys?a=b&c=d").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(sign_in, format!("{}/auth/sign-in?return_to=%2Fapp%2Fkeys%3Fa%3Db%26c%3Dd", site.url));
    assert_eq!(site.sign_in(&sign_in, "Ann").await, format!("{}/keys?a=b&c=d", site.url));

    assert_eq!(site.page("").await, (StatusCode::OK, "Hello Ann".to_owned()));
    assert_eq!(site.page("/keys").await, (StatusCode::OK, "tenant-a:logto_id_token".to_owned()));
    assert_eq!(site.page("/session").await, (StatusCode::OK, "true".to_owned()));

    let sign_out = site.browser.post(format!("{}/auth/sign-out", site.url)).send().await.expect("an answer");
    let end_session = sign_out.headers()[LOCATION].to_str().expect("text").to_owned();
    assert!(end_session.starts_with(&format!("{}/session/end?", site.provider.issuer())), "{end_session}");
    let back = site.browser.get(end_session).send().await.expect("an answer");
    assert_eq!(back.headers()[LOCATION].to_str().expect("text"), format!("{}/", site.url));
    assert_eq!(site.page("").await, (StatusCode::OK, "Hello stranger".to_owned()));
    assert_eq!(site.page("/session").await, (StatusCode::OK, "false".to_owned()));
}

#[tokio::test]
async fn a_whole_router_is_protected_by_axums_own_middleware() {
    let site = Site::start().await;
    let (status, sign_in) = site.page("/area/page").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(site.sign_in(&sign_in, "Ann").await, format!("{}/area/page", site.url));
    assert_eq!(site.page("/area/page").await, (StatusCode::OK, "protected".to_owned()));
}

#[tokio::test]
async fn who_does_not_ask_for_a_page_gets_what_the_app_makes_of_it_and_no_redirect() {
    let site = Site::start().await;
    let page = format!("{}/area/page", site.url);
    let plain = site.browser.get(&page).send().await.expect("an answer");
    assert_eq!(plain.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(plain.text().await.expect("text"), "custom: nobody is signed in to this session");
    let fetched = site.browser.get(&page).header(ACCEPT, "text/html").header("sec-fetch-mode", "cors").send();
    assert_eq!(fetched.await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_error_of_the_session_becomes_what_the_app_makes_of_it() {
    let site = Site::start().await;
    site.sign_in(&format!("{}/auth/sign-in", site.url), "Ann").await;
    let (status, body) = site.page("/token").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body.starts_with("custom: the resource `https://unlisted.example.com`"), "{body}");
}

#[tokio::test]
async fn a_sign_in_without_a_place_to_return_to_ends_at_the_base_url() {
    let site = Site::start().await;
    for (path, name) in [
        ("/auth/sign-in", "Ann"),
        // Who creates an account takes a new name.
        ("/auth/sign-up", "Beth"),
        ("/auth/sign-in?return_to=//evil.example", "Ann"),
    ] {
        assert_eq!(site.sign_in(&format!("{}{path}", site.url), name).await, format!("{}/", site.url), "{path}");
    }
}

#[tokio::test]
async fn a_callback_that_is_only_looked_at_is_not_used_up() {
    let site = Site::start().await;
    let callback = site.browser.head(format!("{}/auth/sign-in-callback?code=a&state=b", site.url)).send();
    assert_eq!(callback.await.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
}
