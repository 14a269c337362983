//! What holds for all responses, and for those who are not signed in.

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};

use crate::pages::PAGES;
use crate::visitor::{Visitor, send, start};

/// [`Visitor`] looks at each response; here are all kinds of them.
pub(crate) fn every_response_is_protected() {
    let app = start(&[]);
    let mut statuses = Vec::new();
    for is_signed_in in [false, true] {
        let visitor = Visitor::of(&app);
        if is_signed_in {
            visitor.sign_in("/logto/sign-in", "Alice");
        }
        for path in PAGES.into_iter().chain([
            "/style.css",
            "/nowhere",
            "/logto/sign-in",
            "/logto/sign-up",
            "/logto/sign-in-callback",
            "/logto/sign-in-callback?code=a&state=b",
            "/logto/sign-in?return_to=a&return_to=b",
            "/access-token?resource=a",
            "/access-token?resource=a&resource=b",
            // Last, since a POST signs out.
            "/logto/sign-out",
        ]) {
            for method in [Method::GET, Method::HEAD, Method::POST, Method::OPTIONS, Method::DELETE] {
                for accept in ["text/html", "application/json"] {
                    let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
                    statuses.push(
                        send(visitor.request(method.clone(), path).with(|request| request.headers(accept))).status,
                    );
                }
            }
        }
    }
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 303, 400, 401, 403, 404, 405]);
}

pub(crate) fn over_https_it_stays_https() {
    let app = start(&[("BASE_URL", "https://app.example.com")]);
    for path in ["/", "/claims", "/style.css", "/nowhere", "/logto/sign-in"] {
        let answer = Visitor::of(&app).get(path);
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000", "{path}");
    }
    let app = start(&[]);
    assert_eq!(Visitor::of(&app).get("/").header("strict-transport-security"), "");
}

pub(crate) fn who_is_not_signed_in_sees_no_private_page() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    for path in PAGES.into_iter().filter(|path| *path != "/") {
        let answer = visitor.get(path);
        assert!(answer.location().starts_with(&format!("{}/logto/sign-in?return_to=%2F", app.url())), "{answer:?}");
        assert_eq!(answer.body, "", "{path}");
    }
}

pub(crate) fn what_is_no_page_is_answered_401() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    for path in PAGES.into_iter().filter(|path| *path != "/") {
        for headers in [
            [("accept", "application/json"), ("sec-fetch-mode", "navigate")],
            [("accept", "*/*"), ("sec-fetch-mode", "cors")],
            [("accept", "text/html"), ("sec-fetch-mode", "cors")],
        ] {
            let headers = headers.map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)));
            let request =
                visitor.request(Method::GET, path).with(|request| request.headers(HeaderMap::from_iter(headers)));

            let answer = send(request);

            assert_eq!((answer.status, answer.header("content-type")), (401, "application/json"), "{path}");
            let url = format!("{}/logto/sign-in\"", app.url());
            assert!(answer.body.starts_with("{\"error\":\"Please sign in.\","), "{}", answer.body);
            assert!(answer.body.contains(&format!("\"sign_in_url\":\"{url}")), "{}", answer.body);
            assert_eq!(answer.header("location"), "");
        }
    }
}
