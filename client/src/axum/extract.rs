//! Extractors.

use std::convert::Infallible;
use std::fmt;

use ::axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts, OriginalUri};
use ::axum::http::request::Parts;
use ::axum::http::{HeaderValue, Method, header};
use ::axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded::byte_serialize;

use super::LogtoAuth;
use super::failure::Failure;
use crate::claims::IdTokenClaims;
use crate::error::Error;
use crate::session::LogtoSession;
use crate::storage::LogtoStorage;

/// A storage made of a session that is an extractor, such as `tower_sessions::Session`: for apps that want no prefix,
/// no limit and no other field, and need no struct of their own.
#[derive(Clone, logto_storage_derive::LogtoStorage)]
#[logto(crate = "crate::storage")]
pub struct SessionStorage<H>(pub H);

impl<H, T> FromRequestParts<T> for SessionStorage<H>
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
impl<H> fmt::Debug for SessionStorage<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionStorage").finish_non_exhaustive()
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
        self.auth.respond(&self.request, error)
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
        user.ok_or_else(|| LogtoAuth::from_ref(state).respond(&Request::of(parts), Error::NotAuthenticated))
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
        let (auth, request) = (LogtoAuth::from_ref(state), Request::of(parts));
        let storage = S::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        let session = auth.client().session(storage);
        match session.context().await {
            Ok(context) => Ok(context.claims.map(|claims| Self { claims, session, auth, request })),
            Err(error) => Err(auth.respond(&request, error)),
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
    wants_page: bool,
    /// Where it is for, if one can come back there.
    return_to: Option<String>,
}

impl Request {
    fn of(parts: &Parts) -> Self {
        let is_get = matches!(parts.method, Method::GET | Method::HEAD);
        let header = |name| parts.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let accepts_html = header(header::ACCEPT.as_str()).is_some_and(|accept| accept.contains("text/html"));
        // Browsers say whether it is a page that is asked for; others do not.
        let navigates = header("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        Self {
            wants_page: accepts_html && navigates,
            return_to: is_get.then(|| uri.path_and_query().map_or("/", |uri| uri.as_str()).to_owned()),
        }
    }
}

impl<T: Sync> FromRequestParts<T> for Request {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &T) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

impl LogtoAuth {
    /// To the sign-in, or what the app makes of the error.
    pub(super) fn respond(&self, request: &Request, error: Error) -> Response {
        let sign_in_url = match &request.return_to {
            Some(path) if !self.is_own(path) => {
                let path: String = byte_serialize(self.0.return_to.outside(path).as_bytes()).collect();
                format!("{}?return_to={path}", self.sign_in_url())
            }
            _ => self.sign_in_url(),
        };
        if request.wants_page && error.is_sign_in_required() {
            return redirect_to(&sign_in_url);
        }
        (self.0.on_error)(Failure::new(error, request.wants_page, sign_in_url))
    }

    /// Whether it is one of the routes for signing in, to which there is no coming back.
    pub(crate) fn is_own(&self, path: &str) -> bool {
        let path = self.0.return_to.outside(path.split('?').next().unwrap_or_default());
        let url = format!("{}{path}", self.0.return_to.origin());
        ["sign-in", "sign-up", "sign-in-callback", "sign-out"].into_iter().any(|route| url == self.route_url(route))
    }
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
