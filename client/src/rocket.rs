//! Verified access tokens for Rocket 0.5 (feature `rocket-0_5`).
//!
//! Attach a [`fairing`](fairing()). [`Bearer`] and [`Allowed`] among a handler's arguments protect the handler:
//!
//! ```
//! use logto_client::LogtoScope;
//! use logto_client::api::{Allowed, Bearer, LogtoApi};
//! use rocket::{Build, Rocket, get, post, routes};
//!
//! #[derive(LogtoScope)]
//! #[logto(scope = "write:things")]
//! struct WriteThings;
//!
//! fn app(api: LogtoApi) -> Rocket<Build> {
//!     rocket::build()
//!         .mount("/", logto_client::rocket::resource_metadata(&api))
//!         .attach(logto_client::rocket::fairing(api))
//!         .mount("/things", routes![list, create])
//! }
//!
//! /// 401 without a valid token.
//! #[get("/")]
//! async fn list(token: Bearer) -> String {
//!     format!("the things of {}", token.sub())
//! }
//!
//! /// 403 if the token lacks the scope.
//! #[post("/")]
//! async fn create(token: Allowed<WriteThings>) -> String {
//!     format!("created by {}", token.0.sub())
//! }
//! ```
//!
//! - Where a token is optional, use [`OptionalBearer`]. `Option<Bearer>` is `None` for a token that is not valid as well.
//! - For [several issuers](crate::api#several-issuers), attach a fairing for each, and use `Bearer<Partners>`.
//! - A handler may return `Result<_, ApiResponse>`, and may take a `Result<Bearer, ApiResponse>` to answer itself.
//! - Rocket does not launch if a handler takes a [`Bearer`] whose fairing is missing.

use std::any::type_name;
use std::sync::{Mutex, PoisonError};

use ::rocket::fairing::{self, Fairing, Info, Kind};
use ::rocket::http::uri::Origin;
use ::rocket::http::{Method, Status};
use ::rocket::request::{FromRequest, Outcome};
use ::rocket::response::{self, Responder};
use ::rocket::route::{self, Handler, Route};
use ::rocket::{Build, Data, Ignite, Request, Response, Rocket, Sentinel};

use crate::api::adapter::Credentials;
use crate::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer, TokenPermission};

/// Returns a fairing for the guards that verify access tokens with `api`. See the [example](self).
///
/// A guard cannot set headers, and a catcher sees nothing but the status. So the fairing
///
/// - adds `api` to the managed state, where the guards find it, and handlers as `&State<LogtoApi>`;
/// - writes the responses to requests that a guard refuses, with `WWW-Authenticate`, in place of the catcher's.
///
/// Rocket does not launch if there are two fairings for an `A`.
pub fn fairing<A>(api: A) -> impl Fairing
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    ApiFairing(api)
}

struct ApiFairing<A>(A);

#[::rocket::async_trait]
impl<A> Fairing for ApiFairing<A>
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    fn info(&self) -> Info {
        Info { name: "Logto API", kind: Kind::Ignite | Kind::Response }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        if rocket.state::<A>().is_some() {
            tracing::error!(state = type_name::<A>(), "the state is managed already: attach one fairing for it");
            return Err(rocket);
        }
        Ok(rocket.manage(self.0.clone()))
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let refusal = refusal(request).lock().unwrap_or_else(PoisonError::into_inner).clone();
        // A handler that takes an `Option` or a `Result` of a guard ran all the same.
        if let Some(refusal) = refusal.filter(|refusal| refusal.status == response.status().code) {
            *response = refusal.into();
        }
    }
}

/// What the last guard that refused the request would answer.
fn refusal<'r>(request: &'r Request<'_>) -> &'r Mutex<Option<ApiResponse>> {
    struct Refusal(Mutex<Option<ApiResponse>>);
    &request.local_cache(|| Refusal(Mutex::new(None))).0
}

#[::rocket::async_trait]
impl<'r, A> FromRequest<'r> for Bearer<A>
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    type Error = ApiResponse;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ApiResponse> {
        outcome(request, credentials(request).bearer().await)
    }
}

#[::rocket::async_trait]
impl<'r, A> FromRequest<'r> for OptionalBearer<A>
where
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    type Error = ApiResponse;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ApiResponse> {
        outcome(request, credentials(request).optional_bearer().await)
    }
}

#[::rocket::async_trait]
impl<'r, P, A> FromRequest<'r> for Allowed<P, Bearer<A>>
where
    P: TokenPermission,
    A: AsRef<LogtoApi> + Clone + Send + Sync + 'static,
{
    type Error = ApiResponse;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ApiResponse> {
        outcome(request, credentials(request).allowed().await)
    }
}

fn credentials<'r, A>(request: &'r Request<'_>) -> Credentials<'r, A, impl Iterator<Item = &'r [u8]>>
where
    A: Send + Sync + 'static,
{
    Credentials {
        api: request.rocket().state::<A>(),
        authorization: request.headers().get("authorization").map(str::as_bytes),
        query: request.uri().query().map(|query| query.as_str()),
    }
}

fn outcome<T>(request: &Request<'_>, result: Result<T, ApiResponse>) -> Outcome<T, ApiResponse> {
    match result {
        Ok(guard) => Outcome::Success(guard),
        Err(response) => {
            *refusal(request).lock().unwrap_or_else(PoisonError::into_inner) = Some(response.clone());
            Outcome::Error((Status::new(response.status), response))
        }
    }
}

impl<A: Send + Sync + 'static> Sentinel for Bearer<A> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let is_missing = rocket.state::<A>().is_none();
        if is_missing {
            tracing::error!(missing = type_name::<A>(), "a handler verifies access tokens: attach the fairing for it");
        }
        is_missing
    }
}

impl<A: Send + Sync + 'static> Sentinel for OptionalBearer<A> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Bearer::<A>::abort(rocket)
    }
}

impl<P, A: Send + Sync + 'static> Sentinel for Allowed<P, Bearer<A>> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Bearer::<A>::abort(rocket)
    }
}

impl<'r> Responder<'r, 'static> for ApiResponse {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Ok(self.into())
    }
}

impl From<ApiResponse> for Response<'_> {
    fn from(ApiResponse { status, headers, body }: ApiResponse) -> Self {
        let mut response = Response::new();
        response.set_status(Status::new(status));
        for (name, value) in headers {
            response.set_raw_header(name, value);
        }
        response.set_sized_body(body.len(), std::io::Cursor::new(body));
        response
    }
}

/// Returns the route of the API's [metadata](crate::api::ResourceMetadata), to mount at `/`. Empty unless the builder's
/// [`publish_metadata`](crate::api::LogtoApiBuilder::publish_metadata) was called. See the [example](self).
pub fn resource_metadata(api: &LogtoApi) -> Vec<Route> {
    let Some(metadata) = api.metadata() else { return Vec::new() };
    // `Route::new` panics.
    if Origin::parse_route(metadata.path()).is_err() {
        tracing::error!(path = metadata.path(), "the metadata's path cannot be a route");
        return Vec::new();
    }
    vec![Route::new(Method::Get, metadata.path(), Document(metadata.response()))]
}

#[derive(Clone)]
struct Document(ApiResponse);

#[::rocket::async_trait]
impl Handler for Document {
    async fn handle<'r>(&self, _: &'r Request<'_>, _: Data<'r>) -> route::Outcome<'r> {
        route::Outcome::Success(self.0.clone().into())
    }
}
