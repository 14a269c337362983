//! By extractors.

use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use logto_client::api::{Allowed, Bearer, LogtoApi};
use logto_client::axum::resource_metadata;
use tokio::net::TcpListener;

use super::{App, Write};

pub(super) async fn start(api: LogtoApi) -> App {
    let app = Router::new()
        .route("/things", get(list).post(create))
        .route("/maybe", get(maybe))
        .merge(resource_metadata(&api))
        .with_state(api);
    serve(app).await
}

async fn list(token: Bearer) -> String {
    token.sub().to_owned()
}

async fn create(Allowed(token): Allowed<Write>) -> String {
    token.sub().to_owned()
}

async fn maybe(token: Option<Bearer>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

pub(super) async fn serve(app: Router) -> App {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    App::new(url, tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") }))
}
