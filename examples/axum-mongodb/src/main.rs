//! Keeps Logto's items in MongoDB, with axum, tower-sessions and a store over MongoDB's own driver.

mod connect;
pub mod mongodb_store;

use std::error::Error;
use std::process::ExitCode;
use std::{env, iter};

use axum::Router;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use logto_storage_core::LogtoStorage;
use tokio::net::TcpListener;
use tower_sessions::cookie::{SameSite, time::Duration};
use tower_sessions::{Expiry, Session, SessionManagerLayer};

/// Stores Logto's items in the session. `LogtoStorage` is the whole adapter; `FromRequestParts` makes it an extractor.
#[derive(LogtoStorage, FromRequestParts)]
struct SessionStorage {
    session: Session,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn run() -> Result<(), Box<dyn Error>> {
    let sessions = SessionManagerLayer::new(connect::connect().await?)
        // Cookies ignore ports: under the default name `id`, apps on localhost would overwrite each other's cookie.
        .with_name("axum-mongodb")
        // With the default, `Strict`, the browser would not send the cookie when Logto redirects the user back here.
        .with_same_site(SameSite::Lax)
        // For http://localhost only. Remove it when you serve HTTPS.
        .with_secure(false)
        .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
    let app = Router::new().route("/", get(show).put(sign_in)).layer(sessions);

    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await;
    let listener = listener.map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    axum::serve(listener, app).await?;
    Ok(())
}

/// The key under which Logto's SDKs store the ID token.
const ID_TOKEN: &str = "logto_id_token";

async fn show(storage: SessionStorage) -> Result<String, Unavailable> {
    Ok(match storage.get_item(ID_TOKEN).await? {
        // The token itself stays on the server.
        Some(token) => format!("Signed in: the ID token has {} bytes.", token.len()),
        None => "Nobody is signed in.".to_owned(),
    })
}

/// Stands in for Logto's callback, so that you can try the storage without Logto.
async fn sign_in(storage: SessionStorage, token: String) -> Result<StatusCode, Unavailable> {
    storage.set_item(ID_TOKEN, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The response when the session store fails.
struct Unavailable(logto_storage_core::Error);

impl From<logto_storage_core::Error> for Unavailable {
    fn from(error: logto_storage_core::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        // Neither storage errors nor this store's errors contain an item's value, so they are safe to log.
        let chain = iter::successors(Some(&self.0 as &dyn Error), |&error| error.source());
        eprintln!("{}", chain.map(ToString::to_string).collect::<Vec<_>>().join(": "));
        (StatusCode::SERVICE_UNAVAILABLE, "Your session cannot be used at the moment. Try again later.").into_response()
    }
}
