//! A web app that keeps Logto's items in a file: axum with tower-sessions and tower-sessions-sqlx-store.

mod store;

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

/// Where Logto keeps its items. `LogtoStorage` is the whole adapter; `FromRequestParts` lets handlers ask for it.
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
    let sessions = SessionManagerLayer::new(store::open().await?)
        // Cookies ignore ports: all apps on localhost that keep to the default, `id`, overwrite each other's.
        .with_name("axum-sqlite")
        // By default (`Strict`) the browser holds the cookie back when Logto, another site, sends the user here again.
        .with_same_site(SameSite::Lax)
        // Only since this is http://localhost. Behind https take this line out: the default is on.
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

/// The key under which Logto's SDKs keep the id token.
const ID_TOKEN: &str = "logto_id_token";

async fn show(storage: SessionStorage) -> Result<String, Unavailable> {
    Ok(match storage.get_item(ID_TOKEN).await? {
        // The token itself stays on the server.
        Some(token) => format!("Signed in: the id token has {} bytes.", token.len()),
        None => "Nobody is signed in.".to_owned(),
    })
}

/// In the place of Logto's callback, for everybody to try.
async fn sign_in(storage: SessionStorage, token: String) -> Result<StatusCode, Unavailable> {
    storage.set_item(ID_TOKEN, &token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a visitor gets when the session's store fails.
struct Unavailable(logto_storage_core::Error);

impl From<logto_storage_core::Error> for Unavailable {
    fn from(error: logto_storage_core::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        // No error of a storage has an item's value in it, so it may go into a log.
        let chain = iter::successors(Some(&self.0 as &dyn Error), |&error| error.source());
        eprintln!("{}", chain.map(ToString::to_string).collect::<Vec<_>>().join(": "));
        (StatusCode::SERVICE_UNAVAILABLE, "Your session cannot be used at the moment. Try again later.").into_response()
    }
}
