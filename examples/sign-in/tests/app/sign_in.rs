//! From the link to the way back.

use reqwest::{Method, Url};
use servers::Request;

use crate::visitor::{Provider, Visitor, assert_is_quiet, between, send, start};

pub(crate) fn a_name_is_enough() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    assert!(!visitor.is_signed_in());

    let (path, page) = visitor.sign_in("/logto/sign-in", "Dora");

    assert_eq!((path.as_str(), page.status), ("/", 200));
    assert!(page.body.contains("<h1>Hello Dora</h1>"), "{}", page.body);
    assert!(visitor.is_signed_in());
    assert!(!Visitor::of(&app).is_signed_in());
    let (path, page) = visitor.sign_out();
    assert_eq!((path.as_str(), page.status), ("/", 200));
    assert!(!visitor.is_signed_in());
    // Signed out at the provider, too: it suggests nobody.
    assert!(!visitor.begin("/logto/sign-in").html().contains("signed in here"));
    assert_is_quiet(&app);
}

pub(crate) fn an_account_can_be_created() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);

    let page = visitor.begin("/logto/sign-up");

    assert!(page.html().contains("<h1>Create your account</h1>"), "{}", page.html());
    let (path, page) = visitor.finish(&page.sign_in("Emil"));
    assert_eq!(path, "/");
    assert!(page.body.contains("<h1>Hello Emil</h1>"), "{}", page.body);
}

pub(crate) fn it_leads_back_to_the_page_that_was_asked_for() {
    let app = start(&[]);
    for path in ["/protected", "/protected?a=1&b=%2F%26&c=%C3%A9", "/access-token?resource=https://api.example.com"] {
        let (end, page) = Visitor::of(&app).sign_in(path, "Alice");

        assert_eq!((end.as_str(), page.status), (path, 200));
        let shown = path.replace('&', "&#38;");
        assert!(path.starts_with("/access") || page.body.contains(&format!("<code>{shown}</code>")), "{}", page.body);
    }
    let (end, _) = Visitor::of(&app).sign_in("/logto/sign-in?return_to=/claims%3Fa=1", "Alice");
    assert_eq!(end, "/claims?a=1");
}

pub(crate) fn it_never_leads_to_another_site() {
    let app = start(&[]);
    for (index, return_to) in [
        "//evil.example",
        "///evil.example",
        "https://evil.example",
        "https:evil.example",
        "https://localhost.evil.example",
        "http://localhost@evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\u{1}//evil.example",
        "/\0/evil.example",
        " //evil.example",
        "/..//evil.example",
        "evil.example",
        "",
    ]
    .into_iter()
    .enumerate()
    {
        for route in ["sign-in", "sign-up"] {
            let query = Url::parse_with_params("http://x/", [("return_to", return_to)]).expect("a URL");
            let path = format!("/logto/{route}?{}", query.query().expect("a query"));

            // It fails if any redirect leads elsewhere than to the provider and back.
            let (end, page) = Visitor::of(&app).sign_in(&path, &format!("{route} {index}"));

            // A path with two slashes in its middle is one of this app.
            assert!(end == "/" || end == "//evil.example", "{return_to:?} leads to {end}");
            assert!(matches!(page.status, 200 | 404), "{return_to:?}: {page:?}");
        }
    }
}

pub(crate) fn the_host_header_changes_nothing() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    let as_evil = |request: Request| {
        let forwarded = ["x-forwarded-host", "forwarded", "x-original-url", "x-forwarded-prefix"];
        let request = forwarded.into_iter().fold(request, |request, name| request.header(name, "host=evil.example"));
        request.header("host", "evil.example").header("x-forwarded-proto", "https")
    };

    let private = send(as_evil(visitor.request(Method::GET, "/protected?a=1")));
    assert_eq!(private.location(), format!("{}/logto/sign-in?return_to=%2Fprotected%3Fa%3D1", app.url()));
    let begin = send(as_evil(visitor.request(Method::GET, "/logto/sign-in?return_to=/claims")));
    let to = Url::parse(begin.location()).expect("a URL");
    let redirect_uri = to.query_pairs().find(|(name, _)| name == "redirect_uri").expect("a redirect URI").1;
    assert_eq!(redirect_uri, format!("{}/logto/sign-in-callback", app.url()));

    let callback = visitor.begin("/logto/sign-in?return_to=/claims").sign_in("Alice");
    let path = callback.strip_prefix(app.url()).expect("a URL of the app");
    let done = send(as_evil(visitor.request(Method::GET, path)));
    assert_eq!(done.location(), format!("{}/claims", app.url()));
    let out = send(as_evil(visitor.request(Method::POST, "/logto/sign-out")));
    let to = Url::parse(out.location()).expect("a URL");
    let back = to.query_pairs().find(|(name, _)| name == "post_logout_redirect_uri").expect("the way back").1;
    assert_eq!(back, format!("{}/", app.url()));

    for answer in [private, begin, done, out] {
        assert!(!format!("{answer:?}").contains("evil"), "{answer:?}");
    }
}

