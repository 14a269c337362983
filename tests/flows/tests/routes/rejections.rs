//! What becomes of errors: the client's own pages and JSON, and what an app's `on_error` is given.

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use logto_client::axum::AuthRejection;
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, REFERER};
use serde_json::{Value, json};

use crate::site::{Options, Site};

/// What an app builds its own page from.
fn as_json(rejection: AuthRejection) -> Response {
    let body = json!({
        "title": rejection.title(),
        "user": rejection.claims.map(|claims| claims.user.name),
        "retry_url": rejection.retry_url,
        "sign_in_url": rejection.sign_in_url,
        "home_url": rejection.home_url,
    });
    (rejection.status, Json(body)).into_response()
}

async fn with_json() -> Site {
    Site::start_with(Options { on_error: Some(as_json), ..Options::default() }).await
}

/// The title of one of the client's pages, and its links by label.
fn title_and_links(page: &str) -> (&str, Vec<(&str, &str)>) {
    let between = |text, begin, end| between(text, begin, end).expect("it is on the page");
    let links = page.split("<li>").skip(1);
    let links = links.map(|link| (between(link, "\">", "</a>"), between(link, "<a href=\"", "\""))).collect();
    (between(page, "<h1>", "</h1>"), links)
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(begin)?.1.split_once(end)?.0)
}

/// The path and query of a callback's URL, as [`Site::page`] requests it.
fn path_of<'a>(site: &Site, callback: &'a str) -> &'a str {
    callback.strip_prefix(&site.url).expect("a URL of the app")
}

#[tokio::test]
async fn a_failure_is_shown_on_a_page_of_its_own() {
    let site = Site::start_with(Options::default()).await;

    let request = site.request(Method::GET, "/auth/sign-in-callback").header(ACCEPT, "text/html");
    let answer = request.load().await;

    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.headers[CONTENT_TYPE], "text/html; charset=utf-8");
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    let page = answer.body;
    assert!(page.starts_with("<!doctype html>"), "{page}");
    assert_eq!(between(&page, "<title>", "</title>"), Some("Sign-in cancelled"));
    assert_eq!(between(&page, "<h1>", "</h1>"), Some("Sign-in cancelled"));
    assert_eq!(between(&page, "<p>", "</p>"), Some("You cancelled the sign-in. Nothing has changed."));
    let (again, home) = (format!("{}/auth/sign-in", site.url), format!("{}/", site.url));
    assert_eq!(title_and_links(&page).1, [("Try again", &*again), ("Home", &*home)]);
}

#[tokio::test]
async fn a_cancelled_sign_in_can_be_tried_again_for_the_page_that_was_asked_for_last() {
    let site = Site::start_with(Options::default()).await;
    let (_, first) = site.page("/keys?a=1").await;
    site.begin(&first).await;
    let (_, last) = site.page("/area/page?b=2&c=3").await;
    let form = site.begin(&last).await;

    let cancelled = site.submit(&form, "deny", "deny").await;
    let (status, page) = site.page(path_of(&site, &cancelled)).await;

    assert_eq!(cancelled, form.redirect_uri, "without any parameter, as by Logto");
    assert_eq!(status, StatusCode::FORBIDDEN);
    let again = format!("{}/auth/sign-in?return_to=%2Fapp%2Farea%2Fpage%3Fb%3D2%26c%3D3", site.url);
    let home = format!("{}/", site.url);
    assert_eq!(title_and_links(&page), ("Sign-in cancelled", vec![("Try again", &*again), ("Home", &*home)]));
    // The form is still there, and its sign-in still pending.
    let callback = site.submit(&form, "name", "Ann").await;
    let done = site.page(path_of(&site, &callback)).await;
    assert_eq!(done, (StatusCode::SEE_OTHER, format!("{}/area/page?b=2&c=3", site.url)));
}

