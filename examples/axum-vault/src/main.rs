//! Signs users in with axum, and keeps their tokens in a SQLite file.

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use logto_client::axum::{LogtoAuth, VaultSession};
use logto_client::vault::{SqliteVault, Vault};
use logto_client::{LogtoClient, LogtoConfig};
use tokio::net::TcpListener;

/// A signed-in user, whose tokens are in the vault. The browser's cookie is a ticket to them.
type User = logto_client::axum::User<VaultSession>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let listener = TcpListener::bind(format!("127.0.0.1:{}", variable("PORT", "3000"))).await?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());

    // The defaults are those of the development provider.
    let config = LogtoConfig::builder(
        variable("LOGTO_ENDPOINT", "http://127.0.0.1:3001"),
        variable("LOGTO_APP_ID", "dev-client"),
    )
    .app_secret(variable("LOGTO_APP_SECRET", "dev-secret"))
    .build()?;
    let auth = LogtoAuth::builder(LogtoClient::new(config)?, variable("BASE_URL", &url)).build()?;

    // For PostgreSQL it is a `PostgresVault`. A `RedisVault` needs no table, and deletes expired records itself.
    let store = SqliteVault::connect(&variable("DATABASE_URL", "sqlite:vault.db")).await?;
    store.create_table().await?;
    tokio::spawn(delete_expired(store.clone()));

    let app = Router::new()
        .route("/", get(home))
        .route("/private", get(private))
        .merge(auth.routes::<VaultSession, _>())
        .layer(auth.vault_layer(Vault::new(store)))
        .with_state(auth);
    println!("Listening on {url}");
    axum::serve(listener, app).await?;
    Ok(())
}

async fn home(user: Option<User>) -> Html<&'static str> {
    Html(if user.is_some() {
        r#"You are signed in: see <a href="/private">your page</a>, or <a href="/logto/sign-out">sign out</a>."#
    } else {
        r#"Hello stranger: <a href="/logto/sign-in">sign in</a>."#
    })
}

/// Signed-out visitors are redirected to sign in, then returned here.
async fn private(user: User) -> String {
    format!("Hello {}", user.claims.display_name())
}

async fn delete_expired(store: SqliteVault) {
    loop {
        tokio::time::sleep(Duration::from_hours(1)).await;
        if let Err(error) = store.delete_expired().await {
            eprintln!("cannot delete expired records: {error:?}");
        }
    }
}

fn variable(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
