//! An API that verifies access tokens, with axum.

mod logto;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use axum::Router;
use axum::routing::get;
use logto_client::LogtoScope;
use logto_client::api::{Allowed, Bearer, LogtoApi};
use tokio::net::TcpListener;

use crate::logto::Logto;

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
    let logto = Logto::from_env_or_start().await?;
    let api = LogtoApi::builder(&logto.endpoint).audience(&logto.resource).permissions::<WriteItems>().build()?;
    let app = Router::new().route("/", get(about)).route("/items", get(list).post(create)).with_state(api);

    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await;
    let listener = listener.map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    println!("Listening on {url}");
    logto.print_requests(&url);
    axum::serve(listener, app).await?;
    Ok(())
}

/// Public.
async fn about() -> &'static str {
    "an API: see /items\n"
}

/// 401 without a valid token.
async fn list(token: Bearer) -> String {
    format!("the items of {}\n", token.sub())
}

/// 403 if the token lacks the permission.
async fn create(Allowed(token): Allowed<WriteItems>) -> String {
    format!("created by {}\n", token.sub())
}
