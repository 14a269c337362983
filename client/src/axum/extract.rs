//! The extractors, and the responses to their errors.

use std::convert::Infallible;
use std::fmt;

use ::axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri};
use ::axum::http::request::Parts;
use ::axum::http::{HeaderValue, Method, header};
use ::axum::response::{IntoResponse, Redirect, Response};
use url::Url;
use url::form_urlencoded::byte_serialize;

use super::LogtoAuth;
use super::rejection::{AuthRejection, RejectedOperation, status};
use crate::claims::IdTokenClaims;
use crate::error::Error;
use crate::oidc::token::INVALID_GRANT;
use crate::session::LogtoSession;
use crate::storage::LogtoStorage;

/// A storage in any session that is an extractor, such as `tower_sessions::Session`.
///
/// For apps that need no prefix, no size limit and no further field in their storage. See the
/// [example](super#storage) for a storage of your own.
///
/// ```
/// # #[cfg(feature = "tower-sessions-0_15")]
/// type Storage = logto_client::axum::InSession<tower_sessions::Session>;
/// ```
#[derive(Clone, logto_storage_derive::LogtoStorage)]
#[logto(crate = "crate::storage")]
pub struct InSession<H>(pub H);

impl<H, T> FromRequestParts<T> for InSession<H>
where
    H: FromRequestParts<T>,
    T: Send + Sync,
{
    type Rejection = H::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Self::Rejection> {
        H::from_request_parts(parts, state).await.map(Self)
    }
}

/// Leaves the session out: the `Debug` output of most sessions contains the tokens.
impl<H> fmt::Debug for InSession<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InSession").finish_non_exhaustive()
    }
}

/// The signed-in user.
///
/// As an extractor it protects the handler. If nobody is signed in, a request [for a
/// page](super#pages-and-other-requests) is redirected to sign in and, if it was a GET, then returned to the page; any other request is
/// answered with 401. Use `Option<User<S>>` in handlers that also serve signed-out visitors.
///
/// Extraction reads the session once and sends no request to the provider.
///
/// ```
/// # #[cfg(feature = "tower-sessions-0_15")]
/// # mod app {
/// use axum::response::{IntoResponse, Response};
/// use logto_client::TokenTarget;
/// use logto_client::axum::{InSession, User};
///
/// async fn orders(user: User<InSession<tower_sessions::Session>>) -> Response {
///     match user.session.access_token(TokenTarget::resource("https://api.example.com")).await {
///         Ok(token) => {
///             // Call the API with the token.
///             let scopes: Vec<_> = token.scopes().collect();
///             format!("{} may {}", user.claims.display_name(), scopes.join(", ")).into_response()
///         }
///         Err(error) => user.respond(error),
///     }
/// }
/// # }
/// # fn main() {}
/// ```
pub struct User<S> {
    /// The claims of the ID token, from the sign-in or the last refresh that returned an ID token.
    pub claims: IdTokenClaims,
    /// The session, for access tokens and user info.
    pub session: LogtoSession<S>,
    auth: LogtoAuth,
    request: Request,
}

impl<S> User<S> {
    /// Turns an error of the [`session`](Self::session) into a response. See the [example](Self).
    ///
    /// Redirects to sign in if that is required and the request is for a page, for instance after the provider has
    /// ended the sign-in. Otherwise returns the response of [`on_error`](super::LogtoAuthBuilder::on_error).
    pub fn respond(&self, error: Error) -> Response {
        self.auth.respond(&self.request, error, Some(&self.claims))
    }
}

impl<S, T> FromRequestParts<T> for User<S>
where
    LogtoAuth: FromRef<T>,
    S: LogtoStorage + FromRequestParts<T> + Send + Sync,
    T: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Response> {
        let user = <Self as OptionalFromRequestParts<T>>::from_request_parts(parts, state).await?;
        user.ok_or_else(|| {
            let auth = LogtoAuth::from_ref(state);
            auth.respond(&Request::new(&auth, parts), Error::NotAuthenticated, None)
        })
    }
}

impl<S, T> OptionalFromRequestParts<T> for User<S>
where
    LogtoAuth: FromRef<T>,
    S: LogtoStorage + FromRequestParts<T> + Send + Sync,
    T: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Option<Self>, Response> {
        let auth = LogtoAuth::from_ref(state);
        let request = Request::new(&auth, parts);
        let storage = S::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let session = auth.client().session(storage);
        match session.context().await {
            Ok(context) => Ok(context.claims.map(|claims| Self { claims, session, auth, request })),
            Err(error) => Err(auth.respond(&request, error, None)),
        }
    }
}

/// Extracts the session of the request, whether or not a user is signed in.
impl<S, T> FromRequestParts<T> for LogtoSession<S>
where
    LogtoAuth: FromRef<T>,
    S: LogtoStorage + FromRequestParts<T>,
    T: Send + Sync,
{
    type Rejection = S::Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, S::Rejection> {
        Ok(LogtoAuth::from_ref(state).client().session(S::from_request_parts(parts, state).await?))
    }
}

/// The parts of a request that the response to an error depends on.
pub(super) struct Request {
    /// Whether the request is for a page.
    wants_page: bool,
    /// The path and query of the page to return to after a sign-in: the requested page, or the page whose script sent
    /// the request.
    page: Option<String>,
}

