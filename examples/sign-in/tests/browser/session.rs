//! What is private, as a browser keeps it.

use thirtyfour::prelude::*;

use crate::browser::{Browser, start_app};

pub(crate) async fn scripts_cannot_see_the_cookie_and_its_ticket_changes(browser: &Browser) {
    let app = start_app();
    browser.open(app.url()).await;
    assert!(browser.driver.get_named_cookie("sign-in").await.is_err(), "a visit alone sets no cookie");
    browser.open(&format!("{}/logto/sign-in", app.url())).await;
    let provider = browser.url().await;
    browser.open(app.url()).await;
    let before = browser.ticket().await;
    browser.open(&provider).await;
    browser.click_on("Alice").await;
    browser.assert_at(&app, "/").await;

    let cookie = browser.driver.get_named_cookie("sign-in").await.expect("a ticket");

    assert_ne!(cookie.value, before);
    assert_eq!((cookie.http_only, cookie.secure), (Some(true), Some(false)));
    assert_eq!(cookie.same_site, Some(SameSite::Lax));
    assert_eq!((cookie.path.as_deref(), cookie.domain.as_deref()), (Some("/"), Some("localhost")));
    assert_eq!(browser.script("return document.cookie").await, "");
    browser.click_on("Sign out").await;
    assert!(browser.driver.get_named_cookie("sign-in").await.is_err(), "the sign-out removes it");
}

pub(crate) async fn after_sign_out_the_back_button_shows_nothing_private(browser: &Browser) {
    let app = start_app();
    browser.sign_in(&app, "Alice").await;
    browser.click_on("Claims").await;
    assert!(browser.text().await.contains("alice@example.com"));
    browser.click_on("Sign out").await;
    browser.assert_at(&app, "/").await;

    browser.driver.back().await.expect("the page before");

    // The page is asked for anew, and leads to the sign-in.
    assert_eq!(browser.heading().await, "Sign in");
    assert!(!browser.text().await.contains("15550100"), "{}", browser.text().await);
    browser.driver.back().await.expect("the page before that");
    assert!(!browser.text().await.contains("Signed in as"), "{}", browser.text().await);
}

pub(crate) async fn a_link_to_the_sign_out_shows_a_button_that_signs_out(browser: &Browser) {
    let app = start_app();
    browser.sign_in(&app, "Alice").await;

    browser.open(&format!("{}/logto/sign-out", app.url())).await;
    assert_eq!(browser.heading().await, "Sign out");
    browser.click_on("Sign out").await;

    browser.assert_at(&app, "/").await;
    assert!(browser.text().await.contains("You are not signed in."), "{}", browser.text().await);
    // At the provider, too: it suggests nobody.
    browser.click_on("Sign in").await;
    assert!(!browser.text().await.contains("signed in here"), "{}", browser.text().await);
}
