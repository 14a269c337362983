//! The app as its users meet it: the real program, over HTTP, on a file of the test's own.

use dev_provider::{Config, DevProvider};
use reqwest::Method;
use reqwest::header::ACCEPT;
use servers::{App, Browser, Page};
use tempfile::TempDir;

/// Where the app believes that it is, whatever its port.
const BASE_URL: &str = "http://app.example";

struct World {
    provider: DevProvider,
    folder: TempDir,
    browser: Browser,
}

impl World {
    async fn start() -> Self {
        let config = Config {
            endpoint: "http://127.0.0.1:0".to_owned(),
            redirect_uris: vec![format!("{BASE_URL}/logto/sign-in-callback")],
            post_logout_redirect_uris: vec![format!("{BASE_URL}/")],
            ..Config::default()
        };
        let provider = DevProvider::start(config).await.expect("a provider");
        Self { provider, folder: tempfile::tempdir().expect("a folder"), browser: Browser::new() }
    }

    fn app(&self) -> App {
        let database = format!("sqlite:{}", self.folder.path().join("vault.db").display());
        let variables =
            [("LOGTO_ENDPOINT", self.provider.endpoint()), ("BASE_URL", BASE_URL), ("DATABASE_URL", &database)];
        App::start(env!("CARGO_BIN_EXE_axum-vault"), &variables)
    }

    async fn request(&self, app: &App, method: Method, path: &str) -> Page {
        let url = format!("{}{path}", app.url());
        self.browser.request(method, &url).header(ACCEPT, "text/html").load().await
    }

    async fn get(&self, app: &App, path: &str) -> Page {
        self.request(app, Method::GET, path).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_signs_in_survives_a_restart_and_signs_out() {
    let world = World::start().await;
    let mut app = world.app();
    assert!(world.get(&app, "/").await.body.starts_with("Hello stranger"));
    let to_sign_in = world.get(&app, "/private").await.location.expect("a redirect");
    assert_eq!(to_sign_in.as_str(), format!("{BASE_URL}/logto/sign-in?return_to=%2Fprivate"));
    let to_provider = world.get(&app, "/logto/sign-in?return_to=/private").await.location.expect("a redirect");
    // A pending sign-in survives, too.
    app.kill();
    app = world.app();
    let callback = world.provider.authorize(&to_provider, "Alice").await.expect("a callback");
    let callback = format!("{}?{}", callback.path(), callback.query().expect("a code"));
    let back = world.get(&app, &callback).await.location.expect("a redirect");
    assert_eq!(back.as_str(), format!("{BASE_URL}/private"));
    app.kill();

    let app = world.app();

    assert_eq!(world.get(&app, "/private").await.body, "Hello Alice");
    assert!(world.get(&app, "/").await.body.starts_with("You are signed in"));
    let signed_out = world.request(&app, Method::POST, "/logto/sign-out").await;
    assert!(signed_out.location.expect("a redirect").as_str().starts_with(world.provider.issuer()));
    assert!(world.get(&app, "/").await.body.starts_with("Hello stranger"));
}
