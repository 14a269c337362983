//! Extractors.

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

/// A storage made of a session that is an extractor, such as `tower_sessions::Session`: for apps that want no prefix,
/// no limit and no other field, and need no struct of their own.
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

/// Not the session: most print the tokens in it.
impl<H> fmt::Debug for InSession<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InSession").finish_non_exhaustive()
    }
}

/// The user who is signed in. Where nobody is, a request for a page is redirected to the sign-in, and comes back to the
/// same page; any other is answered with 401. `Option<User<S>>` is for handlers that serve both.
///
/// One read of the session, and no request to the provider.
pub struct User<S> {
    /// Who it is, as of the sign-in or the last refresh since.
    pub claims: IdTokenClaims,
    /// For tokens and user info.
    pub session: LogtoSession<S>,
    auth: LogtoAuth,
    request: Request,
}

impl<S> User<S> {
    /// The response to an error of the [`session`](Self::session)'s: to the sign-in if that is required (the provider
    /// has ended it, for instance), else what [`on_error`](super::LogtoAuthBuilder::on_error) makes of it.
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

/// The session of a request, whether or not anybody is signed in.
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

/// What a response to an error depends on.
pub(super) struct Request {
    /// Whether a browser asks for a page to show.
    wants_page: bool,
    /// The path and query of a page that a browser can come back to: the one that is asked for, or, for a call, the one
    /// that made it.
    page: Option<String>,
}

impl Request {
    fn new(auth: &LogtoAuth, parts: &Parts) -> Self {
        let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let accepts_html = header(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
        // Browsers say whether they navigate; other clients do not.
        let navigates = header("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
        let wants_page = accepts_html && navigates;
        let page = if wants_page {
            let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
            let path = uri.path_and_query().map_or("/", |uri| uri.as_str());
            matches!(parts.method, Method::GET | Method::HEAD).then(|| auth.0.return_to.outside(path))
        } else {
            header(header::REFERER.as_str()).and_then(|page| auth.0.return_to.own_page(page))
        };
        // As a link, `//evil.example/` leads to another host.
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
    /// The response to an error of one of the app's pages or calls: to the sign-in, or what the app makes of it.
    fn respond(&self, request: &Request, error: Error, claims: Option<&IdTokenClaims>) -> Response {
        let page = request.page.as_deref();
        let sign_in_url = error.is_sign_in_required().then(|| self.route_url_to("sign-in", page));
        if request.wants_page
            && let Some(url) = &sign_in_url
        {
            return redirect_to(url);
        }
        let can_retry = error.is_retryable() || matches!(error, Error::Storage(_));
        (self.0.on_error)(AuthRejection {
            operation: RejectedOperation::Page,
            status: status(&error),
            wants_page: request.wants_page,
            // They are gone from the session, too.
            claims: claims.filter(|_| sign_in_url.is_none()).cloned(),
            retry_url: page.filter(|_| can_retry && request.wants_page).map(str::to_owned),
            sign_in_url,
            home_url: self.home_url(),
            error,
        })
    }

    /// The response to an error of a sign-in that was to end at `return_to`. `route` is where to try again.
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
        let can_retry = error.is_retryable()
            || matches!(error, Error::SignInCancelled | Error::AccessDenied { .. } | Error::Storage(_));
        // What belongs to this one sign-in is gone; another one may go well.
        let is_used_up = error.is_stale_callback()
            || matches!(&error, Error::InvalidCallback { .. } | Error::WrongIssuer { .. })
            || matches!(&error, Error::TokenEndpoint { error, .. } if error == INVALID_GRANT);
        let can_sign_in = is_used_up || error.is_sign_in_required();
        (self.0.on_error)(AuthRejection {
            operation: RejectedOperation::SignIn,
            status: status(&error),
            wants_page: request.wants_page,
            claims: signed_in(session).await,
            retry_url: can_retry.then(|| again.clone()),
            sign_in_url: can_sign_in.then_some(again),
            home_url: self.home_url(),
            error,
        })
    }

    /// The response to an error of a sign-out.
    pub(super) async fn sign_out_failed<S: LogtoStorage>(
        &self,
        request: &Request,
        session: &LogtoSession<S>,
        error: Error,
    ) -> Response {
        let can_retry = error.is_retryable() || matches!(error, Error::Storage(_));
        (self.0.on_error)(AuthRejection {
            operation: RejectedOperation::SignOut,
            status: status(&error),
            wants_page: request.wants_page,
            claims: signed_in(session).await,
            retry_url: can_retry.then(|| self.sign_out_url()),
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

    /// Whether it is one of the routes for signing in, to which there is no coming back.
    pub(crate) fn is_own(&self, path: &str) -> bool {
        let path = self.0.return_to.outside(path.split('?').next().unwrap_or_default());
        let url = format!("{}{path}", self.0.return_to.origin());
        ["sign-in", "sign-up", "sign-in-callback", "sign-out"].into_iter().any(|route| url == self.route_url(route))
    }
}

async fn signed_in<S: LogtoStorage>(session: &LogtoSession<S>) -> Option<IdTokenClaims> {
    session.context().await.ok()?.claims
}

/// A browser keeps none of it: the next time it is another.
pub(super) fn redirect_to(url: &str) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Redirect::to(url)).into_response()
}

impl<S> fmt::Debug for User<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("sub", &self.claims.sub).finish_non_exhaustive()
    }
}
