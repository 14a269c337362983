//! By request guards.

#![expect(clippy::needless_pass_by_value, reason = "an extractor is an argument by value")]

use std::sync::Mutex;

use fake_provider::{FakeProvider, SUBJECT};
use logto_client::api::{Allowed, ApiResponse, Bearer, LogtoApi, OptionalBearer};
use logto_client::rocket::{fairing, resource_metadata};
use reqwest::Method;
use rocket::config::{LogLevel, Shutdown};
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::request::{FromRequest, Outcome};
use rocket::{Build, Config, Request, Rocket, catch, catchers, get, post, put, routes};
use tokio::sync::oneshot;

use super::{App, Missing, Partners, Write};
use crate::requests::{api, bearer, send};

pub(super) async fn start(api: LogtoApi, partners: Partners) -> App {
    let (started, port) = oneshot::channel();
    let started = Mutex::new(Some(started));
    let rocket = build()
        .mount("/", resource_metadata(&api))
        .attach(fairing(api))
        .attach(fairing(partners))
        .mount("/", routes![list, create, check, maybe, of_partner, by_partner, missing, option, result])
        .register("/", catchers![unauthorized])
        .attach(AdHoc::on_liftoff("port", move |rocket| {
            let started = started.lock().expect("no panic").take().expect("one start");
            started.send(rocket.config().port).expect("a test that waits");
            Box::pin(async {})
        }));
    let server = tokio::spawn(async move {
        rocket.launch().await.expect("a server");
    });
    App::of_task(format!("http://127.0.0.1:{}", port.await.expect("a port")), server)
}

fn build() -> Rocket<Build> {
    let shutdown = Shutdown { ctrlc: false, signals: [].into(), ..Shutdown::default() };
    rocket::custom(Config { port: 0, log_level: LogLevel::Off, shutdown, ..Config::debug_default() })
}

#[get("/things")]
fn list(token: Bearer) -> String {
    token.sub().to_owned()
}

#[post("/things")]
fn create(token: Allowed<Write>) -> String {
    token.0.sub().to_owned()
}

#[put("/things")]
fn check(token: Bearer) -> Result<String, ApiResponse> {
    token.require::<Write>().map_err(|error| token.respond(&error))?;
    Ok(token.sub().to_owned())
}

#[get("/maybe")]
fn maybe(token: OptionalBearer) -> String {
    token.0.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

#[get("/partners")]
fn of_partner(token: Bearer<Partners>) -> String {
    token.sub().to_owned()
}

#[post("/partners")]
fn by_partner(token: Allowed<Write, Bearer<Partners>>) -> String {
    token.0.sub().to_owned()
}

#[get("/option")]
fn option(token: Option<Bearer>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

#[get("/result")]
fn result(token: Result<Bearer, ApiResponse>) -> String {
    token.map_or_else(|refusal| format!("status {}", refusal.status), |token| token.sub().to_owned())
}

/// Hides its guard, so that Rocket launches.
struct Hidden(Bearer<Missing>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Hidden {
    type Error = ApiResponse;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ApiResponse> {
        request.guard().await.map(Hidden)
    }
}

#[get("/missing")]
fn missing(token: Hidden) -> String {
    token.0.sub().to_owned()
}

#[catch(401)]
fn unauthorized() -> &'static str {
    "the app's own page"
}

#[tokio::test]
async fn the_fairing_writes_the_refusals_of_guards_and_no_other_response() {
    let provider = FakeProvider::start().await;
    let app = start(api(&provider), Partners(api(&provider))).await;
    let (good, bad) = (bearer(&provider.access_token(|_| ())), bearer("a.b.c"));
    for (path, authorization, status, body) in [
        ("/option", &good, 200, SUBJECT),
        ("/option", &bad, 200, "nobody"),
        ("/result", &good, 200, SUBJECT),
        ("/result", &bad, 200, "status 401"),
    ] {
        let answer = send(&app, Method::GET, path, authorization).await;
        assert_eq!((answer.status, &*answer.body, answer.challenge), (status, body, None), "{path}");
    }
    let refused = send(&app, Method::GET, "/things", &bad).await;
    assert_eq!(refused.problem()["status"], 401, "not the app's own page");
}

#[tokio::test]
async fn rocket_does_not_launch_without_the_fairing_or_with_two() {
    let provider = FakeProvider::start().await;
    let error = async |rocket: Rocket<Build>| {
        let error = rocket.ignite().await.expect_err("no launch");
        // Rocket panics if an error is dropped unseen.
        let kind = error.kind();
        let text = format!("{kind:?}");
        (matches!(kind, ErrorKind::SentinelAborts(_)), matches!(kind, ErrorKind::FailedFairings(_)), text)
    };

    let (aborted, _, text) = error(build().mount("/", routes![list])).await;
    assert!(aborted, "{text}");
    let (aborted, _, text) = error(build().attach(fairing(api(&provider))).mount("/", routes![by_partner])).await;
    assert!(aborted, "{text}");
    let (aborted, _, text) = error(build().mount("/", routes![maybe])).await;
    assert!(aborted, "{text}");
    let (_, failed, text) = error(build().attach(fairing(api(&provider))).attach(fairing(api(&provider)))).await;
    assert!(failed, "{text}");
}
