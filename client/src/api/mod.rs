//! Verified access tokens, for APIs.
//!
//! A [`LogtoApi`] verifies the access tokens that Logto issues for your API. It needs no app at Logto, no secret and no
//! session. With a web framework, [`Bearer`] and [`Allowed`] among a handler's arguments protect the handler:
//!
//! ```
//! # #[cfg(feature = "axum-0_8")]
//! # mod app {
//! use axum::Router;
//! use axum::routing::get;
//! use logto_client::LogtoScope;
//! use logto_client::api::{Allowed, Bearer, LogtoApi};
//!
//! #[derive(LogtoScope)]
//! #[logto(scope = "write:things")]
//! struct WriteThings;
//!
//! fn app() -> Result<Router, logto_client::Error> {
//!     let api = LogtoApi::builder("https://tenant.logto.app").audience("https://api.example.com").build()?;
//!     Ok(Router::new().route("/things", get(list).post(create)).with_state(api))
//! }
//!
//! /// 401 without a valid token.
//! async fn list(token: Bearer) -> String {
//!     format!("the things of {}", token.sub())
//! }
//!
//! /// 403 if the token lacks the scope.
//! async fn create(Allowed(token): Allowed<WriteThings>) -> String {
//!     format!("created by {}", token.sub())
//! }
//! # }
//! # fn main() {}
//! ```
//!
//! # Web frameworks
//!
//! | framework | feature and example | where the `LogtoApi` is | an optional token |
//! |---|---|---|---|
//! | axum 0.8 | `axum-0_8`, above | the router's state | `Option<Bearer>` |
//! | actix-web 4 | `actix-web-4`, the module `actix_web` | the app's data | [`OptionalBearer`] |
//! | poem 3 | `poem-web-3`, the module `poem` | the endpoint's data | [`OptionalBearer`] |
//! | salvo 1 | `salvo-web-1`, the module `salvo` | the depot | [`OptionalBearer`] |
//! | Rocket 0.5 | `rocket-0_5`, the module `rocket` | a fairing | [`OptionalBearer`] |
//! | any on tower | `tower-service-0_3`, the module `tower` | the layer | |
//! | another | [`Bearer::from_request`] | yours to choose | |
//!
//! None of these features brings a session library.
//!
//! # Permissions
//!
//! A scope is a type with [`#[derive(LogtoScope)]`](derive@crate::LogtoScope). Tuples are all of their members, and
//! [`AnyOf`] one of them. Logto has three kinds of permissions:
//!
//! | permission | accepted with | `resource` of the scope |
//! |---|---|---|
//! | of an API | [`audience`](LogtoApiBuilder::audience) | the API, or none if there is one audience only |
//! | of an API, within an organization | [`in_organizations`](LogtoApiBuilder::in_organizations) | the same |
//! | of an organization | [`organization_tokens`](LogtoApiBuilder::organization_tokens) | `urn:logto:resource:organizations` |
//!
//! For the last two, [`require_in_organization`](VerifiedToken::require_in_organization) also checks that the token is for
//! the organization that the request is about.
//!
//! Roles are types with [`#[derive(LogtoRole)]`](derive@crate::LogtoRole). They are for signed-in users: access tokens do
//! not contain them.
//!
//! # Verification
//!
//! A token must have the type `at+jwt`, so that an ID token is never an access token (RFC 9068), and an asymmetric
//! algorithm that its key is for (RFC 8725); its issuer, audience and times must be right. JWK sets are fetched when they
//! are first needed, or [ahead](LogtoApi::prefetch), and renewed in the background every hour. A token that names an
//! unknown key makes the API fetch the set again, up to five times in a row, then once per minute. While Logto does not
//! answer, the last good set stays in use for at most a day, and tokens with unknown keys are answered with 503.
//!
//! Valid tokens are remembered by their SHA-256 digest until they expire, for at most an hour, or until their key leaves
//! the JWK set. A repeated token costs a hash and a look-up, not a signature.
//!
//! JWTs cannot be revoked: Logto's are valid for an hour by default, whatever happens to the user.
//!
//! # Several issuers
//!
//! Create a `LogtoApi` per issuer, and choose one by its type:
//!
//! ```
//! # #[cfg(feature = "axum-0_8")]
//! # mod app {
//! use axum::extract::FromRef;
//! use logto_client::api::{Bearer, LogtoApi};
//!
//! #[derive(Clone)]
//! struct Partners(LogtoApi);
//!
//! impl AsRef<LogtoApi> for Partners {
//!     fn as_ref(&self) -> &LogtoApi {
//!         &self.0
//!     }
//! }
//!
//! #[derive(Clone, FromRef)]
//! struct AppState {
//!     customers: LogtoApi,
//!     partners: Partners,
//! }
//!
//! async fn for_customers(token: Bearer) {}
//!
//! async fn for_partners(token: Bearer<Partners>) {}
//! # }
//! # fn main() {}
//! ```

