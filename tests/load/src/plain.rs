//! An app of tower-sessions alone, in a process of its own: what the framework does by itself.

use std::env;
use std::fmt::Display;
use std::net::Ipv4Addr;

use anyhow::Result;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;
use tower_sessions_0_14::cookie::SameSite;
use tower_sessions_0_14::{MemoryStore, Session, SessionManagerLayer, SessionStore};

use crate::redis;

/// About as long as what a signed-in user's session keeps.
const TOKEN_BYTES: usize = 1200;

/// Runs until it is killed, with its sessions in `SESSION_STORE`.
pub(crate) async fn main() -> Result<()> {
    let store = env::var("SESSION_STORE")?;
    // As many connections as the sign-in example has.
    let app = if store == "memory" { app(MemoryStore::default()) } else { app(redis::store(&store, 4).await?) };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    Ok(axum::serve(listener, app).await?)
}

fn app(store: impl SessionStore + Clone) -> Router {
    let sessions = SessionManagerLayer::new(store).with_same_site(SameSite::Lax).with_secure(false);
    Router::new().route("/read", get(read)).route("/insert", get(insert)).route("/renew", get(renew)).layer(sessions)
}

type Response = Result<String, (StatusCode, String)>;

/// A page about as long as the sign-in example's.
async fn read(session: Session) -> Response {
    let token = session.get::<String>("token").await.map_err(failed)?;
    Ok(token.ok_or((StatusCode::NOT_FOUND, "no token".to_owned()))?.repeat(2))
}

async fn insert(session: Session) -> Response {
    session.insert("pending", "a sign-in").await.map_err(failed)?;
    Ok(String::new())
}

async fn renew(session: Session) -> Response {
    let pending = session.get::<String>("pending").await.map_err(failed)?;
    pending.ok_or((StatusCode::NOT_FOUND, "no sign-in".to_owned()))?;
    session.cycle_id().await.map_err(failed)?;
    session.insert("token", "x".repeat(TOKEN_BYTES)).await.map_err(failed)?;
    Ok(String::new())
}

fn failed(error: impl Display) -> (StatusCode, String) {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}
