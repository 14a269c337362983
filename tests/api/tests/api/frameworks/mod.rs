//! The same API on every web framework.
//!
//! | route | requires |
//! |---|---|
//! | `GET /things` | a token; answers with its subject |
//! | `POST /things` | a token with the scope `write`; answers with its subject |
//! | `GET /maybe` | nothing; answers with the token's subject, or `nobody` |
//! | `GET /.well-known/oauth-protected-resource` | nothing; answers with the metadata, if they are published |

mod axum;
mod tower;

use std::pin::Pin;

use logto_client::LogtoScope;
use logto_client::api::LogtoApi;
use tokio::task::JoinHandle;

#[derive(LogtoScope)]
#[logto(scope = "write")]
pub(crate) struct Write;

/// The handlers that count are those that run.
pub(crate) const FRAMEWORKS: [Framework; 2] = [
    Framework { name: "axum", start: |api| Box::pin(axum::start(api)) },
    Framework { name: "tower", start: |api| Box::pin(tower::start(api)) },
];

pub(crate) struct Framework {
    pub(crate) name: &'static str,
    pub(crate) start: fn(LogtoApi) -> Pin<Box<dyn Future<Output = App>>>,
}

/// An app on a free port. It stops when it is dropped.
pub(crate) struct App {
    pub(crate) url: String,
    server: JoinHandle<()>,
}

impl App {
    pub(crate) fn new(url: String, server: JoinHandle<()>) -> Self {
        Self { url, server }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.server.abort();
    }
}