#[cfg(any(feature = "actix-web-4", feature = "poem-web-3", feature = "rocket-0_5", feature = "salvo-web-1"))]
pub(crate) mod adapter;
#[doc(hidden)]
pub mod attributes;
mod bearer;
mod builder;
mod caller;
mod error;
mod introspection;
pub(crate) mod memory;
mod metadata;
mod optional;
mod permission;
mod request;
mod response;
mod token;

use std::fmt;
use std::sync::Arc;

use crate::error::{AccessTokenError, RequestError};
use crate::issuer::Issuer;
use crate::oidc::access_token::{AccessTokenVerifier, Audiences, Claims, Signer, UnverifiedAccessToken};
use crate::util::now;

pub use self::bearer::Bearer;
pub use self::builder::LogtoApiBuilder;
#[doc(hidden)]
pub use self::caller::CallerFor;
pub use self::caller::{Allowed, Caller};
pub use self::error::ApiError;
pub use self::metadata::ResourceMetadata;
pub use self::optional::OptionalBearer;
pub use self::permission::{AnyOf, LogtoScope, Permission, Rule, TokenPermission};
pub use self::response::{ApiBody, ApiResponse};
pub use self::token::VerifiedToken;
#[cfg(feature = "derive")]
#[doc = include_str!("derive_role.md")]
pub use logto_storage_derive::LogtoRole;
#[cfg(feature = "derive")]
#[doc = include_str!("derive_scope.md")]
pub use logto_storage_derive::LogtoScope;

use self::builder::OnError;
use self::introspection::Introspection;
use self::memory::{Entry, Memory, digest};

/// The maximum length of a token in bytes. Logto's have about 700; web servers limit headers to a few thousand.
const MAX_TOKEN: usize = 16 * 1024;

/// How long a token is remembered at most, in seconds.
const MAX_REMEMBERED: u64 = 3600;

/// Verifies the access tokens of one issuer for an API.
///
/// Create one when the program starts. A clone is cheap, and shares everything. See the [module](self) for where
/// your web framework needs it, and an example.
#[derive(Clone)]
pub struct LogtoApi(Arc<Inner>);

struct Inner {
    issuer: Arc<Issuer>,
    audiences: Arc<Audiences>,
    /// In seconds.
    leeway: u64,
    memory: Memory,
    introspection: Option<Introspection>,
    metadata: Option<ResourceMetadata>,
    on_error: OnError,
}

impl LogtoApi {
    /// Creates a builder. See its [example](LogtoApiBuilder#example).
    ///
    /// `endpoint` is the URL of your Logto, such as `https://tenant.logto.app`, without `/oidc` at the end. It may have a
    /// path. Plain `http://` is accepted for loopback hosts only.
    pub fn builder(endpoint: impl Into<String>) -> LogtoApiBuilder {
        LogtoApiBuilder::new(endpoint.into())
    }

    /// Fetches the JWK set, so that the first request does not have to wait for it.
    ///
    /// ```
    /// use logto_client::RequestError;
    /// use logto_client::api::LogtoApi;
    ///
    /// async fn start(api: &LogtoApi) -> Result<(), RequestError> {
    ///     api.prefetch().await
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// Fails if Logto does not answer. The next request tries again.
    pub async fn prefetch(&self) -> Result<(), RequestError> {
        self.0.issuer.jwks().await.map(drop)
    }

    /// Returns what the API publishes about itself, if the builder's
    /// [`publish_metadata`](LogtoApiBuilder::publish_metadata) was called. See the example of
    /// [`ResourceMetadata::url`].
    pub fn metadata(&self) -> Option<&ResourceMetadata> {
        self.0.metadata.as_ref()
    }

