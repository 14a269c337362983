//! Access tokens that expire, and refresh tokens that are replaced.

use std::time::Duration;

use servers::{Browser, Rotation};
use tokio::time::{sleep, timeout};

use crate::LIMIT;
use crate::provider::{On, Setup};
use crate::world::World;

const TOKEN: &str = "/token?resource=https://api.example.com";

pub(crate) async fn an_expired_token_is_renewed(on: On) {
    let (world, browser) = signed_in(on, expired_at_once).await;
    let refresh_token = world.text(&browser, "/refresh-token").await;

    let tokens =
        [world.text(&browser, TOKEN).await, world.text(&browser, TOKEN).await, world.text(&browser, TOKEN).await];

    assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
    // As Logto has it: that of a confidential client is kept for most of its life.
    assert_eq!(world.text(&browser, "/refresh-token").await, refresh_token);
    assert_eq!(world.ok(&browser, "/user-info").await["username"], "ann");
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
}

pub(crate) async fn a_rotated_refresh_token_is_stored(on: On) {
    let (world, browser) = signed_in(on, |setup| {
        rotated_at_once(setup);
        expired_at_once(setup);
    })
    .await;

    // With the old refresh token, which has no grace here, the second would fail already.
    let mut refresh_tokens = vec![world.text(&browser, "/refresh-token").await];
    for _ in 0..4 {
        world.text(&browser, TOKEN).await;
        refresh_tokens.push(world.text(&browser, "/refresh-token").await);
    }

    refresh_tokens.sort();
    refresh_tokens.dedup();
    assert_eq!(refresh_tokens.len(), 5);
}

pub(crate) async fn a_stolen_refresh_token_ends_the_session_when_it_is_used(on: On) {
    let (world, browser) = signed_in(on, rotated_at_once).await;
    let stolen = world.text(&browser, "/refresh-token").await;
    world.text(&browser, TOKEN).await;
    assert_ne!(world.text(&browser, "/refresh-token").await, stolen);

    let (status, answer) = world.refresh(&stolen).await;
    assert_eq!((status, &answer["error"]), (400, &"invalid_grant".into()), "{answer}");

    // What the app has is still good until it needs the provider.
    assert_eq!(world.user(&browser).await.as_deref(), Some("ann"));
    world.text(&browser, TOKEN).await;
    let error = world.error(&browser, "/token?organization=org-1").await;
    assert_eq!((&error["error"], &error["sign_in_required"]), (&"SessionEnded".into(), &true.into()), "{error}");
    assert_eq!(world.user(&browser).await, None);
    assert_eq!(world.ok(&browser, "/refresh-token").await, serde_json::Value::Null);
}

pub(crate) async fn a_refresh_token_works_on_for_some_seconds_after_its_rotation(on: On) {
    let (world, browser) = signed_in(on, |setup| {
        rotated_at_once(setup);
        setup.provider.grace_seconds = 60;
    })
    .await;
    let old = world.text(&browser, "/refresh-token").await;
    world.text(&browser, TOKEN).await;

    let (status, answer) = world.refresh(&old).await;

    assert_eq!(status, 200, "{answer}");
    world.text(&browser, "/token?organization=org-1").await;
}

pub(crate) async fn a_response_without_a_refresh_token_keeps_the_old_one(on: On) {
    let (world, browser) = signed_in(on, |setup| {
        expired_at_once(setup);
        setup.provider.rotation = Rotation::Never;
        setup.provider.omit_refresh_token = true;
    })
    .await;
    let refresh_token = world.text(&browser, "/refresh-token").await;

    for _ in 0..3 {
        world.text(&browser, TOKEN).await;
    }

    assert_eq!(world.text(&browser, "/refresh-token").await, refresh_token);
}

pub(crate) async fn an_expired_refresh_token_ends_the_session(on: On) {
    let (world, browser) = with_an_expired_refresh_token(on).await;

    let error = world.error(&browser, TOKEN).await;

    assert_eq!(error["error"], "SessionEnded", "{error}");
    assert_eq!(world.user(&browser).await, None);
    // The second request finds nobody signed in, and does not ask the provider.
    let before = world.oidc_provider().requests().len();
    assert_eq!(world.error(&browser, TOKEN).await["error"], "NotAuthenticated");
    assert_eq!(world.oidc_provider().requests().len(), before);
}

pub(crate) async fn a_user_signs_in_again_after_the_session_has_ended(on: On) {
    let (world, browser) = with_an_expired_refresh_token(on).await;
    world.error(&browser, TOKEN).await;
    world.oidc_provider().set(|settings| settings.refresh_token_seconds = 3600);

    world.sign_in(&browser, "ann").await;

    world.text(&browser, TOKEN).await;
    assert_eq!(world.store.ids().len(), 1);
}

async fn with_an_expired_refresh_token(on: On) -> (World, Browser) {
    let (world, browser) = signed_in(on, |setup| {
        setup.provider.refresh_token_seconds = 1;
        setup.provider.rotation = Rotation::Never;
    })
    .await;
    let refresh_token = world.text(&browser, "/refresh-token").await;
    let expires = async {
        while world.refresh(&refresh_token).await.0 == 200 {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LIMIT, expires).await.expect("it expires");
    (world, browser)
}

/// A token with less than ten seconds left counts as expired.
fn expired_at_once(setup: &mut Setup) {
    setup.provider.access_token_seconds = 5;
}

fn rotated_at_once(setup: &mut Setup) {
    setup.provider.rotation = Rotation::Always;
    setup.provider.grace_seconds = 0;
}

async fn signed_in(on: On, change: impl FnOnce(&mut Setup)) -> (World, Browser) {
    let (world, browser) = (World::with(on, change).await, Browser::new());
    world.sign_in(&browser, "ann").await;
    (world, browser)
}
