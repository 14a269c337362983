//! Keeps Logto's items in the visitor's session, with axum and tower-sessions.

mod problem;
mod server;

use std::process::ExitCode;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::header::CACHE_CONTROL;
use axum::middleware::map_response;
use axum::response::{Html, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use logto_storage_core::LogtoStorage;
use serde::Deserialize;
use tower_sessions::cookie::{SameSite, time::Duration};
use tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};

use crate::problem::Problem;

/// Stores Logto's items in the session. `LogtoStorage` is the whole adapter; `FromRequestParts` makes it an extractor.
#[derive(LogtoStorage, FromRequestParts)]
struct SessionStorage {
    session: Session,
}

/// The keys of Logto's items. There is one more per access token, such as `logto_access_token:@https://api.example.com`.
const KEYS: [&str; 4] = ["logto_sign_in_session", "logto_refresh_token", "logto_id_token", "logto_access_token_map"];

#[tokio::main]
async fn main() -> ExitCode {
    match server::run(app()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn app() -> Router {
    let sessions = SessionManagerLayer::new(MemoryStore::default())
        // Cookies ignore ports: under the default name `id`, apps on localhost would overwrite each other's cookie.
        .with_name("axum-tower-sessions")
        // With the default, `Strict`, the browser would not send the cookie when Logto redirects the user back here.
        .with_same_site(SameSite::Lax)
        // For http://localhost only. Remove it when you serve HTTPS.
        .with_secure(false)
        // Counts from the last change. Do not use `with_always_save` to count from the last visit: a request that only
        // reads could then undo a concurrent change.
        .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
    Router::new()
        .route("/", get(home))
        .route("/items", post(store_item))
        .route("/items/remove", post(remove_item))
        .route("/renew", post(renew))
        .layer(sessions)
        // Pages show the items of one visitor.
        .layer(map_response(async |response: Response| ([(CACHE_CONTROL, "no-store")], response)))
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    items: Vec<(&'static str, usize)>,
}

async fn home(storage: SessionStorage) -> Result<Html<String>, Problem> {
    let mut items = Vec::new();
    for key in KEYS {
        if let Some(value) = storage.get_item(key).await? {
            // The values are tokens, which stay on the server.
            items.push((key, value.len()));
        }
    }
    Ok(Html(Home { items }.render()?))
}

async fn store_item(storage: SessionStorage, Form(form): Form<ItemForm>) -> Result<Redirect, Problem> {
    storage.set_item(form.key()?, &"x".repeat(form.size()?)).await?;
    Ok(Redirect::to("/"))
}

async fn remove_item(storage: SessionStorage, Form(form): Form<ItemForm>) -> Result<Redirect, Problem> {
    storage.remove_item(form.key()?).await?;
    Ok(Redirect::to("/"))
}

/// Renews the session id, as at sign-in and sign-out: an old id, which an attacker may have planted, becomes worthless.
async fn renew(storage: SessionStorage) -> Result<Redirect, Problem> {
    storage.renew(&[]).await?;
    Ok(Redirect::to("/"))
}

/// Accepts any strings, even none, so that the app's own page reports mistakes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ItemForm {
    key: String,
    size: String,
}

impl ItemForm {
    fn key(&self) -> Result<&'static str, Problem> {
        let key = KEYS.into_iter().find(|key| *key == self.key);
        key.ok_or(Problem::Form("This is not one of Logto’s keys. Choose one from the list."))
    }

    fn size(&self) -> Result<usize, Problem> {
        let size = self.size.parse().ok().filter(|size| (1..=1_048_576).contains(size));
        size.ok_or(Problem::Form("Invalid size. Enter a whole number of bytes from 1 to 1048576."))
    }
}