impl Request {
    fn new(auth: &LogtoAuth, parts: &Parts) -> Self {
        let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let accepts_html = header(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
        // Browsers send it with every request, most other clients never do.
        let navigates = header("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
        let wants_page = accepts_html && navigates;
        let page = if wants_page {
            let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
            let path = uri.path_and_query().map_or("/", |uri| uri.as_str());
            matches!(parts.method, Method::GET | Method::HEAD).then(|| auth.0.return_to.outside(path))
        } else {
            header(header::REFERER.as_str()).and_then(|page| auth.0.return_to.own_page(page))
        };
        // In a link, `//evil.example/` would lead to another host.
        let page = page.filter(|page| auth.0.return_to.path(page).is_some() && !auth.is_own(page));
        Self { wants_page, page }
    }
}

impl<T: Sync> FromRequestParts<T> for Request
where
    LogtoAuth: FromRef<T>,
{
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Infallible> {
        Ok(Self::new(&LogtoAuth::from_ref(state), parts))
    }
}

impl LogtoAuth {
    /// Responds to an error in one of the app's own handlers.
    fn respond(&self, request: &Request, error: Error, claims: Option<&IdTokenClaims>) -> Response {
        let page = request.page.as_deref();
        let sign_in_url = error.is_sign_in_required().then(|| self.route_url_to("sign-in", page));
        if request.wants_page
            && let Some(url) = &sign_in_url
        {
            return redirect_to(url);
        }
        (self.0.on_error)(AuthRejection {
            operation: RejectedOperation::Page,
            status: status(&error),
            wants_page: request.wants_page,
            // The session no longer has them either.
            claims: claims.filter(|_| sign_in_url.is_none()).cloned(),
            retry_url: page.filter(|_| can_retry(&error) && request.wants_page).map(str::to_owned),
            sign_in_url,
            home_url: self.home_url(),
            error,
        })
    }

    /// Responds to a failed sign-in whose destination was `return_to`. `route` is the route to try again.
    pub(super) async fn sign_in_failed<S: LogtoStorage>(
        &self,
        request: &Request,
        session: &LogtoSession<S>,
        error: Error,
        route: &str,
        return_to: Option<&Url>,
    ) -> Response {
        let return_to = return_to.map(|url| self.0.return_to.relative(url));
        let again = self.route_url_to(route, return_to.as_deref());
        let can_start_again = can_retry(&error) || matches!(error, Error::SignInCancelled | Error::AccessDenied { .. });
        // This sign-in cannot be completed any more, but another one may succeed.
        let is_used_up = error.is_stale_callback()
            || matches!(&error, Error::InvalidCallback { .. } | Error::WrongIssuer { .. })
            || matches!(&error, Error::TokenEndpoint { error, .. } if error == INVALID_GRANT);
        let can_sign_in = is_used_up || error.is_sign_in_required();
        (self.0.on_error)(AuthRejection {
            operation: RejectedOperation::SignIn,
            status: status(&error),
            wants_page: request.wants_page,
            claims: signed_in(session).await,
            retry_url: can_start_again.then(|| again.clone()),
            sign_in_url: can_sign_in.then_some(again),
            home_url: self.home_url(),
            error,
        })
    }

    /// Responds to a failed sign-out.
    pub(super) async fn sign_out_failed<S: LogtoStorage>(
        &self,
        request: &Request,
        session: &LogtoSession<S>,
        error: Error,
    ) -> Response {
        (self.0.on_error)(AuthRejection {
            operation: RejectedOperation::SignOut,
            status: status(&error),
            wants_page: request.wants_page,
            claims: signed_in(session).await,
            retry_url: can_retry(&error).then(|| self.sign_out_url()),
            sign_in_url: None,
            home_url: self.home_url(),
            error,
        })
    }

    fn route_url_to(&self, route: &str, return_to: Option<&str>) -> String {
        let url = self.route_url(route);
        match return_to {
            Some(return_to) => {
                format!("{url}?return_to={}", byte_serialize(return_to.as_bytes()).collect::<String>())
            }
            None => url,
        }
    }

    fn home_url(&self) -> String {
        format!("{}/", self.0.base_url)
    }

    /// Whether the path is one of the routes for signing in and out, to which no sign-in may return.
    pub(crate) fn is_own(&self, path: &str) -> bool {
        let path = self.0.return_to.outside(path.split('?').next().unwrap_or_default());
        let url = format!("{}{path}", self.0.return_to.origin());
        ["sign-in", "sign-up", "sign-in-callback", "sign-out"].into_iter().any(|route| url == self.route_url(route))
    }
}

/// Whether the same request may succeed later: also after a failure of the session's store.
fn can_retry(error: &Error) -> bool {
    error.is_retryable() || matches!(error, Error::Storage(_))
}

async fn signed_in<S: LogtoStorage>(session: &LogtoSession<S>) -> Option<IdTokenClaims> {
    session.context().await.ok()?.claims
}

/// Redirects without caching: the destination differs each time.
pub(super) fn redirect_to(url: &str) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Redirect::to(url)).into_response()
}

impl<S> fmt::Debug for User<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("sub", &self.claims.sub).finish_non_exhaustive()
    }
}
