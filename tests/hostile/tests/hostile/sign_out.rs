//! Who signs out is signed out here, whatever the provider does.

use std::time::{Duration, Instant};

use fake_provider::{APP_SECRET, Endpoint, Reply};
use logto_client::{Endpoint as At, Error, RequestErrorKind, TokenTarget};
use serde_json::json;

use crate::site::{REFRESH_TOKEN, Site, Visitor, soon};

/// Signs out, and looks whether that is true.
async fn sign_out(site: &Site, visitor: &Visitor) -> Result<url::Url, Error> {
    let id = visitor.id();
    let url = site.visit(visitor, async |logto| logto.sign_out(Some("http://app.example/")).await).await;
    assert!(visitor.items().await.is_empty(), "{:?}", visitor.items().await.keys());
    assert_ne!(visitor.id(), id, "the session has its old id");
    assert!(!site.is_authenticated(visitor).await);
    if let Err(error) = &url {
        site.assert_tells_no_secret(error);
    }
    url
}

#[tokio::test]
async fn the_refresh_token_is_revoked_and_the_browser_sent_to_the_end_of_its_session() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let refresh_token = site.request(&visitor).refresh_token().await.expect("a session").expect("a refresh token");

    let url = sign_out(&site, &visitor).await.expect("a URL");

    let revocations = site.provider.calls(Endpoint::Revocation);
    assert_eq!(revocations.len(), 1);
    assert_eq!(revocations[0].param("token"), refresh_token.as_str());
    assert!(revocations[0].headers.contains_key("authorization"));
    let end = format!("{}/session/end?", site.provider.issuer());
    assert!(url.as_str().starts_with(&end), "{url}");
    assert!(!url.as_str().contains(APP_SECRET) && !url.as_str().contains(refresh_token.as_str()), "{url}");
}

#[tokio::test]
async fn a_session_without_a_refresh_token_is_cleared_and_gets_a_new_id() {
    let site = Site::start().await;
    let visitor = site.visitor();
    site.provider.answer(Endpoint::Token, |call| call.changed(|body| body["refresh_token"] = json!(null)));
    let callback = site.authorized(&visitor).await;
    site.callback(&visitor, callback.as_str()).await.expect("a sign-in");
    assert_eq!(visitor.item(REFRESH_TOKEN).await, None);
    let old_id = visitor.id().expect("a session");

    sign_out(&site, &visitor).await.expect("a URL");

    assert!(!site.store.has(&old_id).await, "the session is there under its old id");
    assert_eq!(site.provider.count(Endpoint::Revocation), 0);
}

#[tokio::test]
async fn a_sign_in_that_is_under_way_is_cleared_too() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;

    sign_out(&site, &visitor).await.expect("a URL");

    let error = site.callback(&visitor, callback.as_str()).await.expect_err("no sign-in");
    assert!(matches!(error, Error::NoPendingSignIn), "{error:?}");
}

#[tokio::test]
async fn a_revocation_that_fails_is_no_error() {
    let replies: [fn() -> Reply; 6] = [
        || Reply::html(500),
        || Reply::html(404),
        || Reply::html(429),
        || Reply::error(401, "invalid_client", APP_SECRET),
        || Reply::redirect(307, "/elsewhere"),
        || Reply::truncated(""),
    ];
    for reply in replies {
        let site = Site::start().await;
        let visitor = site.signed_in().await;
        site.provider.answer(Endpoint::Revocation, move |_| reply());
        sign_out(&site, &visitor).await.expect("a URL");
        assert_eq!(site.provider.count(Endpoint::Revocation), 1);
        assert_eq!(site.provider.count(Endpoint::Elsewhere), 0);
    }
}

