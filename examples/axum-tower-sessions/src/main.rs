//! A web app that keeps Logto's items in the visitor's session: axum with tower-sessions.

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

/// Where Logto keeps its items. `LogtoStorage` is the whole adapter; `FromRequestParts` lets handlers ask for it.
#[derive(LogtoStorage, FromRequestParts)]
struct SessionStorage {
    session: Session,
}

/// The keys of Logto's items.
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
        // Cookies ignore ports: all apps on localhost that keep to the default, `id`, overwrite each other's.
        .with_name("axum-tower-sessions")
        // By default (`Strict`) the browser holds the cookie back when Logto, another site, sends the user here again.
        .with_same_site(SameSite::Lax)
        // Only since this is http://localhost. Behind https take this line out: the default is on.
        .with_secure(false)
        // Counted from the last change. Counting from the last visit takes `with_always_save`, which is not for Logto:
        // looking at a page could then undo what another request has just changed.
        .with_expiry(Expiry::OnInactivity(Duration::hours(1)));
    Router::new()
        .route("/", get(home))
        .route("/items", post(store_item))
        .route("/items/remove", post(remove_item))
        .route("/renew", post(renew))
        .layer(sessions)
        // What a page shows is one visitor's own.
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
            // Logto's values are tokens: they stay on the server.
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

/// As at sign-in and sign-out: whoever knows the session's old id (it may have been planted) then holds nothing.
async fn renew(storage: SessionStorage) -> Result<Redirect, Problem> {
    storage.renew(&[]).await?;
    Ok(Redirect::to("/"))
}

/// All strings, none required: what is wrong with a field is then told by a page of ours.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ItemForm {
    key: String,
    size: String,
}

impl ItemForm {
    fn key(&self) -> Result<&'static str, Problem> {
        let key = KEYS.into_iter().find(|key| *key == self.key);
        key.ok_or(Problem::Form("This is none of Logto’s keys. Choose one from the list."))
    }

    fn size(&self) -> Result<usize, Problem> {
        let size = self.size.parse().ok().filter(|size| (1..=1_048_576).contains(size));
        size.ok_or(Problem::Form("An item cannot have this size. Give a whole number of bytes from 1 to 1048576."))
    }
}
