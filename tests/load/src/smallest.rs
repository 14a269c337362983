//! The smallest app with `logto-client`, in a process of its own: with a vault and its cookie, or with tower-sessions.

use std::env;
use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::FromRequestParts;
use axum::routing::get;
use logto_client::axum::{InSession, LogtoAuth, User, VaultSession};
use logto_client::vault::{BoxVault, MemoryVault, RedisVault, Vault};
use logto_client::{LogtoClient, LogtoConfig, LogtoStorage};
use tokio::net::TcpListener;
use tower_sessions_0_14::cookie::SameSite;
use tower_sessions_0_14::{MemoryStore, Session, SessionManagerLayer, SessionStore};

use crate::redis;

/// Runs until it is killed, with the tokens in `STORE`.
pub(crate) async fn with_vault() -> Result<()> {
    let auth = auth()?;
    let store = match &*variable("STORE")? {
        "memory" => BoxVault::new(MemoryVault::default()),
        url => BoxVault::new(RedisVault::connect(url).await?),
    };
    serve(routes::<VaultSession>(&auth).layer(auth.vault_layer(Vault::new(store))), auth).await
}

/// The same with tower-sessions.
pub(crate) async fn with_sessions() -> Result<()> {
    match &*variable("STORE")? {
        "memory" => serve_sessions(MemoryStore::default()).await,
        // As many connections as the other has.
        url => serve_sessions(redis::store(url, 1).await?).await,
    }
}

async fn serve_sessions(store: impl SessionStore + Clone) -> Result<()> {
    let auth = auth()?;
    let sessions = SessionManagerLayer::new(store).with_same_site(SameSite::Lax).with_secure(false);
    serve(routes::<InSession<Session>>(&auth).layer(sessions), auth).await
}

fn auth() -> Result<LogtoAuth> {
    let config = LogtoConfig::builder(variable("LOGTO_ENDPOINT")?, variable("LOGTO_APP_ID")?)
        .app_secret(variable("LOGTO_APP_SECRET")?)
        .build()?;
    Ok(LogtoAuth::builder(LogtoClient::new(config)?, variable("BASE_URL")?).build()?)
}

fn routes<S>(auth: &LogtoAuth) -> Router<LogtoAuth>
where
    S: LogtoStorage + FromRequestParts<LogtoAuth> + Send + Sync + 'static,
{
    Router::new().route("/page", get(page::<S>)).merge(auth.routes::<S, LogtoAuth>())
}

async fn page<S: LogtoStorage + Send + Sync>(user: User<S>) -> String {
    format!("Hello {}", user.claims.display_name())
}

async fn serve(app: Router<LogtoAuth>, auth: LogtoAuth) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("Listening on http://localhost:{}", listener.local_addr()?.port());
    Ok(axum::serve(listener, app.with_state(auth)).await?)
}

fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}
