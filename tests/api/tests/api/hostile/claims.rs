//! Tokens with wrong claims: signed by the issuer's key, so that nothing else is wrong.

use fake_provider::keys::Jwt;
use fake_provider::{API, APP_ID, FakeProvider, now};
use serde_json::{Value, json};

use super::Case;
use super::flaws::{
    AUDIENCE, CLAIM, EMPTY, EXPIRED, ISSUER, NOT_A_JWT, NOT_YET, ORGANIZATION, ORGANIZATIONS, SIGNATURE, good_parts,
    remove, sign_texts, with_first,
};

type Change = fn(&mut Jwt);

/// What an API tolerates by default, in seconds.
const LEEWAY: u64 = 60;

pub(super) fn cases(provider: &FakeProvider) -> Vec<Case> {
    [of_issuer(provider), of_audience(provider), of_times(provider), of_others(provider), of_json(provider)].concat()
}

fn changed(provider: &FakeProvider, changes: &[(&'static str, Change, &'static str)]) -> Vec<Case> {
    let case = |&(name, change, flaw): &(_, Change, _)| Case::of_token(name, &provider.access_token(change), flaw);
    changes.iter().map(case).collect()
}

fn of_issuer(provider: &FakeProvider) -> Vec<Case> {
    changed(
        provider,
        &[
            ("no issuer", |token| remove(&mut token.claims, "iss"), CLAIM),
            ("an issuer that is null", |token| token.claims["iss"] = json!(null), CLAIM),
            ("an issuer that is a list", |token| token.claims["iss"] = json!([token.claims["iss"]]), CLAIM),
            ("an issuer that is a number", |token| token.claims["iss"] = json!(1), CLAIM),
            ("another issuer", |token| token.claims["iss"] = json!("https://evil.example/oidc"), ISSUER),
            ("another tenant", |token| token.claims["iss"] = json!("https://other.logto.app/oidc"), ISSUER),
            ("an empty issuer", |token| token.claims["iss"] = json!(""), ISSUER),
            ("an issuer with a slash", |token| change_text(&mut token.claims["iss"], |iss| format!("{iss}/")), ISSUER),
            ("an issuer and more", |token| change_text(&mut token.claims["iss"], |iss| format!("{iss}2")), ISSUER),
            ("an issuer with a space", |token| change_text(&mut token.claims["iss"], |iss| format!("{iss} ")), ISSUER),
            ("an issuer in capitals", |token| change_text(&mut token.claims["iss"], str::to_uppercase), ISSUER),
            (
                "an issuer with a fragment",
                |token| change_text(&mut token.claims["iss"], |iss| format!("{iss}#")),
                ISSUER,
            ),
            (
                "the issuer's host alone",
                |token| change_text(&mut token.claims["iss"], |iss| iss.replace("/oidc", "")),
                ISSUER,
            ),
        ],
    )
}

fn of_audience(provider: &FakeProvider) -> Vec<Case> {
    changed(
        provider,
        &[
            ("no audience", |token| remove(&mut token.claims, "aud"), AUDIENCE),
            ("an audience that is null", |token| token.claims["aud"] = json!(null), AUDIENCE),
            ("an empty list of audiences", |token| token.claims["aud"] = json!([]), AUDIENCE),
            ("an audience that is an object", |token| token.claims["aud"] = json!({"0": API}), CLAIM),
            ("an audience that is a number", |token| token.claims["aud"] = json!(1), CLAIM),
            ("an audience that is true", |token| token.claims["aud"] = json!(true), CLAIM),
            ("a list of a list", |token| token.claims["aud"] = json!([[API]]), CLAIM),
            ("a list with a number", |token| token.claims["aud"] = json!([API, 1]), CLAIM),
            ("a list with null", |token| token.claims["aud"] = json!([API, null]), CLAIM),
            ("another API", |token| token.claims["aud"] = json!("https://other.example"), AUDIENCE),
            ("a list of other APIs", |token| token.claims["aud"] = json!(["https://a.example", "b"]), AUDIENCE),
            ("an empty audience", |token| token.claims["aud"] = json!(""), AUDIENCE),
            ("a space before the audience", |token| token.claims["aud"] = json!(" https://api.example.com"), AUDIENCE),
            ("an audience with a slash", |token| token.claims["aud"] = json!("https://api.example.com/"), AUDIENCE),
            ("an audience below", |token| token.claims["aud"] = json!("https://api.example.com/admin"), AUDIENCE),
            (
                "an audience with a suffix",
                |token| token.claims["aud"] = json!("https://api.example.com.evil"),
                AUDIENCE,
            ),
            ("an audience in capitals", |token| token.claims["aud"] = json!("HTTPS://API.EXAMPLE.COM"), AUDIENCE),
            ("audiences in a text", |token| token.claims["aud"] = json!("https://api.example.com b"), AUDIENCE),
            ("a part of the audience", |token| token.claims["aud"] = json!("https://api.example"), AUDIENCE),
            ("the app as the audience", |token| token.claims["aud"] = json!(APP_ID), AUDIENCE),
            ("the issuer as the audience", |token| token.claims["aud"] = token.claims["iss"].clone(), AUDIENCE),
            ("Logto's own API", |token| token.claims["aud"] = json!("https://default.logto.app/api"), AUDIENCE),
            ("an organization's token", |token| token.claims["aud"] = json!("urn:logto:organization:acme"), AUDIENCE),
            ("all organizations", |token| token.claims["aud"] = json!("urn:logto:resource:organizations"), AUDIENCE),
            ("the API within an organization", |token| token.claims["organization_id"] = json!("acme"), ORGANIZATION),
            ("the API and an organization", as_both, ORGANIZATION),
            ("an organization without a name", |token| token.claims["organization_id"] = json!(""), ORGANIZATIONS),
            ("an organization that is a number", |token| token.claims["organization_id"] = json!(0), CLAIM),
            ("an organization that is false", |token| token.claims["organization_id"] = json!(false), CLAIM),
            ("two organizations", as_two_organizations, ORGANIZATIONS),
        ],
    )
}

