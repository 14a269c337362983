//! How often the store and the provider are asked where nothing is wrong.

use fake_provider::Endpoint;
use logto_client::{SignInOptions, TokenTarget};

use crate::site::{API, REDIRECT_URI, Site, soon};

#[tokio::test]
async fn a_thousand_sign_ins_take_one_discovery_document_and_one_key_set() {
    let site = Site::start().await;
    for _ in 0..1000 {
        site.signed_in().await;
    }
    assert_eq!(site.provider.count(Endpoint::Discovery), 1);
    assert_eq!(site.provider.count(Endpoint::Jwks), 1);
    assert_eq!(site.provider.count(Endpoint::Token), 1000);
    assert_eq!(site.provider.count_all(), 1002);
}

#[tokio::test]
async fn beginning_a_sign_in_saves_once() {
    let site = Site::start().await;
    let visitor = site.visitor();
    for loads in [0, 1] {
        let logto = site.request(&visitor);
        let (url, read, saved) = site.store.count(logto.sign_in(SignInOptions::new(REDIRECT_URI))).await;
        url.expect("a URL");
        assert_eq!((read, saved), (loads, 1));
    }
}

#[tokio::test]
async fn a_callback_reads_twice_saves_once_and_asks_for_tokens_once() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    let logto = site.request(&visitor);
    let (signed_in, read, saved) = site.store.count(logto.handle_sign_in_callback(callback.as_str())).await;
    signed_in.expect("a sign-in");
    // Once for the request, and once after the provider's answer, not to undo what others have written meanwhile.
    assert_eq!((read, saved), (2, 1));
    assert_eq!(site.provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn a_callback_that_is_refused_reads_once_more_and_saves_at_most_once() {
    let site = Site::start().await;
    site.provider.change_id_tokens(|token| token.claims["nonce"] = "another".into());
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    let logto = site.request(&visitor);
    let (signed_in, read, saved) = site.store.count(logto.handle_sign_in_callback(callback.as_str())).await;
    signed_in.expect_err("another nonce");
    // Once for the request, and once for what others have changed while the provider was asked.
    assert_eq!((read, saved), (2, 1));

    let logto = site.request(&visitor);
    let (signed_in, _, saved) = site.store.count(logto.handle_sign_in_callback("/callback?code=a&state=forged")).await;
    signed_in.expect_err("a forged state");
    assert_eq!(saved, 0);
}

#[tokio::test]
async fn a_page_of_a_signed_in_user_reads_once_and_asks_nobody() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let calls = site.provider.count_all();
    let logto = site.request(&visitor);
    let page = async {
        assert!(logto.context().await.expect("a session").is_authenticated);
        logto.access_token(TokenTarget::provider()).await.expect("a token");
        logto.id_token_claims().await.expect("claims");
    };
    let ((), read, saved) = site.store.count(page).await;
    assert_eq!((read, saved), (1, 0));
    assert_eq!(site.provider.count_all(), calls);
}

#[tokio::test]
async fn a_page_of_a_visitor_reads_and_saves_nothing() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let logto = site.request(&visitor);
    let (context, read, saved) = site.store.count(logto.context()).await;
    assert!(!context.expect("a session").is_authenticated);
    assert_eq!((read, saved), (0, 0));
    assert_eq!(site.provider.count_all(), 0);
}

#[tokio::test]
async fn a_token_that_was_got_is_kept() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let token = site.request(&visitor).access_token(TokenTarget::resource(API)).await.expect("a token");
    let logto = site.request(&visitor);
    let (again, read, saved) = site.store.count(logto.access_token(TokenTarget::resource(API))).await;
    assert_eq!(again.expect("a token"), token);
    assert_eq!((read, saved), (1, 0));
    assert_eq!(site.provider.refreshes().len(), 1);
}

#[tokio::test]
async fn a_refresh_saves_once() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let logto = site.request(&visitor);
    let (token, read, saved) = site.store.count(logto.access_token(TokenTarget::provider())).await;
    token.expect("a token");
    assert_eq!(saved, 1);
    // Once for the request, once to see whether another process has refreshed, and once after the provider's answer.
    assert_eq!(read, 3);
    assert_eq!(site.provider.refreshes().len(), 1);
}

#[tokio::test]
async fn a_refresh_that_rotates_the_refresh_token_saves_twice() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let logto = site.request(&visitor);
    let (token, _, saved) = site.store.count(logto.access_token(TokenTarget::provider())).await;
    token.expect("a token");
    assert_eq!(saved, 2);
}

#[tokio::test]
async fn a_sign_out_saves_once_and_asks_once() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let calls = site.provider.count_all();
    let logto = site.request(&visitor);
    let (url, read, saved) = site.store.count(logto.sign_out(None)).await;
    url.expect("a URL");
    assert_eq!((read, saved), (1, 1));
    assert_eq!(site.provider.count_all(), calls + 1);
}

#[tokio::test]
async fn every_request_names_the_client_and_its_version() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    soon(site.request(&visitor).fetch_user_info()).await.expect("user info");
    soon(site.request(&visitor).sign_out(None)).await.expect("a URL");

    let calls = site.provider.all_calls();
    assert!(calls.len() >= 6, "{}", calls.len());
    for call in calls {
        let user_agent = call.headers.get("user-agent").expect("a user agent");
        assert_eq!(user_agent, concat!("logto-client/", env!("CARGO_PKG_VERSION")), "{:?}", call.endpoint);
    }
}
