//! A server of the Model Context Protocol that verifies access tokens.

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::http::request::Parts;
use dev_provider::{Config, DevProvider, Resource};
use logto_client::LogtoScope;
use logto_client::api::{LogtoApi, VerifiedToken};
use logto_client::tower::RequireToken;
use rmcp::handler::server::common::Extension;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, schemars, tool, tool_router};
use tokio::net::TcpListener;

/// A permission of the API, by its name in Logto's console.
#[derive(LogtoScope)]
#[logto(scope = "write:items")]
struct WriteItems;

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn run() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await;
    let listener = listener.map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());

    // The API's indicator is the URL that clients connect to.
    let resource = format!("{url}/mcp");
    let (endpoint, provider) = if let Ok(endpoint) = env::var("LOGTO_ENDPOINT") {
        (endpoint, None)
    } else {
        let provider = start_provider(&resource).await?;
        (provider.endpoint().to_owned(), Some(provider))
    };
    let api = LogtoApi::builder(endpoint).audience(&resource).permissions::<WriteItems>().publish_metadata().build()?;

    println!("Listening on {url}");
    print_tokens(provider.as_ref(), &resource);
    axum::serve(listener, routes(api)).await?;
    Ok(())
}

fn routes(api: LogtoApi) -> Router {
    let metadata = logto_client::axum::resource_metadata(&api);
    let items = Items::default();
    let sessions = LocalSessionManager::default();
    // It accepts requests to localhost only; in production, name your hosts with `with_allowed_hosts`.
    let config = StreamableHttpServerConfig::default();
    let mcp = StreamableHttpService::new(move || Ok(items.clone()), sessions.into(), config);
    Router::new().route_service("/mcp", mcp).route_layer(RequireToken::new(api)).merge(metadata)
}

/// The tools. Each item is a user's or an app's.
#[derive(Clone, Default)]
struct Items(Arc<Mutex<Vec<(String, String)>>>);

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct NewItem {
    name: String,
}

#[tool_router(server_handler)]
impl Items {
    #[tool(description = "Lists your items")]
    fn list_items(&self, Extension(parts): Extension<Parts>) -> Result<String, ErrorData> {
        let owner = token(&parts)?.sub();
        let items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = items.iter().filter(|(sub, _)| sub == owner).map(|(_, name)| &**name).collect();
        Ok(format!("{} items: {}", names.len(), names.join(", ")))
    }

    #[tool(description = "Creates an item")]
    fn create_item(
        &self,
        Parameters(NewItem { name }): Parameters<NewItem>,
        Extension(parts): Extension<Parts>,
    ) -> Result<String, ErrorData> {
        let token = token(&parts)?;
        token.require::<WriteItems>().map_err(|error| ErrorData::invalid_request(error.to_string(), None))?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((token.sub().to_owned(), name));
        Ok(format!("created by {}", token.sub()))
    }
}

/// Returns the token that `RequireToken` has verified.
fn token(parts: &Parts) -> Result<&VerifiedToken, ErrorData> {
    parts.extensions.get().ok_or_else(|| ErrorData::internal_error("the request was not verified", None))
}

/// Starts a development provider in place of Logto, on any free port.
async fn start_provider(resource: &str) -> Result<DevProvider, Box<dyn Error>> {
    let config = Config {
        endpoint: "http://127.0.0.1:0".to_owned(),
        resources: vec![Resource::new(resource, &["read:items", "write:items"])],
        ..Config::default()
    };
    Ok(DevProvider::start(config).await?)
}

fn print_tokens(provider: Option<&DevProvider>, resource: &str) {
    println!("\nConnect an MCP client to {resource} (streamable HTTP).");
    if let Some(provider) = provider {
        println!("A development provider issues the tokens: {} is part of this program.", provider.endpoint());
        for (app, comment) in [("dev-admin-machine", "may write"), ("dev-machine", "may only read")] {
            if let Some(token) = provider.machine_token(app, resource) {
                println!("\n# {comment}\nAuthorization: Bearer {token}");
            }
        }
    }
    println!("\nPress Ctrl-C to stop.");
}
