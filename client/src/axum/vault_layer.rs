//! Sessions in a vault without a session library: the layer that sets the ticket cookie, and the extractor.

use std::borrow::Cow;
use std::fmt;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use ::axum::extract::{FromRequestParts, Request};
use ::axum::http::request::Parts;
use ::axum::http::{HeaderValue, StatusCode, header};
use ::axum::response::{IntoResponse, Response};
use logto_vault::cookie::{CookieSettings, TicketCookie};
use tower_layer::Layer;
use tower_service::Service;

use super::{LogtoAuth, error};
use crate::error::Result;
use crate::storage::{self, AllSeen, Changes, SessionHandle};
use crate::util::web_url::WebUrl;
use crate::vault::{BoxVault, Vault, VaultStore, Vaulted};

/// The session of a request in a vault, with the ticket in a cookie of its own.
///
/// It is an extractor and a storage, so an app needs no session library. [`LogtoAuth::vault_layer`] provides it:
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use logto_client::axum::{LogtoAuth, VaultSession};
/// use logto_client::vault::{MemoryVault, Vault};
/// use logto_client::{LogtoClient, LogtoConfig};
///
/// type User = logto_client::axum::User<VaultSession>;
///
/// fn app(config: LogtoConfig) -> Result<Router, logto_client::Error> {
///     let auth = LogtoAuth::builder(LogtoClient::new(config)?, "https://app.example.com").build()?;
///     Ok(Router::new()
///         .route("/private", get(private))
///         .merge(auth.routes::<VaultSession, _>())
///         .layer(auth.vault_layer(Vault::new(MemoryVault::default())))
///         .with_state(auth))
/// }
///
/// async fn private(user: User) -> String {
///     format!("Hello {}", user.claims.display_name())
/// }
/// ```
///
/// All extractors of a request share what they have read, so a page costs one read of the vault. A visitor without a cookie
/// costs none, and gets no cookie before something is stored.
///
/// It is a [`SessionHandle`], too. For a prefix, a size limit or further fields, derive a storage of your own:
///
/// ```
/// use axum::extract::FromRequestParts;
/// use logto_client::LogtoStorage;
/// use logto_client::axum::VaultSession;
///
/// #[derive(LogtoStorage, FromRequestParts)]
/// #[logto(prefix = "tenant-a:")]
/// struct Storage {
///     session: VaultSession,
/// }
/// ```
///
/// # Rejection
///
/// Outside of the layer, the extractor responds with status 500, and logs what is missing.
#[derive(Clone, logto_storage_derive::LogtoStorage)]
#[logto(crate = "crate::storage")]
pub struct VaultSession(Arc<Vaulted<TicketCookie, BoxVault>>);

impl SessionHandle for VaultSession {
    fn read(&self, key: Cow<'_, str>) -> impl Future<Output = storage::Result<Option<String>>> + Send {
        self.0.read(key)
    }

    fn write<'a>(&'a self, changes: Changes<'a>) -> impl Future<Output = storage::Result<()>> + Send {
        self.0.write(changes)
    }

    fn write_if<'a>(
        &'a self,
        seen: AllSeen<'a>,
        changes: Changes<'a>,
    ) -> impl Future<Output = storage::Result<()>> + Send {
        self.0.write_if(seen, changes)
    }

    fn check_renewal(&self) -> storage::Result<()> {
        SessionHandle::check_renewal(&self.0)
    }

    fn reload(&self) -> impl Future<Output = storage::Result<bool>> + Send {
        SessionHandle::reload(&self.0)
    }
}

impl<T: Sync> FromRequestParts<T> for VaultSession {
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, _: &T) -> Result<Self, Self::Rejection> {
        parts.extensions.get().cloned().ok_or_else(|| {
            tracing::error!("no vault layer: add `auth.vault_layer(vault)` to the router after all routes that use it");
            (StatusCode::INTERNAL_SERVER_ERROR, "The app's vault layer is missing.")
        })
    }
}

/// Leaves the items and the ticket out.
impl fmt::Debug for VaultSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("VaultSession").field(&self.0).finish()
    }
}

/// A layer that gives each request a [`VaultSession`]. Created by [`LogtoAuth::vault_layer`].
#[derive(Clone, Debug)]
#[must_use]
pub struct VaultLayer {
    vault: Vault<BoxVault>,
    cookie: CookieSettings,
}

