//! Sign-in with [Logto](https://logto.io) for Rust web apps.
//!
//! Logto is an open-source identity provider that speaks OpenID Connect. This crate sends users there to sign in, keeps
//! their tokens in the session that your web framework already has, refreshes the tokens, and signs users out. It works
//! with any web framework; for axum 0.8 there are ready-made routes and extractors, too.
//!
//! # A first program
//!
//! Create one [`LogtoClient`] when your app starts, and one [`LogtoSession`] per request:
//!
//! ```
//! use logto_client::{Error, LogtoClient, LogtoConfig, LogtoSession, LogtoStorage, MemorySession, SignInOptions, Url};
//!
//! /// Holds the session of your web framework, such as `tower_sessions::Session`.
//! #[derive(LogtoStorage)]
//! struct SessionStorage {
//!     session: MemorySession,
//! }
//!
//! type Session = LogtoSession<SessionStorage>;
//!
//! /// Redirect the browser to the returned URL.
//! async fn sign_in(session: &Session) -> Result<Url, Error> {
//!     session.sign_in(SignInOptions::new("http://localhost:3000/callback")).await
//! }
//!
//! /// Logto redirects the browser here. `url` is the request's path and query.
//! async fn callback(session: &Session, url: &str) -> Result<String, Error> {
//!     let signed_in = session.handle_sign_in_callback(url).await?;
//!     Ok(format!("Hello {}", signed_in.claims.display_name()))
//! }
//!
//! /// Redirect the browser to the returned URL.
//! async fn sign_out(session: &Session) -> Result<Url, Error> {
//!     session.sign_out(Some("http://localhost:3000/")).await
//! }
//!
//! # fn main() -> Result<(), Error> {
//! let config = LogtoConfig::builder("https://tenant.logto.app", "app-id").app_secret("app-secret").build()?;
//! let logto = LogtoClient::new(config)?;
//!
//! // In a handler, with the session of the request:
//! let session = logto.session(SessionStorage { session: MemorySession::default() });
//! # Ok(())
//! # }
//! ```
//!
//! Register `http://localhost:3000/callback` as a redirect URI and `http://localhost:3000/` as a post sign-out
//! redirect URI in Logto's console. With axum, [`axum`](mod@crate::axum) replaces the three functions by two lines.
//!
//! # Where to look
//!
//! | you want to | see |
//! |---|---|
//! | configure the app: endpoint, secret, scopes, APIs | [`LogtoConfig`], [`scope`] |
//! | create the client, bring your own HTTP client | [`LogtoClient`] |
//! | sign in, sign out, get tokens and user info | [`LogtoSession`], [`SignInOptions`], [`TokenTarget`] |
//! | know what tokens contain | [`IdTokenClaims`], [`UserClaims`], [`AccessTokenClaims`] |
//! | verify the access tokens that your API receives | [`api`] |
//! | protect axum routes | [`axum`](mod@crate::axum) |
//! | keep the tokens in a store of their own | the module `vault` |
//! | keep the tokens in a session | [`#[derive(LogtoStorage)]`](derive@LogtoStorage); with axum, `axum::InSession` needs no derive |
//! | write a storage or a session handle yourself | [`storage`] |
//! | handle errors | [`Error`] |
//!
//! Your app needs no other crate of this project: everything an app uses from `logto-storage-core` is re-exported.
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `derive` (on by default) | the macros [`LogtoStorage`](derive@LogtoStorage), [`LogtoScope`](derive@LogtoScope) and [`LogtoRole`](derive@LogtoRole) |
//! | `axum-0_8` | routes and extractors for axum 0.8: [`axum`](mod@crate::axum) |
//! | `actix-web-4` | verified access tokens in actix-web 4: the module `actix_web` |
//! | `poem-web-3` | verified access tokens in poem 3: the module `poem` |
//! | `rocket-0_5` | verified access tokens in Rocket 0.5: the module `rocket` |
//! | `salvo-web-1` | verified access tokens in salvo 1: the module `salvo`; requires Rust 1.95 |
//! | `tower-service-0_3` | a layer that requires an access token, for servers on `tower`: the module `tower` |
//! | `vault` | tokens in a store of their own: the module `vault` |
//! | `vault-mongodb-3` | `vault::MongoVault`, on version 3 of the crate `mongodb` |
//! | `vault-postgres-sqlx-0_8` | `vault::PostgresVault`, on version 0.8 of the crate `sqlx` |
//! | `vault-redis-1` | `vault::RedisVault`, on version 1 of the crate `redis` |
//! | `vault-redis-1-cluster` | `vault::RedisVault` on Redis Cluster |
//! | `vault-sqlite-sqlx-0_8` | `vault::SqliteVault`, on version 0.8 of the crate `sqlx` |
//! | `tower-sessions-0_15`, `tower-sessions-0_14` | [`SessionHandle`] for `tower_sessions::Session` |
//! | `actix-session-0_11` | [`SessionHandle`] for `actix_session::Session` |
//! | `axum_session-0_22` | [`SessionHandle`] for `axum_session::Session` |
//! | `poem-3` | [`SessionHandle`] for `poem::session::Session` |
//! | `salvo-1` | [`SessionHandle`] for `salvo::session::Session`; requires Rust 1.95 and `dangerously_keep_session_id` |
//!
//! A feature is named for the version of the library whose types it uses. Each session library saves at its own time
//! and has its own limits: see the [implementations](SessionHandle#foreign-impls) of [`SessionHandle`]. Two that surprise:
//!
//! - actix-session: connect to Redis with a pool (`RedisSessionStore::new_pooled`). The single connection of
//!   `RedisSessionStore::new` can take minutes to come back after an outage.
//! - poem: if a handler returns `Err`, nothing that it wrote is saved. In the handlers that sign in and out, turn errors
//!   into an `Ok` response with an error status.
//!
//! # Security
//!
//! - **Session fixation**: the session gets a new id in the save that stores the tokens, and again at sign-out. An id
//!   that an attacker planted is worthless afterwards.
//! - **Forged and stolen callbacks**: each callback must belong to a sign-in that this session started, by its `state`
//!   and by the `nonce` in the ID token, and its code is exchanged once. A stolen code is useless without the PKCE code verifier
//!   (RFC 7636).
//! - **Mixed-up providers**: the `iss` of a callback must be this provider (RFC 9207).
//! - **Forged ID tokens**: signature, issuer, audience, times, `nonce` and `at_hash` are verified (OpenID Connect
//!   Core 1.0, sections 3.1.3.7 and 3.1.3.8). Only asymmetric algorithms are accepted, each with keys of its own type.
//! - **Leaked secrets**: errors, `Debug` output and log lines contain no token, code or secret.
//! - **A misbehaving provider**: responses are limited to 1 MiB and 10 seconds, or 30 seconds with your own HTTP client.
//!   A redirected response is rejected; configure your own client not to follow redirects.
//!
//! # Logs
//!
//! The crate logs with [`tracing`](https://docs.rs/tracing). No line contains a token, a code or a secret. A refresh
//! runs in the span `refresh`, whose field `target` names what the token is for.
//!
//! | level | events |
//! |---|---|
//! | `error` | failures that an operator has to fix, such as a wrong app secret (`invalid_client`) or a wrong redirect URI |
//! | `warn` | rejected callbacks, failed revocations, a provider that does not answer |
//! | `info` | sign-ins, sign-outs, token refreshes and rotations, the URIs to register at startup |
//! | `debug` | signed-out visitors on protected pages, started sign-ins, fetched metadata and keys |
//!
//! # Limits
//!
//! - The crate does not manage sessions for values of your own. With a vault it keeps the tokens in a store and a cookie of its
//!   own; without one, the cookie, the store and the expiry are your session library's.
//! - It gets tokens for signed-in users only. Machine-to-machine apps and token exchange are not supported.
//! - It does not support back-channel logout. A user who is signed out elsewhere stays signed in to your app until the
//!   next token refresh.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix-web-4")]
pub mod actix_web;
pub mod api;
#[cfg(feature = "axum-0_8")]
pub mod axum;
mod claims;
mod client;
mod config;
mod error;
mod issuer;
mod oidc;
#[cfg(feature = "poem-web-3")]
pub mod poem;
mod provider;
#[cfg(feature = "rocket-0_5")]
pub mod rocket;
#[cfg(feature = "salvo-web-1")]
pub mod salvo;
pub mod scope;
mod session;
#[cfg(test)]
mod tests;
mod tokens;
#[cfg(feature = "tower-service-0_3")]
pub mod tower;
mod util;

