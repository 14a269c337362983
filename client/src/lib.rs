//! Logto's SDK for web apps: sign-in, callback, tokens and sign-out, kept in the web session.
//!
//! ```
//! use logto_client::{LogtoClient, LogtoConfig, LogtoStorage, SignInOptions, Url};
//!
//! async fn sign_in(logto: &LogtoClient, storage: impl LogtoStorage) -> Result<Url, logto_client::Error> {
//!     logto.session(storage).sign_in(SignInOptions::new("http://localhost:3000/callback")).await
//! }
//!
//! async fn callback(logto: &LogtoClient, storage: impl LogtoStorage, url: &str) -> Result<String, logto_client::Error> {
//!     let signed_in = logto.session(storage).handle_sign_in_callback(url).await?;
//!     Ok(format!("Hello {}", signed_in.claims.user.name.unwrap_or(signed_in.claims.sub)))
//! }
//!
//! async fn sign_out(logto: &LogtoClient, storage: impl LogtoStorage) -> Result<Url, logto_client::Error> {
//!     logto.session(storage).sign_out(Some("http://localhost:3000/")).await
//! }
//!
//! # fn main() -> Result<(), logto_client::Error> {
//! let config = LogtoConfig::builder("https://tenant.logto.app", "app-id").app_secret("app-secret").build()?;
//! let logto = LogtoClient::new(config)?;
//! # Ok(())
//! # }
//! ```
//!
//! - [`LogtoClient`] is one for the program, made of a [`LogtoConfig`].
//! - [`LogtoSession`] is one for each request: [`LogtoClient::session`] makes it of a storage.
//! - The storage is a struct with [`#[derive(LogtoStorage)]`](derive@LogtoStorage) (feature `derive`) that holds the
//!   session of the web framework, or whatever else implements [`LogtoStorage`](trait@LogtoStorage). What that takes is
//!   re-exported here, and in whole by [`storage`], so that an app needs this crate alone.
//! - [`Error`] is what any of it answers with.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | what it adds |
//! |---|---|
//! | `axum` | ready routes and extractors: [`axum`](mod@crate::axum) |
//! | `derive` | the macro [`LogtoStorage`](derive@LogtoStorage) |
//! | `tower-sessions-0_15`, `tower-sessions-0_14`, `actix-session-0_11`, `axum_session-0_22`, `poem-3`, `salvo-1` | [`SessionHandle`] for the session of that library, as in `logto-storage-core` |
//!
//! # What it protects from
//!
//! - The session's id is renewed in the save that stores the tokens, and at sign-out: a planted id is worth nothing
//!   (session fixation).
//! - A callback is taken for a sign-in that this session began, once: its `state`, and the `nonce` in the ID token. So
//!   nobody can be signed in as somebody else by a link, and a stolen code is of no use without PKCE's verifier.
//! - Callbacks are told apart by provider (`iss`, RFC 9207), ID tokens are checked as OpenID Connect Core 1.0 says in
//!   section 3.1.3.7, and the access token beside them (`at_hash`).
//! - No token, code or secret is in an error, in a `Debug` output, in a line of the log or in a URL.
//! - Answers are read up to 1 MiB, in 10 s; redirects are not followed.
//!
//! # Logs
//!
//! By `tracing`: a span `refresh`; at `info` who signs in and out (not by name), refreshes and rotations; at `warn`
//! rejected callbacks, failed revocations, and a provider that does not answer while its last good answer stays in use.

#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum-0_8")]
pub mod axum;
mod claims;
mod client;
mod config;
mod error;
mod oidc;
mod provider;
pub mod scope;
mod session;
#[cfg(test)]
mod tests;
mod tokens;
mod util;

/// The whole of `logto-storage-core` but the macro: its errors, and what a storage or a session handle of your own
/// takes. The derive's `crate` is this module.
pub mod storage {
    pub use logto_storage_core::{
        BoxFuture, Change, Changes, DynStorage, Error, ErrorKind, MemorySession, Operation, Result, SessionHandle,
        storage::LogtoStorage,
    };

    #[doc(hidden)]
    pub use logto_storage_core::attributes;
}

pub use logto_storage_core::storage::LogtoStorage;
pub use logto_storage_core::{Change, Changes, DynStorage, MemorySession, SessionHandle};
#[cfg(feature = "derive")]
#[doc = include_str!("derive.md")]
pub use logto_storage_derive::LogtoClientStorage as LogtoStorage;
pub use url::Url;

/// The HTTP client, in the version that [`LogtoClient::with_http_client`] accepts.
pub use reqwest;

pub use crate::claims::{AccessTokenClaims, IdTokenClaims, Identity, OrganizationData, UserClaims, UserInfo};
pub use crate::client::LogtoClient;
pub use crate::config::{AppSecret, LogtoConfig, LogtoConfigBuilder};
pub use crate::error::{Endpoint, Error, IdTokenError, RequestError, RequestErrorKind};
pub use crate::oidc::authorize::{DirectSignIn, FirstScreen, Identifier, Prompt, SignInOptions};
pub use crate::session::{LogtoSession, SessionContext, SignedIn};
pub use crate::tokens::{AccessToken, IdToken, RefreshToken, TokenTarget};
