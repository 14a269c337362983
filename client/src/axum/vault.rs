//! The extractor of a storage in a vault.

use std::fmt;
use std::sync::Arc;

use ::axum::extract::{FromRef, FromRequestParts};
use ::axum::http::request::Parts;

use crate::vault::{Vault, VaultStore, Vaulted};

/// A storage in a vault, with a ticket in any session that is an extractor, such as `tower_sessions::Session`.
///
/// The state of the router contains the vault. All extractors of a request share what they have read, so a page costs
/// one read of the vault.
///
/// ```
/// # #[cfg(feature = "tower-sessions-0_15")]
/// # mod app {
/// use axum::Router;
/// use axum::extract::FromRef;
/// use axum::routing::get;
/// use logto_client::axum::{LogtoAuth, VaultStorage};
/// use logto_client::vault::{MemoryVault, Vault};
/// use logto_client::{LogtoClient, LogtoConfig};
///
/// type Storage = VaultStorage<tower_sessions::Session, MemoryVault>;
/// type User = logto_client::axum::User<Storage>;
///
/// #[derive(Clone, FromRef)]
/// struct AppState {
///     auth: LogtoAuth,
///     vault: Vault<MemoryVault>,
/// }
///
/// fn app(config: LogtoConfig) -> Result<Router, logto_client::Error> {
///     let auth = LogtoAuth::builder(LogtoClient::new(config)?, "https://app.example.com").build()?;
///     let vault = Vault::new(MemoryVault::default());
///     Ok(Router::new()
///         .route("/private", get(private))
///         .merge(auth.routes::<Storage, _>())
///         .with_state(AppState { auth, vault }))
/// }
///
/// async fn private(user: User) -> String {
///     format!("Hello {}", user.claims.display_name())
/// }
/// # }
/// # fn main() {}
/// ```
#[derive(logto_storage_derive::LogtoStorage)]
#[logto(crate = "crate::storage")]
pub struct VaultStorage<H, S>(Arc<Vaulted<H, S>>);

impl<H, S> Clone for VaultStorage<H, S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<H, S, T> FromRequestParts<T> for VaultStorage<H, S>
where
    H: FromRequestParts<T> + Send + Sync + 'static,
    S: VaultStore,
    Vault<S>: FromRef<T>,
    T: Send + Sync,
{
    type Rejection = H::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Self::Rejection> {
        if let Some(storage) = parts.extensions.get::<Self>() {
            return Ok(storage.clone());
        }
        let session = H::from_request_parts(parts, state).await?;
        let storage = Self(Arc::new(Vaulted::new(session, Vault::from_ref(state))));
        parts.extensions.insert(storage.clone());
        Ok(storage)
    }
}

/// Leaves the session out: the `Debug` output of most sessions contains the ticket.
impl<H, S: fmt::Debug> fmt::Debug for VaultStorage<H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VaultStorage").field(&self.0).finish()
    }
}
