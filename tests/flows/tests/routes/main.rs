//! The ready routes over a storage of the app's own, in a router that is nested under a path and has a state of its own.

mod rejections;
mod site;

use axum::http::StatusCode;
use reqwest::header::ACCEPT;

use crate::site::Site;

#[tokio::test]
async fn a_user_signs_in_and_out_over_a_storage_of_the_apps_own() {
    let site = Site::start().await;
    assert_eq!(site.page("").await, (StatusCode::OK, "Hello stranger".to_owned()));

    let (status, sign_in) = site.page("/keys?a=b&c=d").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(sign_in, format!("{}/auth/sign-in?return_to=%2Fapp%2Fkeys%3Fa%3Db%26c%3Dd", site.url));
    assert_eq!(site.sign_in(&sign_in, "Ann").await, format!("{}/keys?a=b&c=d", site.url));

    assert_eq!(site.page("").await, (StatusCode::OK, "Hello Ann".to_owned()));
    assert_eq!(site.page("/keys").await, (StatusCode::OK, "tenant-a:logto_id_token".to_owned()));
    assert_eq!(site.page("/session").await, (StatusCode::OK, "true".to_owned()));

    let end_session = site.location(site.browser.post(format!("{}/auth/sign-out", site.url))).await;
    assert!(end_session.starts_with(&format!("{}/session/end?", site.issuer)), "{end_session}");
    assert_eq!(site.location(site.browser.get(end_session)).await, format!("{}/", site.url));
    assert_eq!(site.page("").await, (StatusCode::OK, "Hello stranger".to_owned()));
    assert_eq!(site.page("/session").await, (StatusCode::OK, "false".to_owned()));
}

#[tokio::test]
async fn a_whole_router_is_protected_by_axums_own_middleware() {
    let site = Site::start().await;
    let (status, sign_in) = site.page("/area/page").await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(site.sign_in(&sign_in, "Ann").await, format!("{}/area/page", site.url));
    assert_eq!(site.page("/area/page").await, (StatusCode::OK, "protected".to_owned()));
}

#[tokio::test]
async fn who_does_not_ask_for_a_page_gets_what_the_app_makes_of_it_and_no_redirect() {
    let site = Site::start().await;
    let page = format!("{}/area/page", site.url);
    let plain = site.browser.get(&page).send().await.expect("an answer");
    assert_eq!(plain.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(plain.text().await.expect("text"), "custom: nobody is signed in to this session");
    let fetched = site.browser.get(&page).header(ACCEPT, "text/html").header("sec-fetch-mode", "cors").send();
    assert_eq!(fetched.await.expect("an answer").status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_error_of_the_session_becomes_what_the_app_makes_of_it() {
    let site = Site::start().await;
    site.sign_in(&format!("{}/auth/sign-in", site.url), "Ann").await;
    let (status, body) = site.page("/token").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(body.starts_with("custom: the resource `https://unlisted.example.com`"), "{body}");
}

#[tokio::test]
async fn a_sign_in_without_a_place_to_return_to_ends_at_the_base_url() {
    let site = Site::start().await;
    for (path, name) in [
        ("/auth/sign-in", "Ann"),
        // Who creates an account takes a new name.
        ("/auth/sign-up", "Beth"),
        ("/auth/sign-in?return_to=//evil.example", "Ann"),
    ] {
        assert_eq!(site.sign_in(&format!("{}{path}", site.url), name).await, format!("{}/", site.url), "{path}");
    }
}

#[tokio::test]
async fn a_callback_that_is_only_looked_at_is_not_used_up() {
    let site = Site::start().await;
    let callback = site.browser.head(format!("{}/auth/sign-in-callback?code=a&state=b", site.url)).send();
    assert_eq!(callback.await.expect("an answer").status(), StatusCode::METHOD_NOT_ALLOWED);
}
