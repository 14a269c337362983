//! The same permissions on routes of signed-in users.

use std::net::Ipv4Addr;

use axum::Router;
use axum::routing::get;
use dev_provider::DevProvider;
use logto_client::api::{Allowed, AnyOf, Caller};
use logto_client::axum::{InSession, LogtoAuth};
use logto_client::{Error, LogtoScope};
use reqwest::{Method, StatusCode, header};
use servers::Browser;
use tokio::net::TcpListener;
use tower_sessions_0_15::cookie::SameSite;
use tower_sessions_0_15::{MemoryStore, Session, SessionManagerLayer};

use crate::dev_provider::{API, ReadItems, WriteItems, client, signed_in, start};

type User = logto_client::axum::User<InSession<Session>>;

#[derive(LogtoScope)]
#[logto(scope = "read:items", resource = "https://api.example.com")]
struct ReadItemsOfTheApi;

#[derive(LogtoScope)]
#[logto(scope = "read:items", resource = "https://unlisted.example.com")]
struct Unlisted;

#[tokio::test]
async fn a_sessions_token_for_the_api_decides() {
    let provider = start().await;
    let (alice, carol) = (signed_in(&provider, "Alice").await, signed_in(&provider, "Carol").await);

    alice.require::<(ReadItemsOfTheApi, WriteItems)>().await.expect("a permission");
    let error = carol.require::<AnyOf<(ReadItemsOfTheApi, WriteItems)>>().await.expect_err("no permission");

    assert!(matches!(&error, Error::InsufficientScope { missing, .. } if *missing == ["read:items"]), "{error:?}");
    assert!(error.is_access_denied());
    let requests = provider.token_requests();
    let for_api = requests.iter().filter(|request| request.resource.as_deref() == Some(API)).count();
    assert_eq!(for_api, 2, "one token for each user, for all scopes of the API");
}

#[tokio::test]
async fn a_permission_that_a_session_cannot_find_out_is_an_error() {
    let provider = start().await;
    let session = signed_in(&provider, "Alice").await;
    let unclear = session.require::<ReadItems>().await.expect_err("of which of two APIs");
    assert!(matches!(unclear, Error::InvalidOption { name: "resource", .. }), "{unclear:?}");
    let unlisted = session.require::<Unlisted>().await.expect_err("an API that is not listed");
    assert!(matches!(unlisted, Error::UnlistedResource { .. }), "{unlisted:?}");
    let nobody = client(&provider).session(crate::dev_provider::Storage::default());
    assert!(nobody.require::<WriteItems>().await.expect_err("nobody").is_sign_in_required());
}

async fn write(Allowed(user): Allowed<WriteItems, User>) -> String {
    user.claims.sub.clone()
}

/// An app at the redirect URI that the provider knows.
fn app(provider: &DevProvider, listener: TcpListener, url: &str) -> tokio::task::JoinHandle<()> {
    let auth = LogtoAuth::builder(client(provider), url).build().expect("an app");
    let sessions = SessionManagerLayer::new(MemoryStore::default()).with_secure(false).with_same_site(SameSite::Lax);
    let app = Router::new()
        .route("/write", get(write))
        .merge(auth.routes::<InSession<Session>, _>())
        .with_state(auth)
        .layer(sessions);
    tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") })
}

#[tokio::test]
async fn a_page_is_for_users_with_the_permission() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let url = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
    let provider = DevProvider::start(dev_provider::Config {
        endpoint: "http://127.0.0.1:0".to_owned(),
        redirect_uris: vec![format!("{url}/logto/sign-in-callback")],
        ..dev_provider::Config::default()
    });
    let provider = provider.await.expect("a development provider");
    let server = app(&provider, listener, &url);

    let script = Browser::new().request(Method::GET, &format!("{url}/write")).load().await;
    assert_eq!(script.status, StatusCode::UNAUTHORIZED);
    for (user, status) in [("Alice", StatusCode::OK), ("Carol", StatusCode::FORBIDDEN)] {
        let browser = Browser::new();
        let begun = browser.get(&format!("{url}/logto/sign-in")).await.location.expect("a redirect");
        let callback = provider.authorize(&begun, user).await.expect("a sign-in");
        browser.get(callback.as_str()).await;

        let page = browser.request(Method::GET, &format!("{url}/write"));
        let page = page.with(|request| request.header(header::ACCEPT, "text/html")).load().await;

        assert_eq!(page.status, status, "{user}: {}", page.body);
    }

    // A token has to be had, and the provider is gone.
    let browser = Browser::new();
    let begun = browser.get(&format!("{url}/logto/sign-in")).await.location.expect("a redirect");
    let callback = provider.authorize(&begun, "Alice").await.expect("a sign-in");
    browser.get(callback.as_str()).await;
    provider.stop().await;
    let page = browser.get(&format!("{url}/write")).await;
    assert_eq!(page.status, StatusCode::BAD_GATEWAY, "{}", page.body);
    server.abort();
}
