//! Many requests at once, in one process.

use std::collections::BTreeSet;
use std::time::Duration;

use servers::{Browser, Rotation};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::provider::{On, Setup};
use crate::sessions::COOKIE;
use crate::world::World;

const TOKEN: &str = "/token?resource=https://api.example.com";

pub(crate) async fn a_page_gets_the_tokens_of_six_organizations_at_once(on: On) {
    let (world, browser) = signed_in(on, rotated_with_grace).await;
    let before = world.provider.refreshes();

    let tokens = world.ok(&browser, "/organization-tokens").await;

    assert_eq!(world.provider.refreshes() - before, 6);
    let tokens: Vec<_> = tokens.as_array().unwrap().iter().map(|token| token.as_str().unwrap().to_owned()).collect();
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), 6);
    // All six are in the session, not only in the client's memory.
    let id = world.session_id(&browser);
    for (number, token) in (1..=6).zip(tokens) {
        let stored = world.store.item(&id, &format!("logto_access_token:@#org-{number}")).await.unwrap();
        assert!(stored.contains(&token), "org-{number}");
        assert_eq!(world.text(&browser, &format!("/token?organization=org-{number}")).await, token);
    }
    assert_eq!(world.provider.refreshes() - before, 6);
}

pub(crate) async fn fifty_tasks_get_one_token_by_one_request(on: On) {
    let (world, browser) = signed_in(on, |setup| setup.provider.access_token_seconds = 5).await;
    // One that has expired by now.
    let expired = world.text(&browser, TOKEN).await;
    world.oidc_provider().set(|settings| settings.access_token_seconds = 3600);
    let before = world.provider.refreshes();

    let tokens = world.ok(&browser, "/tokens-at-once?resource=https://api.example.com").await;

    let tokens: BTreeSet<_> = tokens.as_array().unwrap().iter().map(|token| token.as_str().unwrap()).collect();
    assert_eq!((tokens.len(), tokens.contains(&*expired)), (1, false));
    assert_eq!(world.provider.refreshes() - before, 1);
}

pub(crate) async fn fifty_requests_get_one_token_by_one_request(on: On) {
    let (world, browser) = signed_in(on, rotated_with_grace).await;
    let before = world.provider.refreshes();

    let tokens = at_once(&world, &browser, vec![TOKEN.to_owned(); 50]).await;

    assert_eq!(tokens.into_iter().collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(world.provider.refreshes() - before, 1);
    assert_eq!(world.store.ids().len(), 1);
}

pub(crate) async fn six_requests_get_six_tokens_and_stay_signed_in(on: On) {
    let (world, browser) = signed_in(on, rotated_with_grace).await;
    let paths: Vec<_> = (1..=6).map(|number| format!("/token?organization=org-{number}")).collect();

    for _ in 0..5 {
        let before = world.provider.refreshes();
        let tokens = at_once(&world, &browser, paths.clone()).await;
        assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), 6);
        assert_eq!(world.provider.refreshes() - before, 6);

        // Each request saves its record whole, at its end once more: what one of them lost is made up for later.
        assert_eq!(at_once(&world, &browser, paths.clone()).await, tokens);
        assert_eq!(world.provider.refreshes() - before, 6);
        world.ok(&browser, "/clear-access-tokens").await;
    }

    // The session has the newest refresh token, not one that a late save brought back: without any grace it is good.
    world.oidc_provider().set(|settings| settings.grace_seconds = 0);
    let (status, answer) = world.refresh(&world.text(&browser, "/refresh-token").await).await;
    assert_eq!(status, 200, "{answer}");
}

/// Once the process has forgotten what it did (here: at once), only what is in the session counts.
pub(crate) async fn after_six_requests_the_session_has_the_newest_refresh_token(on: On) {
    let (world, browser) = signed_in(on, rotated_with_grace).await;

    for round in 0..10 {
        let paths = (1..=6).map(|number| format!("/token?organization=org-{number}")).collect();
        at_once(&world, &browser, paths).await;

        let stored = world.store.item(&world.session_id(&browser), "logto_refresh_token").await.unwrap();
        let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
        world.oidc_provider().set(|settings| settings.grace_seconds = 0);
        let (status, answer) = world.refresh(stored["token"].as_str().unwrap()).await;
        assert_eq!(status, 200, "round {round}: {answer}");
        world.oidc_provider().set(|settings| settings.grace_seconds = 3);
        world.sign_in(&browser, "ann").await;
    }
}