#[tokio::test]
async fn a_denied_sign_in_can_be_tried_again_for_the_same_page() {
    let site = Site::start_with(Options { deny_with_error: true, ..Options::default() }).await;
    let (_, sign_in) = site.page("/area/page").await;
    let form = site.begin(&sign_in).await;

    let denied = site.submit(&form, "deny", "deny").await;
    let (status, page) = site.page(path_of(&site, &denied)).await;

    assert_eq!(status, StatusCode::FORBIDDEN);
    let again = format!("{}/auth/sign-in?return_to=%2Fapp%2Farea%2Fpage", site.url);
    let home = format!("{}/", site.url);
    assert_eq!(title_and_links(&page), ("Sign-in failed", vec![("Try again", &*again), ("Home", &*home)]));
    assert_eq!(site.sign_in(&again, "Ann").await, format!("{}/area/page", site.url));
}

#[tokio::test]
async fn a_failed_callback_offers_to_sign_in_for_the_same_page() {
    let site = Site::start_with(Options::default()).await;
    let (_, sign_in) = site.page("/area/page").await;
    let form = site.begin(&sign_in).await;

    let (status, page) = site.page(path_of(&site, &form.callback(&site, &[("code", "of-another-sign-in")]))).await;

    assert_eq!(status, StatusCode::BAD_GATEWAY);
    let again = format!("{}/auth/sign-in?return_to=%2Fapp%2Farea%2Fpage", site.url);
    let home = format!("{}/", site.url);
    assert_eq!(title_and_links(&page), ("Sign-in failed", vec![("Sign in", &*again), ("Home", &*home)]));
}

#[tokio::test]
async fn a_stale_callback_offers_to_sign_in() {
    let site = Site::start_with(Options::default()).await;

    let (status, page) = site.page("/auth/sign-in-callback?code=a&state=b").await;

    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (sign_in, home) = (format!("{}/auth/sign-in", site.url), format!("{}/", site.url));
    assert_eq!(title_and_links(&page), ("Sign-in failed", vec![("Sign in", &*sign_in), ("Home", &*home)]));
}

/// With a redirect the browser would go back and forth forever.
#[tokio::test]
async fn a_callback_that_requires_a_sign_in_shows_a_page() {
    let site = Site::start_with(Options::default()).await;
    for error in ["login_required", "consent_required", "interaction_required"] {
        let (_, sign_in) = site.page("/area/page").await;
        let form = site.begin(&sign_in).await;

        let (status, page) = site.page(path_of(&site, &form.callback(&site, &[("error", error)]))).await;

        assert_eq!(status, StatusCode::UNAUTHORIZED, "{error}");
        let again = format!("{}/auth/sign-in?return_to=%2Fapp%2Farea%2Fpage", site.url);
        let home = format!("{}/", site.url);
        assert_eq!(title_and_links(&page).1, [("Sign in", &*again), ("Home", &*home)], "{error}");
    }
}

#[tokio::test]
async fn a_page_whose_token_is_refused_keeps_the_user_and_does_not_offer_to_sign_in() {
    let site = with_json().await;
    site.sign_in(&format!("{}/auth/sign-in", site.url), "Bob").await;

    let (status, rejection) = site.page("/organization").await;

    assert_eq!(status, StatusCode::FORBIDDEN);
    let expected = json!({
        "title": "Access denied",
        "user": "Bob",
        "retry_url": null,
        "sign_in_url": null,
        "home_url": format!("{}/", site.url),
    });
    assert_eq!(rejection.parse::<Value>().expect("JSON"), expected);
    assert_eq!(site.page("/session").await, (StatusCode::OK, "true".to_owned()));
}

#[tokio::test]
async fn a_page_that_may_work_later_can_be_tried_again_unless_it_was_posted() {
    let mut site = with_json().await;
    site.sign_in(&format!("{}/auth/sign-in", site.url), "Bob").await;
    site.stop_provider().await;

    let (status, got) = site.page("/organization?a=1&b=2").await;
    let posted = site.request(Method::POST, "/organization").header(ACCEPT, "text/html").load().await;

    assert_eq!((status, posted.status), (StatusCode::BAD_GATEWAY, StatusCode::BAD_GATEWAY));
    let mut expected = json!({
        "title": "This page is not available",
        "user": "Bob",
        "retry_url": "/app/organization?a=1&b=2",
        "sign_in_url": null,
        "home_url": format!("{}/", site.url),
    });
    assert_eq!(got.parse::<Value>().expect("JSON"), expected);
    expected["retry_url"] = Value::Null;
    assert_eq!(posted.body.parse::<Value>().expect("JSON"), expected);
}