fn of_times(provider: &FakeProvider) -> Vec<Case> {
    changed(
        provider,
        &[
            ("no expiry", |token| remove(&mut token.claims, "exp"), CLAIM),
            ("an expiry that is null", |token| token.claims["exp"] = json!(null), CLAIM),
            ("an expiry that is a text", |token| token.claims["exp"] = json!("9999999999"), CLAIM),
            ("an expiry that is a date", |token| token.claims["exp"] = json!("2099-01-01T00:00:00Z"), CLAIM),
            ("an expiry that is a list", |token| token.claims["exp"] = json!([9_999_999_999_u64]), CLAIM),
            ("an expiry that is true", |token| token.claims["exp"] = json!(true), CLAIM),
            ("an expiry that is negative", |token| token.claims["exp"] = json!(-1), CLAIM),
            ("an expiry that is a negative fraction", |token| token.claims["exp"] = json!(-0.5), CLAIM),
            ("an expiry beyond numbers", |token| token.claims["exp"] = json!(1e300), CLAIM),
            ("an expiry of zero", |token| token.claims["exp"] = json!(0), EXPIRED),
            ("an hour after the expiry", |token| token.claims["exp"] = json!(now() - 3600), EXPIRED),
            ("a second after the leeway", |token| token.claims["exp"] = json!(now() - LEEWAY - 1), EXPIRED),
            ("at the end of the leeway", |token| token.claims["exp"] = json!(now() - LEEWAY), EXPIRED),
            ("not valid before tomorrow", |token| token.claims["nbf"] = json!(now() + 86_400), NOT_YET),
            ("not valid before the end of time", |token| token.claims["nbf"] = json!(u64::MAX), NOT_YET),
            ("a start that is a text", |token| token.claims["nbf"] = json!("0"), CLAIM),
            ("a start that is negative", |token| token.claims["nbf"] = json!(-1), CLAIM),
            ("a start that is a list", |token| token.claims["nbf"] = json!([]), CLAIM),
            ("a start that is false", |token| token.claims["nbf"] = json!(false), CLAIM),
            ("issued tomorrow", |token| token.claims["iat"] = json!(now() + 86_400), NOT_YET),
            ("issued at the end of time", |token| token.claims["iat"] = json!(u64::MAX), NOT_YET),
            ("no time of issue", |token| remove(&mut token.claims, "iat"), CLAIM),
            ("a time of issue that is a text", |token| token.claims["iat"] = json!("1"), CLAIM),
            ("a time of issue that is negative", |token| token.claims["iat"] = json!(-1), CLAIM),
            ("a time of issue that is an object", |token| token.claims["iat"] = json!({}), CLAIM),
        ],
    )
}

fn of_others(provider: &FakeProvider) -> Vec<Case> {
    changed(
        provider,
        &[
            ("no subject", |token| remove(&mut token.claims, "sub"), CLAIM),
            ("a subject that is null", |token| token.claims["sub"] = json!(null), CLAIM),
            ("a subject that is a number", |token| token.claims["sub"] = json!(1), CLAIM),
            ("a subject that is a list", |token| token.claims["sub"] = json!(["user-1"]), CLAIM),
            ("an empty subject", |token| token.claims["sub"] = json!(""), EMPTY),
            ("no app", |token| remove(&mut token.claims, "client_id"), CLAIM),
            ("an app that is a number", |token| token.claims["client_id"] = json!(1), CLAIM),
            ("an empty app", |token| token.claims["client_id"] = json!(""), EMPTY),
            ("a scope that is a list", |token| token.claims["scope"] = json!(["read", "write"]), CLAIM),
            ("a scope that is a number", |token| token.claims["scope"] = json!(1), CLAIM),
            ("a scope that is an object", |token| token.claims["scope"] = json!({"write": true}), CLAIM),
            ("a scope that is true", |token| token.claims["scope"] = json!(true), CLAIM),
            ("claims in a list", |token| token.claims = json!([token.claims]), CLAIM),
            ("claims that are a text", |token| token.claims = json!(token.claims.to_string()), CLAIM),
            ("claims that are null", |token| token.claims = json!(null), CLAIM),
            ("claims that are a number", |token| token.claims = json!(1), CLAIM),
            ("empty claims", |token| token.claims = json!({}), CLAIM),
            ("claims in an object", |token| token.claims = json!({"claims": token.claims}), CLAIM),
        ],
    )
}