pub(crate) async fn a_sign_out_beats_a_refresh_that_is_under_way(on: On) {
    for rotation in [Rotation::Never, Rotation::Always] {
        let (world, browser) = signed_in(on, |setup| setup.provider.rotation = rotation).await;
        let before = world.session_id(&browser);
        let refresh_token = world.text(&browser, "/refresh-token").await;
        let provider = world.oidc_provider();

        // The browser sends both at once, with the same cookie; the provider's answer to the refresh is on its way.
        provider.set(|settings| settings.hold_tokens = true);
        let refresh = tokio::spawn({
            let (other_tab, url) = (browser.clone(), world.url(TOKEN));
            async move { other_tab.get(&url).await }
        });
        provider.wait_until_held();
        let url = world.url("/sign-out");
        let mut sign_out = Box::pin(browser.get(&url));
        // It need not wait for the refresh, but may.
        let at_once = timeout(Duration::from_millis(500), &mut sign_out).await;
        provider.set(|settings| settings.hold_tokens = false);
        let page = match at_once {
            Ok(page) => page,
            Err(_) => sign_out.await,
        };
        assert!(page.status.is_redirection(), "{page:?}");
        let refreshed = refresh.await.unwrap();
        assert_ne!(refreshed.status, 500, "{refreshed:?}");

        assert_eq!(world.user(&browser).await, None);
        let old_id = Browser::new();
        old_id.take_cookies(&world.app_url, &format!("{COOKIE}={before}"));
        assert_eq!(world.user(&old_id).await, None);
        // The refresh token is dead, and so is the one that it may have been replaced by.
        assert_eq!(world.refresh(&refresh_token).await.0, 400);
        let requests = provider.requests();
        let revoked = requests.iter().filter(|request| request.path == "/token/revocation").count();
        assert!(revoked >= 1, "{requests:?}");
    }
}

/// tower-sessions saves what a response leaves behind once more when it ends, and so brings back a session that was ended
/// meanwhile. Its tokens are dead, and it is empty as soon as one is needed.
pub(crate) async fn a_slow_page_that_brings_a_session_back_brings_dead_tokens(on: On) {
    let (world, browser) = signed_in(on, |_| {}).await;
    let slow = tokio::spawn({
        let (other_tab, url) = (browser.clone(), world.url("/token-and-pause?organization=org-1"));
        async move { other_tab.get(&url).await }
    });
    world.app.page_pauses().await;

    world.sign_out(&browser).await;
    world.app.end_pause();
    assert_eq!(slow.await.unwrap().status, 200);

    // The slow response has set the old cookie again, and the record is there.
    assert_eq!(world.user(&browser).await, None);
    let error = world.error(&browser, TOKEN).await;
    assert_eq!(error["sign_in_required"], true, "{error}");
    assert_eq!(world.user(&browser).await, None);
}

/// To the client, another client is another process: all they share is the store.
pub(crate) async fn a_page_that_began_before_another_process_refreshed_sees_that(on: On) {
    let (world, browser) = signed_in(on, |setup| {
        setup.provider.rotation = Rotation::Always;
        setup.provider.grace_seconds = 0;
    })
    .await;
    let another = world.another_process().await;

    for (path, requests) in [("organization=org-1", 1), ("organization=org-2", 2)] {
        let before = world.provider.refreshes();
        let slow = tokio::spawn({
            let (browser, url) = (browser.clone(), format!("{}/pause-and-token?{path}", another.url));
            async move { browser.json(&url).await }
        });
        another.app.page_pauses().await;
        // The first token is the one that the page will need, the second another.
        let token = world.text(&browser, if requests == 1 { "/token?organization=org-1" } else { TOKEN }).await;
        another.app.end_pause();

        let (status, answer) = slow.await.unwrap();
        assert_eq!((status, answer == token.as_str()), (200, requests == 1), "{answer}");
        assert_eq!(world.provider.refreshes() - before, requests);
    }

    // Had the page used the old refresh token, the provider would have ended the sign-in.
    world.text(&browser, "/token?organization=org-3").await;
}

/// All answers, in the order of the paths.
async fn at_once(world: &World, browser: &Browser, paths: Vec<String>) -> Vec<String> {
    let mut tasks = JoinSet::new();
    for (number, path) in paths.into_iter().enumerate() {
        let (browser, url) = (browser.clone(), world.url(&path));
        tasks.spawn(async move { (number, browser.json(&url).await) });
    }
    let mut answers = tasks.join_all().await;
    answers.sort_by_key(|(number, _)| *number);
    let text = |(status, answer): (u16, serde_json::Value)| {
        assert_eq!(status, 200, "{answer}");
        answer.as_str().unwrap().to_owned()
    };
    answers.into_iter().map(|(_, answer)| text(answer)).collect()
}

/// As strict as a provider gets: a new refresh token each time, and only Logto's three seconds for the old one.
fn rotated_with_grace(setup: &mut Setup) {
    setup.provider.rotation = Rotation::Always;
}

async fn signed_in(on: On, change: impl FnOnce(&mut Setup)) -> (World, Browser) {
    let (world, browser) = (World::with(on, change).await, Browser::new());
    world.sign_in(&browser, "ann").await;
    (world, browser)
}
