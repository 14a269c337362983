//! Verified access tokens for salvo 1 (feature `salvo-web-1`). Requires Rust 1.95.
//!
//! Put the [`LogtoApi`] into the depot, with salvo's `affix_state` or a hoop of your own. [`Bearer`] and [`Allowed`] among
//! a handler's arguments protect the handler:
//!
//! ```
//! # use salvo_core as salvo;
//! use logto_client::LogtoScope;
//! use logto_client::api::{Allowed, Bearer, LogtoApi};
//! use salvo::{Depot, Router, Writer, handler};
//!
//! #[derive(LogtoScope)]
//! #[logto(scope = "write:things")]
//! struct WriteThings;
//!
//! struct ShareApi(LogtoApi);
//!
//! /// What `affix_state::inject(api)` does.
//! #[handler]
//! impl ShareApi {
//!     async fn handle(&self, depot: &mut Depot) {
//!         depot.insert_typed(self.0.clone());
//!     }
//! }
//!
//! fn app(api: LogtoApi) -> Router {
//!     let routes = Router::with_path("things").get(list).post(create);
//!     Router::new()
//!         .push(logto_client::salvo::resource_metadata(&api))
//!         .hoop(ShareApi(api))
//!         .push(routes)
//!         .push(Router::with_path("reports").hoop(require_token))
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
//! async fn create(token: Allowed<WriteThings>) -> String {
//!     format!("created by {}", token.0.sub())
//! }
//!
//! /// Protects a whole router as a hoop.
//! #[handler]
//! async fn require_token(_token: Bearer) {}
//! ```
//!
//! - Where a token is optional, use [`OptionalBearer`].
//! - For [several issuers](crate::api#several-issuers), put a `Partners` into the depot, too, and use `Bearer<Partners>`.
//! - A handler may return `Result<_, ApiResponse>`.
//! - Without the `LogtoApi` in the depot, requests are answered with 500, and the log names the missing type.

use std::any::Any;

use ::salvo_core::extract::Metadata;
use ::salvo_core::http::header::AUTHORIZATION;
use ::salvo_core::http::{HeaderValue, StatusCode};
use ::salvo_core::{Depot, Extractible, Request, Response, Router, Scribe, handler};

use crate::api::adapter::Credentials;
use crate::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer, TokenPermission};

impl<'ex, A> Extractible<'ex> for Bearer<A>
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    fn metadata() -> &'static Metadata {
        &METADATA
    }

    #[expect(refining_impl_trait, reason = "the error is the response")]
    async fn extract(request: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, ApiResponse> {
        credentials(request, depot).bearer().await
    }
}

impl<'ex, A> Extractible<'ex> for OptionalBearer<A>
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    fn metadata() -> &'static Metadata {
        &METADATA
    }

    #[expect(refining_impl_trait, reason = "the error is the response")]
    async fn extract(request: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, ApiResponse> {
        credentials(request, depot).optional_bearer().await
    }
}

impl<'ex, P, A> Extractible<'ex> for Allowed<P, Bearer<A>>
where
    P: TokenPermission,
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    fn metadata() -> &'static Metadata {
        &METADATA
    }

    #[expect(refining_impl_trait, reason = "the error is the response")]
    async fn extract(request: &'ex mut Request, depot: &'ex mut Depot) -> Result<Self, ApiResponse> {
        credentials(request, depot).allowed().await
    }
}

/// No part of the request's parameters.
static METADATA: Metadata = Metadata::new("");

fn credentials<'a, A>(request: &'a Request, depot: &'a Depot) -> Credentials<'a, A, impl Iterator<Item = &'a [u8]>>
where
    A: Any + Send + Sync,
{
    Credentials {
        api: depot.get_typed::<A>().ok(),
        authorization: request.headers().get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes),
        query: request.uri().query(),
    }
}

impl Scribe for ApiResponse {
    fn render(self, response: &mut Response) {
        response.status_code(StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response.body(self.body);
    }
}

/// Returns the route of the API's [metadata](crate::api::ResourceMetadata), to push to the app's router. Empty unless the
/// builder's [`publish_metadata`](crate::api::LogtoApiBuilder::publish_metadata) was called. See the [example](self).
///
/// The path is that of the whole site: push it to the outermost router.
pub fn resource_metadata(api: &LogtoApi) -> Router {
    let Some(metadata) = api.metadata() else { return Router::new() };
    Router::with_path(metadata.path()).get(Document(metadata.response()))
}

struct Document(ApiResponse);

#[handler]
impl Document {
    fn handle(&self) -> ApiResponse {
        self.0.clone()
    }
}
