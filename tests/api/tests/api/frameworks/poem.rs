//! By extractors.

#![expect(clippy::needless_pass_by_value, reason = "an extractor is an argument by value")]

use std::net::Ipv4Addr;

use logto_client::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer};
use logto_client::poem::resource_metadata;
use poem::listener::{Acceptor, Listener, TcpListener};
use poem::{EndpointExt, Route, Server, get, handler};

use super::{App, Missing, Partners, Write};

pub(super) async fn start(api: LogtoApi, partners: Partners) -> App {
    let routes = Route::new()
        .at("/things", get(list).post(create).put(check))
        .at("/maybe", get(maybe))
        .at("/partners", get(of_partner).post(by_partner))
        .at("/missing", get(missing));
    let app = resource_metadata(routes, &api).data(api).data(partners);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST.to_string(), 0)).into_acceptor().await.expect("a free port");
    let url = format!("http://{}", listener.local_addr()[0].as_socket_addr().expect("an address"));
    let server = Server::new_with_acceptor(listener).run(app);
    App::of_task(url, tokio::spawn(async move { server.await.expect("a server") }))
}

#[handler]
fn list(token: Bearer) -> String {
    token.sub().to_owned()
}

#[handler]
fn create(Allowed(token): Allowed<Write>) -> String {
    token.sub().to_owned()
}

#[handler]
fn check(token: Bearer) -> Result<String, ApiResponse> {
    token.require::<Write>().map_err(|error| token.respond(&error))?;
    Ok(token.sub().to_owned())
}

#[handler]
fn maybe(OptionalBearer(token): OptionalBearer) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

#[handler]
fn of_partner(token: Bearer<Partners>) -> String {
    token.sub().to_owned()
}

#[handler]
fn by_partner(Allowed(token): Allowed<Write, Bearer<Partners>>) -> String {
    token.sub().to_owned()
}

#[handler]
fn missing(token: Bearer<Missing>) -> String {
    token.sub().to_owned()
}
