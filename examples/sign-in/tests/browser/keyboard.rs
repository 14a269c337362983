//! Without a mouse.

use thirtyfour::prelude::*;

use crate::browser::{Browser, start_app};

pub(crate) async fn the_keyboard_is_enough(browser: &Browser) {
    let app = start_app();
    browser.open(app.url()).await;

    tab_to(browser, "Sign in to the example").await;
    leave_by_enter(browser).await;
    tab_to(browser, "Alice").await;
    leave_by_enter(browser).await;
    assert_eq!(browser.heading().await, "Hello Alice");
    tab_to(browser, "Access token").await;
    leave_by_enter(browser).await;
    tab_to(browser, "https://api.example.com").await;
    press(browser, Key::Down).await;
    tab_to(browser, "Show its claims").await;
    leave_by_enter(browser).await;
    assert!(browser.text().await.contains("read:invoices"), "{}", browser.text().await);
    tab_to(browser, "Sign out").await;
    leave_by_enter(browser).await;
    assert!(browser.text().await.contains("You are not signed in."), "{}", browser.text().await);

    // A name that is typed.
    tab_to(browser, "Create an account").await;
    leave_by_enter(browser).await;
    tab_to(browser, "Your name").await;
    browser.driver.action_chain().send_keys("Emil").perform().await.expect("keys");
    leave_by_enter(browser).await;
    assert_eq!(browser.heading().await, "Hello Emil");
    browser.assert_at(&app, "/").await;
}

pub(crate) async fn the_skip_link_leads_to_the_content(browser: &Browser) {
    let app = start_app();
    browser.sign_in(&app, "Alice").await;

    press(browser, Key::Tab).await;
    assert_eq!(focused(browser).await, "Skip to content");
    let left = browser.script("return document.activeElement.getBoundingClientRect().left").await;
    assert!(left.as_f64().is_some_and(|left| left >= 0.0), "{left}");
    press(browser, Key::Enter).await;
    press(browser, Key::Tab).await;

    assert_eq!(focused(browser).await, "Claims");
    assert_eq!(browser.script("return document.activeElement.closest('main') !== null").await, true);
}

/// Goes from one to the next, each of which has to be seen, until the focus is on what says so.
async fn tab_to(browser: &Browser, label: &str) {
    let mut seen = Vec::new();
    for _ in 0..30 {
        press(browser, Key::Tab).await;
        let focused = focused(browser).await;
        if focused.starts_with(label) {
            return;
        }
        seen.push(focused);
    }
    panic!("the focus does not come to {label:?}, but to {seen:?}");
}

/// The label of what has the focus, which has to be marked as such and in sight.
async fn focused(browser: &Browser) -> String {
    let script = "
        const element = document.activeElement;
        if (element === document.body) return ['', true, true];
        const style = getComputedStyle(element), box = element.getBoundingClientRect();
        const label = { INPUT: element.labels?.[0]?.innerText, SELECT: element.value }[element.tagName] ?? element.innerText;
        const marked = style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2;
        const inside = box.width > 0 && box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight;
        return [label.trim(), marked, inside];
    ";
    let (label, marked, inside): (String, bool, bool) =
        serde_json::from_value(browser.script(script).await).expect("a label and two answers");
    assert!(marked && inside, "{label}: marked {marked}, in sight {inside}");
    label
}

async fn leave_by_enter(browser: &Browser) {
    browser.leave_by(async || press(browser, Key::Enter).await).await;
}

async fn press(browser: &Browser, key: Key) {
    browser.driver.action_chain().send_keys(key).perform().await.expect("a key");
}
