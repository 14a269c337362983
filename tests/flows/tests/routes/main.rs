//! The ready routes over a storage of the app's own, in a router that is nested under a path and has a state of its own.

mod rejections;
mod site;

use axum::http::{Method, StatusCode};
use reqwest::header::{ACCEPT, CACHE_CONTROL, ORIGIN};
use url::Url;

use crate::site::{Options, Site, location};

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

    let end_session = location(&site.request(Method::POST, "/auth/sign-out").load().await);
    assert!(end_session.starts_with(&format!("{}/session/end?", site.issuer)), "{end_session}");
    assert_eq!(location(&site.browser.get(&end_session).await), format!("{}/", site.url));
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
    let request = || site.request(Method::GET, "/area/page");
    let plain = request().load().await;
    assert_eq!(plain.status, StatusCode::UNAUTHORIZED);
    assert_eq!(plain.body, "custom: nobody is signed in to this session");
    let fetched = request().header(ACCEPT, "text/html").header("sec-fetch-mode", "cors").load().await;
    assert_eq!(fetched.status, StatusCode::UNAUTHORIZED);
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
    let callback = site.request(Method::HEAD, "/auth/sign-in-callback?code=a&state=b").load().await;
    assert_eq!(callback.status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn no_response_of_the_routes_is_kept_by_a_browser() {
    let mut site = Site::start_with(Options::default()).await;
    let callback = site.submit(&site.begin(&format!("{}/auth/sign-in", site.url)).await, "name", "Ann").await;
    let url = |path: &str| format!("{}/auth/{path}", site.url);
    for (method, url, status) in [
        (Method::GET, url("sign-in-callback?code=a&state=b"), 400),
        (Method::GET, callback.clone(), 303),
        // Again, when the user is signed in.
        (Method::GET, callback, 303),
        (Method::GET, url("sign-in"), 303),
        (Method::GET, url("sign-up"), 303),
        (Method::HEAD, url("sign-in"), 405),
        (Method::HEAD, url("sign-up"), 405),
        (Method::GET, url("sign-out"), 200),
        (Method::HEAD, url("sign-out"), 200),
        (Method::POST, url("sign-out"), 303),
    ] {
        let described = format!("{method} {url}");
        let answer = site.browser.request(method, &url).header(ACCEPT, "text/html").load().await;
        assert_eq!(answer.status, status, "{described}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{described}");
    }
    let (sign_in, sign_out) = (url("sign-in"), url("sign-out"));
    site.sign_in(&sign_in, "Ann").await;
    site.stop_provider().await;
    for (method, url) in [(Method::POST, sign_out), (Method::GET, sign_in)] {
        let answer = site.browser.request(method, &url).load().await;
        assert!(answer.status.is_server_error(), "{answer:?}");
        assert_eq!(answer.headers[CACHE_CONTROL], "no-store", "{answer:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_ends_on_a_foreign_site_ends_at_the_base_url() {
    let site = Site::start_with(Options::default()).await;
    let sign_in = format!("{}/sign-in-for-elsewhere", site.url);

    assert_eq!(site.sign_in(&sign_in, "Ann").await, format!("{}/", site.url));

    // Nor does a link of the page for a sign-in that was cancelled lead there.
    site.begin(&sign_in).await;
    let (status, page) = site.page("/auth/sign-in-callback").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(page.contains("Try again") && !page.contains("evil.example"), "{page}");
}

#[tokio::test]
async fn a_sign_out_is_posted_by_the_apps_own_pages_only() {
    let site = Site::start().await;
    let origin = Url::parse(&site.url).expect("a URL").origin().ascii_serialization();
    let other_port = format!("{origin}1");
    let site_of = "sec-fetch-site";
    for (headers, is_own) in [
        (vec![], true),
        (vec![(ORIGIN.as_str(), origin.as_str())], true),
        (vec![(ORIGIN.as_str(), "null")], true),
        (vec![(site_of, "same-origin")], true),
        (vec![(site_of, "same-origin"), (ORIGIN.as_str(), "null")], true),
        (vec![(site_of, "none")], true),
        (vec![(ORIGIN.as_str(), "https://evil.example")], false),
        (vec![(ORIGIN.as_str(), other_port.as_str())], false),
        (vec![(ORIGIN.as_str(), "")], false),
        (vec![(site_of, "cross-site")], false),
        (vec![(site_of, "same-site")], false),
        (vec![(site_of, "cross-site"), (ORIGIN.as_str(), origin.as_str())], false),
        (vec![(site_of, "cross-site"), (ORIGIN.as_str(), "null")], false),
    ] {
        site.sign_in(&format!("{}/auth/sign-in", site.url), "Ann").await;
        let mut post = site.request(Method::POST, "/auth/sign-out");
        for (name, value) in &headers {
            post = post.header(name, value);
        }

        let answer = post.load().await;

        if is_own {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{headers:?}");
            let location = location(&answer);
            assert!(location.starts_with(&format!("{}/session/end?", site.issuer)), "{headers:?}: {location}");
        } else {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{headers:?}");
        }
        let is_signed_in = site.page("/session").await.1;
        assert_eq!(is_signed_in, (!is_own).to_string(), "{headers:?}");
    }
}
