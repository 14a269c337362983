//! Web sessions that are saved late, and what they would undo if they held the tokens.

use crate::gates::Place;
use crate::provider::On;
use crate::sessions::COOKIE;
use crate::vault::world::{API, World, arrival, loaded, rotated_without_grace};

pub(crate) async fn a_page_that_ends_after_a_sign_out_does_not_undo_it(on: On) {
    for (path, status) in [("/pause-and-token", 401), ("/token-and-pause", 200)] {
        let world = World::strict(on).await;
        let (before, session) = (world.with_cookies_of_now(), session(&world));
        let slow = world.load(&world.a, &format!("{path}?organization=org-1&cart=1"));
        world.a.pages_pause(1).await;

        world.sign_out(&world.b).await;
        assert_ne!(session_or_none(&world), Some(session.clone()));
        world.a.end_pauses(1).await;

        assert_eq!(loaded(slow).await.0, status, "{path}");
        assert_eq!(session_or_none(&world), Some(session), "the late save brings the old session back");
        world.assert_signed_out(&world.browser).await;
        world.assert_signed_out(&before).await;
        // The same user: the session at the provider has not ended.
        world.sign_in("ann").await;
        world.assert_both_refresh().await;
    }
}

pub(crate) async fn fifty_pages_that_end_after_a_sign_out_do_not_undo_it(on: On) {
    let world = World::strict(on).await;
    let before = world.with_cookies_of_now();
    let pages: Vec<_> = (0..50)
        .map(|number| {
            let path = ["/pause-and-token", "/token-and-pause"][number / 2 % 2];
            world.load(world.apps()[number % 2], &format!("{path}?organization=org-1&cart={number}"))
        })
        .collect();
    world.a.pages_pause(25).await;
    world.b.pages_pause(25).await;

    world.sign_out(&world.b).await;
    world.a.end_pauses(25).await;
    world.b.end_pauses(25).await;

    for page in pages {
        let (status, answer) = loaded(page).await;
        assert!([200, 401].contains(&status), "{status}: {answer}");
    }
    world.assert_signed_out(&world.browser).await;
    world.assert_signed_out(&before).await;
}

pub(crate) async fn a_refresh_that_ends_after_a_sign_out_does_not_undo_it(on: On) {
    let world = World::strict(on).await;
    let before = world.with_cookies_of_now();
    let gate = world.hold_next(Place::Response);
    let slow = world.load(&world.a, &format!("{API}&cart=1"));
    arrival(&gate).await;

    world.sign_out(&world.b).await;
    gate.open();

    let (status, answer) = loaded(slow).await;
    assert_eq!((status, &answer["error"]), (401, &"NotAuthenticated".into()), "{answer}");
    world.assert_signed_out(&world.browser).await;
    world.assert_signed_out(&before).await;
}

/// A session that was changed in a request is not read again in it, but the vault is.
pub(crate) async fn a_page_that_has_changed_the_session_sees_a_refresh_of_another_process(on: On) {
    let world = World::strict(on).await;
    for (number, (slow, quick)) in [(&world.a, &world.b), (&world.b, &world.a)].into_iter().enumerate() {
        let page = world.load(slow, &format!("/pause-and-token?organization=org-1&cart={number}"));
        slow.pages_pause(1).await;

        world.ok(quick, "/token?organization=org-2").await;
        slow.end_pauses(1).await;

        let (status, answer) = loaded(page).await;
        assert_eq!(status, 200, "{answer}");
        world.assert_user(Some("ann")).await;
        world.assert_both_refresh().await;
    }
}

pub(crate) async fn a_page_that_ends_late_brings_no_used_refresh_token_back(on: On) {
    let world = World::strict(on).await;
    let slow = world.load(&world.a, "/token-and-pause?organization=org-1&cart=1");
    world.a.pages_pause(1).await;

    let token = world.ok(&world.b, "/token?organization=org-2").await;
    world.a.end_pauses(1).await;
    assert_eq!(loaded(slow).await.0, 200);

    // As two idle minutes later, it only has what is stored.
    let another = world.another_process().await;
    assert_eq!(world.ok(&another, "/token?organization=org-2").await, token);
    world.ok(&another, "/token?organization=org-3").await;
    world.assert_both_refresh().await;
    world.assert_user(Some("ann")).await;
}

pub(crate) async fn a_refresh_undoes_nothing_that_was_written_while_it_waited(on: On) {
    let world = World::strict(on).await;
    let gate = world.hold_next(Place::Response);
    let slow = world.load(&world.a, &format!("{API}&cart=1"));
    arrival(&gate).await;

    let other_tab = world.begin(&world.b).await;
    world.ok(&world.b, "/set-item?key=basket&value=apples").await;
    gate.open();

    let (status, answer) = loaded(slow).await;
    assert_eq!(status, 200, "{answer}");
    assert_written_meanwhile(&world, other_tab).await;
}

pub(crate) async fn a_callback_undoes_nothing_that_was_written_while_it_waited(on: On) {
    let world = World::start(on, rotated_without_grace).await;
    let page = world.begin(&world.a).await;
    let callback = world.agree(page, "ann").await;
    let gate = world.hold_next(Place::Response);
    let slow = world.load(&world.a, &format!("{callback}&cart=1"));
    arrival(&gate).await;

    let other_tab = world.begin(&world.b).await;
    world.ok(&world.b, "/set-item?key=basket&value=apples").await;
    gate.open();

    let (status, answer) = loaded(slow).await;
    assert_eq!(status, 303, "{answer}");
    world.assert_user(Some("ann")).await;
    assert_written_meanwhile(&world, other_tab).await;
}

async fn assert_written_meanwhile(world: &World, other_tab: servers::Page) {
    for app in world.apps() {
        assert_eq!(world.ok(app, "/items/basket").await, "apples");
    }
    let callback = world.agree(other_tab, "ann").await;
    let signed_in = world.browser.get(&world.b.url(&callback)).await;
    assert_eq!(signed_in.status, 303, "{signed_in:?}");
    world.assert_user(Some("ann")).await;
    world.assert_both_refresh().await;
    assert_eq!(world.ok(&world.a, "/items/basket").await, "apples");
}

fn session(world: &World) -> String {
    session_or_none(world).expect("a session")
}

fn session_or_none(world: &World) -> Option<String> {
    world.browser.cookie(&world.a.url, COOKIE)
}
