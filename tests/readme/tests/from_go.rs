//! The program of docs/FROM-GO.md, signed in to with a development provider.

mod guide {
    // Its `main` is compiled only: it listens on the guide's own port.
    #![allow(dead_code)]

    include!(concat!(env!("OUT_DIR"), "/from_go.rs"));

    pub(crate) async fn start(provider: &dev_provider::DevProvider) -> String {
        let config = LogtoConfig::builder(provider.endpoint(), "dev-client")
            .app_secret("dev-secret")
            .scopes(SCOPES)
            .resources(RESOURCES)
            .build()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, app(config).unwrap()).into_future());
        url
    }

    pub(crate) fn provider_config() -> dev_provider::Config {
        dev_provider::Config {
            endpoint: "http://127.0.0.1:0".to_owned(),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            resources: vec![dev_provider::Resource::new(SHOP, &[])],
            ..dev_provider::Config::default()
        }
    }
}

use std::collections::HashMap;

use axum::http::header::LOCATION;
use axum::http::{Method, StatusCode};
use dev_provider::DevProvider;
use serde_json::Value;
use servers::{Browser, Page};
use url::Url;

/// The program, its provider, and a browser.
struct Visit {
    provider: DevProvider,
    app: String,
    browser: Browser,
}

impl Visit {
    async fn start() -> Self {
        let provider = DevProvider::start(guide::provider_config()).await.unwrap();
        let app = guide::start(&provider).await;
        Self { provider, app, browser: Browser::new() }
    }

    async fn get(&self, path: &str) -> Page {
        self.browser.get(&format!("{}{path}", self.app)).await
    }

    async fn text(&self, path: &str) -> String {
        let page = self.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        page.body
    }

    async fn json(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(path).await).unwrap()
    }

    /// The path and query that the provider sends the browser back to.
    async fn callback(&self, name: &str) -> String {
        let page = self.browser.get(&location(&self.get("/sign-in").await)).await;
        let callback = Url::parse(&location(&self.browser.submit(&page, &[("name", name)]).await)).unwrap();
        format!("{}?{}", callback.path(), callback.query().unwrap())
    }
}

fn location(page: &Page) -> String {
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    page.headers[LOCATION].to_str().unwrap().to_owned()
}

fn params(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

#[tokio::test]
async fn its_program_signs_in_shows_the_user_gets_tokens_and_signs_out() {
    let visit = Visit::start().await;
    assert!(visit.text("/").await.contains("You are not signed in."));
    assert_eq!(location(&visit.get("/protected").await), "/sign-in");

    let callback = visit.callback("Alice").await;
    assert_eq!(location(&visit.get(&callback).await), "/protected");

    assert_eq!(visit.text("/protected").await, "Hello Alice");
    assert!(visit.text("/").await.contains("You are signed in."));
    assert_eq!(visit.json("/user-id-token-claims").await["email"], "alice@example.com");
    assert_eq!(visit.json("/user-info").await["phone_number"], "15550100");
    assert!(visit.text("/shop").await.ends_with("for https://shopping.your-app.com/api"));
    assert!(visit.text("/organizations/acme").await.ends_with("in acme"));

    let sign_out = visit.browser.request(Method::POST, &format!("{}/sign-out", visit.app)).load().await;
    let end_session = location(&sign_out);
    assert!(end_session.starts_with(visit.provider.issuer()), "{end_session}");
    assert_eq!(params(&end_session)["post_logout_redirect_uri"], "http://localhost:3000/");
    assert!(visit.text("/").await.contains("You are not signed in."));
}

#[tokio::test]
async fn its_callback_is_good_for_one_sign_in_and_one_use() {
    let visit = Visit::start().await;
    let [first, second] = [visit.callback("Alice").await, visit.callback("Bob").await];
    assert_eq!(location(&visit.get(&second).await), "/protected");
    assert_eq!(location(&visit.get(&first).await), "/protected");
    assert_eq!(visit.text("/protected").await, "Hello Alice");
    assert_eq!(visit.get(&first).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn its_options_are_in_the_sign_in_url() {
    let visit = Visit::start().await;
    let sign_up = params(&location(&visit.get("/sign-up").await));
    let options = ["prompt", "first_screen", "identifier", "login_hint", "ui_locales"].map(|name| &*sign_up[name]);
    assert_eq!(options, ["consent", "identifier:register", "email", "ada@example.com", "pt-BR"]);
    let by_github = params(&location(&visit.get("/sign-in/github").await));
    assert_eq!(by_github["direct_sign_in"], "social:github");
}