#[tokio::test]
async fn a_failed_sign_in_tells_the_app_who_is_signed_in_already() {
    let site = with_json().await;
    let sign_in = format!("{}/auth/sign-in", site.url);
    site.sign_in(&sign_in, "Bob").await;
    let form = site.begin(&sign_in).await;

    let (status, rejection) = site.page(path_of(&site, &form.callback(&site, &[("code", "of-another-sign-in")]))).await;

    assert_eq!(status, StatusCode::BAD_GATEWAY);
    assert_eq!(rejection.parse::<Value>().expect("JSON")["user"], "Bob");
}

#[tokio::test]
async fn requests_that_are_not_for_a_page_are_answered_with_json() {
    let site = Site::start_with(Options::default()).await;
    let advice = "This sign-in is too old, was used before, or was started in another browser. Please sign in again.";
    for (path, status, error, sign_in_url) in [
        ("/area/page", 401, "Please sign in.", Some("/auth/sign-in")),
        ("/auth/sign-in-callback", 403, "You cancelled the sign-in. Nothing has changed.", None),
        ("/auth/sign-in-callback?code=a&state=b", 400, advice, Some("/auth/sign-in")),
    ] {
        let answer = site.request(Method::GET, path).header(ACCEPT, "application/json").load().await;

        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.headers[CONTENT_TYPE], "application/json", "{path}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{path}");
        let sign_in_url = sign_in_url.map(|path| format!("{}{path}", site.url));
        let expected = json!({ "error": error, "sign_in_url": sign_in_url });
        assert_eq!(answer.body.parse::<Value>().expect("JSON"), expected, "{path}");
    }
}

#[tokio::test]
async fn a_call_that_requires_a_sign_in_leads_back_to_the_page_that_made_it() {
    let site = Site::start_with(Options::default()).await;
    let page = format!("{}/orders?page=2", site.url);
    for (referer, return_to) in [
        (page.as_str(), "?return_to=%2Fapp%2Forders%3Fpage%3D2"),
        ("https://evil.example/orders", ""),
        ("/orders", ""),
        ("", ""),
    ] {
        let call = site.request(Method::GET, "/area/page").header(ACCEPT, "application/json");
        let answer = call.header(REFERER, referer).load().await;
        let body: Value = answer.body.parse().expect("JSON");
        assert_eq!(body["sign_in_url"], format!("{}/auth/sign-in{return_to}", site.url), "{referer}");
    }
}

#[tokio::test]
async fn no_link_of_a_failure_leads_to_another_site() {
    let mut site = Site::start_with(Options { path: "", ..Options::default() }).await;
    for return_to in
        ["https://evil.example/", "//evil.example/", "/%5Cevil.example", "/%09/evil.example", "\\\\evil.example"]
    {
        site.begin(&format!("{}/auth/sign-in?return_to={return_to}", site.url)).await;
        let (_, page) = site.page("/auth/sign-in-callback").await;
        let again = format!("{}/auth/sign-in?return_to=%2F", site.url);
        assert_eq!(title_and_links(&page).1[0], ("Try again", &*again), "{return_to}");
    }

    site.sign_in(&format!("{}/auth/sign-in", site.url), "Bob").await;
    site.stop_provider().await;
    for path in ["/organization", "//evil.example/"] {
        let (status, page) = site.page(path).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{path}");
        let home = format!("{}/", site.url);
        let mut links = vec![("Try again", "/organization"), ("Home", &*home)];
        if path != "/organization" {
            links.remove(0);
        }
        assert_eq!(title_and_links(&page).1, links, "{path}");
    }
}

#[tokio::test]
async fn a_link_to_the_sign_out_shows_a_button_and_signs_nobody_out() {
    let site = Site::start().await;
    site.sign_in(&format!("{}/auth/sign-in", site.url), "Ann").await;

    for method in [Method::GET, Method::HEAD] {
        let answer = site.request(method, "/auth/sign-out").load().await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    }

    let (_, page) = site.page("/auth/sign-out").await;
    assert!(page.contains("<form method=post><button>Sign out</button></form>"), "{page}");
    assert_eq!(site.page("/session").await, (StatusCode::OK, "true".to_owned()));
}
