#![doc = include_str!("../README.md")]

mod authorize;
mod claims;
mod client_auth;
mod config;
mod discovery;
mod embed;
mod end_session;
mod error;
mod expiring;
mod grants;
mod introspection;
mod keys;
mod page;
mod params;
mod revocation;
mod session;
mod sign_in;
mod state;
mod target;
mod token;
mod userinfo;
mod users;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use crate::config::{Config, MachineClient, Resource, StartError};
pub use crate::embed::AuthorizeError;
pub use crate::keys::SigningAlgorithm;
use crate::state::{Provider, Shared};
pub use crate::token::TokenRequest;
pub use crate::users::{Membership, Organization, OrganizationRole, Role, User};

/// How long to wait for open connections when the provider stops.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// The maximum size of a request body in bytes.
const BODY_LIMIT: usize = 65_536;

/// A running provider. It stops when it is dropped.
pub struct DevProvider {
    provider: Shared,
    server: Option<Server>,
}

/// A server task, which ends when `stop` is dropped.
struct Server {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl DevProvider {
    /// Starts a provider that listens on the endpoint's port.
    ///
    /// # Errors
    ///
    /// Fails if the endpoint or a redirect URI is malformed, the endpoint is not on loopback, or its port is taken.
    pub async fn start(mut config: Config) -> Result<Self, StartError> {
        let (mut endpoint, address) = config.validate()?;
        let failed = |source| StartError::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        // Cannot fail for a URL with a host.
        let _ = endpoint.set_port(Some(port));
        endpoint.as_str().trim_end_matches('/').clone_into(&mut config.endpoint);
        let provider = Arc::new(Provider::new(config, &endpoint, port)?);
        let app = routes(&provider);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            // Never fails: axum retries failed accepts.
            let _ = axum::serve(listener, app).with_graceful_shutdown(stopped).await;
        });
        Ok(Self { provider, server: Some(Server { stop, task }) })
    }

    /// Creates a provider that does not listen, for tests that serve [`DevProvider::router`] at the endpoint
    /// themselves.
    ///
    /// # Errors
    ///
    /// Fails if the endpoint or a redirect URI is malformed, or the endpoint is not on loopback.
    pub fn unserved(mut config: Config) -> Result<Self, StartError> {
        let (endpoint, address) = config.validate()?;
        endpoint.as_str().trim_end_matches('/').clone_into(&mut config.endpoint);
        let provider = Arc::new(Provider::new(config, &endpoint, address.port())?);
        Ok(Self { provider, server: None })
    }

    /// Returns the endpoint to configure in a Logto client, without a trailing slash.
    pub fn endpoint(&self) -> &str {
        &self.provider.config.endpoint
    }

    pub fn issuer(&self) -> &str {
        &self.provider.issuer
    }

    /// Returns the configuration. Its endpoint has the actual port.
    pub fn config(&self) -> &Config {
        &self.provider.config
    }

    /// Returns the last 1000 requests to the token endpoint, oldest first.
    pub fn token_requests(&self) -> Vec<TokenRequest> {
        self.provider.tables().token_requests.iter().cloned().collect()
    }

    /// Revokes all grants, as an administrator of Logto can. No refresh token works any more.
    pub fn revoke_all_grants(&self) {
        self.provider.tables().grants.revoke_all();
    }

    /// Changes the user with this id, name, username or email address. Returns whether the user exists.
    pub fn update_user(&self, user: &str, change: impl FnOnce(&mut User)) -> bool {
        self.provider.tables().users.find_mut(user).map(change).is_some()
    }

    /// Suspends a user, as an administrator of Logto can: revokes their grants and rejects further sign-ins. Returns
    /// whether the user exists.
    pub fn suspend_user(&self, user: &str) -> bool {
        let mut tables = self.provider.tables();
        let Some(user) = tables.users.find_mut(user) else { return false };
        user.is_suspended = true;
        let id = user.id.clone();
        tables.grants.revoke_of_user(&id);
        true
    }

    /// Deletes a user and revokes their grants. Returns whether the user existed.
    pub fn delete_user(&self, user: &str) -> bool {
        let mut tables = self.provider.tables();
        let Some(id) = tables.users.find(user).map(|user| user.id.clone()) else { return false };
        tables.users.remove(&id);
        tables.grants.revoke_of_user(&id);
        true
    }

    /// Generates a new signing key. The JWK set keeps the previous one, too.
    ///
    /// # Errors
    ///
    /// Fails if no key can be generated.
    pub fn rotate_signing_key(&self) -> Result<(), StartError> {
        self.provider.keys_mut().rotate()
    }

    /// Stops the provider after the current requests.
    pub async fn stop(self) {
        if let Some(Server { stop, task }) = self.server {
            drop(stop);
            let _ = timeout(STOP_LIMIT, task).await;
        }
    }
}

fn routes(provider: &Shared) -> Router {
    let routes = Router::new()
        .route("/.well-known/openid-configuration", get(discovery::discovery))
        .route("/jwks", get(keys::key_set))
        .route("/auth", get(authorize::authorize))
        .route("/sign-in", post(sign_in::submit))
        .route("/token", post(token::token))
        .route("/token/introspection", post(introspection::introspect))
        .route("/token/revocation", post(revocation::revoke))
        .route("/me", get(userinfo::userinfo).post(userinfo::userinfo))
        .route("/session/end", get(end_session::end_session))
        .route("/style.css", get(page::stylesheet))
        .with_state(Arc::clone(provider));
    Router::new().nest(&provider.root, routes).layer(DefaultBodyLimit::max(BODY_LIMIT)).layer(from_fn(page::secure))
}
