//! Tokens whose header is wrong: signed by the issuer's key, so that nothing else is.

use fake_provider::keys::Jwt;
use fake_provider::{APP_ID, FakeProvider};
use serde_json::json;

use super::Case;
use super::flaws::{
    ALGORITHM, CRIT, ENCRYPTION, NO_KEY, NO_KID, NOT_A_JWT, TYPE, good_parts, remove, sign_texts, with_first,
};

type Change = fn(&mut Jwt);

pub(super) fn cases(provider: &FakeProvider) -> Vec<Case> {
    let changes: [(&str, Change, &str); 49] = [
        ("no type", |token| remove(&mut token.header, "typ"), TYPE),
        ("a type that is null", |token| token.header["typ"] = json!(null), TYPE),
        ("a type that is empty", |token| token.header["typ"] = json!(""), TYPE),
        ("typ JWT", |token| token.header["typ"] = json!("JWT"), TYPE),
        ("typ application/jwt", |token| token.header["typ"] = json!("application/jwt"), TYPE),
        ("typ with a space", |token| token.header["typ"] = json!(" at+jwt"), TYPE),
        ("typ with a parameter", |token| token.header["typ"] = json!("at+jwt; charset=utf-8"), TYPE),
        ("typ with more", |token| token.header["typ"] = json!("at+jwt2"), TYPE),
        ("typ of another tree", |token| token.header["typ"] = json!("text/at+jwt"), TYPE),
        ("typ twice the tree", |token| token.header["typ"] = json!("application/application/at+jwt"), TYPE),
        ("typ dpop+jwt", |token| token.header["typ"] = json!("dpop+jwt"), TYPE),
        ("typ secevent+jwt", |token| token.header["typ"] = json!("secevent+jwt"), TYPE),
        ("a logout token", as_logout_token, TYPE),
        ("an ID token", as_id_token, TYPE),
        ("an ID token for the API", |token| token.header["typ"] = json!("JWT"), TYPE),
        ("a type that is a number", |token| token.header["typ"] = json!(1), NOT_A_JWT),
        ("a type that is a list", |token| token.header["typ"] = json!(["at+jwt"]), NOT_A_JWT),
        ("no key id", |token| remove(&mut token.header, "kid"), NO_KID),
        ("a key id that is null", |token| token.header["kid"] = json!(null), NO_KID),
        ("a key id that is a number", |token| token.header["kid"] = json!(1), NOT_A_JWT),
        ("a key id that is a list", |token| token.header["kid"] = json!(["ES384"]), NOT_A_JWT),
        ("a key id that is an object", |token| token.header["kid"] = json!({"kid": "ES384"}), NOT_A_JWT),
        ("a key id that is empty", |token| token.header["kid"] = json!(""), NO_KEY),
        ("a key id in other letters", |token| token.header["kid"] = json!("es384"), NO_KEY),
        ("a key id with a space", |token| token.header["kid"] = json!("ES384 "), NO_KEY),
        ("a key id with a zero byte", |token| token.header["kid"] = json!("ES384\0"), NO_KEY),
        ("a key id that is a path", |token| token.header["kid"] = json!("../../../../../dev/null"), NO_KEY),
        ("a key id that is SQL", |token| token.header["kid"] = json!("x' UNION SELECT 'a"), NO_KEY),
        ("a key id that is a command", |token| token.header["kid"] = json!("|cat /etc/passwd"), NO_KEY),
        ("a key id that is a URL", as_elsewhere_by_kid, NO_KEY),
        ("a key id of four kilobytes", |token| token.header["kid"] = json!("k".repeat(4096)), NO_KEY),
        ("the id of a key for encryption", |token| token.header["kid"] = json!(ENCRYPTION), NO_KEY),
        ("crit", |token| token.header["crit"] = json!(["exp"]), CRIT),
        ("an empty crit", |token| token.header["crit"] = json!([]), CRIT),
        ("crit that is a text", |token| token.header["crit"] = json!("exp"), CRIT),
        ("crit that is false", |token| token.header["crit"] = json!(false), CRIT),
        ("crit of an unknown extension", as_unknown_extension, CRIT),
        ("unencoded claims", as_unencoded, CRIT),
        ("no algorithm", |token| remove(&mut token.header, "alg"), NOT_A_JWT),
        ("an algorithm that is null", |token| token.header["alg"] = json!(null), NOT_A_JWT),
        ("an algorithm that is a number", |token| token.header["alg"] = json!(384), NOT_A_JWT),
        ("an algorithm that is a list", |token| token.header["alg"] = json!(["ES384"]), NOT_A_JWT),
        ("an algorithm that is empty", |token| token.header["alg"] = json!(""), ALGORITHM),
        ("an algorithm in other letters", |token| token.header["alg"] = json!("es384"), ALGORITHM),
        ("an algorithm with a space", |token| token.header["alg"] = json!("ES384 "), ALGORITHM),
        ("a header that is a list", |token| token.header = json!([token.header]), NOT_A_JWT),
        ("a header that is a text", |token| token.header = json!("ES384"), NOT_A_JWT),
        ("a header that is null", |token| token.header = json!(null), NOT_A_JWT),
        ("a header that is empty", |token| token.header = json!({}), NOT_A_JWT),
    ];
    let mut cases: Vec<_> =
        changes.map(|(name, change, flaw)| Case::of_token(name, &provider.access_token(change), flaw)).into();

    let (header, claims) = good_parts(provider);
    let (text, claims) = (header.to_string(), claims.to_string());
    let of_header = |name, header: &[u8]| Case::of_token(name, &sign_texts(header, &claims), NOT_A_JWT);
    cases.extend([
        of_header("two algorithms", with_first(&header, r#""alg":"none""#).as_bytes()),
        of_header("an algorithm twice", with_first(&header, r#""alg":"ES384""#).as_bytes()),
        of_header("two key ids", with_first(&header, r#""kid":"RS256""#).as_bytes()),
        of_header("two types", with_first(&header, r#""typ":"JWT""#).as_bytes()),
        of_header("crit twice", with_first(&header, r#""crit":null,"crit":null"#).as_bytes()),
        of_header("a header and more", format!("{text}{text}").as_bytes()),
        of_header("a header with a comma at its end", text.replace('}', ",}").as_bytes()),
        of_header("half a header", &text.as_bytes()[..text.len() / 2]),
        of_header("a header with a byte order mark", format!("\u{feff}{text}").as_bytes()),
        of_header("a header in UTF-16", &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        of_header("a parameter that is not UTF-8", &[&text.as_bytes()[..text.len() - 1], b",\"a\":\"\xFF\"}"].concat()),
        of_header("a header that is not UTF-8", &not_utf8(&text)),
        of_header("a header with a lone surrogate", text.replace("at+jwt", r"at+jwt\ud800").as_bytes()),
        of_header("a deep header", "[".repeat(4000).as_bytes()),
        of_header("a header of deep objects", r#"{"alg":"#.repeat(600).as_bytes()),
        of_header("a type of deep lists", with_first(&header, &format!(r#""typ":{}"#, "[".repeat(2000))).as_bytes()),
    ]);
    cases
}

fn as_id_token(token: &mut Jwt) {
    token.header["typ"] = json!("JWT");
    token.claims["aud"] = json!(APP_ID);
    token.claims["nonce"] = json!("nonce");
}

/// OpenID Connect Back-Channel Logout 1.0, section 2.4.
fn as_logout_token(token: &mut Jwt) {
    token.header["typ"] = json!("logout+jwt");
    token.claims["events"] = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
}

/// RFC 7797.
fn as_unencoded(token: &mut Jwt) {
    token.header["b64"] = json!(false);
    token.header["crit"] = json!(["b64"]);
}

fn as_unknown_extension(token: &mut Jwt) {
    token.header["crit"] = json!(["https://example.com/extension"]);
    token.header["https://example.com/extension"] = json!(true);
}

fn as_elsewhere_by_kid(token: &mut Jwt) {
    token.header["kid"] = json!(format!("{}/jwks.json", token.claims["iss"].as_str().expect("an issuer")));
}

fn not_utf8(header: &str) -> Vec<u8> {
    let (before, after) = header.split_once("at+jwt").expect("a type");
    [before.as_bytes(), b"at+jwt\xFF", after.as_bytes()].concat()
}
