//! Sessions of other kinds.

use std::sync::Arc;
use std::time::Duration;

use actix_session::SessionExt as _;
use actix_web::test::TestRequest;
use logto_client::{LogtoClient, LogtoStorage, MemorySession, SignInOptions, TokenTarget};

use servers::Browser;

use crate::provider::{API, On, Provider, Setup};
use crate::sessions::{ByHand, Derived, Dynamic};
use crate::world::World;

pub(crate) async fn a_storage_that_cannot_renew_is_refused_before_the_user_signs_in(on: On) {
    let (world, browser) = (World::over::<ByHand>(on, |_| {}).await, Browser::new());

    let error = world.error(&browser, "/sign-in").await;

    assert_eq!(error["error"], "RenewalUnsupported", "{error}");
    assert!(error["message"].as_str().unwrap().contains("dangerously_keep_session_id"), "{error}");
    assert_eq!(world.user(&browser).await, None);
    assert!(world.store.ids().is_empty(), "it leaves no session behind");
}

pub(crate) async fn the_session_of_a_visitor_who_never_signs_in_lives_an_hour(on: On) {
    const AN_HOUR: Duration = Duration::from_hours(1);
    let (world, browser) = (World::over::<Derived>(on, |_| {}).await, Browser::new());

    let page = world.begin(&browser, "/sign-in").await;
    assert!(world.store.lifetime(&world.session_id(&browser)).await <= AN_HOUR);

    let callback = world.agree(&browser, page, "ann").await;
    browser.visit(callback.as_str()).await;
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    assert!(
        world.store.lifetime(&world.session_id(&browser)).await > 24 * AN_HOUR,
        "the library's default is two weeks"
    );
}

pub(crate) async fn a_storage_that_cannot_renew_works_where_that_is_not_required(on: On) {
    let world = World::over::<ByHand>(on, |setup| {
        setup.keep_session_id = true;
        setup.provider.access_token_seconds = 5;
    });
    let (world, browser) = (world.await, Browser::new());
    let page = world.begin(&browser, "/sign-in").await;
    let id = world.session_id(&browser);
    let callback = world.agree(&browser, page, "ann").await;
    browser.visit(callback.as_str()).await;

    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    assert_eq!(world.session_id(&browser), id);
    let path = format!("/token?resource={API}");
    assert_ne!(world.text(&browser, &path).await, world.text(&browser, &path).await);
    world.sign_out(&browser).await;
    assert_eq!(world.user(&browser).await, None);
}

pub(crate) async fn a_storage_chosen_at_run_time_works(on: On) {
    let (world, browser) = (World::over::<Dynamic>(on, |_| {}).await, Browser::new());

    world.sign_in(&browser, "ann").await;

    assert_eq!(world.ok(&browser, "/organization-tokens").await.as_array().unwrap().len(), 6);
    let id = world.session_id(&browser);
    world.sign_out(&browser).await;
    assert_ne!(world.session_id(&browser), id);
    assert_eq!(world.user(&browser).await, None);
}

#[derive(LogtoStorage)]
struct InMemory(MemorySession);

pub(crate) async fn a_session_in_memory_works(on: On) {
    a_whole_flow_by_calls(on, Arc::new(InMemory(MemorySession::default()))).await;
}

#[derive(LogtoStorage)]
struct OnActix {
    session: actix_session::Session,
}

pub(crate) async fn a_session_of_actix_web_works(on: On) {
    // As in one request: the middleware would save when it ends.
    let session = TestRequest::default().to_http_request().get_session();
    a_whole_flow_by_calls(on, OnActix { session }).await;
}

/// A browser at the provider, and an app that is nothing but calls of the client.
async fn a_whole_flow_by_calls(on: On, storage: impl LogtoStorage) {
    let (app_url, setup, browser) = ("http://127.0.0.1:1", Setup::default(), Browser::new());
    let provider = Provider::start(on, &setup, app_url).await;
    let client = LogtoClient::new(setup.config(provider.endpoint())).unwrap();
    let session = client.session(storage);

    let url = session.sign_in(SignInOptions::new(format!("{app_url}/callback"))).await.unwrap();
    let page = browser.follow(browser.get(url.as_str()).await, |_| false).await;
    let callback = provider.agree_until(&browser, page, "ann", |url| url.as_str().starts_with(app_url)).await;
    let signed_in = session.handle_sign_in_callback(callback.as_str()).await.unwrap();

    assert_eq!(signed_in.claims.user.username.as_deref(), Some("ann"));
    assert_eq!(session.fetch_user_info().await.unwrap().sub, signed_in.claims.sub);
    let token = session.access_token(TokenTarget::resource(API)).await.unwrap();
    assert_eq!(session.access_token(TokenTarget::resource(API)).await.unwrap(), token);
    assert_eq!(session.access_token_claims(TokenTarget::resource(API)).await.unwrap().aud, [API]);
    session.sign_out(Some(&format!("{app_url}/"))).await.unwrap();
    assert!(!session.is_authenticated().await.unwrap());
}
