//! The way back from the provider, where it is not the straight one.

use servers::{Browser, Page};
use url::Url;

use crate::provider::{On, TokenRequest};
use crate::sign_in::relative;
use crate::world::World;

pub(crate) async fn two_tabs_can_sign_in_in_the_order_they_were_opened(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let [first, second] = two_tabs(&world, &browser).await;

    for page in [first, second] {
        finish(&world, &browser, page).await;
    }

    assert_eq!(world.store.ids().len(), 1);
}

pub(crate) async fn two_tabs_can_sign_in_in_the_other_order(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let [first, second] = two_tabs(&world, &browser).await;

    for page in [second, first] {
        finish(&world, &browser, page).await;
    }

    assert_eq!(world.store.ids().len(), 1);
}

pub(crate) async fn a_used_callback_is_refused_and_the_user_stays_signed_in(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let callback = callback_of(&world, &browser).await;
    browser.visit(callback.as_str()).await;
    let (id, token) = (world.session_id(&browser), world.text(&browser, "/refresh-token").await);

    for _ in 0..2 {
        // As by the browser's back button.
        let error = world.error(&browser, &relative(&callback)).await;
        assert_eq!(error["stale_callback"], true, "{error}");
    }

    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    assert_eq!(world.session_id(&browser), id);
    assert_eq!(world.text(&browser, "/refresh-token").await, token);
    // A provider that had seen the code again would have ended the sign-in.
    world.text(&browser, "/token?resource=https://api.example.com").await;
}

pub(crate) async fn a_code_is_sent_to_the_provider_once(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let callback = callback_of(&world, &browser).await;
    browser.visit(callback.as_str()).await;

    world.error(&browser, &relative(&callback)).await;
    world.error(&Browser::new(), &relative(&callback)).await;

    assert_eq!(world.provider.token_requests(), [TokenRequest::Code]);
}

pub(crate) async fn a_callback_in_another_browser_is_refused(on: On) {
    let (world, attacker, victim) = (World::start(on).await, Browser::new(), Browser::new());
    let callback = callback_of(&world, &attacker).await;

    // A link that would sign the victim in as the attacker (login CSRF).
    let error = world.error(&victim, &relative(&callback)).await;
    assert_eq!((&error["error"], &error["stale_callback"]), (&"NoPendingSignIn".into(), &true.into()), "{error}");
    assert_eq!(world.user(&victim).await, None);

    // Nor does it help to have begun a sign-in of one's own.
    world.begin(&victim, "/sign-in").await;
    let error = world.error(&victim, &relative(&callback)).await;
    assert_eq!(error["error"], "UnknownState", "{error}");
    assert_eq!(world.user(&victim).await, None);

    // The code was not used up by that.
    browser_is_signed_in(&world, &attacker, &callback).await;
}

pub(crate) async fn a_callback_with_another_code_fails_and_is_used_up(on: On) {
    let (world, browser) = (World::start(on).await, Browser::new());
    let callback = callback_of(&world, &browser).await;
    let mut forged = callback.clone();
    let others = callback
        .query_pairs()
        .filter(|(name, _)| name != "code")
        .map(|(name, value)| (name.into_owned(), value.into_owned()));
    forged.query_pairs_mut().clear().extend_pairs(others.collect::<Vec<_>>()).append_pair("code", "another");

    let error = world.error(&browser, &relative(&forged)).await;
    assert_eq!(error["error"], "TokenEndpoint", "{error}");
    assert!(error["message"].as_str().unwrap().contains("invalid_grant"), "{error}");

    let error = world.error(&browser, &relative(&callback)).await;
    assert_eq!(error["stale_callback"], true, "{error}");
    assert_eq!(world.user(&browser).await, None);
    world.sign_in(&browser, "ann").await;
}

async fn two_tabs(world: &World, browser: &Browser) -> [Page; 2] {
    let first = world.begin(browser, "/sign-in").await;
    [first, world.begin(browser, "/sign-in").await]
}

async fn callback_of(world: &World, browser: &Browser) -> Url {
    let page = world.begin(browser, "/sign-in").await;
    world.agree(browser, page, "ann").await
}

async fn finish(world: &World, browser: &Browser, page: Page) {
    let callback = world.agree(browser, page, "ann").await;
    browser_is_signed_in(world, browser, &callback).await;
}

async fn browser_is_signed_in(world: &World, browser: &Browser, callback: &Url) {
    let page = browser.visit(callback.as_str()).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(world.user(browser).await.as_deref(), Some("ann"));
    world.text(browser, "/token?resource=https://api.example.com").await;
}
