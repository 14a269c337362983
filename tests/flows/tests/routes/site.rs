//! The app, its provider, and a browser.

use axum::Router;
use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::{Method, StatusCode};
use axum::middleware::from_extractor_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use dev_provider::{Config, DevProvider};
use logto_client::axum::{AuthRejection, LogtoAuth};
use logto_client::{LogtoClient, LogtoConfig, LogtoSession, LogtoStorage, SignInOptions, TokenTarget, scope};
use reqwest::header::{ACCEPT, LOCATION};
use servers::{Browser, Page, Request};
use tokio::net::TcpListener;
use tower_sessions_0_15::cookie::SameSite;
use tower_sessions_0_15::{MemoryStore, Session, SessionManagerLayer};
use url::Url;

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

/// A page that needs a token which Logto refuses to most users.
async fn organization(user: User) -> Response {
    match user.session.access_token(TokenTarget::organization("globex")).await {
        Ok(_) => "a token".into_response(),
        Err(error) => user.respond(error),
    }
}

/// A sign-in of the app's own by the ready callback, which is to end on another site.
async fn sign_in_for_elsewhere(session: LogtoSession<Storage>, State(auth): State<LogtoAuth>) -> Redirect {
    let options = SignInOptions::new(auth.redirect_uri()).post_redirect_uri("https://evil.example/");
    Redirect::to(session.sign_in(options).await.expect("a URL").as_str())
}

async fn session(session: LogtoSession<Storage>) -> String {
    session.is_authenticated().await.expect("a session").to_string()
}

pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) issuer: String,
    provider: Option<DevProvider>,
    pub(crate) browser: Browser,
}

pub(crate) struct Options {
    /// Where the app is, below its origin; empty for the root.
    pub(crate) path: &'static str,
    /// What becomes of errors, if not the client's pages.
    pub(crate) on_error: Option<fn(AuthRejection) -> Response>,
    /// See [`Config::deny_with_error`].
    pub(crate) deny_with_error: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { path: "/app", on_error: None, deny_with_error: false }
    }
}

/// A sign-in that waits on the provider's page.
pub(crate) struct PendingSignIn {
    /// Such as `http://localhost:3000/app/auth/sign-in-callback`.
    pub(crate) redirect_uri: String,
    pub(crate) state: String,
    page: Page,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let on_error =
            |rejection: AuthRejection| (rejection.status, format!("custom: {}", rejection.error)).into_response();
        Self::start_with(Options { on_error: Some(on_error), ..Options::default() }).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
        let url = format!("{origin}{}", options.path);
        let provider = DevProvider::start(Config {
            endpoint: "http://127.0.0.1:0".to_owned(),
            redirect_uris: vec![format!("{url}/auth/sign-in-callback")],
            post_logout_redirect_uris: vec![format!("{url}/")],
            deny_with_error: options.deny_with_error,
            ..Config::default()
        });
        let provider = provider.await.expect("a provider");
        let config = LogtoConfig::builder(provider.endpoint(), "dev-client").app_secret("dev-secret");
        let config = config.scopes([scope::ORGANIZATIONS]).build().expect("a configuration");
        let auth = LogtoAuth::builder(LogtoClient::new(config).expect("a client"), &url).prefix("/auth");
        let auth = match options.on_error {
            Some(on_error) => auth.on_error(on_error),
            None => auth,
        };
        let auth = auth.build().expect("a configuration");

        let protected = Router::new()
            .route("/area/page", get(|| async { "protected" }))
            .route_layer(from_extractor_with_state::<User, App>(App { auth: auth.clone(), greeting: "" }));
        let app = Router::new()
            .route("/", get(home))
            .route("/keys", get(keys))
            .route("/token", get(token))
            .route("/organization", get(organization).post(organization))
            .route("/session", get(session))
            .route("/sign-in-for-elsewhere", get(sign_in_for_elsewhere))
            .merge(protected)
            .merge(auth.routes::<Storage, App>())
            .fallback(organization)
            .with_state(App { auth, greeting: "Hello" });
        let app = if options.path.is_empty() {
            app
        } else {
            let front_page = format!("{}/", options.path);
            Router::new().nest(options.path, app).route(&front_page, get(|| async { "the app's front page" }))
        };
        let sessions =
            SessionManagerLayer::new(MemoryStore::default()).with_same_site(SameSite::Lax).with_secure(false);
        tokio::spawn(async move { axum::serve(listener, app.layer(sessions)).await });

        Self { url, issuer: provider.issuer().to_owned(), provider: Some(provider), browser: Browser::new() }
    }

    /// A request to the app.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request {
        self.browser.request(method, &format!("{}{path}", self.url))
    }

    /// A page of the app: its status, and its text or where it redirects to.
    pub(crate) async fn page(&self, path: &str) -> (StatusCode, String) {
        let page = self.request(Method::GET, path).header(ACCEPT, "text/html").load().await;
        let text = if page.headers.contains_key(LOCATION) { location(&page) } else { page.body };
        (page.status, text)
    }

    /// From the sign-in's URL to where the app sends the user in the end.
    pub(crate) async fn sign_in(&self, sign_in_url: &str, name: &str) -> String {
        let callback = self.submit(&self.begin(sign_in_url).await, "name", name).await;
        location(&self.browser.get(&callback).await)
    }

    /// Goes to the provider's page.
    pub(crate) async fn begin(&self, sign_in_url: &str) -> PendingSignIn {
        let url: Url = location(&self.browser.get(sign_in_url).await).parse().expect("a URL");
        let param = |name| url.query_pairs().find(|(key, _)| key == name).expect("a parameter").1.into_owned();
        let (redirect_uri, state) = (param("redirect_uri"), param("state"));
        PendingSignIn { redirect_uri, state, page: self.browser.get(url.as_str()).await }
    }

    /// Submits the form with this field, and returns the callback's URL.
    pub(crate) async fn submit(&self, sign_in: &PendingSignIn, field: &str, value: &str) -> String {
        location(&self.browser.submit(&sign_in.page, &[(field, value)]).await)
    }

    pub(crate) async fn stop_provider(&mut self) {
        self.provider.take().expect("it runs").stop().await;
    }
}

impl PendingSignIn {
    /// The URL of a callback as the provider builds it, with these parameters.
    pub(crate) fn callback(&self, site: &Site, params: &[(&str, &str)]) -> String {
        let own = [("state", &*self.state), ("iss", &*site.issuer)];
        let params = own.iter().chain(params);
        Url::parse_with_params(&self.redirect_uri, params).expect("a URL").into()
    }
}

/// Where a page redirects to, as it says it.
pub(crate) fn location(page: &Page) -> String {
    page.headers[LOCATION].to_str().expect("text").to_owned()
}
