//! Verified access tokens for poem 3 (feature `poem-web-3`).
//!
//! Put the [`LogtoApi`] into the endpoint's data. [`Bearer`] and [`Allowed`] among a handler's arguments protect the
//! handler:
//!
//! ```
//! use logto_client::LogtoScope;
//! use logto_client::api::{Allowed, Bearer, LogtoApi};
//! use poem::{Endpoint, EndpointExt, Route, get, handler};
//!
//! #[derive(LogtoScope)]
//! #[logto(scope = "write:things")]
//! struct WriteThings;
//!
//! fn app(api: LogtoApi) -> impl Endpoint {
//!     let routes = Route::new().at("/things", get(list).post(create));
//!     logto_client::poem::resource_metadata(routes, &api).data(api)
//! }
//!
//! /// 401 without a valid token.
//! #[handler]
//! async fn list(token: Bearer) -> String {
//!     format!("the things of {}", token.sub())
//! }
//!
//! /// 403 if the token lacks the scope.
//! #[handler]
//! async fn create(Allowed(token): Allowed<WriteThings>) -> String {
//!     format!("created by {}", token.sub())
//! }
//! ```
//!
//! - Where a token is optional, use [`OptionalBearer`]. `Option<Bearer>` is `None` for a token that is not valid as well.
//! - For [several issuers](crate::api#several-issuers), put a `Partners` into the data, too, and use `Bearer<Partners>`.
//! - A handler may return `Result<_, ApiResponse>`, and poem's `catch_error::<ApiResponse>` may replace the responses.
//! - Without the `LogtoApi` in the data, requests are answered with 500, and the log names the missing type.

use ::poem::error::ResponseError;
use ::poem::http::header::AUTHORIZATION;
use ::poem::http::{HeaderValue, StatusCode};
use ::poem::{FromRequest, IntoResponse, Request, RequestBody, Response, Result, Route, endpoint, get};

use crate::api::adapter::Credentials;
use crate::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer, TokenPermission};

impl<'a, A> FromRequest<'a> for Bearer<A>
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        Ok(credentials(request).bearer().await?)
    }
}

impl<'a, A> FromRequest<'a> for OptionalBearer<A>
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        Ok(credentials(request).optional_bearer().await?)
    }
}

impl<'a, P, A> FromRequest<'a> for Allowed<P, Bearer<A>>
where
    P: TokenPermission,
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        Ok(credentials(request).allowed().await?)
    }
}

fn credentials<A>(request: &Request) -> Credentials<'_, A, impl Iterator<Item = &[u8]>>
where
    A: Clone + Send + Sync + 'static,
{
    Credentials {
        api: request.extensions().get::<A>(),
        authorization: request.headers().get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes),
        query: request.uri().query(),
    }
}

impl ResponseError for ApiResponse {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        self.clone().into_response()
    }
}

impl IntoResponse for ApiResponse {
    fn into_response(self) -> Response {
        let mut response = Response::builder().status(ResponseError::status(&self)).body(self.body);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// Adds the route of the API's [metadata](crate::api::ResourceMetadata). It does nothing unless the builder's
/// [`publish_metadata`](crate::api::LogtoApiBuilder::publish_metadata) was called. See the [example](self).
///
/// The path is that of the whole site: do not nest the routes.
pub fn resource_metadata(routes: Route, api: &LogtoApi) -> Route {
    let Some(metadata) = api.metadata() else { return routes };
    let response = metadata.response();
    routes.at(metadata.path(), get(endpoint::make_sync(move |_| response.clone())))
}