/// Types and traits for writing your own storage or session handle, re-exported from `logto-storage-core`.
///
/// [`LogtoStorage`](trait@LogtoStorage) is the interface between this crate and a session. Usually you derive it.
/// Implement [`SessionHandle`] to make the derive work with another session library.
pub mod storage {
    pub use logto_storage_core::{
        AllSeen, BoxFuture, Change, Changes, DynStorage, Error, ErrorKind, MemorySession, Operation, Result, Seen,
        SessionHandle, storage::LogtoStorage,
    };

    #[doc(hidden)]
    pub use logto_storage_core::attributes;
}

/// Tokens in a store of their own, re-exported from `logto-vault` (feature `vault`).
///
/// Web session libraries save a session as a whole, so concurrent requests undo each other's changes. With a vault, the
/// session holds a ticket only, and the tokens are in a record that is changed by compare-and-change: no token is lost,
/// a sign-out stays, and any number of processes share a sign-in.
///
/// Create one [`Vault`](vault::Vault) when the program starts. With axum, use `axum::VaultSession` as your storage, which
/// needs no session library, or `axum::VaultStorage` with one. Elsewhere derive a storage for a struct that holds a
/// [`Vaulted`](vault::Vaulted) session, whose ticket is in a session or in a [`TicketCookie`](vault::TicketCookie).
///
/// | store | for | feature |
/// |---|---|---|
/// | [`MemoryVault`](vault::MemoryVault) | development, tests and single processes | `vault` |
/// | `MongoVault` | production, with any number of processes | `vault-mongodb-3` |
/// | `PostgresVault` | production, with any number of processes | `vault-postgres-sqlx-0_8` |
/// | `RedisVault` | production, with any number of processes | `vault-redis-1`, or `vault-redis-1-cluster` |
/// | `SqliteVault` | production, with processes on one machine | `vault-sqlite-sqlx-0_8` |
#[cfg(feature = "vault")]
pub mod vault {
    #[cfg(feature = "vault-mongodb-3")]
    pub use logto_vault::MongoVault;
    #[cfg(feature = "vault-postgres-sqlx-0_8")]
    pub use logto_vault::PostgresVault;
    #[cfg(feature = "vault-redis-1")]
    pub use logto_vault::RedisVault;
    #[cfg(feature = "vault-sqlite-sqlx-0_8")]
    pub use logto_vault::SqliteVault;
    pub use logto_vault::store::{self, StoreError, VaultStore};
    pub use logto_vault::vault::InvalidApplicationKey;
    pub use logto_vault::{BoxVault, MemoryVault, ThreadBound, TicketCookie, Vault, Vaulted, cookie};
}

