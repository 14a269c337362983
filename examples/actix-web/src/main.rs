//! A web app that keeps Logto's items in Redis: actix-web with actix-session.

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

/// Where Logto keeps its items. `LogtoStorage` is the whole adapter.
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
            // Cookies ignore ports: all apps on localhost that keep to the default, `id`, overwrite each other's.
            .cookie_name("actix-web-app".to_owned())
            // With `Strict` the browser would hold the cookie back when Logto, another site, sends the user here again.
            .cookie_same_site(SameSite::Lax)
            // Only since this is http://localhost. Behind https take this line out: the default is on.
            .cookie_secure(false)
            // Counted from the last change.
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

/// What encrypts the session's id in the cookie.
fn key() -> Result<Key, String> {
    match env::var("SESSION_KEY") {
        Ok(key) => Key::try_from(key.as_bytes())
            .map_err(|_| format!("SESSION_KEY has {} bytes: set it to a secret of 64 or more", key.len())),
        // Nobody knows it after a restart: all users are signed out then.
        Err(_) => Ok(Key::generate()),
    }
}

/// The key under which Logto's SDKs keep the id token.
const ID_TOKEN: &str = "logto_id_token";

async fn show(session: Session) -> actix_web::Result<String> {
    let storage = SessionStorage { session };
    Ok(match storage.get_item(ID_TOKEN).await.map_err(unavailable)? {
        // The token itself stays on the server.
        Some(token) => format!("Signed in: the id token has {} bytes.", token.len()),
        None => "Nobody is signed in.".to_owned(),
    })
}

/// In the place of Logto's callback, for everybody to try.
async fn sign_in(session: Session, token: String) -> actix_web::Result<HttpResponse> {
    let storage = SessionStorage { session };
    storage.set_item(ID_TOKEN, &token).await.map_err(unavailable)?;
    Ok(HttpResponse::NoContent().finish())
}

/// The session is read before the handler, and saved after it: if that fails, only a middleware gets to see it.
async fn unavailable_sessions(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> actix_web::Result<ServiceResponse<impl MessageBody>> {
    next.call(request).await.map_err(unavailable)
}

/// What a visitor gets when the session's store fails.
fn unavailable(error: impl Debug + Display + 'static) -> actix_web::Error {
    // All that caused it, too. No error of a storage or a store has an item's value in it.
    eprintln!("{error:?}");
    let response = HttpResponse::ServiceUnavailable()
        .content_type("text/plain; charset=utf-8")
        .body("Your session cannot be used at the moment. Try again later.");
    InternalError::from_response(error, response).into()
}
