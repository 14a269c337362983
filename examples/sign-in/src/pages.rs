//! The pages.

use askama::Template;
use axum::Router;
use axum::extract::{OriginalUri, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use logto_client::axum::{LogtoAuth, VaultSession};
use logto_client::{AccessTokenClaims, Error, IdTokenClaims, TokenTarget};
use serde::Deserialize;

use crate::problem;
use crate::rows::rows;

/// The signed-in user, whose tokens are in the vault. Signed-out visitors are redirected to sign in.
pub(crate) type User = logto_client::axum::User<VaultSession>;

pub(crate) fn routes(auth: &LogtoAuth) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/claims", get(claims))
        .route("/user-info", get(user_info))
        .route("/access-token", get(access_token))
        .route("/organizations", get(organizations))
        .route("/protected", get(protected))
        .route("/style.css", get(stylesheet))
        .merge(auth.routes::<VaultSession, _>())
        .fallback(problem::not_found)
        .with_state(auth.clone())
}

/// The data that every page needs.
pub(crate) struct Frame {
    /// The page's path.
    pub(crate) path: &'static str,
    /// The signed-in user's name.
    pub(crate) user: Option<String>,
}

impl Frame {
    pub(crate) fn new(path: &'static str, user: Option<&User>) -> Self {
        Self::of_claims(path, user.map(|user| &user.claims))
    }

    pub(crate) fn of_claims(path: &'static str, claims: Option<&IdTokenClaims>) -> Self {
        Self { path, user: claims.map(name) }
    }
}

fn name(claims: &IdTokenClaims) -> String {
    let IdTokenClaims { user, sub, .. } = claims;
    user.name.as_ref().or(user.username.as_ref()).unwrap_or(sub).clone()
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
}

async fn home(user: Option<User>) -> Response {
    page(&Home { frame: Frame::new("/", user.as_ref()) })
}

#[derive(Template)]
#[template(path = "claims.html")]
struct Claims {
    frame: Frame,
    title: &'static str,
    about: &'static str,
    caption: &'static str,
    rows: Vec<(String, String)>,
}

async fn claims(user: User) -> Response {
    let about = "The ID token says who signed in, and when. The app verified it before storing it in your session.";
    let (frame, rows) = (Frame::new("/claims", Some(&user)), rows(&user.claims));
    page(&Claims { frame, title: "Claims", about, caption: "Claims of the ID token", rows })
}

async fn user_info(user: User) -> Response {
    let about = "This is what the provider knows about you now. The app asked for it with your access token.";
    match user.session.fetch_user_info().await {
        Ok(info) => {
            let frame = Frame::new("/user-info", Some(&user));
            page(&Claims { frame, title: "User info", about, caption: "Claims of the user info", rows: rows(&info) })
        }
        Err(error) => user.respond(error),
    }
}

#[derive(Deserialize)]
struct AccessTokenParams {
    resource: Option<String>,
}

#[derive(Template)]
#[template(path = "access_token.html")]
struct AccessToken {
    frame: Frame,
    resources: Vec<String>,
    token: Option<ShownToken>,
}

/// The parts of a token that are safe to show.
struct ShownToken {
    /// The API or organization.
    audience: String,
    /// The first characters, which are the same in every token.
    excerpt: String,
    len: usize,
    claims: Vec<(String, String)>,
}

impl ShownToken {
    fn new(audience: &str, token: &str, claims: &AccessTokenClaims) -> Self {
        let excerpt = token.get(..6).unwrap_or_default().to_owned();
        Self { audience: audience.to_owned(), excerpt, len: token.len(), claims: rows(claims) }
    }
}

async fn access_token(State(auth): State<LogtoAuth>, user: User, Query(params): Query<AccessTokenParams>) -> Response {
    let is_api = |resource: &&String| !resource.starts_with("urn:logto:");
    let resources: Vec<_> = auth.client().config().resources().iter().filter(is_api).cloned().collect();
    let token = match &params.resource {
        Some(resource) if !resources.contains(resource) => return problem::unknown_api(&user),
        Some(resource) => {
            let shown = async {
                let token = user.session.access_token(TokenTarget::resource(resource)).await?;
                let claims = user.session.access_token_claims(TokenTarget::resource(resource)).await?;
                Ok(ShownToken::new(resource, token.as_str(), &claims))
            };
            match shown.await {
                Ok(token) => Some(token),
                Err(error) => return user.respond(error),
            }
        }
        None => None,
    };
    page(&AccessToken { frame: Frame::new("/access-token", Some(&user)), resources, token })
}

#[derive(Template)]
#[template(path = "organizations.html")]
struct Organizations {
    frame: Frame,
    organizations: Vec<Organization>,
}

struct Organization {
    id: String,
    name: String,
    description: Option<String>,
    /// The organization's token, or why Logto refuses one.
    token: Result<ShownToken, String>,
}

async fn organizations(user: User) -> Response {
    match user_organizations(&user).await {
        Ok(organizations) => page(&Organizations { frame: Frame::new("/organizations", Some(&user)), organizations }),
        Err(error) => user.respond(error),
    }
}

/// Returns the organizations in the user info, then those that only the ID token names, which may be outdated.
async fn user_organizations(user: &User) -> Result<Vec<Organization>, Error> {
    let mut organizations = Vec::new();
    for data in user.session.fetch_user_info().await?.user.organization_data.unwrap_or_default() {
        let token = organization_token(user, &data.id).await?;
        organizations.push(Organization { id: data.id, name: data.name, description: data.description, token });
    }
    for id in user.claims.user.organizations.iter().flatten() {
        if organizations.iter().all(|known| known.id != *id) {
            let token = organization_token(user, id).await?;
            organizations.push(Organization { id: id.clone(), name: id.clone(), description: None, token });
        }
    }
    Ok(organizations)
}

/// Returns a refusal as a value, because the page shows it. Any other error fails the page.
async fn organization_token(user: &User, id: &str) -> Result<Result<ShownToken, String>, Error> {
    let token = match user.session.access_token(TokenTarget::organization(id)).await {
        Ok(token) => token,
        Err(error) if error.is_access_denied() => return Ok(Err(reason(&error))),
        Err(error) => return Err(error),
    };
    let claims = user.session.access_token_claims(TokenTarget::organization(id)).await?;
    Ok(Ok(ShownToken::new(id, token.as_str(), &claims)))
}

/// Returns Logto's description of a refusal.
fn reason(error: &Error) -> String {
    match error {
        Error::TokenEndpoint { description: Some(description), .. } => description.clone(),
        error => error.to_string(),
    }
}

#[derive(Template)]
#[template(path = "protected.html")]
struct Protected {
    frame: Frame,
    url: String,
}

async fn protected(user: User, OriginalUri(uri): OriginalUri) -> Response {
    page(&Protected { frame: Frame::new("/protected", Some(&user)), url: uri.to_string() })
}

async fn stylesheet() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("../assets/style.css"))
}

pub(crate) fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "page not rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