    /// Verifies an access token. See the [example](VerifiedToken#example).
    ///
    /// # Errors
    ///
    /// - [`ApiError::InvalidToken`]: the token is not valid, or not for this API.
    /// - [`ApiError::Unavailable`], [`ApiError::TooManyUnknownKeys`]: that cannot be found out now, because Logto does
    ///   not answer, or was asked too often.
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, ApiError> {
        self.verify_at(token, now()).await
    }

    /// `now` is in seconds since 1970.
    pub(crate) async fn verify_at(&self, token: &str, now: u64) -> Result<VerifiedToken, ApiError> {
        if token.len() > MAX_TOKEN {
            return Err(AccessTokenError::Malformed("too long").into());
        }
        let digest = digest(token);
        let keys = self.0.issuer.jwks_at_hand();
        if let Some(token) = self.0.memory.get(&digest, keys.as_deref(), now) {
            return Ok(token);
        }
        let opaque = self.0.introspection.as_ref().filter(|_| Introspection::is_opaque(token));
        let (verified, entry_end, signer) = match opaque {
            Some(introspection) => self.introspect(introspection, token, now).await?,
            None => self.verify_jwt(token, now).await?,
        };
        let valid = self.validity(verified.verified_claims(), entry_end);
        self.0.memory.insert(digest, Entry { token: verified.clone(), signer, valid }, now);
        Ok(verified)
    }

    async fn verify_jwt(&self, token: &str, now: u64) -> Result<(VerifiedToken, u64, Option<Signer>), ApiError> {
        let token = UnverifiedAccessToken::parse(token)?;
        // Before the signature: a token of another issuer or an old one must not make the JWK set be fetched again.
        self.verifier(now).verify(token.claims())?;
        let issuer = &self.0.issuer;
        let mut keys = issuer.jwks_at_hand_or_fetched().await.map_err(ApiError::Unavailable)?;
        if !token.has_key_in(&keys) {
            let renewed = issuer.renewed_jwks(&keys).await.map_err(ApiError::Unavailable)?;
            if Arc::ptr_eq(&renewed, &keys) {
                return Err(ApiError::TooManyUnknownKeys);
            }
            keys = renewed;
        }
        let (claims, json, signer) = token.signed_by(&keys)?;
        Ok((self.verified(claims, json), now.saturating_add(MAX_REMEMBERED), Some(signer)))
    }

    async fn introspect(
        &self,
        introspection: &Introspection,
        token: &str,
        now: u64,
    ) -> Result<(VerifiedToken, u64, Option<Signer>), ApiError> {
        let (claims, json, asked_at) = introspection.ask(&self.0.issuer, token, now).await?;
        let verifier = self.verifier(now);
        verifier.verify_issuer(&claims)?;
        verifier.verify_times(&claims)?;
        Ok((self.verified(claims, json), asked_at.saturating_add(introspection.max_age), None))
    }

    fn verifier(&self, now: u64) -> AccessTokenVerifier<'_> {
        let Inner { issuer, audiences, leeway, .. } = &*self.0;
        AccessTokenVerifier { issuer: issuer.as_str(), audiences, leeway: *leeway, now }
    }

    fn verified(&self, claims: Claims, json: Vec<u8>) -> VerifiedToken {
        VerifiedToken::new(claims, json, Arc::clone(&self.0.audiences))
    }

    /// Returns when a verified token is accepted without another verification.
    fn validity(&self, claims: &Claims, entry_end: u64) -> std::ops::Range<u64> {
        let start = claims.nbf.unwrap_or_default().max(claims.iat);
        let end = claims.exp.saturating_add(self.0.leeway);
        start.saturating_sub(self.0.leeway)..end.min(entry_end)
    }

    fn error_body(&self, error: &ApiError) -> ApiBody {
        (self.0.on_error)(error)
    }

    /// Names what is protected.
    fn realm(&self) -> &str {
        self.0.audiences.resources.first().map_or(self.0.issuer.as_str(), String::as_str)
    }

    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.0.memory.len()
    }
}

impl AsRef<LogtoApi> for LogtoApi {
    fn as_ref(&self) -> &LogtoApi {
        self
    }
}

impl fmt::Debug for LogtoApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogtoApi")
            .field("issuer", &self.0.issuer.as_str())
            .field("audiences", &self.0.audiences)
            .finish_non_exhaustive()
    }
}
