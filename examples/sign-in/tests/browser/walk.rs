//! All pages, one after the other: those of the app, and those of the provider that are on the way.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::browser::{Browser, start_app};
use crate::site::Site;

pub(crate) const PHONE: (u32, u32) = (360, 740);
pub(crate) const DESKTOP: (u32, u32) = (1280, 800);

/// Goes to each page and looks at it. With `SCREENSHOTS` set to a folder, it leaves a picture of each one there.
pub(crate) async fn walk(browser: &Browser, scheme: &str, (width, height): (u32, u32), look: impl AsyncFn(&str)) {
    let app = start_app();
    let pictures = env::var_os("SCREENSHOTS").map(PathBuf::from);
    browser.color_scheme(scheme).await;
    browser.size(width, height).await;
    let look = async |name: &str| {
        look(name).await;
        if let Some(folder) = &pictures {
            screenshot(browser, &folder.join(format!("{name}-{scheme}-{width}.png"))).await;
        }
    };
    let open = async |path: &str| browser.open(&format!("{}{path}", app.url())).await;

    open("/").await;
    look("home-signed-out").await;
    open("/logto/sign-up").await;
    look("provider-sign-up").await;
    browser.find("#name").await.send_keys("Alice").await.expect("it takes text");
    browser.click_on("Create account").await;
    assert!(browser.text().await.contains("This name is taken."));
    look("provider-name-taken").await;
    open("/logto/sign-in").await;
    look("provider-sign-in").await;
    browser.click_on("Cancel").await;
    look("cancelled").await;
    open("/logto/sign-in-callback?code=a&state=b").await;
    look("stale-callback").await;
    open("/nowhere").await;
    look("not-found").await;

    browser.sign_in(&app, "Alice").await;
    for (path, name) in [
        ("/", "home"),
        ("/claims", "claims"),
        ("/user-info", "user-info"),
        ("/access-token", "access-token"),
        ("/access-token?resource=https://api.example.com", "access-token-chosen"),
        ("/access-token?resource=https://unknown.example.com", "access-token-unknown"),
        ("/organizations", "organizations"),
        (
            "/protected?from=a&long-parameter=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "protected",
        ),
        ("/nowhere", "not-found-signed-in"),
    ] {
        open(path).await;
        look(name).await;
    }

    open("/logto/sign-in").await;
    look("provider-sign-in-again").await;
    let issuer = browser.url().await.split("/auth").next().expect("an issuer").to_owned();
    browser.open(&format!("{issuer}/session/end")).await;
    look("provider-signed-out").await;
    open("/logto/sign-in").await;
    browser.driver.delete_all_cookies().await.expect("they are deleted");
    browser.click_on("Alice").await;
    assert_eq!(browser.heading().await, "Session not found");
    look("provider-session-not-found").await;

    walk_while_logto_fails(browser, &look).await;

    // Statuses of pages, which the console has beside errors.
    let statuses = ["422", "403", "400", "404", "404", "404", "400", "502", "502", "503"];
    browser
        .assert_complaints(&statuses.map(|status| format!("status of {status} ")).each_ref().map(String::as_str))
        .await;
}

async fn walk_while_logto_fails(browser: &Browser, look: &impl AsyncFn(&str)) {
    let site = Site::start().await;
    let open = async |path: &str| browser.open(&format!("{}{path}", site.url)).await;
    open("/logto/sign-in").await;
    browser.click_on("Alice").await;

    site.provider.update_user("Alice", |user| user.memberships.retain(|of| of.organization != "globex"));
    open("/organizations").await;
    assert!(browser.text().await.contains("user is not a member of the organization"));
    look("organizations-refused").await;
    site.provider.stop().await;
    open("/user-info").await;
    browser.find("summary").await.click().await.expect("a click");
    look("failed").await;
    open("/logto/sign-in").await;
    look("sign-in-failed").await;
    open("/logto/sign-out").await;
    look("sign-out").await;
    browser.click_on("Sign out").await;
    assert_eq!(browser.heading().await, "Signed out of this app");
    look("signed-out-here").await;
}

pub(crate) async fn no_page_is_wider_than_a_small_phone(browser: &Browser) {
    walk(browser, "light", (320, 640), async |name| {
        let widths = "const page = document.documentElement; return [innerWidth, page.scrollWidth - page.clientWidth]";
        assert_eq!(browser.script(widths).await, serde_json::json!([320, 0]), "{name}");
    })
    .await;
}

/// With `UPDATE_DOCS` set it is made anew.
pub(crate) async fn the_readme_has_a_picture_of_the_home_page(browser: &Browser) {
    const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/images/sign-in.png");
    let app = start_app();
    browser.color_scheme("light").await;
    browser.size(960, 580).await;
    browser.sign_in(&app, "Alice").await;
    assert_eq!(browser.heading().await, "Hello Alice");
    let overflow = browser.script("return document.documentElement.scrollHeight - innerHeight").await;
    assert_eq!(overflow, 0, "the page is higher than the picture");

    if env::var_os("UPDATE_DOCS").is_some() {
        screenshot(browser, Path::new(PATH)).await;
    }

    let picture = fs::read(PATH).expect("UPDATE_DOCS=1 makes it");
    assert!(picture.starts_with(b"\x89PNG") && picture.len() < 150_000, "{} bytes", picture.len());
}

async fn screenshot(browser: &Browser, path: &Path) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    browser.driver.screenshot(path).await.expect("a picture");
}
