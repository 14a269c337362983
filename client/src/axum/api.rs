//! The extractors of the callers of an API, and the route of its metadata.

use ::axum::Router;
use ::axum::body::Body;
use ::axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use ::axum::http::request::Parts;
use ::axum::http::{HeaderName, HeaderValue, StatusCode, header};
use ::axum::response::{IntoResponse, Response};
use ::axum::routing::get;

use super::User;
use crate::api::{Allowed, ApiError, ApiResponse, Bearer, Caller, LogtoApi, Permission, TokenPermission};
use crate::error::Error;
use crate::storage::LogtoStorage;

impl<A, T> FromRequestParts<T> for Bearer<A>
where
    A: AsRef<LogtoApi> + FromRef<T> + Send + Sync,
    T: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Response> {
        let api = A::from_ref(state);
        bearer(parts, state).await.map_err(|error| api.as_ref().respond(&error).into_response())
    }
}

/// `None` if the request has no access token. One that is not valid is refused all the same.
impl<A, T> OptionalFromRequestParts<T> for Bearer<A>
where
    A: AsRef<LogtoApi> + FromRef<T> + Send + Sync,
    T: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Option<Self>, Response> {
        match bearer(parts, state).await {
            Ok(bearer) => Ok(Some(bearer)),
            Err(ApiError::MissingToken) => Ok(None),
            Err(error) => Err(A::from_ref(state).as_ref().respond(&error).into_response()),
        }
    }
}

async fn bearer<A, T>(parts: &Parts, state: &T) -> Result<Bearer<A>, ApiError>
where
    A: AsRef<LogtoApi> + FromRef<T>,
{
    let headers = parts.headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    Bearer::from_request(A::from_ref(state), headers, parts.uri.query()).await
}

impl<P, A, T> FromRequestParts<T> for Allowed<P, Bearer<A>>
where
    P: TokenPermission,
    A: AsRef<LogtoApi> + FromRef<T> + Send + Sync,
    T: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Response> {
        let bearer = <Bearer<A> as FromRequestParts<T>>::from_request_parts(parts, state).await?;
        Self::check(bearer).await.map_err(|(bearer, error)| bearer.respond(&error).into_response())
    }
}

/// A signed-in user with a permission. See [`User`] for the responses to others.
impl<P, S, T> FromRequestParts<T> for Allowed<P, User<S>>
where
    P: Permission,
    User<S>: FromRequestParts<T, Rejection = Response>,
    S: LogtoStorage + Send + Sync,
    T: Send + Sync,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &T) -> Result<Self, Response> {
        let user = <User<S> as FromRequestParts<T>>::from_request_parts(parts, state).await?;
        match user.session.require::<P>().await {
            Ok(()) => Ok(Self(user)),
            Err(error) => Err(user.respond(error)),
        }
    }
}

impl<S: LogtoStorage + Send + Sync> Caller for User<S> {
    type Error = Error;

    fn require<P: TokenPermission>(&self) -> impl Future<Output = Result<(), Error>> + Send {
        self.session.require::<P>()
    }

    fn require_in_organization<P: TokenPermission>(
        &self,
        organization_id: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send {
        self.session.require_in_organization::<P>(organization_id)
    }
}

impl IntoResponse for ApiResponse {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// Returns the route of the API's [metadata](crate::api::ResourceMetadata), to merge into the app's router. Empty unless
/// the builder's [`publish_metadata`](crate::api::LogtoApiBuilder::publish_metadata) was called.
///
/// The path is that of the whole site: do not nest the router.
///
/// ```
/// use axum::Router;
/// use logto_client::api::LogtoApi;
///
/// fn app(api: LogtoApi, routes: Router<LogtoApi>) -> Router {
///     routes.merge(logto_client::axum::resource_metadata(&api)).with_state(api)
/// }
/// ```
pub fn resource_metadata<T: Clone + Send + Sync + 'static>(api: &LogtoApi) -> Router<T> {
    let Some(metadata) = api.metadata() else { return Router::new() };
    let response = metadata.response();
    Router::new().route(metadata.path(), get(async move || response.clone()))
}
