//! A layer that requires a valid access token (feature `tower-service-0_3`).
//!
//! It is for every server on the crates `http` and `tower`, such as axum and tonic:
//!
//! ```
//! # #[cfg(feature = "axum-0_8")]
//! # mod app {
//! use axum::routing::get;
//! use axum::{Extension, Router};
//! use logto_client::api::{LogtoApi, VerifiedToken};
//! use logto_client::tower::RequireToken;
//!
//! fn app(api: LogtoApi) -> Router {
//!     Router::new().route("/whoami", get(whoami)).route_layer(RequireToken::new(api))
//! }
//!
//! /// The layer has put the token into the request's extensions.
//! async fn whoami(Extension(token): Extension<VerifiedToken>) -> String {
//!     token.sub().to_owned()
//! }
//! # }
//! # fn main() {}
//! ```

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::api::{ApiError, ApiResponse, Bearer, LogtoApi, TokenPermission, VerifiedToken};

/// Refuses requests without a valid access token, as [`LogtoApi::respond`] describes. The others reach the service with
/// the [`VerifiedToken`] in their extensions. See the [example](self).
///
/// A gRPC request is refused in gRPC's own way: with `UNAUTHENTICATED` for 400 and 401, `PERMISSION_DENIED` for 403 and
/// `UNAVAILABLE` for 503, and with the same headers, which clients see as metadata.
pub struct RequireToken<P = ()> {
    api: LogtoApi,
    permission: PhantomData<fn() -> P>,
}

/// A service behind [`RequireToken`].
pub struct RequireTokenService<S, P = ()> {
    inner: S,
    api: LogtoApi,
    permission: PhantomData<fn() -> P>,
}

impl RequireToken {
    /// Requires a valid token, whatever it allows. See the [example](self).
    pub fn new(api: LogtoApi) -> Self {
        Self { api, permission: PhantomData }
    }

    /// Requires a [permission](TokenPermission) as well.
    ///
    /// ```
    /// use logto_client::LogtoScope;
    /// use logto_client::api::LogtoApi;
    /// use logto_client::tower::RequireToken;
    ///
    /// #[derive(LogtoScope)]
    /// #[logto(scope = "write:things")]
    /// struct WriteThings;
    ///
    /// fn layer(api: LogtoApi) -> RequireToken<WriteThings> {
    ///     RequireToken::new(api).with_permission()
    /// }
    /// ```
    pub fn with_permission<P: TokenPermission>(self) -> RequireToken<P> {
        RequireToken { api: self.api, permission: PhantomData }
    }
}

impl<S, P> Layer<S> for RequireToken<P> {
    type Service = RequireTokenService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireTokenService { inner, api: self.api.clone(), permission: PhantomData }
    }
}

impl<S, P, ReqBody, ResBody> Service<Request<ReqBody>> for RequireTokenService<S, P>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone + Send + 'static,
    S::Future: Send,
    P: TokenPermission + 'static,
    ReqBody: Send + 'static,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        // The one that is ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let api = self.api.clone();
        Box::pin(async move {
            let (headers, query) = credentials(&request);
            let grpc = grpc_content_type(&request);
            match verify::<P>(&api, &headers, query.as_deref()).await {
                Ok(token) => {
                    request.extensions_mut().insert(token);
                    Ok(inner.call(request).await?.map(ResponseBody::of_service))
                }
                Err(error) => {
                    let response = refusal(api.respond(&error));
                    Ok(if let Some(content_type) = grpc {
                        grpc_refusal(response, content_type, &error)
                    } else {
                        response
                    })
                }
            }
        })
    }
}

/// A copy: the request's body need not be `Sync`, so no future that is `Send` can hold a reference to the request.
fn credentials<B>(request: &Request<B>) -> (Vec<HeaderValue>, Option<String>) {
    let headers = request.headers().get_all(AUTHORIZATION).iter().cloned().collect();
    (headers, request.uri().query().map(str::to_owned))
}

async fn verify<P: TokenPermission>(
    api: &LogtoApi,
    authorization: &[HeaderValue],
    query: Option<&str>,
) -> Result<VerifiedToken, ApiError> {
    let headers = authorization.iter().map(HeaderValue::as_bytes);
    let bearer = Bearer::from_request(api.clone(), headers, query).await?;
    bearer.require::<P>()?;
    Ok(bearer.token().clone())
}

fn refusal<B>(ApiResponse { status, headers, body }: ApiResponse) -> Response<ResponseBody<B>> {
    let mut response = Response::new(ResponseBody::refusal(body.into()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// The `Content-Type` of a gRPC request, `application/grpc` or one that begins so.
fn grpc_content_type<B>(request: &Request<B>) -> Option<HeaderValue> {
    let content_type = request.headers().get(CONTENT_TYPE)?;
    content_type.as_bytes().starts_with(b"application/grpc").then(|| content_type.clone())
}

/// A gRPC client takes a body for messages, and looks for the status in the headers if there is none ("Trailers-Only").
fn grpc_refusal<B>(
    response: Response<ResponseBody<B>>,
    content_type: HeaderValue,
    error: &ApiError,
) -> Response<ResponseBody<B>> {
    // https://grpc.github.io/grpc/core/md_doc_statuscodes.html
    let (code, message) = match error.status() {
        400 | 401 => ("16", error.to_string()),
        403 => ("7", error.to_string()),
        503 => ("14", error.to_string()),
        // An operator finds it in the log.
        _ => ("13", "the API is not configured correctly".to_owned()),
    };
    let mut response = response.map(|_| ResponseBody::refusal(Bytes::new()));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert("grpc-status", HeaderValue::from_static(code));
    if let Ok(message) = HeaderValue::try_from(message.replace('%', "%25")) {
        headers.insert("grpc-message", message);
    }
    response
}

pin_project! {
    /// The body of the service's response, or of a refusal.
    pub struct ResponseBody<B> {
        #[pin]
        service: Option<B>,
        refusal: Option<Bytes>,
    }
}

impl<B> ResponseBody<B> {
    fn of_service(body: B) -> Self {
        Self { service: Some(body), refusal: None }
    }

    fn refusal(body: Bytes) -> Self {
        Self { service: None, refusal: Some(body).filter(|body| !body.is_empty()) }
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        match this.service.as_pin_mut() {
            Some(body) => body.poll_frame(cx),
            None => Poll::Ready(this.refusal.take().map(|body| Ok(Frame::data(body)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.service.as_ref().map_or(self.refusal.is_none(), Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let of_refusal = || SizeHint::with_exact(self.refusal.as_ref().map_or(0, Bytes::len) as u64);
        self.service.as_ref().map_or_else(of_refusal, Body::size_hint)
    }
}

impl<P> Clone for RequireToken<P> {
    fn clone(&self) -> Self {
        Self { api: self.api.clone(), permission: PhantomData }
    }
}

impl<S: Clone, P> Clone for RequireTokenService<S, P> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), api: self.api.clone(), permission: PhantomData }
    }
}

impl<P> fmt::Debug for RequireToken<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequireToken").field(&self.api).finish()
    }
}

impl<S: fmt::Debug, P> fmt::Debug for RequireTokenService<S, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireTokenService").field("inner", &self.inner).field("api", &self.api).finish()
    }
}

impl<B> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("is_refusal", &self.service.is_none()).finish_non_exhaustive()
    }
}
