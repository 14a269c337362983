//! By extractors: in the handlers, and for the partners in hoops.

use std::net::Ipv4Addr;

use logto_client::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer};
use logto_client::salvo::resource_metadata;
use salvo::affix_state;
use salvo::conn::tcp::TcpAcceptor;
use salvo::prelude::{Depot, Router, Server, Writer, handler};
use tokio::net::TcpListener;

use super::{App, Missing, Partners, Write};

pub(super) async fn start(api: LogtoApi, partners: Partners) -> App {
    let of_partners = Router::with_path("partners").hoop(require_partner).get(sub);
    let by_partners = Router::with_path("partners").hoop(require_partner_with_write).post(sub);
    let router = Router::new()
        .push(resource_metadata(&api))
        .hoop(affix_state::inject(api).inject(partners))
        .push(Router::with_path("things").get(list).post(create).put(check))
        .push(Router::with_path("maybe").get(maybe))
        .push(of_partners)
        .push(by_partners)
        .push(Router::with_path("missing").get(missing));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = Server::new(TcpAcceptor::try_from(listener).expect("a listener"));
    App::of_task(url, tokio::spawn(async move { server.try_serve(router).await.expect("a server") }))
}

#[handler]
fn list(token: Bearer) -> String {
    token.sub().to_owned()
}

#[handler]
fn create(token: Allowed<Write>) -> String {
    token.0.sub().to_owned()
}

#[handler]
fn check(token: Bearer) -> Result<String, ApiResponse> {
    token.require::<Write>().map_err(|error| token.respond(&error))?;
    Ok(token.sub().to_owned())
}

#[handler]
fn maybe(token: OptionalBearer) -> String {
    token.0.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

struct Sub(String);

#[handler]
fn require_partner(token: Bearer<Partners>, depot: &mut Depot) {
    depot.insert_typed(Sub(token.sub().to_owned()));
}

#[handler]
fn require_partner_with_write(token: Allowed<Write, Bearer<Partners>>, depot: &mut Depot) {
    depot.insert_typed(Sub(token.0.sub().to_owned()));
}

#[handler]
fn sub(depot: &mut Depot) -> String {
    depot.get_typed::<Sub>().expect("the hoop's").0.clone()
}

#[handler]
fn missing(token: Bearer<Missing>) -> String {
    token.sub().to_owned()
}