pub use logto_storage_core::storage::LogtoStorage;
pub use logto_storage_core::{Change, Changes, DynStorage, MemorySession, SessionHandle};
#[cfg(feature = "derive")]
#[doc = include_str!("derive.md")]
pub use logto_storage_derive::LogtoClientStorage as LogtoStorage;
pub use url::Url;

/// The HTTP client library, in the version that [`LogtoClient::with_http_client`] accepts.
pub use reqwest;
/// JSON, in the version of [`UserClaims::extra`].
pub use serde_json;

#[cfg(feature = "derive")]
pub use crate::api::LogtoRole;
pub use crate::api::{LogtoApi, LogtoScope, Permission};
pub use crate::claims::{AccessTokenClaims, IdTokenClaims, Identity, OrganizationData, UserClaims, UserInfo};
pub use crate::client::LogtoClient;
pub use crate::config::{AppSecret, LogtoConfig, LogtoConfigBuilder};
pub use crate::error::{AccessTokenError, Endpoint, Error, IdTokenError, RequestError, RequestErrorKind};
pub use crate::oidc::authorize::{DirectSignIn, FirstScreen, Identifier, Prompt, SignInOptions};
pub use crate::session::{LogtoSession, SessionContext, SignedIn};
pub use crate::tokens::{AccessToken, IdToken, RefreshToken, TokenTarget};
