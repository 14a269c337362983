//! Requests whose token is in the wrong place, or that have several.

use fake_provider::FakeProvider;
use reqwest::Method;

use super::Case;
use super::Refusal::{InvalidRequest, NoToken};

const SEVERAL: &str = "has several `Authorization` headers";
const NOT_ONE_TOKEN: &str = "has an `Authorization` header that is not `Bearer` and one token";
const IN_THE_URL: &str = "has an access token in its URL: send it as `Authorization: Bearer`";

pub(super) fn cases(provider: &FakeProvider) -> Vec<Case> {
    let good = provider.access_token(|_| ());
    let bearer = format!("Bearer {good}");
    let bearer = bearer.as_bytes();
    let header = |name, value: &str, refusal| Case::new(name, &[("authorization", value.as_bytes())], refusal);
    let headers = |name, values: &[&[u8]], refusal| {
        let headers: Vec<_> = values.iter().map(|value| ("authorization", *value)).collect();
        Case::new(name, &headers, refusal)
    };
    let elsewhere = |name, header, value: &str| Case::new(name, &[(header, value.as_bytes())], NoToken);
    let with_good = |name, path| headers(name, &[bearer], InvalidRequest(IN_THE_URL)).at(Method::GET, path);
    let without = |name, path| Case::new(name, &[], InvalidRequest(IN_THE_URL)).at(Method::GET, path);
    let mut form = Case::new("a token in a form", &[], NoToken).at(Method::POST, "/things");
    form.body = format!("access_token={good}");

    vec![
        Case::new("no header", &[], NoToken),
        Case::new("no header where a scope is required", &[], NoToken).at(Method::POST, "/things"),
        header("an empty header", "", NoToken),
        header("Basic", "Basic YTpi", NoToken),
        header("Basic with a valid token", &format!("Basic {good}"), NoToken),
        header("DPoP", &format!("DPoP {good}"), NoToken),
        header("a scheme that starts alike", &format!("Bearer2 {good}"), NoToken),
        header("a scheme in the plural", &format!("Bearers {good}"), NoToken),
        header("a scheme with a colon", &format!("Bearer: {good}"), NoToken),
        header("a scheme with a tab", &format!("Bearer\t{good}"), NoToken),
        header("no space after the scheme", &format!("Bearer{good}"), NoToken),
        header("a token without a scheme", &good, NoToken),
        headers("a scheme that is not UTF-8", &[&[b"B\xE9arer ", good.as_bytes()].concat()], NoToken),
        header("no token after the scheme", "Bearer", InvalidRequest(NOT_ONE_TOKEN)),
        header("spaces after the scheme", "bearer   ", InvalidRequest(NOT_ONE_TOKEN)),
        header("the scheme twice", &format!("Bearer Bearer {good}"), InvalidRequest(NOT_ONE_TOKEN)),
        header("two tokens", &format!("Bearer {good} {good}"), InvalidRequest(NOT_ONE_TOKEN)),
        header("two tokens with a comma", &format!("Bearer {good},{good}"), InvalidRequest(NOT_ONE_TOKEN)),
        header("two credentials in a header", &format!("Bearer {good}, Basic YTpi"), InvalidRequest(NOT_ONE_TOKEN)),
        header("a token with a parameter", &format!("Bearer {good}; a=b"), InvalidRequest(NOT_ONE_TOKEN)),
        header("a token as a parameter", &format!("Bearer token=\"{good}\""), InvalidRequest(NOT_ONE_TOKEN)),
        header("a token in quotes", &format!("Bearer \"{good}\""), InvalidRequest(NOT_ONE_TOKEN)),
        header(
            "a tab within the token",
            &format!("Bearer {}", good.replace('.', "\t.")),
            InvalidRequest(NOT_ONE_TOKEN),
        ),
        header(
            "a percent-encoded token",
            &format!("Bearer {}", good.replace('.', "%2E")),
            InvalidRequest(NOT_ONE_TOKEN),
        ),
        header(
            "padding within the token",
            &format!("Bearer {}", good.replace('.', "=.")),
            InvalidRequest(NOT_ONE_TOKEN),
        ),
        header("padding only", "Bearer ====", InvalidRequest(NOT_ONE_TOKEN)),
        header("JSON serialization", r#"Bearer {"payload":"e30","signatures":[]}"#, InvalidRequest(NOT_ONE_TOKEN)),
        headers("a token that is not UTF-8", &[b"Bearer a.\xFF\xFE.c"], InvalidRequest(NOT_ONE_TOKEN)),
        headers("a token that is not ASCII", &["Bearer a.é.c".as_bytes()], InvalidRequest(NOT_ONE_TOKEN)),
        headers("a valid token and bytes", &[&[bearer, b"\xFF"].concat()], InvalidRequest(NOT_ONE_TOKEN)),
        headers("a header twice", &[bearer, bearer], InvalidRequest(SEVERAL)),
        headers("another scheme after it", &[bearer, b"Basic YTpi"], InvalidRequest(SEVERAL)),
        headers("another scheme before it", &[b"Basic YTpi", bearer], InvalidRequest(SEVERAL)),
        headers("an empty header before it", &[b"", bearer], InvalidRequest(SEVERAL)),
        headers("a wrong token before it", &[b"Bearer a.b.c", bearer], InvalidRequest(SEVERAL)),
        headers("three headers", &[bearer, bearer, bearer], InvalidRequest(SEVERAL)),
        without("a token in the URL", "/things?access_token=a.b.c"),
        without("a token in the URL, encoded", "/things?a=b&access%5Ftoken=x"),
        without("a parameter without a value", "/things?access_token"),
        with_good("one in the URL, too", "/things?access_token=a.b.c"),
        with_good("an empty one in the URL, too", "/things?x=1&access_token="),
        form,
        elsewhere("a token of a proxy", "proxy-authorization", &format!("Bearer {good}")),
        elsewhere("a token in a header of its own", "x-access-token", &good),
        elsewhere("a token in a cookie", "cookie", &format!("access_token={good}; authorization=Bearer {good}")),
        elsewhere("the original header of a proxy", "x-forwarded-authorization", &format!("Bearer {good}")),
    ]
}
