//! An API that verifies access tokens, with actix-web.

// The same for each framework.
#[path = "../../axum-api/src/logto.rs"]
mod logto;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use logto_client::LogtoScope;
use logto_client::api::{Allowed, Bearer, LogtoApi};

use crate::logto::Logto;

/// A permission of the API, by its name in Logto's console.
#[derive(LogtoScope)]
#[logto(scope = "write:items")]
struct WriteItems;

#[actix_web::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn run() -> Result<(), Box<dyn Error>> {
    let logto = Logto::from_env_or_start().await?;
    let api = LogtoApi::builder(&logto.endpoint).audience(&logto.resource).permissions::<WriteItems>().build()?;
    // Called once per worker. They share one `LogtoApi`.
    let app = move || {
        App::new()
            .app_data(Data::new(api.clone()))
            .route("/", web::get().to(about))
            .service(web::resource("/items").get(list).post(create))
    };

    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let server = HttpServer::new(app).bind(format!("127.0.0.1:{port}"));
    let server = server.map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    for address in server.addrs() {
        let url = format!("http://localhost:{}", address.port());
        println!("Listening on {url}");
        logto.print_requests(&url);
    }
    Ok(server.run().await?)
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
