//! From the first click to the last.

use servers::App;

use crate::browser::{Browser, start_app};

pub(crate) async fn one_click_and_a_name_sign_in_and_every_page_is_there(browser: &Browser) {
    let app = start_app();
    browser.open(app.url()).await;
    assert!(browser.text().await.contains("You are not signed in."));

    browser.click_on("Sign in").await;
    browser.find("#name").await.send_keys("Dora").await.expect("it takes text");
    let button = browser.find("#name ~ button").await;
    browser.leave_by(async || button.click().await.expect("a click")).await;

    browser.assert_at(&app, "/").await;
    assert_eq!(browser.heading().await, "Hello Dora");
    for (label, path, text) in [
        ("Claims", "/claims", "dora@example.com"),
        ("User info", "/user-info", "dora@example.com"),
        ("Access token", "/access-token", "https://billing.example.com"),
        ("Organizations", "/organizations", "You are not a member of any organization."),
        ("Protected page", "/protected", "Only signed-in users see this page."),
    ] {
        browser.click_on(label).await;
        browser.assert_at(&app, path).await;
        assert_eq!(browser.heading().await, label);
        assert!(browser.text().await.contains(text), "{}", browser.text().await);
        assert_eq!(browser.find("nav [aria-current]").await.text().await.expect("text"), label);
    }
    browser.click_on("Access token").await;
    browser.find("option:last-child").await.click().await.expect("a click");
    browser.click_on("Show its claims").await;
    browser.assert_at(&app, "/access-token?resource=https%3A%2F%2Fbilling.example.com").await;
    assert!(browser.text().await.contains("https://billing.example.com"));

    browser.click_on("Sign out").await;
    browser.assert_at(&app, "/").await;
    assert!(browser.text().await.contains("You are not signed in."));

    browser.click_on("Sign in").await;
    browser.click_on("Alice").await;
    assert_eq!(browser.heading().await, "Hello Alice");
    browser.click_on("Organizations").await;
    assert!(browser.text().await.contains("urn:logto:organization:globex"));
}

pub(crate) async fn one_comes_back_to_the_page_that_was_asked_for(browser: &Browser) {
    let app = start_app();
    let path = "/protected?a=1&b=%C3%A9%26";

    browser.open(&format!("{}{path}", app.url())).await;
    assert!(browser.heading().await.starts_with("Sign in"));
    browser.click_on("Alice").await;

    browser.assert_at(&app, path).await;
    assert!(browser.text().await.contains(path));
}

pub(crate) async fn two_tabs_sign_in_at_once_the_first_one_first(browser: &Browser) {
    two_tabs_sign_in(browser, [0, 1]).await;
}

pub(crate) async fn two_tabs_sign_in_at_once_the_last_one_first(browser: &Browser) {
    two_tabs_sign_in(browser, [1, 0]).await;
}

async fn two_tabs_sign_in(browser: &Browser, order: [usize; 2]) {
    let app = start_app();
    let page = |tab: usize| format!("{}/protected?tab={tab}", app.url());
    let tabs = [browser.driver.window().await.expect("a tab"), browser.driver.new_tab().await.expect("a tab")];
    for tab in [0, 1] {
        browser.driver.switch_to_window(tabs[tab].clone()).await.expect("the tab");
        browser.open(&page(tab)).await;
    }

    browser.driver.switch_to_window(tabs[order[0]].clone()).await.expect("the tab");
    browser.click_on("Alice").await;
    // The tabs share one interaction at the provider: that of the tab which was opened last.
    assert_eq!(browser.url().await, page(1), "{}", browser.text().await);

    browser.driver.switch_to_window(tabs[order[1]].clone()).await.expect("the tab");
    browser.click_on("Alice").await;
    assert_eq!(browser.heading().await, "Session not found");
    browser.assert_complaints(&["400 (Bad Request)"]).await;
    browser.open(&page(0)).await;
    assert_eq!(browser.url().await, page(0), "{}", browser.text().await);
}

pub(crate) async fn a_cancelled_sign_in_can_be_tried_again(browser: &Browser) {
    let app = start_app();
    browser.open(&format!("{}/protected?a=1", app.url())).await;

    browser.click_on("Cancel").await;

    assert_eq!(browser.heading().await, "Sign-in cancelled");
    browser.assert_complaints(&["403 (Forbidden)"]).await;
    browser.click_on("Try again").await;
    browser.click_on("Alice").await;
    browser.assert_at(&app, "/protected?a=1").await;
}

pub(crate) async fn going_back_into_a_sign_in_does_no_harm(browser: &Browser) {
    let app = start_app();
    browser.open(app.url()).await;
    browser.click_on("Sign in").await;
    browser.click_on("Alice").await;
    browser.assert_at(&app, "/").await;

    // To the provider's page, which is that of a sign-in that is used up.
    browser.driver.back().await.expect("the page before");
    assert!(browser.heading().await.starts_with("Sign in"), "{}", browser.text().await);
    browser.click_on("Alice").await;

    assert_signed_in(browser, &app).await;
}

async fn assert_signed_in(browser: &Browser, app: &App) {
    browser.assert_at(app, "/").await;
    assert_eq!(browser.heading().await, "Hello Alice");
}
