//! The app under test: a small one on axum, which shows what the client gives it.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use axum::extract::{FromRef, FromRequestParts, Query, Request, State};
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use fake_provider::Gate;
use logto_client::vault::{BoxVault, Vault};
use logto_client::{
    AccessToken, Error, IdToken, LogtoClient, LogtoSession, LogtoStorage, Prompt, RefreshToken, SignInOptions,
    TokenTarget,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{LIMIT, items};

/// A session of some library, as the storage of Logto's items.
pub(crate) trait Stored: FromRequestParts<App> + Send + 'static {
    type Storage: LogtoStorage + Send + Sync + 'static;

    fn storage(self) -> Self::Storage;
}

#[derive(Clone)]
pub(crate) struct App {
    client: LogtoClient,
    url: String,
    /// The `Cookie` header of each request.
    cookies: Arc<Mutex<Vec<String>>>,
    /// Of the pages that take their time.
    pauses: Gate,
    /// Only for storages in a vault.
    vault: Option<Vault<BoxVault>>,
}

impl FromRef<App> for Vault<BoxVault> {
    fn from_ref(app: &App) -> Self {
        app.vault.clone().expect("a vault")
    }
}

impl App {
    pub(crate) fn new(client: LogtoClient, url: &str) -> Self {
        Self { client, url: url.to_owned(), cookies: Arc::default(), pauses: Gate::default(), vault: None }
    }

    pub(crate) fn with_vault(self, vault: Vault<BoxVault>) -> Self {
        Self { vault: Some(vault), ..self }
    }

    pub(crate) async fn pause(&self) {
        self.pauses.pass().await;
    }

    /// Waits until a page has come to its pause.
    pub(crate) async fn page_pauses(&self) {
        timeout(LIMIT, self.pauses.arrival()).await.expect("a page pauses");
    }

    /// Lets that page go on.
    pub(crate) fn end_pause(&self) {
        self.pauses.let_one_pass();
    }

    pub(crate) fn cookies(&self) -> Vec<String> {
        self.cookies.lock().unwrap().clone()
    }

    pub(crate) fn router<S: Stored>(&self) -> Router {
        Router::new()
            .route("/", get(home::<S>))
            .route("/sign-in", get(sign_in::<S>))
            .route("/callback", get(callback::<S>))
            .route("/sign-out", get(sign_out::<S>))
            .route("/claims", get(claims::<S>))
            .route("/id-token", get(id_token::<S>))
            .route("/user-info", get(user_info::<S>))
            .route("/refresh-token", get(refresh_token::<S>))
            .route("/token", get(token::<S>))
            .route("/token-and-pause", get(token_and_pause::<S>))
            .route("/pause-and-token", get(pause_and_token::<S>))
            .route("/token-claims", get(token_claims::<S>))
            .route("/organization-tokens", get(organization_tokens::<S>))
            .route("/tokens-at-once", get(tokens_at_once::<S>))
            .route("/clear-access-tokens", get(clear_access_tokens::<S>))
            .route("/clear-all-tokens", get(clear_all_tokens::<S>))
            .merge(items::routes::<S>())
            .layer(from_fn_with_state(self.clone(), record_cookies))
            .with_state(self.clone())
    }
}

/// What handlers ask for.
pub(crate) struct User<S: Stored>(pub(crate) LogtoSession<S::Storage>);

impl<S: Stored> FromRequestParts<App> for User<S> {
    type Rejection = S::Rejection;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let session = S::from_request_parts(parts, app).await?;
        Ok(Self(app.client.session(session.storage())))
    }
}

pub(crate) type Answer<T = Json<Value>> = Result<T, Failure>;

async fn home<S: Stored>(User(session): User<S>) -> Answer {
    let context = session.context().await?;
    assert_eq!(session.is_authenticated().await?, context.is_authenticated);
    Ok(Json(json!({ "signedIn": context.is_authenticated, "claims": context.claims })))
}

#[derive(Deserialize)]
struct SignIn {
    then: Option<String>,
    prompt: Option<String>,
    #[serde(default)]
    clear: bool,
}

async fn sign_in<S: Stored>(
    State(app): State<App>,
    User(session): User<S>,
    Query(query): Query<SignIn>,
) -> Answer<Redirect> {
    let mut options = SignInOptions::new(format!("{}/callback", app.url)).clear_tokens(query.clear);
    if let Some(then) = query.then {
        options = options.post_redirect_uri(then);
    }
    match query.prompt.as_deref() {
        Some("login") => options = options.prompt([Prompt::Login, Prompt::Consent]),
        Some("") => options = options.prompt([]),
        _ => {}
    }
    Ok(Redirect::to(session.sign_in(options).await?.as_str()))
}

async fn callback<S: Stored>(User(session): User<S>, uri: Uri) -> Answer<Redirect> {
    let signed_in = session.handle_sign_in_callback(&uri.to_string()).await?;
    assert_eq!(session.id_token_claims().await?, signed_in.claims);
    Ok(Redirect::to(signed_in.post_redirect_uri.as_deref().unwrap_or("/")))
}

