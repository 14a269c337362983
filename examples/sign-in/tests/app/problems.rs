//! The pages for what goes wrong.

use reqwest::Method;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use servers::App;

use crate::gateway::Gateway;
use crate::visitor::{Answer, Provider, Visitor, between, send, start};

const BASE_URL: &str = "http://localhost:1";

/// An app, its provider, and a visitor who is signed in.
fn signed_in() -> (Provider, App, Visitor) {
    let provider = Provider::start(BASE_URL);
    let app = start(&[&provider.settings()[..], &[("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);
    visitor.sign_in("/logto/sign-in", "Alice");
    (provider, app, visitor)
}

fn behind_gateway() -> (Gateway, App, Visitor) {
    let (provider, app, visitor) = signed_in();
    (provider.replace_with_gateway(), app, visitor)
}

/// The links among the content, by their labels.
fn links(page: &str) -> Vec<(&str, &str)> {
    let actions = between(page, "<p class=\"actions\">", "</p>");
    let links = actions.split("<a class=\"").skip(1).map(|link| {
        let label = between(link, "\">", "</a>");
        (label, between(link, "href=\"", "\""))
    });
    links.collect()
}

fn post_sign_out(visitor: &Visitor) -> Answer {
    send(visitor.request(Method::POST, "/logto/sign-out"))
}

pub(crate) fn a_page_that_fails_keeps_the_navigation_and_can_be_tried_again() {
    let (provider, _app, visitor) = signed_in();
    provider.stop();

    let page = visitor.get("/access-token?resource=https%3A%2F%2Fapi.example.com");

    assert_eq!(page.status, 502);
    for part in [
        "<h1>This page is not available</h1>",
        "<p role=\"alert\">This page needs the sign-in service, which is not available.",
        "Signed in as <strong>Alice</strong>",
        "<nav aria-label=\"Pages\">",
        "<button class=\"quiet\">Sign out</button>",
    ] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    let home = ("Home", "http://localhost:1/");
    let again = ("Try again", "/access-token?resource=https%3A%2F%2Fapi.example.com");
    assert_eq!(links(&page.body), [again, home]);
    assert!(visitor.is_signed_in());
}

pub(crate) fn an_error_page_shows_developers_the_error_and_its_causes() {
    let (provider, app, visitor) = signed_in();
    provider.stop();

    let page = visitor.get("/organizations").body;

    let details = between(&page, "<summary>Details for developers</summary>", "</details>");
    assert!(details.contains("<li>the provider&#39;s user info endpoint cannot be reached</li>"), "{details}");
    assert!(details.matches("<li>").count() > 1, "{details}");
    assert!(!app.log().contains("eyJ"), "{}", app.log());
}

pub(crate) fn a_request_that_is_not_for_a_page_is_answered_with_json() {
    let (provider, _app, visitor) = signed_in();
    provider.stop();

    let accept = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
    let answer = send(visitor.request(Method::GET, "/user-info").with(|request| request.headers(accept)));

    assert_eq!((answer.status, answer.header("content-type")), (502, "application/json"));
    let advice = "This page needs the sign-in service, which is not available. Please try again in a moment.";
    assert_eq!(answer.body, format!("{{\"error\":\"{advice}\",\"sign_in_url\":null}}"));
}

pub(crate) fn a_cancelled_sign_in_has_a_calm_page() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    let page = visitor.begin("/protected?a=1");

    let (_, cancelled) = visitor.finish(&page.deny());

    assert_eq!(cancelled.status, 403);
    for part in ["<h1>Sign-in cancelled</h1>", "<p>You cancelled the sign-in. Nothing has changed.</p>"] {
        assert!(cancelled.body.contains(part), "{part} in {}", cancelled.body);
    }
    assert!(!cancelled.body.contains("role=\"alert\""), "{}", cancelled.body);
    let again = format!("{}/logto/sign-in?return_to=%2Fprotected%3Fa%3D1", app.url());
    let home = format!("{}/", app.url());
    assert_eq!(links(&cancelled.body), [("Try again", &*again), ("Home", &*home)]);
    // And back to the form, which still works.
    assert_eq!(visitor.finish(&page.sign_in("Alice")).0, "/protected?a=1");
    assert!(!app.log().contains("WARN"), "{}", app.log());
}

pub(crate) fn while_logto_is_down_nobody_is_sent_there() {
    let (provider, _app, visitor) = signed_in();
    provider.stop();
    assert_eq!(visitor.get("/user-info").status, 502);

    let sign_in = visitor.get("/logto/sign-in?return_to=/claims");
    let sign_out = post_sign_out(&visitor);

    assert_eq!(sign_in.status, 502);
    assert!(sign_in.body.contains("<h1>Sign-in failed</h1>"), "{}", sign_in.body);
    let again = ("Try again", "http://localhost:1/logto/sign-in?return_to=%2Fclaims");
    assert_eq!(links(&sign_in.body), [again, ("Home", "http://localhost:1/")]);
    assert_eq!(sign_out.status, 503);
    assert!(sign_out.body.contains("<h1>Signed out of this app</h1>"), "{}", sign_out.body);
    assert!(!sign_out.body.contains("Signed in as"), "{}", sign_out.body);
    assert!(!visitor.is_signed_in());
}

pub(crate) fn a_logto_that_is_down_is_not_asked_for_each_page() {
    let (gateway, _app, visitor) = behind_gateway();
    assert_eq!(visitor.get("/access-token?resource=https://api.example.com").status, 502);

    for _ in 0..10 {
        assert_eq!(visitor.get("/logto/sign-in").status, 502);
        assert_eq!(visitor.get("/claims").status, 200);
    }

    // One every ten seconds.
    assert!((1..=2).contains(&gateway.count("/openid-configuration")), "{}", gateway.count("/openid-configuration"));
}

pub(crate) fn a_sign_out_while_logto_is_down_is_made_up_for_there() {
    let (gateway, _app, visitor) = behind_gateway();
    assert_eq!(post_sign_out(&visitor).status, 503);
    assert_eq!(gateway.count("/token/revocation"), 1);

    gateway.recover();

    gateway.wait_for(2, "/token/revocation");
}