impl LogtoAuth {
    /// Returns the layer that keeps sessions in the vault, and sets the ticket cookie. See [`VaultSession`] for an example.
    ///
    /// Add it after the routes: a layer covers the routes that the router already has.
    ///
    /// # The cookie
    ///
    /// The base URL decides whether the cookie may be sent over plain HTTP. With `https://` it is `__Host-logto_ticket` and
    /// `Secure`. With `http://` it is `logto_ticket`, which anyone on the network can steal, and which other apps on the
    /// host can overwrite: use it on loopback only, or a warning is logged. See
    /// [`CookieSettings`].
    ///
    /// A response that sets the cookie also gets `Cache-Control: no-store`.
    ///
    /// # Panics of handlers
    ///
    /// A handler may sign a user in or out, then panic. The layer catches the panic and responds with status 500, so that the
    /// browser gets its cookie nevertheless. For a response of your own, add a layer that catches panics, such as tower-http's
    /// `CatchPanicLayer`, to the router before this one.
    ///
    /// # Streamed responses
    ///
    /// The cookie is set when the handler returns. Afterwards, for instance while a body is streamed, signing in and out fails
    /// with a [storage error](crate::Error::Storage), and tokens are still refreshed.
    pub fn vault_layer<S: VaultStore + Clone>(&self, vault: Vault<S>) -> VaultLayer {
        let mut cookie = CookieSettings::default();
        if !self.0.base_url.starts_with("https:") {
            if WebUrl::parse(&self.0.base_url).is_ok_and(|url| !url.is_protected()) {
                tracing::warn!(base_url = self.0.base_url, "the ticket cookie is sent over plain http");
            }
            cookie = cookie.dangerously_allow_http();
        }
        VaultLayer { vault: vault.boxed(), cookie }
    }
}

impl VaultLayer {
    /// Sets the name of the cookie. The default is `logto_ticket`. With `https://` it gets the prefix `__Host-`.
    ///
    /// Apps on one host need different names, whatever their ports and paths: browsers send a cookie to all of them.
    ///
    /// ```
    /// use logto_client::Error;
    /// use logto_client::axum::{LogtoAuth, VaultLayer};
    /// use logto_client::vault::{MemoryVault, Vault};
    ///
    /// fn layer(auth: &LogtoAuth, vault: Vault<MemoryVault>) -> Result<VaultLayer, Error> {
    ///     auth.vault_layer(vault).cookie_name("shop_ticket")
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Config`](crate::Error::Config) with the field `cookie_name`, unless the name is a token (RFC 6265, section 4.1.1)
    /// without one of the prefixes `__Host-` and `__Secure-`.
    pub fn cookie_name(self, name: impl Into<String>) -> Result<Self> {
        let cookie = self.cookie.name(name).map_err(|_| {
            error(
                "cookie_name",
                "is not a name such as `shop_ticket`: use letters, digits, `-` and `_`, without a prefix",
            )
        })?;
        Ok(Self { cookie, ..self })
    }
}

impl<Inner> Layer<Inner> for VaultLayer {
    type Service = VaultService<Inner>;

    fn layer(&self, inner: Inner) -> VaultService<Inner> {
        VaultService { inner, layer: self.clone() }
    }
}

/// The service of a [`VaultLayer`].
#[derive(Clone, Debug)]
pub struct VaultService<Inner> {
    inner: Inner,
    layer: VaultLayer,
}

impl<Inner> Service<Request> for VaultService<Inner>
where
    Inner: Service<Request, Response = Response, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Inner::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Inner::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Inner::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let VaultLayer { vault, cookie } = &self.layer;
        let cookie = TicketCookie::new(cookie.clone(), request.headers().get_all(header::COOKIE));
        let session = Vaulted::new(cookie.clone(), vault.clone());
        request.extensions_mut().insert(VaultSession(Arc::new(session)));
        // The clone may not be ready.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let mut response = if let Ok(response) = caught(async { inner.call(request).await }).await {
                response?
            } else {
                tracing::error!("handler panicked");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            };
            if let Some(mut set_cookie) = cookie.finish().and_then(|cookie| HeaderValue::try_from(cookie).ok()) {
                set_cookie.set_sensitive(true);
                response.headers_mut().append(header::SET_COOKIE, set_cookie);
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            Ok(response)
        })
    }
}

/// Returns the panic if the future panics.
async fn caught<F: Future>(future: F) -> thread::Result<F::Output> {
    let mut future = pin!(future);
    // Nothing sees the future again after a panic. What it shares with other requests uses locks that expect one.
    std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(panic)),
    })
    .await
}
