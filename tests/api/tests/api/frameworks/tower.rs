//! By the layer.

use axum::routing::{get, post};
use axum::{Extension, Router};
use logto_client::api::{Bearer, LogtoApi, VerifiedToken};
use logto_client::axum::resource_metadata;
use logto_client::tower::RequireToken;

use super::{App, Write};

pub(super) async fn start(api: LogtoApi) -> App {
    let read = Router::new().route("/things", get(subject)).route_layer(RequireToken::new(api.clone()));
    let write = RequireToken::new(api.clone()).with_permission::<Write>();
    let write = Router::new().route("/things", post(subject)).route_layer(write);
    // The layer knows no request for which a token is optional.
    let maybe = Router::new().route("/maybe", get(maybe));
    let app = read.merge(write).merge(maybe).merge(resource_metadata(&api)).with_state(api);
    super::axum::serve(app).await
}

async fn subject(Extension(token): Extension<VerifiedToken>) -> String {
    token.sub().to_owned()
}

async fn maybe(token: Option<Bearer>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}