pub(crate) fn a_denied_one_gets_advice_and_can_be_tried_again() {
    const BASE_URL: &str = "http://localhost:1";
    let provider = Provider::start(BASE_URL);
    let app = start(&[&provider.settings()[..], &[("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);

    let (_, page) = visitor.finish(&visitor.begin("/protected").deny());

    assert_eq!(page.status, 403);
    assert!(page.body.contains("<h1>Sign-in failed</h1>"), "{}", page.body);
    assert!(page.body.contains("You were not signed in, because access was denied."), "{}", page.body);
    assert!(page.body.contains("<li>the sign-in was denied: the user denied the request</li>"), "{}", page.body);
    assert!(!visitor.is_signed_in());
    let again = between(&page.body, "<a class=\"button\" href=\"http://localhost:", "\">Try again</a>");
    let again = again.split_once('/').expect("a path").1;
    let (path, page) = visitor.sign_in(&format!("/{again}"), "Alice");
    assert_eq!((path.as_str(), page.status), ("/protected", 200));
    assert!(visitor.is_signed_in());
}

pub(crate) fn a_callback_of_another_browser_gets_advice() {
    let app = start(&[]);
    let callback = Visitor::of(&app).begin("/logto/sign-in").sign_in("Alice");

    for visitor in [Visitor::of(&app), {
        let busy = Visitor::of(&app);
        busy.begin("/logto/sign-in");
        busy
    }] {
        let (_, page) = visitor.finish(&callback);

        assert_eq!(page.status, 400);
        let advice =
            "This sign-in is too old, was used before, or was started in another browser. Please sign in again.";
        assert!(page.body.contains(advice), "{}", page.body);
        assert!(page.body.contains("/logto/sign-in\">Sign in again</a>"), "{}", page.body);
        assert!(!visitor.is_signed_in());
    }
    let code = between(&callback, "code=", "&");
    assert!(!app.log().contains(code), "{}", app.log());
}

pub(crate) fn a_callback_that_is_loaded_again_leads_home() {
    let app = start(&[]);
    let visitor = Visitor::of(&app);
    let callback = visitor.begin("/protected").sign_in("Alice");

    assert_eq!(visitor.finish(&callback).0, "/protected");

    let (path, page) = visitor.finish(&callback);
    assert_eq!((path.as_str(), page.status), ("/", 200));
    assert!(page.body.contains("Hello Alice"), "{}", page.body);
    assert!(visitor.is_signed_in());
}

pub(crate) fn of_two_that_run_at_once_the_first_to_end_lands_on_the_last_begun() {
    let app = start(&[]);
    for last_first in [false, true] {
        let visitor = Visitor::of(&app);
        let mut tabs = [visitor.begin("/protected?tab=1"), visitor.begin("/protected?tab=2")];
        if last_first {
            tabs.reverse();
        }

        let (end, page) = visitor.finish(&tabs[0].sign_in("Alice"));

        // They share one interaction at the provider, which is over now.
        assert_eq!((end.as_str(), page.status), ("/protected?tab=2", 200));
        assert!(tabs[1].is_dead());
        assert!(visitor.is_signed_in());
    }
}

/// By `unknownSessionRedirectUrl`, which the README recommends.
pub(crate) fn with_a_redirect_for_unknown_sessions_the_other_tab_signs_in_as_well() {
    const BASE_URL: &str = "http://app.example";
    let sign_in_url = format!("{BASE_URL}/logto/sign-in");
    let provider = Provider::start_with(BASE_URL, |config| {
        config.unknown_session_redirect_url = Some(sign_in_url.clone());
    });
    let app = start(&[&provider.settings()[..], &[("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);
    let tabs = [visitor.begin("/protected?tab=1"), visitor.begin("/protected?tab=2")];
    visitor.finish(&tabs[0].sign_in("Alice"));

    let location = tabs[1].sign_in("Alice");

    assert_eq!(location, sign_in_url);
    let (end, page) = visitor.sign_in("/logto/sign-in", "Alice");
    assert_eq!((end.as_str(), page.status), ("/", 200));
    assert!(visitor.is_signed_in());
}

pub(crate) fn another_logto_works_as_well() {
    const BASE_URL: &str = "http://app.example:8080";
    let provider = Provider::start(BASE_URL);
    let app = start(&[&provider.settings()[..], &[("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);

    let page = visitor.begin("/protected?a=1");
    assert!(page.url().starts_with(&format!("{}/oidc/auth?", provider.endpoint())), "{}", page.url());
    let (path, page) = visitor.finish(&page.sign_in("Alice"));

    assert_eq!((path.as_str(), page.status), ("/protected?a=1", 200));
    let page = visitor.get("/access-token?resource=https%3A%2F%2Fbilling.example.com");
    assert_eq!(page.status, 200);
    assert!(page.body.contains("https://billing.example.com</td>"), "{}", page.body);
    let api = visitor.get("/access-token?resource=https%3A%2F%2Fapi.example.com").body;
    assert!(api.contains("<td>read:items</td>") && !api.contains("write:items"), "{api}");
    assert_eq!(visitor.sign_out().0, "/");
    assert!(!visitor.is_signed_in());
}

pub(crate) fn after_the_provider_has_ended_it_one_is_asked_again() {
    const BASE_URL: &str = "http://app.example";
    let provider = Provider::start(BASE_URL);
    let app = start(&[&provider.settings()[..], &[("BASE_URL", BASE_URL)]].concat());
    let visitor = Visitor::through(&app, BASE_URL);
    visitor.sign_in("/logto/sign-in", "Alice");
    provider.revoke_all_grants();

    // A token that it has not yet asked for.
    let (path, page) = visitor.sign_in("/access-token?resource=https://api.example.com", "Alice");

    assert_eq!((path.as_str(), page.status), ("/access-token?resource=https://api.example.com", 200));
    assert!(page.body.contains("Claims of the access token"), "{}", page.body);
}
