//! The pages.

use askama::Template;
use axum::Router;
use axum::extract::{OriginalUri, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use logto_client::axum::{AuthRejection, InSession, LogtoAuth};
use logto_client::{AccessTokenClaims, IdTokenClaims, TokenTarget};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::Session;

type Storage = InSession<Session>;
/// The user who is signed in: who is not is sent to sign in first.
type User = logto_client::axum::User<Storage>;

pub(crate) fn routes(auth: &LogtoAuth) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/claims", get(claims))
        .route("/user-info", get(user_info))
        .route("/access-token", get(access_token))
        .route("/organizations", get(organizations))
        .route("/protected", get(protected))
        .route("/style.css", get(stylesheet))
        .merge(auth.routes::<Storage, _>())
        .fallback(not_found)
        .with_state(auth.clone())
}

/// What the frame of every page shows.
struct Frame {
    /// The page's path.
    path: &'static str,
    /// The name of who is signed in.
    user: Option<String>,
}

impl Frame {
    fn of(path: &'static str, user: Option<&User>) -> Self {
        Self { path, user: user.map(|user| name(&user.claims)) }
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
    page(&Home { frame: Frame::of("/", user.as_ref()) })
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
    let about = "What the ID token says: who signed in, and when. It was verified before it was kept in your session.";
    let (frame, rows) = (Frame::of("/claims", Some(&user)), rows(&user.claims));
    page(&Claims { frame, title: "Claims", about, caption: "Claims of the ID token", rows })
}

async fn user_info(user: User) -> Response {
    let about = "What the provider says of you now, asked for with an access token of your own.";
    match user.session.fetch_user_info().await {
        Ok(info) => {
            let frame = Frame::of("/user-info", Some(&user));
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

/// What may be shown of a token.
struct ShownToken {
    /// What it is for.
    audience: String,
    /// Its first characters, which are the same for all.
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
        Some(resource) if !resources.contains(resource) => return no_such_api(&user),
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
    page(&AccessToken { frame: Frame::of("/access-token", Some(&user)), resources, token })
}

#[derive(Template)]
#[template(path = "organizations.html")]
struct Organizations {
    frame: Frame,
    tokens: Vec<ShownToken>,
}

async fn organizations(user: User) -> Response {
    let mut tokens = Vec::new();
    for organization in user.claims.user.organizations.iter().flatten() {
        let token = async {
            let token = user.session.access_token(TokenTarget::organization(organization)).await?;
            let claims = user.session.access_token_claims(TokenTarget::organization(organization)).await?;
            Ok(ShownToken::new(organization, token.as_str(), &claims))
        };
        match token.await {
            Ok(token) => tokens.push(token),
            Err(error) => return user.respond(error),
        }
    }
    page(&Organizations { frame: Frame::of("/organizations", Some(&user)), tokens })
}

#[derive(Template)]
#[template(path = "protected.html")]
struct Protected {
    frame: Frame,
    url: String,
}

async fn protected(user: User, OriginalUri(uri): OriginalUri) -> Response {
    page(&Protected { frame: Frame::of("/protected", Some(&user)), url: uri.to_string() })
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Problem {
    frame: Frame,
    title: &'static str,
    advice: &'static str,
    sign_in_url: Option<String>,
}

async fn not_found(user: Option<User>) -> Response {
    let frame = Frame::of("", user.as_ref());
    let advice = "There is no such page here. What there is, the links at the top lead to.";
    let problem = Problem { frame, title: "No such page", advice, sign_in_url: None };
    (StatusCode::NOT_FOUND, page(&problem)).into_response()
}

fn no_such_api(user: &User) -> Response {
    let advice =
        "This app is not configured for an API of this name. The page “Access token” lists those it is configured for.";
    let frame = Frame::of("/access-token", Some(user));
    (StatusCode::NOT_FOUND, page(&Problem { frame, title: "No such API", advice, sign_in_url: None })).into_response()
}

/// What becomes of the routes' and the extractors' errors.
pub(crate) fn failed(failure: &AuthRejection) -> Response {
    // With what caused it. None of that quotes a token, so all may go into a log.
    tracing::warn!(error = &failure.error as &dyn std::error::Error, "a request failed");
    if !failure.wants_page {
        return (failure.status, failure.advice()).into_response();
    }
    let problem = Problem {
        frame: Frame { path: "", user: None },
        title: "That did not work",
        advice: failure.advice(),
        sign_in_url: failure.sign_in_url.clone(),
    };
    (failure.status, page(&problem)).into_response()
}

async fn stylesheet() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "text/css"), (CACHE_CONTROL, "max-age=3600")];
    (headers, include_str!("../assets/style.css"))
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(page) => Html(page).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Each claim by its name, as text.
fn rows(claims: &impl Serialize) -> Vec<(String, String)> {
    let Ok(Value::Object(claims)) = serde_json::to_value(claims) else { return Vec::new() };
    let text = |value: Value| match value {
        Value::String(text) => text,
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    claims.into_iter().map(|(name, value)| (name, text(value))).collect()
}
