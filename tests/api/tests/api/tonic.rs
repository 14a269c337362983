//! The layer in front of a gRPC service.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http;
use bytes::{Buf, BufMut};
use fake_provider::{Endpoint, FakeProvider, Reply, SUBJECT};
use logto_client::api::VerifiedToken;
use logto_client::tower::RequireToken;
use serde_json::json;
use tokio::net::TcpListener;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Code, Request, Response, Status};
use tower_service::Service;

use crate::frameworks::{App, Write};
use crate::requests::api;

/// A service with one method, written as `tonic-build` writes them.
#[derive(Clone)]
struct Whoami;

impl NamedService for Whoami {
    const NAME: &'static str = "test.Whoami";
}

impl Service<http::Request<Body>> for Whoami {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move { Ok(Grpc::new(Text).unary(Subject, request).await) })
    }
}

struct Subject;

impl UnaryService<String> for Subject {
    type Response = String;
    type Future = Ready<Result<Response<String>, Status>>;

    fn call(&mut self, request: Request<String>) -> Self::Future {
        let token = request.extensions().get::<VerifiedToken>().ok_or_else(|| Status::internal("no token"));
        ready(token.map(|token| Response::new(token.sub().to_owned())))
    }
}

#[derive(Clone, Copy)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, text: String, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(text.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let mut text = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut text);
        String::from_utf8(text).map(Some).map_err(|_| Status::internal("not UTF-8"))
    }
}

async fn start<P: logto_client::api::TokenPermission + 'static>(layer: RequireToken<P>) -> (App, Channel) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = Server::builder().layer(layer).add_service(Whoami);
    let server = tokio::spawn(async move {
        server.serve_with_incoming(TcpIncoming::from(listener)).await.expect("a server");
    });
    let channel = Channel::from_shared(url.clone()).expect("a URL").connect().await.expect("a connection");
    (App::of_task(url, server), channel)
}

async fn whoami(channel: &Channel, token: Option<&str>) -> Result<String, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("a connection");
    let mut request = Request::new(String::new());
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a header"));
    }
    let path = http::uri::PathAndQuery::from_static("/test.Whoami/Whoami");
    client.unary(request, path, Text).await.map(Response::into_inner)
}

#[tokio::test]
async fn a_grpc_client_sees_the_refusals_as_statuses() {
    let provider = FakeProvider::start().await;
    let (_app, channel) = start(RequireToken::new(api(&provider))).await;
    let (_writers, for_writers) = start(RequireToken::new(api(&provider)).with_permission::<Write>()).await;
    let reader = provider.access_token(|_| ());
    let writer = provider.access_token(|token| token.claims["scope"] = json!("read write"));
    let expired = provider.access_token(|token| token.claims["exp"] = json!(1));

    assert_eq!(whoami(&channel, Some(&reader)).await.expect("a subject"), SUBJECT);
    assert_eq!(whoami(&for_writers, Some(&writer)).await.expect("a subject"), SUBJECT);
    for (channel, token, code, message, challenge) in [
        (
            &channel,
            None,
            Code::Unauthenticated,
            "the request has no access token",
            "Bearer realm=\"https://api.example.com\"",
        ),
        (
            &channel,
            Some(&*expired),
            Code::Unauthenticated,
            "invalid access token: it has expired",
            "error=\"invalid_token\"",
        ),
        (&channel, Some("a b"), Code::Unauthenticated, "and one token", "error=\"invalid_request\""),
        (&for_writers, Some(&*reader), Code::PermissionDenied, "lacks a permission: write", "scope=\"write\""),
    ] {
        let status = whoami(channel, token).await.expect_err("a refusal");
        assert_eq!(status.code(), code, "{status:?}");
        assert!(status.message().contains(message), "{status:?}");
        let sent = status.metadata().get("www-authenticate").expect("a challenge").to_str().expect("text");
        assert!(sent.contains(challenge), "{sent}");
    }
}

#[tokio::test]
async fn a_grpc_client_may_try_again_later_if_there_are_no_keys() {
    let provider = FakeProvider::start().await;
    provider.answer(Endpoint::Jwks, |_| Reply::json(500, &json!({})));
    let (_app, channel) = start(RequireToken::new(api(&provider))).await;
    let token = provider.access_token(|_| ());

    let status = whoami(&channel, Some(&token)).await.expect_err("no keys");

    assert_eq!(status.code(), Code::Unavailable, "{status:?}");
    assert!(status.metadata().contains_key("retry-after"), "{status:?}");
}
