//! The same API on every web framework.
//!
//! | route | requires |
//! |---|---|
//! | `GET /things` | a token; answers with its subject |
//! | `POST /things` | a token with the scope `write`; answers with its subject |
//! | `PUT /things` | the same, checked by the handler |
//! | `GET /maybe` | nothing; answers with the token's subject, or `nobody` |
//! | `GET /partners` | a token of the partners' issuer; answers with its subject |
//! | `POST /partners` | the same, with the scope `write` |
//! | `GET /missing` | a token of an issuer that the app lacks |
//! | `GET /.well-known/oauth-protected-resource` | nothing; answers with the metadata, if they are published |

mod actix_web;
mod axum;
mod poem;
mod rocket;
mod salvo;
mod tower;

use std::pin::Pin;
use std::sync::LazyLock;
use std::time::Duration;

use logto_client::LogtoScope;
use logto_client::api::LogtoApi;
use reqwest::Client;
use tokio::task::JoinHandle;

#[derive(LogtoScope)]
#[logto(scope = "write")]
pub(crate) struct Write;

/// Another issuer, by its type.
#[derive(Clone)]
pub(crate) struct Partners(pub(crate) LogtoApi);

impl AsRef<LogtoApi> for Partners {
    fn as_ref(&self) -> &LogtoApi {
        &self.0
    }
}

/// One that no app has.
#[derive(Clone)]
struct Missing(LogtoApi);

impl AsRef<LogtoApi> for Missing {
    fn as_ref(&self) -> &LogtoApi {
        &self.0
    }
}

/// The handlers that count are those that run.
pub(crate) const FRAMEWORKS: [Framework; 6] = [
    Framework { name: "axum", start: |api, partners| Box::pin(axum::start(api, partners)) },
    Framework { name: "tower", start: |api, partners| Box::pin(tower::start(api, partners)) },
    Framework { name: "actix-web", start: |api, partners| Box::pin(actix_web::start(api, partners)) },
    Framework { name: "poem", start: |api, partners| Box::pin(poem::start(api, partners)) },
    Framework { name: "salvo", start: |api, partners| Box::pin(salvo::start(api, partners)) },
    Framework { name: "Rocket", start: |api, partners| Box::pin(rocket::start(api, partners)) },
];

type Starting = Pin<Box<dyn Future<Output = App>>>;

pub(crate) struct Framework {
    pub(crate) name: &'static str,
    start: fn(LogtoApi, Partners) -> Starting,
}

impl Framework {
    pub(crate) async fn start(&self, api: LogtoApi) -> App {
        let partners = Partners(api.clone());
        self.start_with(api, partners).await
    }

    pub(crate) async fn start_with(&self, api: LogtoApi, partners: Partners) -> App {
        (self.start)(api, partners).await
    }

    /// Whether a missing `LogtoApi` is noticed when a request comes in. With the others it does not compile.
    pub(crate) fn can_lack_an_api(&self) -> bool {
        !["axum", "tower"].contains(&self.name)
    }
}

/// An app on a free port, and a client of it. It stops when it is dropped.
pub(crate) struct App {
    pub(crate) url: String,
    pub(crate) client: Client,
    stop: Box<dyn Fn()>,
}

impl App {
    fn new(url: String, stop: impl Fn() + 'static) -> Self {
        // Without connections that outlive a request: they would belong to the runtime of another test.
        static CLIENT: LazyLock<Client> = LazyLock::new(|| {
            let client = Client::builder().no_proxy().pool_max_idle_per_host(0).timeout(Duration::from_secs(30));
            client.build().expect("an HTTP client")
        });
        Self { url, client: CLIENT.clone(), stop: Box::new(stop) }
    }

    pub(crate) fn of_task(url: String, server: JoinHandle<()>) -> Self {
        Self::new(url, move || server.abort())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        (self.stop)();
    }
}