/// What one parser reads otherwise than another.
fn of_json(provider: &FakeProvider) -> Vec<Case> {
    let (header, claims) = good_parts(provider);
    let (header, text) = (header.to_string(), claims.to_string());
    let of_text = |name, claims: &[u8]| Case::of_token(name, &sign_texts(&header, claims), CLAIM);
    let after = |member: &str| text.replace('}', &format!(",{member}}}"));
    let replaced = |name: &str, value: &str| {
        let member = format!(r#""{name}":{}"#, claims[name]);
        assert!(text.contains(&member));
        text.replace(&member, &format!(r#""{name}":{value}"#))
    };
    let deep = format!("{}{}", "[".repeat(3000), "]".repeat(3000));
    // Of a claim that nobody reads.
    let not_utf8 = [&text.as_bytes()[..text.len() - 1], b",\"a\":\"\xFF\"}"].concat();
    let good = provider.access_token(|_| ());
    let (_, signature) = good.rsplit_once('.').expect("a token");
    let forged_deep = sign_texts(&header, after(&format!(r#""deep":{deep}"#)));
    let (message, _) = forged_deep.rsplit_once('.').expect("a token");

    vec![
        of_text("two audiences by name", with_first(&claims, r#""aud":"https://other.example""#).as_bytes()),
        of_text("a second audience by name", after(r#""aud":"https://other.example""#).as_bytes()),
        of_text("two issuers", with_first(&claims, r#""iss":"https://evil.example/oidc""#).as_bytes()),
        of_text("two subjects", with_first(&claims, r#""sub":"admin""#).as_bytes()),
        of_text("a second subject", after(r#""sub":"admin""#).as_bytes()),
        of_text("two expiries", with_first(&claims, r#""exp":1"#).as_bytes()),
        of_text("two scopes", with_first(&claims, r#""scope":"write""#).as_bytes()),
        of_text("two apps", with_first(&claims, r#""client_id":"user-1""#).as_bytes()),
        of_text("an organization twice", after(r#""organization_id":null,"organization_id":null"#).as_bytes()),
        of_text("two starts", after(r#""nbf":0,"nbf":0"#).as_bytes()),
        of_text("an expiry that is no number", replaced("exp", "NaN").as_bytes()),
        of_text("an infinite expiry", replaced("exp", "Infinity").as_bytes()),
        of_text("an expiry that overflows a float", replaced("exp", "1e400").as_bytes()),
        of_text("an expiry of 2^64", replaced("exp", "18446744073709551616").as_bytes()),
        of_text("an expiry of 300 digits", replaced("exp", &"9".repeat(300)).as_bytes()),
        of_text("an expiry in hexadecimal", replaced("exp", "0xFFFFFFFF").as_bytes()),
        of_text("an expiry with a plus", replaced("exp", "+9999999999").as_bytes()),
        of_text("an expiry with a zero before it", replaced("exp", "09999999999").as_bytes()),
        of_text("claims and more", format!("{text}{text}").as_bytes()),
        of_text("claims and a zero byte", format!("{text}\0").as_bytes()),
        of_text("claims with a byte order mark", format!("\u{feff}{text}").as_bytes()),
        of_text("half of the claims", &text.as_bytes()[..text.len() / 2]),
        of_text("claims with a comma at their end", text.replace('}', ",}").as_bytes()),
        of_text("claims with a comment", text.replace('{', "{/* */").as_bytes()),
        of_text("claims in single quotes", text.replace('"', "'").as_bytes()),
        of_text("a lone surrogate", replaced("sub", r#""\ud800""#).as_bytes()),
        of_text("a line break in a text", replaced("sub", "\"user\n1\"").as_bytes()),
        of_text("claims of zero bytes", &[0; 64]),
        of_text("a deep audience", replaced("aud", &deep).as_bytes()),
        of_text("deep claims", "{\"a\":".repeat(1000).as_bytes()),
        Case::of_token("a claim that is not UTF-8", &sign_texts(&header, not_utf8), NOT_A_JWT),
        Case::of_token("a deep claim and a forged signature", &format!("{message}.{signature}"), SIGNATURE),
    ]
}

fn change_text(claim: &mut Value, change: impl FnOnce(&str) -> String) {
    *claim = json!(change(claim.as_str().expect("a text")));
}

fn as_both(token: &mut Jwt) {
    token.claims["aud"] = json!([API, "urn:logto:organization:acme"]);
}

fn as_two_organizations(token: &mut Jwt) {
    token.claims["aud"] = json!([API, "urn:logto:organization:acme"]);
    token.claims["organization_id"] = json!("org-1");
}
