//! Keeps Logto's items in Redis, with actix-web and actix-session.

mod store;

use std::env;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::process::ExitCode;

use actix_session::config::PersistentSession;
use actix_session::{Session, SessionMiddleware};
use actix_web::body::MessageBody;
use actix_web::cookie::{Key, SameSite, time::Duration};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpResponse, HttpServer, web};
use logto_storage_core::LogtoStorage;

/// Stores Logto's items in the session. `LogtoStorage` is the whole adapter.
#[derive(LogtoStorage)]
struct SessionStorage {
    session: Session,
}

#[actix_web::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else { return ExitCode::SUCCESS };
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn run() -> Result<(), Box<dyn Error>> {
    let (key, store) = (key()?, store::connect().await?);
    let app = move || {
        let sessions = SessionMiddleware::builder(store.clone(), key.clone())
            // Cookies ignore ports: under the default name `id`, apps on localhost would overwrite each other's cookie.
            .cookie_name("actix-web-app".to_owned())
            // With `Strict`, the browser would not send the cookie when Logto redirects the user back here.
            .cookie_same_site(SameSite::Lax)
            // For http://localhost only. Remove it when you serve HTTPS.
            .cookie_secure(false)
            // The session expires an hour after its last change.
            .session_lifecycle(PersistentSession::default().session_ttl(Duration::hours(1)))
            .build();
        App::new().service(web::resource("/").get(show).put(sign_in)).wrap(sessions).wrap(from_fn(unavailable_sessions))
    };

    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let server = HttpServer::new(app).bind(format!("127.0.0.1:{port}"));
    let server = server.map_err(|error| format!("cannot listen on port {port}: {error}"))?;
    for address in server.addrs() {
        println!("Listening on http://localhost:{}", address.port());
    }
    Ok(server.run().await?)
}

/// Returns the key that encrypts the session id in the cookie.
fn key() -> Result<Key, String> {
    match env::var("SESSION_KEY") {
        Ok(key) => Key::try_from(key.as_bytes())
            .map_err(|_| format!("SESSION_KEY has {} bytes: set it to a secret of 64 or more", key.len())),
        // A restart generates another key and so signs all users out.
        Err(_) => Ok(Key::generate()),
    }
}

/// The key under which Logto's SDKs store the ID token.
const ID_TOKEN: &str = "logto_id_token";

async fn show(session: Session) -> actix_web::Result<String> {
    let storage = SessionStorage { session };
    Ok(match storage.get_item(ID_TOKEN).await.map_err(unavailable)? {
        // The token itself stays on the server.
        Some(token) => format!("Signed in: the ID token has {} bytes.", token.len()),
        None => "Nobody is signed in.".to_owned(),
    })
}

/// Stands in for Logto's callback, so that you can try the storage without Logto.
async fn sign_in(session: Session, token: String) -> actix_web::Result<HttpResponse> {
    let storage = SessionStorage { session };
    storage.set_item(ID_TOKEN, &token).await.map_err(unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Handles store errors before and after the handler, where the session is loaded and saved.
async fn unavailable_sessions(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> actix_web::Result<ServiceResponse<impl MessageBody>> {
    next.call(request).await.map_err(unavailable)
}

/// The response when the session store fails.
fn unavailable(error: impl Debug + Display + 'static) -> actix_web::Error {
    // Includes the causes. Neither storage nor store errors contain an item's value.
    eprintln!("{error:?}");
    let response = HttpResponse::ServiceUnavailable()
        .content_type("text/plain; charset=utf-8")
        .body("Your session cannot be used at the moment. Try again later.");
    InternalError::from_response(error, response).into()
}
