use crate::util::web_url::WebUrl;

fn parse(text: &str) -> WebUrl {
    WebUrl::parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"))
}

#[test]
fn an_https_or_http_url_is_kept_as_it_is() {
    for url in [
        "https://example.com/",
        "http://example.com/",
        "https://example.com:8443/a/b?c=d&e#f",
        "http://127.0.0.1:3001/oidc",
        "https://[::1]/",
    ] {
        assert_eq!(parse(url).as_url().as_str(), url);
        assert_eq!(parse(url).into_url().as_str(), url);
    }
}

#[test]
fn a_url_of_another_scheme_is_no_web_url_even_if_it_has_a_web_origin() {
    for url in [
        "ftp://example.com/",
        "ws://example.com/",
        "wss://example.com/",
        "file:///etc/passwd",
        "blob:https://example.com/7f1d",
        "view-source:https://example.com/",
        "data:text/html,x",
        "javascript:alert(1)",
        "mailto:ada@example.com",
        "localhost:3001",
    ] {
        assert_eq!(WebUrl::parse(url).unwrap_err(), "does not start with https:// or http://", "{url}");
    }
}

#[test]
fn what_is_not_an_absolute_url_is_refused() {
    for text in ["", "example.com", "/orders", "//example.com/", "https://", "http://[::1"] {
        assert_eq!(WebUrl::parse(text).unwrap_err(), "is not an absolute URL, such as https://example.com", "{text}");
    }
}

#[test]
fn a_user_name_and_a_password_are_each_refused() {
    for url in ["https://ada@example.com/", "https://:hunter2@example.com/", "https://ada:hunter2@example.com/"] {
        assert_eq!(WebUrl::parse(url).unwrap_err(), "contains a user name or password: remove it", "{url}");
    }
}

#[test]
fn a_query_and_a_fragment_are_refused_where_they_have_no_place() {
    for (url, has_query, has_fragment) in [
        ("https://example.com/a", false, false),
        ("https://example.com/a?b=c", true, false),
        ("https://example.com/a?", true, false),
        ("https://example.com/a#b", false, true),
        ("https://example.com/a#", false, true),
        ("https://example.com/a?b#c", true, true),
    ] {
        let fragment =
            if has_fragment { Err("contains a fragment: remove `#` and what follows") } else { Ok(parse(url)) };
        let query =
            if has_query || has_fragment { Err("contains a query or a fragment: remove it") } else { Ok(parse(url)) };
        assert_eq!(parse(url).without_fragment(), fragment, "{url}");
        assert_eq!(parse(url).without_query(), query, "{url}");
    }
}

#[test]
fn https_and_loopback_are_protected_and_nothing_else() {
    for (url, is_protected) in [
        ("https://example.com", true),
        ("https://192.168.0.7", true),
        ("http://localhost", true),
        ("http://LOCALHOST:3001", true),
        ("http://app.localhost", true),
        ("http://127.0.0.1", true),
        ("http://127.1.2.3", true),
        ("http://[::1]", true),
        ("http://example.com", false),
        ("http://localhost.example.com", false),
        ("http://notlocalhost", false),
        ("http://128.0.0.1", false),
        ("http://192.168.0.7", false),
        ("http://0.0.0.0", false),
        ("http://[::2]", false),
        ("http://[::]", false),
    ] {
        assert_eq!(parse(url).is_protected(), is_protected, "{url}");
    }
}
