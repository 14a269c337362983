//! What an app keeps in the storage itself, and how a test holds up its pages from another process.

use axum::extract::{Path, Query, State};
use axum::routing::get;
use axum::{Json, Router};
use logto_client::Error;
use logto_client::storage::{Change, ErrorKind, LogtoStorage, Seen};
use serde::Deserialize;
use serde_json::json;

use crate::app::{Answer, App, Stored, User};

const COUNTER: &str = "counter";

pub(crate) fn routes<S: Stored>() -> Router<App> {
    Router::new()
        .route("/items/{key}", get(item::<S>))
        .route("/set-item", get(set_item::<S>))
        .route("/pause-and-set-item", get(pause_and_set_item::<S>))
        .route("/count", get(count::<S>))
        .route("/pages-pause/{pages}", get(pages_pause))
        .route("/end-pauses/{pages}", get(end_pauses))
}

async fn item<S: Stored>(storage: S, Path(key): Path<String>) -> Answer {
    Ok(Json(json!(storage.storage().get_item(&key).await.map_err(Error::from)?)))
}

#[derive(Deserialize)]
struct Item {
    key: String,
    value: String,
}

async fn set_item<S: Stored>(storage: S, Query(item): Query<Item>) -> Answer {
    storage.storage().set_item(&item.key, &item.value).await.map_err(Error::from)?;
    Ok(Json(json!(null)))
}

/// A page that looks who is signed in, and takes its time before it writes.
async fn pause_and_set_item<S: Stored>(
    State(app): State<App>,
    User(session): User<S>,
    storage: S,
    item: Query<Item>,
) -> Answer {
    session.id_token_claims().await?;
    app.pause().await;
    set_item(storage, item).await
}

/// Adds one to a counter that many requests count with.
async fn count<S: Stored>(storage: S) -> Answer {
    let storage = storage.storage();
    loop {
        let seen = storage.get_item(COUNTER).await.map_err(Error::from)?;
        let next: u32 = seen.as_deref().map_or(0, |count| count.parse().expect("a number")) + 1;
        let next = next.to_string();
        let counted = storage.apply_if(&[Seen::new(COUNTER, seen.as_deref())], &[Change::set(COUNTER, &next)]).await;
        match counted {
            Err(error) if error.kind() == ErrorKind::Conflict => storage.reload().await.map_err(Error::from)?,
            counted => return Ok(Json(json!(counted.map_err(Error::from)?))),
        };
    }
}

/// Answers when so many more pages have come to their pause.
async fn pages_pause(State(app): State<App>, Path(pages): Path<usize>) {
    for _ in 0..pages {
        app.page_pauses().await;
    }
}

/// Lets so many pages go on.
async fn end_pauses(State(app): State<App>, Path(pages): Path<usize>) {
    for _ in 0..pages {
        app.end_pause();
    }
}
