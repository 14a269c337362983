//! By extractors.

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use logto_client::api::{Allowed, ApiResponse, Bearer, LogtoApi};
use logto_client::axum::resource_metadata;
use tokio::net::TcpListener;

use super::{App, Partners, Write};

#[derive(Clone, FromRef)]
struct AppState {
    api: LogtoApi,
    partners: Partners,
}

pub(super) async fn start(api: LogtoApi, partners: Partners) -> App {
    let app = Router::new()
        .route("/things", get(list).post(create).put(check))
        .route("/maybe", get(maybe))
        .route("/partners", get(of_partner).post(by_partner))
        .merge(resource_metadata(&api))
        .with_state(AppState { api, partners });
    serve(app).await
}

async fn list(token: Bearer) -> String {
    token.sub().to_owned()
}

async fn create(Allowed(token): Allowed<Write>) -> String {
    token.sub().to_owned()
}

pub(super) async fn check(token: Bearer) -> Result<String, ApiResponse> {
    token.require::<Write>().map_err(|error| token.respond(&error))?;
    Ok(token.sub().to_owned())
}

pub(super) async fn maybe(token: Option<Bearer>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

async fn of_partner(token: Bearer<Partners>) -> String {
    token.sub().to_owned()
}

async fn by_partner(Allowed(token): Allowed<Write, Bearer<Partners>>) -> String {
    token.sub().to_owned()
}

pub(super) async fn serve(app: Router) -> App {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    App::of_task(url, tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") }))
}