async fn sign_out<S: Stored>(State(app): State<App>, User(session): User<S>) -> Answer<Redirect> {
    let then = format!("{}/", app.url);
    Ok(Redirect::to(session.sign_out(Some(&then)).await?.as_str()))
}

async fn claims<S: Stored>(User(session): User<S>) -> Answer {
    Ok(Json(json!(session.id_token_claims().await?)))
}

async fn id_token<S: Stored>(User(session): User<S>) -> Answer {
    Ok(Json(json!(session.id_token().await?.as_ref().map(IdToken::as_str))))
}

async fn user_info<S: Stored>(User(session): User<S>) -> Answer {
    Ok(Json(json!(session.fetch_user_info().await?)))
}

async fn refresh_token<S: Stored>(User(session): User<S>) -> Answer {
    Ok(Json(json!(session.refresh_token().await?.as_ref().map(RefreshToken::as_str))))
}

#[derive(Deserialize)]
struct For {
    resource: Option<String>,
    organization: Option<String>,
}

impl For {
    fn target(&self) -> TokenTarget {
        match (&self.resource, &self.organization) {
            (None, None) => TokenTarget::provider(),
            (None, Some(organization)) => TokenTarget::organization(organization),
            (Some(resource), None) => TokenTarget::resource(resource),
            (Some(resource), Some(organization)) => TokenTarget::resource(resource).in_organization(organization),
        }
    }
}

async fn token<S: Stored>(User(session): User<S>, Query(query): Query<For>) -> Answer {
    Ok(Json(json!(session.access_token(query.target()).await?.as_str())))
}

/// A page that has its token, and takes its time with the rest.
async fn token_and_pause<S: Stored>(State(app): State<App>, user: User<S>, query: Query<For>) -> Answer {
    let token = token(user, query).await;
    app.pause().await;
    token
}

/// A page that looks who is signed in, and takes its time before it needs a token.
async fn pause_and_token<S: Stored>(State(app): State<App>, user: User<S>, query: Query<For>) -> Answer {
    user.0.id_token_claims().await?;
    app.pause().await;
    token(user, query).await
}

async fn token_claims<S: Stored>(User(session): User<S>, Query(query): Query<For>) -> Answer {
    Ok(Json(json!(session.access_token_claims(query.target()).await?)))
}

/// A page that needs a token for each organization, and asks for all at once.
async fn organization_tokens<S: Stored>(User(session): User<S>) -> Answer {
    let session = Arc::new(session);
    let tasks = (1..=6).map(|number| {
        let session = Arc::clone(&session);
        tokio::spawn(async move { session.access_token(TokenTarget::organization(format!("org-{number}"))).await })
    });
    all(tasks.collect()).await
}

/// A page of 50 parts, each of which needs the same token.
async fn tokens_at_once<S: Stored>(User(session): User<S>, Query(query): Query<For>) -> Answer {
    let (session, target) = (Arc::new(session), query.target());
    let tasks = (0..50).map(|_| {
        let (session, target) = (Arc::clone(&session), target.clone());
        tokio::spawn(async move { session.access_token(target).await })
    });
    all(tasks.collect()).await
}

async fn all(tasks: Vec<JoinHandle<Result<AccessToken, Error>>>) -> Answer {
    let mut tokens = Vec::new();
    for task in tasks {
        tokens.push(task.await.expect("a task ends")?.as_str().to_owned());
    }
    Ok(Json(json!(tokens)))
}

async fn clear_access_tokens<S: Stored>(User(session): User<S>) -> Answer {
    Ok(Json(json!(session.clear_access_tokens().await?)))
}

async fn clear_all_tokens<S: Stored>(User(session): User<S>) -> Answer {
    Ok(Json(json!(session.clear_all_tokens().await?)))
}

/// An error's name and words.
#[derive(Serialize)]
pub(crate) struct Failure {
    #[serde(skip)]
    status: StatusCode,
    error: String,
    message: String,
    sign_in_required: bool,
    access_denied: bool,
    stale_callback: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: match () {
                () if error.is_sign_in_required() => StatusCode::UNAUTHORIZED,
                () if error.is_access_denied() => StatusCode::FORBIDDEN,
                () if error.is_stale_callback() => StatusCode::BAD_REQUEST,
                () => StatusCode::INTERNAL_SERVER_ERROR,
            },
            error: variant(&error),
            message: error.to_string(),
            sign_in_required: error.is_sign_in_required(),
            access_denied: error.is_access_denied(),
            stale_callback: error.is_stale_callback(),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

/// The name of an error's variant.
pub(crate) fn variant(error: &impl Debug) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

async fn record_cookies(State(app): State<App>, request: Request, next: Next) -> Response {
    let cookies = request.headers().get_all(COOKIE).iter().map(|cookies| String::from_utf8_lossy(cookies.as_bytes()));
    app.cookies.lock().unwrap().push(cookies.collect::<Vec<_>>().join("; "));
    next.run(request).await
}
