//! The ticket cookie, and who may end a session.

use reqwest::Method;
use reqwest::header::SET_COOKIE;

use crate::visitor::{Answer, Visitor, send, start};

pub(crate) fn the_cookie_is_only_for_http_and_survives_the_way_back_from_logto() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    let begun = visitor.get("/logto/sign-in");
    let callback = visitor.begin("/logto/sign-in").sign_in("Alice");
    let signed_in = visitor.get(callback.strip_prefix(app.url()).expect("a URL of the app"));
    for answer in [begun, signed_in] {
        // The record in the vault expires much earlier.
        assert_eq!(attributes(&answer), ["HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Lax"]);
    }
}

pub(crate) fn over_https_the_cookie_is_secure() {
    let app = start(&[("BASE_URL", "https://app.example.com")]);

    let answer = Visitor::of(&app).get("/logto/sign-in");

    let cookie = answer.headers[SET_COOKIE].to_str().expect("text");
    assert!(cookie.starts_with("__Host-sign-in=") && cookie.ends_with("; Secure"), "{cookie}");
}

pub(crate) fn the_ticket_changes_at_sign_in_and_the_old_one_is_dead() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    let before = visitor.get("/logto/sign-in").ticket().expect("a ticket").to_owned();
    let page = visitor.begin("/logto/sign-in");
    let callback = page.sign_in("Alice");
    let path = callback.strip_prefix(app.url()).expect("a URL of the app");

    let done = visitor.get(path);

    let after = done.ticket().expect("another ticket");
    assert!(!after.is_empty() && after != before, "{done:?}");
    assert!(!visitor.get_with_ticket("/", &before).body.contains("Signed in as"));
    assert_eq!(visitor.get_with_ticket(path, &before).status, 400);
    assert!(visitor.get_with_ticket("/", after).body.contains("Signed in as"));
}

pub(crate) fn the_ticket_is_dead_after_sign_out() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    let path = visitor.begin("/logto/sign-in").sign_in("Alice");
    let signed_in = visitor.get(path.strip_prefix(app.url()).expect("a URL of the app"));
    let before = signed_in.ticket().expect("a ticket");
    assert!(visitor.get_with_ticket("/", before).body.contains("Signed in as"));

    let answer = send(visitor.request(Method::POST, "/logto/sign-out"));

    assert_eq!(answer.ticket(), Some(""), "it is removed");
    assert!(!visitor.get_with_ticket("/", before).body.contains("Signed in as"));
    assert!(!visitor.is_signed_in());
}

pub(crate) fn a_visit_alone_sets_no_cookie() {
    let app = start(&[]);
    for path in ["/", "/claims", "/style.css", "/nowhere"] {
        assert_eq!(Visitor::of(&app).get(path).cookie(), None, "{path}");
    }
}

pub(crate) fn another_site_cannot_sign_anybody_out() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "Alice");

    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://localhost"),
        ("origin", "http://localhost:1"),
    ] {
        let answer = send(visitor.request(Method::POST, "/logto/sign-out").header(name, value));
        assert_eq!((answer.status, answer.cookie()), (403, None), "{name}: {value}");
        assert!(visitor.is_signed_in(), "{name}: {value}");
    }

    let own = visitor
        .request(Method::POST, "/logto/sign-out")
        .header("sec-fetch-site", "same-origin")
        .header("origin", "null");
    assert_eq!(send(own).status, 303);
    assert!(!visitor.is_signed_in());
}

pub(crate) fn a_link_shows_a_button_to_sign_out_with() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    visitor.sign_in("/logto/sign-in", "Alice");

    let page = visitor.get("/logto/sign-out");
    let head = send(visitor.request(Method::HEAD, "/logto/sign-out"));

    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.body.contains("<form method=post><button>Sign out</button></form>"), "{}", page.body);
    assert_eq!((head.status, &*head.body), (200, ""));
    for answer in [page, head] {
        assert_eq!((answer.header("cache-control"), answer.cookie()), ("no-store", None));
    }
    assert!(visitor.is_signed_in());
}

fn attributes(answer: &Answer) -> Vec<&str> {
    let mut attributes: Vec<_> = answer.cookie().expect("a cookie").split("; ").skip(1).collect();
    attributes.sort_unstable();
    attributes
}