#[tokio::test]
async fn a_revocation_that_hangs_holds_nobody_signed_in() {
    for reply in [Reply::never, Reply::silent_body, Reply::dripping] {
        let site = Site::impatient().await;
        let visitor = site.signed_in().await;
        site.provider.answer(Endpoint::Revocation, move |_| reply());
        let begun = Instant::now();
        sign_out(&site, &visitor).await.expect("a URL");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn the_session_is_cleared_before_the_provider_is_asked() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let gate = site.provider.hold(Endpoint::Revocation);
    let logto = site.request(&visitor);
    let sign_out = tokio::spawn(async move { logto.sign_out(None).await });

    soon(gate.arrival()).await;

    assert!(visitor.items().await.is_empty());
    // The browser goes away: it stays so, and the revocation goes on.
    sign_out.abort();
    assert!(sign_out.await.expect_err("an end").is_cancelled());
    gate.open();
    assert!(!site.is_authenticated(&visitor).await);
}

#[tokio::test]
async fn a_provider_without_a_revocation_endpoint_is_not_asked() {
    let site = Site::start().await;
    site.provider
        .answer(Endpoint::Discovery, |call| call.changed(|document| document["revocation_endpoint"] = json!(null)));
    let visitor = site.signed_in().await;
    sign_out(&site, &visitor).await.expect("a URL");
    assert_eq!(site.provider.count(Endpoint::Revocation), 0);
}

#[tokio::test]
async fn a_provider_without_an_end_of_sessions_is_told_after_signing_out_here() {
    let site = Site::start().await;
    site.provider
        .answer(Endpoint::Discovery, |call| call.changed(|document| document["end_session_endpoint"] = json!(null)));
    let visitor = site.signed_in().await;

    let error = sign_out(&site, &visitor).await.expect_err("no URL");

    let Error::EndSession(error) = error else { panic!("{error:?}") };
    assert_eq!(error.endpoint(), At::Metadata);
    assert!(matches!(error.kind(), RequestErrorKind::Endpoint("end_session_endpoint")), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Revocation), 1);
}

#[tokio::test]
async fn a_provider_that_is_gone_is_told_after_signing_out_here() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    site.provider.answer(Endpoint::Discovery, |_| Reply::html(503));
    // Another process, or this one started again.
    let site = site.with_a_cold_client();

    let error = sign_out(&site, &visitor).await.expect_err("no URL");

    assert!(error.is_retryable(), "{error:?}");
}

#[tokio::test]
async fn a_url_to_come_back_to_that_is_none_is_refused_before_anything_is_done() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let error = site.refused(&visitor, async |logto| logto.sign_out(Some("/home")).await).await;
    assert!(matches!(error, Error::InvalidOption { .. }), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Revocation), 0);
    assert!(site.is_authenticated(&visitor).await);
}

#[tokio::test]
async fn a_refresh_that_is_under_way_writes_nothing_back() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let gate = site.provider.hold_refreshes();
    let old_id = visitor.id().expect("a session");
    let refresh = site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.go_on();
    soon(gate.arrival()).await;

    sign_out(&site, &visitor).await.expect("a URL");
    gate.open();

    let error = refresh.result().await.expect_err("no token for who has signed out");
    assert!(matches!(error, Error::NotAuthenticated), "{error:?}");
    assert!(visitor.items().await.is_empty());
    assert!(!site.store.has(&old_id).await, "the session is back under its old id");
    // Neither the token that was there nor the one that came then is good any more.
    assert!(site.provider.usable_refresh_tokens().is_empty());
}

#[tokio::test]
async fn a_refresh_that_begins_after_the_sign_out_in_an_old_request_writes_nothing_back() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let old_id = visitor.id().expect("a session");
    // It has read its session before the sign-out.
    let late = site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await;
    sign_out(&site, &visitor).await.expect("a URL");

    let error = late.result().await.expect_err("no token for who has signed out");

    assert!(error.is_sign_in_required(), "{error:?}");
    assert_eq!(site.provider.refreshes().len(), 0);
    assert!(!site.store.has(&old_id).await, "the session is back under its old id");
}
