//! Requests that nobody may get through with.

use std::iter;

use fake_provider::keys::{Jwt, Key, base64url};
use fake_provider::{APP_ID, Endpoint, FakeProvider, now};
use reqwest::Method;
use serde_json::{Value, json};

use crate::frameworks::FRAMEWORKS;
use crate::requests::{api, bearer, send};

type Change = fn(&mut Jwt);

/// A request, and how it has to be refused.
struct Case {
    name: &'static str,
    authorization: Vec<String>,
    query: &'static str,
    status: u16,
    error: Option<&'static str>,
}

fn cases(provider: &FakeProvider) -> Vec<Case> {
    let good = provider.access_token(|_| ());
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>().try_into().expect("three parts");
    let mut cases = Vec::new();
    let mut case = |name, authorization: &[String], query, status, error| {
        cases.push(Case { name, authorization: authorization.to_vec(), query, status, error });
    };

    case("no token", &[], "", 401, None);
    case("another scheme", &["Basic YTpi".to_owned()], "", 401, None);
    case("a scheme that starts alike", &[format!("Bearer2 {good}")], "", 401, None);
    let invalid = Some("invalid_request");
    case("no token after the scheme", &["Bearer".to_owned()], "", 400, invalid);
    case("two tokens in a header", &[format!("Bearer {good} {good}")], "", 400, invalid);
    case("a list", &[format!("Bearer {good},{good}")], "", 400, invalid);
    case("two headers", &[format!("Bearer {good}"), format!("Bearer {good}")], "", 400, invalid);
    case("two headers of two schemes", &["Basic YTpi".to_owned(), format!("Bearer {good}")], "", 400, invalid);
    case("a token in the query", &[], "?access_token=x", 400, invalid);
    case("one in the query, too", &bearer(&good), "?a=b&access%5Ftoken=x", 400, invalid);

    for (name, token) in tokens(provider) {
        case(name, &bearer(&token), "", 401, Some("invalid_token"));
    }
    for (name, token) in [
        ("no JWT", "opaque".to_owned()),
        ("dots", "..".to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{good}.{signature}")),
        ("padding", format!("{good}==")),
        ("the signature of another token", format!("{}.{signature}", unsigned(&provider.access_token(|_| ())))),
        ("an empty signature", format!("{header}.{claims}.")),
        ("a signature of zeros", format!("{header}.{claims}.{}", base64url([0; 96]))),
        ("a signature cut short", good[..good.len() - 4].to_owned()),
        ("a deep header", format!("{}.{claims}.{signature}", base64url("[".repeat(3000)))),
        ("deep claims", format!("{header}.{}.{signature}", base64url("{\"a\":".repeat(1000)))),
        ("a header that is no object", format!("{}.{claims}.{signature}", base64url("\"ES384\""))),
    ] {
        case(name, &bearer(&token), "", 401, Some("invalid_token"));
    }
    cases
}

fn unsigned(token: &str) -> &str {
    token.rsplit_once('.').expect("a token").0
}

/// Tokens with a fault each, and otherwise good.
fn tokens(provider: &FakeProvider) -> Vec<(&'static str, String)> {
    let changes: Vec<(&str, Change)> = vec![
        ("alg none", |token| token.sign_with(&Key::none(&token.key.kid.clone(), "none"))),
        ("alg nOnE", |token| token.sign_with(&Key::none(&token.key.kid.clone(), "nOnE"))),
        ("HS256 with the public key", |token| {
            let (kid, public) = (token.key.kid.clone(), token.key.public_bytes().to_vec());
            token.sign_with(&Key::hs256(&kid, &public));
        }),
        ("HS256 with the JWK", |token| {
            let (kid, jwk) = (token.key.kid.clone(), token.key.bound_jwk().to_string());
            token.sign_with(&Key::hs256(&kid, jwk.as_bytes()));
        }),
        ("HS384", |token| token.header["alg"] = json!("HS384")),
        ("an algorithm of another curve", |token| token.header["alg"] = json!("ES256")),
        ("an algorithm of another kind", |token| token.header["alg"] = json!("RS256")),
        ("an algorithm that is a list", |token| token.header["alg"] = json!(["ES384"])),
        ("no algorithm", |token| remove(&mut token.header, "alg")),
        ("a forged key of the same name", |token| token.sign_with(&Key::es384(&token.key.kid.clone()))),
        ("a key in the token", |token| {
            let forged = Key::es384(&token.key.kid);
            token.header["jwk"] = forged.bound_jwk();
            token.sign_with(&forged);
        }),
        ("no kid", |token| remove(&mut token.header, "kid")),
        ("a kid that is a path", |token| token.header["kid"] = json!("../../../dev/null")),
        ("a kid that is a number", |token| token.header["kid"] = json!(1)),
        ("an ID token", |token| {
            token.header["typ"] = json!("JWT");
            token.claims["aud"] = json!(APP_ID);
        }),
        ("an ID token for the API", |token| token.header["typ"] = json!("JWT")),
        ("a logout token", |token| token.header["typ"] = json!("logout+jwt")),
        ("a token without a type", |token| remove(&mut token.header, "typ")),
        ("a type that is a list", |token| token.header["typ"] = json!(["at+jwt"])),
        ("crit", |token| token.header["crit"] = json!(["exp"])),
        ("an empty crit", |token| token.header["crit"] = json!([])),
        ("another issuer", |token| token.claims["iss"] = json!("https://evil.example/oidc")),
        ("an issuer that is a list", |token| token.claims["iss"] = json!([token.claims["iss"]])),
        ("no issuer", |token| remove(&mut token.claims, "iss")),
        ("another audience", |token| token.claims["aud"] = json!("https://other.example")),
        ("an audience with a slash", |token| token.claims["aud"] = json!("https://api.example.com/")),
        ("an audience below", |token| token.claims["aud"] = json!("https://api.example.com.evil.example")),
        ("an organization as the audience", |token| token.claims["aud"] = json!("urn:logto:organization:acme")),
        ("an empty list of audiences", |token| token.claims["aud"] = json!([])),
        ("no audience", |token| remove(&mut token.claims, "aud")),
        ("within an organization", |token| token.claims["organization_id"] = json!("acme")),
        ("expired", |token| token.claims["exp"] = json!(now() - 3600)),
        ("an expiry that is a text", |token| token.claims["exp"] = json!("9999999999")),
        ("an expiry that is negative", |token| token.claims["exp"] = json!(-1)),
        ("an expiry beyond numbers", |token| token.claims["exp"] = json!(1e300)),
        ("no expiry", |token| remove(&mut token.claims, "exp")),
        ("not valid yet", |token| token.claims["nbf"] = json!(now() + 3600)),
        ("a start that is a text", |token| token.claims["nbf"] = json!("0")),
        ("issued in the future", |token| token.claims["iat"] = json!(now() + 3600)),
        ("no time of issue", |token| remove(&mut token.claims, "iat")),
        ("no subject", |token| remove(&mut token.claims, "sub")),
        ("no client", |token| remove(&mut token.claims, "client_id")),
        ("a scope that is a list", |token| token.claims["scope"] = json!(["read"])),
        ("claims that are a list", |token| token.claims = json!([token.claims])),
    ];
    changes.into_iter().map(|(name, change)| (name, provider.access_token(change))).collect()
}

fn remove(part: &mut Value, name: &str) {
    part.as_object_mut().expect("an object").remove(name).expect("it was there");
}

#[tokio::test]
async fn every_hostile_request_is_refused_by_every_framework() {
    let provider = FakeProvider::start().await;
    for framework in FRAMEWORKS {
        let app = (framework.start)(api(&provider)).await;
        for Case { name, authorization, query, status, error } in cases(&provider) {
            let context = format!("{}: {name}", framework.name);
            let answer = send(&app, Method::GET, &format!("/things{query}"), &authorization).await;
            assert_eq!((answer.status, answer.error()), (status, error), "{context}");
            assert!(answer.challenge.as_deref().is_some_and(|challenge| challenge.starts_with("Bearer ")), "{context}");
            assert_eq!(answer.problem()["status"], status, "{context}");
            assert!(!answer.is_cached, "{context}");
            provider.assert_no_secret_in(&answer.body);
            provider.assert_no_secret_in(answer.challenge.as_deref().unwrap_or_default());
        }
        let good = bearer(&provider.access_token(|_| ()));
        assert_eq!(send(&app, Method::GET, "/things", &good).await.status, 200, "{}", framework.name);
    }
    assert_eq!(provider.count(Endpoint::Elsewhere), 0);
}

#[tokio::test]
async fn a_token_of_any_length_is_refused_or_read_and_the_server_lives_on() {
    let provider = FakeProvider::start().await;
    for framework in FRAMEWORKS {
        let app = (framework.start)(api(&provider)).await;
        for length in [8_000, 17_000, 60_000] {
            let token = provider.access_token(|token| {
                token.claims["padding"] = iter::repeat_n("a", length).collect::<String>().into();
            });
            let answer = send(&app, Method::GET, "/things", &bearer(&token)).await;
            let expected: &[u16] = if length < 10_000 { &[200, 431] } else { &[401, 431] };
            assert!(expected.contains(&answer.status), "{}: {length}: {}", framework.name, answer.status);
        }
    }
}
