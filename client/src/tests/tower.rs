use std::convert::Infallible;
use std::future::Ready;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use fake_provider::API;
use http::{Request, Response, StatusCode};
use http_body::Body as _;
use tower_layer::Layer as _;
use tower_service::Service;

use crate::api::LogtoApi;
use crate::tower::{RequireToken, RequireTokenService, ResponseBody};

/// A service that is never ready, and whose response is empty.
#[derive(Clone, Debug)]
struct Busy;

impl Service<Request<()>> for Busy {
    type Response = Response<NoBody>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        panic!("a request without a token was let through")
    }
}

struct NoBody;

impl http_body::Body for NoBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }
}

fn service() -> RequireTokenService<Busy, ()> {
    let api = LogtoApi::builder("https://tenant.logto.app").audience(API).build().unwrap();
    RequireToken::new(api).layer(Busy)
}

async fn refused(content_type: &str) -> Response<ResponseBody<NoBody>> {
    let request = Request::builder().header("content-type", content_type).body(()).unwrap();
    service().call(request).await.unwrap()
}

#[test]
fn the_service_is_ready_when_the_protected_one_is() {
    let mut cx = Context::from_waker(Waker::noop());
    assert!(service().poll_ready(&mut cx).is_pending());
}

#[tokio::test]
async fn the_length_of_a_refusal_is_known() {
    let mut response = refused("application/json").await;
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    let length = response.body().size_hint().exact().expect("a length");
    assert!(!response.body().is_end_stream());

    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Some(Ok(frame))) = Pin::new(response.body_mut()).poll_frame(&mut cx) else { panic!("no body") };

    assert_eq!(frame.into_data().unwrap().len() as u64, length);
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
}

#[tokio::test]
async fn a_refusal_over_grpc_has_no_body() {
    let response = refused("application/grpc+proto").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["grpc-status"], "16");
    assert_eq!(response.headers()["content-type"], "application/grpc+proto");
    assert!(response.body().is_end_stream());
    assert_eq!(response.body().size_hint().exact(), Some(0));
}

#[tokio::test]
async fn the_layer_its_service_and_a_refusal_show_what_they_are() {
    let api = LogtoApi::builder("https://tenant.logto.app").audience(API).build().unwrap();
    assert!(format!("{:?}", RequireToken::new(api)).contains(API));
    let printed = format!("{:?}", service());
    assert!(printed.contains(API) && printed.contains("Busy"), "{printed}");
    let printed = format!("{:?}", refused("application/json").await.body());
    assert!(printed.contains("is_refusal: true"), "{printed}");
}
