//! Out of the app, and of the provider.

use serde_json::Value;

use servers::Browser;

use crate::provider::On;
use crate::world::World;

const TOKEN: &str = "/token?resource=https://api.example.com";

pub(crate) async fn signing_out_empties_the_session_and_renews_its_id(on: On) {
    let (world, browser) = signed_in(on).await;
    world.text(&browser, TOKEN).await;
    let before = world.session_id(&browser);
    let access_tokens = ["logto_access_token:@", "logto_access_token:@https://api.example.com"];
    for key in access_tokens {
        assert!(world.store.item(&before, key).await.is_some(), "{key}");
    }

    world.sign_out(&browser).await;

    assert_eq!(world.user(&browser).await, None);
    assert_eq!(world.error(&browser, TOKEN).await["error"], "NotAuthenticated");
    let after = world.session_id(&browser);
    assert_ne!(after, before);
    assert_eq!(world.store.ids().into_iter().collect::<Vec<_>>(), std::slice::from_ref(&after));
    let others = ["logto_id_token", "logto_refresh_token", "logto_access_token_map", "logto_sign_in_session"];
    for key in others.into_iter().chain(access_tokens) {
        assert_eq!(world.store.item(&after, key).await, None, "{key}");
    }
}

pub(crate) async fn signing_out_revokes_the_refresh_token(on: On) {
    let (world, browser) = signed_in(on).await;
    let refresh_token = world.text(&browser, "/refresh-token").await;
    let (status, answer) = world.refresh(&refresh_token).await;
    assert_eq!(status, 200, "{answer}");

    // The browser has not been on the provider's page yet, and may never get there.
    browser.get(&world.url("/sign-out")).await;

    let (status, answer) = world.refresh(&refresh_token).await;
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()), "{answer}");
}

pub(crate) async fn a_user_signs_in_again_after_signing_out(on: On) {
    let (world, browser) = signed_in(on).await;
    world.sign_out(&browser).await;

    world.sign_in(&browser, "ann").await;

    world.text(&browser, TOKEN).await;
    assert_eq!(world.store.ids().len(), 1);
}

pub(crate) async fn another_user_signs_in_after_signing_out(on: On) {
    let (world, browser) = signed_in(on).await;
    let sub = world.ok(&browser, "/claims").await["sub"].clone();
    world.sign_out(&browser).await;

    // The provider has forgotten ann, too: it asks who it is.
    world.sign_in(&browser, "bob").await;

    assert_ne!(world.ok(&browser, "/claims").await["sub"], sub);
    assert_eq!(world.ok(&browser, "/user-info").await["username"], "bob");
    assert_eq!(world.store.ids().len(), 1);
}

pub(crate) async fn signing_out_twice_does_no_harm(on: On) {
    let (world, browser) = signed_in(on).await;
    world.sign_out(&browser).await;

    world.sign_out(&browser).await;
    world.sign_out(&Browser::new()).await;

    assert_eq!(world.user(&browser).await, None);
}

pub(crate) async fn cleared_tokens_are_gone_and_access_tokens_come_back(on: On) {
    let (world, browser) = signed_in(on).await;
    let token = world.text(&browser, TOKEN).await;

    world.ok(&browser, "/clear-access-tokens").await;
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    assert_ne!(world.text(&browser, TOKEN).await, token);

    world.ok(&browser, "/clear-all-tokens").await;
    assert_eq!(world.user(&browser).await, None);
    assert_eq!(world.ok(&browser, "/refresh-token").await, Value::Null);
    assert_eq!(world.error(&browser, TOKEN).await["error"], "NotAuthenticated");
}

async fn signed_in(on: On) -> (World, Browser) {
    let (world, browser) = (World::start(on).await, Browser::new());
    world.sign_in(&browser, "ann").await;
    (world, browser)
}
