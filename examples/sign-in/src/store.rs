//! The vault's store.

use std::error::Error;
use std::time::Duration;

use logto_client::vault::{BoxVault, MemoryVault, MongoVault, PostgresVault, RedisVault, SqliteVault, StoreError};

use crate::problem::with_causes;

/// How often expired records are deleted. Redis and MongoDB do so themselves.
const SWEEP_INTERVAL: Duration = Duration::from_hours(1);

/// Opens the store that `STORE` names.
pub(crate) async fn open(store: &str) -> Result<BoxVault, Box<dyn Error>> {
    let scheme = store.split(':').next().unwrap_or_default();
    let opened = match scheme {
        "memory" => Ok(BoxVault::new(MemoryVault::default())),
        "redis" | "rediss" if store.contains(',') => {
            RedisVault::connect_cluster(store.split(',')).await.map(BoxVault::new)
        }
        "redis" | "rediss" => RedisVault::connect(store).await.map(BoxVault::new),
        "mongodb" => mongodb(store).await.map(BoxVault::new),
        "postgres" | "postgresql" => postgres(store).await.map(BoxVault::new),
        "sqlite" => sqlite(store).await.map(BoxVault::new),
        _ => {
            return Err(
                "STORE is invalid: set it to `memory` or a URL, redis://…, postgres://…, mongodb://… or sqlite:…"
                    .into(),
            );
        }
    };
    // The URL itself may contain a password.
    opened.map_err(|error| format!("cannot use the {scheme} store (STORE): {}", with_causes(&error).join(": ")).into())
}

async fn mongodb(url: &str) -> Result<MongoVault, StoreError> {
    let store = MongoVault::connect(url).await?;
    store.create_index().await?;
    Ok(store)
}

async fn postgres(url: &str) -> Result<PostgresVault, StoreError> {
    let store = PostgresVault::connect(url).await?;
    store.create_table().await?;
    let swept = store.clone();
    tokio::spawn(sweep(move || {
        let store = swept.clone();
        async move { store.delete_expired().await }
    }));
    Ok(store)
}

async fn sqlite(url: &str) -> Result<SqliteVault, StoreError> {
    let store = SqliteVault::connect(url).await?;
    store.create_table().await?;
    let swept = store.clone();
    tokio::spawn(sweep(move || {
        let store = swept.clone();
        async move { store.delete_expired().await }
    }));
    Ok(store)
}

async fn sweep<F: Future<Output = Result<u64, StoreError>>>(delete_expired: impl Fn() -> F) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        if let Err(error) = delete_expired().await {
            tracing::warn!(error = &error as &dyn Error, "cannot delete expired records");
        }
    }
}
