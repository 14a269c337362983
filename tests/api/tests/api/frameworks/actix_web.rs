//! By extractors.

use std::net::Ipv4Addr;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpServer, Responder};
use logto_client::actix_web::resource_metadata;
use logto_client::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer};

use super::{App, Missing, Partners, Write};

#[expect(clippy::unused_async, reason = "as the other frameworks start")]
pub(super) async fn start(api: LogtoApi, partners: Partners) -> App {
    let new_app = move || actix_web::App::new().configure(routes(api.clone(), partners.clone()));
    let server = HttpServer::new(new_app).workers(1).disable_signals().bind((Ipv4Addr::LOCALHOST, 0));
    let server = server.expect("a free port");
    let url = format!("http://{}", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    tokio::spawn(server);
    App::new(url, move || drop(handle.stop(false)))
}

fn routes(api: LogtoApi, partners: Partners) -> impl FnOnce(&mut ServiceConfig) {
    move |config| {
        config
            .configure(resource_metadata(&api))
            .app_data(Data::new(api))
            // Without `Data`, too.
            .app_data(partners)
            .service(web::resource("/things").get(list).post(create).put(check))
            .service(web::resource("/maybe").get(maybe))
            .service(web::resource("/partners").get(of_partner).post(by_partner))
            .service(web::resource("/missing").get(missing));
    }
}

async fn list(token: Bearer) -> String {
    token.sub().to_owned()
}

async fn create(Allowed(token): Allowed<Write>) -> String {
    token.sub().to_owned()
}

async fn check(token: Bearer) -> Result<impl Responder, ApiResponse> {
    token.require::<Write>().map_err(|error| token.respond(&error))?;
    Ok(token.sub().to_owned())
}

async fn maybe(OptionalBearer(token): OptionalBearer) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

async fn of_partner(token: Bearer<Partners>) -> String {
    token.sub().to_owned()
}

async fn by_partner(Allowed(token): Allowed<Write, Bearer<Partners>>) -> String {
    token.sub().to_owned()
}

async fn missing(token: Bearer<Missing>) -> String {
    token.sub().to_owned()
}
