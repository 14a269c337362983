//! Whole records that are saved late, by the session library's own layer, and writes of others that the client must not undo.

use fake_provider::Endpoint;
use logto_client::TokenTarget;
use serde_json::json;

use crate::app::Tab;
use crate::site::{API, REFRESH_TOKEN, Site, Visitor, soon, until};

/// Whether a page that needs no token shows the visitor as signed in.
async fn is_shown_as_signed_in(site: &Site, visitor: &Visitor) -> bool {
    let page = site
        .visit(visitor, async |logto| {
            let context = logto.context().await.expect("a session");
            assert_eq!(context.is_authenticated, context.claims.is_some());
            assert_eq!(logto.is_authenticated().await.expect("a session"), context.is_authenticated);
            assert_eq!(logto.id_token().await.expect("a session").is_some(), context.is_authenticated);
            context.is_authenticated
        })
        .await;
    assert_eq!(page, site.is_authenticated(visitor).await);
    page
}

/// A page that has read the session, and will change it, so that the library saves the whole record when it ends.
async fn slow_page(site: &Site, visitor: &Visitor) -> Tab<()> {
    site.open_with_session(visitor, async |storage| storage.set_the_apps_own("cart", "3 apples").await).await
}

#[tokio::test]
async fn a_sign_out_stays_whatever_a_slow_page_of_the_same_browser_saves() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let slow = slow_page(&site, &visitor).await;
    site.visit(&visitor, async |logto| logto.sign_out(None).await).await.expect("a URL");
    slow.result().await;

    assert!(visitor.item(REFRESH_TOKEN).await.is_some(), "the library has brought the record back");
    let calls = site.provider.count_all();
    assert!(!is_shown_as_signed_in(&site, &visitor).await);
    assert_eq!(site.provider.count_all(), calls, "known without asking the provider");

    // A new sign-in in the same browser is not taken for the old one.
    let callback = site.authorized(&visitor).await;
    site.callback(&visitor, callback.as_str()).await.expect("a sign-in");
    assert!(is_shown_as_signed_in(&site, &visitor).await);
    site.visit(&visitor, async |logto| logto.access_token(TokenTarget::resource(API)).await).await.expect("a token");
}

#[tokio::test]
async fn a_sign_out_stays_though_a_slow_page_saves_a_record_from_before_a_rotation() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let slow = slow_page(&site, &visitor).await;
    site.visit(&visitor, async |logto| logto.access_token(TokenTarget::resource(API)).await).await.expect("a token");
    site.visit(&visitor, async |logto| logto.sign_out(None).await).await.expect("a URL");
    slow.result().await;

    assert!(visitor.item(REFRESH_TOKEN).await.is_some(), "the library has brought the record back");
    assert!(!is_shown_as_signed_in(&site, &visitor).await);
}

#[tokio::test]
async fn a_refresh_token_that_a_slow_page_brings_back_is_not_sent_again() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let slow = slow_page(&site, &visitor).await;
    site.visit(&visitor, async |logto| logto.access_token(TokenTarget::resource(API)).await).await.expect("a token");
    slow.result().await;
    site.visit(&visitor, async |logto| logto.clear_access_tokens().await).await.expect("a session");

    site.visit(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.expect("a token");

    let sent = site.provider.refreshes();
    assert_eq!(sent.len(), 2);
    assert_ne!(sent[0], sent[1], "the exchanged refresh token was sent again");
    assert!(is_shown_as_signed_in(&site, &visitor).await);
}

#[tokio::test]
async fn a_slow_refresh_undoes_nothing_that_another_tab_has_written_meanwhile() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let gate = site.provider.hold_refreshes();
    let refresh = site.open(&visitor, async |logto| logto.access_token(TokenTarget::resource(API)).await).await.go_on();
    soon(gate.arrival()).await;
    site.visit_with_session(&visitor, async |storage| storage.set_the_apps_own("cart", "3 apples").await).await;
    gate.open();

    refresh.result().await.expect("a token");

    assert_eq!(visitor.items().await.get("cart"), Some(&json!("3 apples")));
    site.visit(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.expect("a token");
}

#[tokio::test]
async fn a_slow_callback_undoes_nothing_that_another_tab_has_written_meanwhile() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    let gate = site.provider.hold(Endpoint::Token);
    let url = callback.to_string();
    let sign_in = site.open(&visitor, async move |logto| logto.handle_sign_in_callback(&url).await).await.go_on();
    soon(gate.arrival()).await;
    site.visit_with_session(&visitor, async |storage| storage.set_the_apps_own("cart", "3 apples").await).await;
    gate.open();

    sign_in.result().await.expect("a sign-in");

    assert_eq!(visitor.items().await.get("cart"), Some(&json!("3 apples")));
    assert!(is_shown_as_signed_in(&site, &visitor).await);
}

#[tokio::test]
async fn the_refresh_token_of_another_user_is_revoked_when_a_sign_in_replaces_it() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let replaced = site.request(&visitor).refresh_token().await.expect("a session").expect("a refresh token");
    site.provider.change_id_tokens(|token| token.claims["sub"] = json!("another user"));
    let callback = site.authorized(&visitor).await;
    site.callback(&visitor, callback.as_str()).await.expect("a sign-in");

    until(|| site.provider.count(Endpoint::Revocation) == 1).await;

    assert_eq!(site.provider.calls(Endpoint::Revocation)[0].param("token"), replaced.as_str());
}

#[tokio::test]
async fn the_refresh_token_of_the_same_user_is_not_revoked_when_a_sign_in_replaces_it() {
    // It shares its grant with the new one.
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let callback = site.authorized(&visitor).await;
    site.callback(&visitor, callback.as_str()).await.expect("a sign-in");
    site.visit(&visitor, async |logto| logto.sign_out(None).await).await.expect("a URL");

    let newest = site.provider.calls(Endpoint::Revocation);
    assert_eq!(newest.len(), 1, "that of the sign-out alone");
}
