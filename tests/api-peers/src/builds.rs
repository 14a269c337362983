//! Clean builds of an API that verifies access tokens and does nothing else.

use crate::COMMAND;
use crate::project::{Project, workspace};
use crate::report::{Report, ratio, seconds};
use crate::setup::{AXUM_JWT_AUTH, JWT_AUTHORIZER, OURS};
use crate::timing::{rounds, runs};

const TOKIO: &str = "tokio = { version = '1', features = ['macros', 'rt-multi-thread'] }\n";

const SERDE: &str = "serde = { version = '1', features = ['derive'] }\n";

const OUR_MAIN: &str = "\
use axum::{Router, routing::get};
use logto_client::LogtoScope;
use logto_client::api::{Allowed, LogtoApi};

#[derive(LogtoScope)]
#[logto(scope = \"read:things\")]
struct ReadThings;

async fn things(Allowed(token): Allowed<ReadThings>) -> String {
    format!(\"the things of {}\", token.sub())
}

#[tokio::main]
async fn main() {
    let api = LogtoApi::builder(\"https://tenant.logto.app\").audience(\"https://api.example.com\").build().unwrap();
    let app = Router::new().route(\"/things\", get(things)).with_state(api);
    axum::serve(tokio::net::TcpListener::bind(\"127.0.0.1:3000\").await.unwrap(), app).await.unwrap();
}
";

const JWT_AUTHORIZER_MAIN: &str = "\
use axum::{Router, routing::get};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims, Validation};

#[derive(Clone, serde::Deserialize)]
struct Claims {
    sub: String,
    scope: String,
}

async fn things(JwtClaims(claims): JwtClaims<Claims>) -> String {
    format!(\"the things of {}\", claims.sub)
}

#[tokio::main]
async fn main() {
    let validation = Validation::new().iss(&[\"https://tenant.logto.app/oidc\"]).aud(&[\"https://api.example.com\"]);
    let authorizer = JwtAuthorizer::from_oidc(\"https://tenant.logto.app/oidc\")
        .validation(validation)
        .check(|claims: &Claims| claims.scope.split(' ').any(|scope| scope == \"read:things\"))
        .build()
        .await
        .unwrap();
    let app = Router::new().route(\"/things\", get(things)).layer(authorizer.into_layer());
    axum::serve(tokio::net::TcpListener::bind(\"127.0.0.1:3000\").await.unwrap(), app).await.unwrap();
}
";

const AXUM_JWT_AUTH_MAIN: &str = "\
use std::sync::Arc;

use axum::{Router, http::StatusCode, routing::get};
use axum_jwt_auth::{Claims, Decoder, RemoteJwksDecoder};
use jsonwebtoken::{Algorithm, Validation};

#[derive(serde::Deserialize)]
struct Token {
    sub: String,
    scope: String,
}

async fn things(token: Claims<Token>) -> Result<String, StatusCode> {
    if !token.claims.scope.split(' ').any(|scope| scope == \"read:things\") {
        return Err(StatusCode::FORBIDDEN);
    }
    Ok(format!(\"the things of {}\", token.claims.sub))
}

#[tokio::main]
async fn main() {
    let mut validation = Validation::new(Algorithm::ES384);
    validation.set_issuer(&[\"https://tenant.logto.app/oidc\"]);
    validation.set_audience(&[\"https://api.example.com\"]);
    let jwks = \"https://tenant.logto.app/oidc/jwks\".to_owned();
    let decoder = RemoteJwksDecoder::builder().jwks_url(jwks).validation(validation).build().unwrap();
    decoder.initialize().await.unwrap();
    let decoder: Decoder<Token> = Arc::new(decoder);
    let app = Router::new().route(\"/things\", get(things)).with_state(decoder);
    axum::serve(tokio::net::TcpListener::bind(\"127.0.0.1:3000\").await.unwrap(), app).await.unwrap();
}
";

pub(crate) fn run() {
    let mut report = Report::by(format!("{COMMAND} -- build"));
    let ours = format!(
        "axum = '0.8'\nlogto-client = {{ path = {:?}, default-features = false, features = ['axum-0_8', 'derive'] }}",
        workspace("client")
    );
    let rustls = "{ version = '0.15', default-features = false, features = ['chrono', 'rustls-tls'] }";
    let candidates = [
        (JWT_AUTHORIZER.to_owned(), format!("{SERDE}axum = '0.7'\njwt-authorizer = '0.15'"), JWT_AUTHORIZER_MAIN),
        (OURS.to_owned(), ours, OUR_MAIN),
        (
            format!("{JWT_AUTHORIZER}, with rustls for OpenSSL"),
            format!("{SERDE}axum = '0.7'\njwt-authorizer = {rustls}"),
            JWT_AUTHORIZER_MAIN,
        ),
        (
            AXUM_JWT_AUTH.to_owned(),
            format!("{SERDE}axum = '0.8'\naxum-jwt-auth = '0.7'\njsonwebtoken = '10'"),
            AXUM_JWT_AUTH_MAIN,
        ),
    ];
    let projects = candidates.each_ref().map(|(_, dependencies, main)| {
        let project = Project::new("", "");
        project.write_main(&format!("{TOKIO}{dependencies}"), main);
        project.cargo(&["fetch"], false);
        project
    });
    let mut crates = [0; 4];
    let times = rounds(runs(3), projects.len(), |index| {
        projects[index].clean();
        let build = projects[index].build(true);
        crates[index] = build.compiled;
        projects[index].clean();
        build.seconds
    });
    let rows: Vec<_> = (candidates.iter().zip(crates).zip(times))
        .map(|(((name, ..), crates), timing)| {
            vec![name.clone(), crates.to_string(), seconds(timing.value), ratio(timing.ratio)]
        })
        .collect();
    report.table("A clean build of an API", &["", "crates", "seconds", "ratio"], &rows);
    report.finish();
}
