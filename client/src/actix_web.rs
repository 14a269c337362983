//! Verified access tokens for actix-web 4 (feature `actix-web-4`).
//!
//! Put the [`LogtoApi`] into the app's data. [`Bearer`] and [`Allowed`] among a handler's arguments protect the handler:
//!
//! ```
//! use actix_web::dev::HttpServiceFactory;
//! use actix_web::web::{self, Data, ServiceConfig};
//! use logto_client::LogtoScope;
//! use logto_client::api::{Allowed, Bearer, LogtoApi};
//!
//! #[derive(LogtoScope)]
//! #[logto(scope = "write:things")]
//! struct WriteThings;
//!
//! /// For `App::configure`. Create `api` once, outside the closure that `HttpServer::new` calls for each worker.
//! fn routes(api: LogtoApi) -> impl FnOnce(&mut ServiceConfig) {
//!     move |config| {
//!         config
//!             .configure(logto_client::actix_web::resource_metadata(&api))
//!             .app_data(Data::new(api))
//!             .service(web::resource("/things").get(list).post(create));
//!     }
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
//! ```
//!
//! - Where a token is optional, use [`OptionalBearer`]. `Option<Bearer>` is `None` for a token that is not valid as well.
//! - For [several issuers](crate::api#several-issuers), put a `Data<Partners>` into the app's data, too, and use
//!   `Bearer<Partners>`. `Partners` is [`Clone`].
//! - In a handler that returns `Result<_, ApiResponse>`, `bearer.require::<P>().map_err(|error| bearer.respond(&error))?`
//!   answers as an extractor does.
//! - Without the `LogtoApi` in the app's data, requests are answered with 500, and the log names the missing type.

use std::pin::Pin;

use ::actix_web::body::BoxBody;
use ::actix_web::dev::Payload;
use ::actix_web::http::StatusCode;
use ::actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use ::actix_web::web::{self, Data, ServiceConfig};
use ::actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, ResponseError};

use crate::api::adapter::Credentials;
use crate::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer, TokenPermission};

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, ApiResponse>>>>;

impl<A: AsRef<LogtoApi> + Clone + 'static> FromRequest for Bearer<A> {
    type Error = ApiResponse;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { credentials(&request).bearer().await })
    }
}

impl<A: AsRef<LogtoApi> + Clone + 'static> FromRequest for OptionalBearer<A> {
    type Error = ApiResponse;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { credentials(&request).optional_bearer().await })
    }
}

impl<P, A> FromRequest for Allowed<P, Bearer<A>>
where
    P: TokenPermission + 'static,
    A: AsRef<LogtoApi> + Clone + Sync + 'static,
{
    type Error = ApiResponse;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { credentials(&request).allowed().await })
    }
}

fn credentials<A: 'static>(request: &HttpRequest) -> Credentials<'_, A, impl Iterator<Item = &[u8]>> {
    let data = || request.app_data::<Data<A>>().map(Data::get_ref);
    Credentials {
        api: request.app_data::<A>().or_else(data),
        authorization: request.headers().get_all(AUTHORIZATION).map(HeaderValue::as_bytes),
        query: request.uri().query(),
    }
}

impl ResponseError for ApiResponse {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        self.clone().into()
    }
}

impl From<ApiResponse> for HttpResponse {
    fn from(response: ApiResponse) -> Self {
        let mut builder = Self::build(response.status_code());
        for (name, value) in response.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                builder.insert_header((HeaderName::from_static(name), value));
            }
        }
        builder.body(response.body)
    }
}

impl Responder for ApiResponse {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into()
    }
}

/// Returns the route of the API's [metadata](crate::api::ResourceMetadata), for `App::configure`. It does nothing unless
/// the builder's [`publish_metadata`](crate::api::LogtoApiBuilder::publish_metadata) was called. See the
/// [example](self).
///
/// The path is that of the whole site: do not call it in a scope.
pub fn resource_metadata(api: &LogtoApi) -> impl FnOnce(&mut ServiceConfig) + use<> {
    let metadata = api.metadata().cloned();
    move |config| {
        if let Some(metadata) = metadata {
            let response = metadata.response();
            config.route(metadata.path(), web::get().to(move || std::future::ready(response.clone())));
        }
    }
}
