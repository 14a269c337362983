//! By the layer.

use axum::routing::{get, post, put};
use axum::{Extension, Router};
use logto_client::api::{LogtoApi, VerifiedToken};
use logto_client::axum::resource_metadata;
use logto_client::tower::RequireToken;

use super::axum::{check, maybe, serve};
use super::{App, Partners, Write};

pub(super) async fn start(api: LogtoApi, partners: Partners) -> App {
    let token = RequireToken::new(api.clone());
    let partner = RequireToken::new(partners.0);
    // The layer knows no request for which a token is optional, and no handler's own checks.
    let others = Router::new().route("/maybe", get(maybe)).route("/things", put(check));
    let app = Router::new()
        .route("/things", get(subject).route_layer(token.clone()))
        .route("/things", post(subject).route_layer(token.with_permission::<Write>()))
        .route("/partners", get(subject).route_layer(partner.clone()))
        .route("/partners", post(subject).route_layer(partner.with_permission::<Write>()))
        .merge(others)
        .merge(resource_metadata(&api))
        .with_state(api);
    serve(app).await
}

async fn subject(Extension(token): Extension<VerifiedToken>) -> String {
    token.sub().to_owned()
}
