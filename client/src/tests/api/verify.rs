use std::time::{Duration, UNIX_EPOCH};

use fake_provider::keys::{Jwt, Key, base64url, one_per_algorithm};
use fake_provider::{API, APP_ID, Endpoint, SUBJECT, now};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{World, refusal};
use crate::error::AccessTokenError::{self as Refusal, Malformed};

type Change = fn(&mut Jwt);

fn remove(part: &mut Value, name: &str) {
    part.as_object_mut().unwrap().remove(name).unwrap();
}

#[tokio::test]
async fn a_token_of_the_issuer_for_the_api_is_valid() {
    let world = World::start().await;
    let token = world.token(|token| token.claims["exp"] = json!(4_000_000_000_u64));

    let verified = world.api.verify(&token).await.unwrap();

    assert_eq!((verified.sub(), verified.client_id(), verified.issuer()), (SUBJECT, APP_ID, world.provider.issuer()));
    assert_eq!(verified.audiences(), [API]);
    assert_eq!(verified.scopes().collect::<Vec<_>>(), ["read"]);
    assert_eq!(verified.expires_at(), Some(UNIX_EPOCH + Duration::from_secs(4_000_000_000)));
    assert_eq!((verified.organization_id(), verified.is_machine()), (None, false));
    world.provider.assert_no_secret_in(&format!("{verified:?} {:?}", world.api));
}

#[tokio::test]
async fn each_algorithm_of_the_issuer_is_accepted() {
    let world = World::start().await;
    world.provider.set_keys(one_per_algorithm().map(Clone::clone).into());
    for key in one_per_algorithm() {
        let token = world.token(|token| token.sign_with(key));
        assert!(world.api.verify(&token).await.is_ok(), "{}", key.algorithm);
    }
}

#[tokio::test]
async fn what_else_a_token_may_look_like() {
    let world = World::start().await;
    let cases: [(&str, Change); 8] = [
        ("a type in other letters", |token| token.header["typ"] = json!("AT+JWT")),
        ("a whole media type", |token| token.header["typ"] = json!("application/at+jwt")),
        ("an audience in an array", |token| token.claims["aud"] = json!(["https://other.example", API])),
        ("no scope", |token| remove(&mut token.claims, "scope")),
        ("an empty scope", |token| token.claims["scope"] = json!("")),
        ("a scope that is null", |token| token.claims["scope"] = json!(null)),
        ("a clock that is a little ahead", |token| {
            for claim in ["iat", "nbf"] {
                token.claims[claim] = json!(now() + 30);
            }
        }),
        ("a time with a fraction", |token| token.claims["exp"] = json!(4_000_000_000.5)),
    ];
    for (case, change) in cases {
        let token = world.token(change);
        assert!(world.api.verify(&token).await.is_ok(), "{case}");
    }
}

#[tokio::test]
async fn claims_that_are_wrong_or_missing_are_refused() {
    let world = World::start().await;
    let missing = Malformed("a claim is missing or has the wrong type");
    let cases: [(&str, Change, Refusal); 20] = [
        ("iss of another", |token| token.claims["iss"] = json!("https://evil.example/oidc"), Refusal::Issuer),
        ("iss with a slash", |token| token.claims["iss"] = json!(format!("{}/", token.claims["iss"])), Refusal::Issuer),
        ("no iss", |token| remove(&mut token.claims, "iss"), missing.clone()),
        ("aud of another", |token| token.claims["aud"] = json!("https://other.example"), Refusal::Audience),
        ("aud with a slash", |token| token.claims["aud"] = json!(format!("{API}/")), Refusal::Audience),
        ("aud is the app", |token| token.claims["aud"] = json!(APP_ID), Refusal::Audience),
        ("aud is empty", |token| token.claims["aud"] = json!([]), Refusal::Audience),
        ("aud is null", |token| token.claims["aud"] = json!(null), Refusal::Audience),
        ("no aud", |token| remove(&mut token.claims, "aud"), Refusal::Audience),
        ("aud is a number", |token| token.claims["aud"] = json!(1), missing.clone()),
        ("no sub", |token| remove(&mut token.claims, "sub"), missing.clone()),
        ("an empty sub", |token| token.claims["sub"] = json!(""), Malformed("its `sub` or `client_id` is empty")),
        ("no client_id", |token| remove(&mut token.claims, "client_id"), missing.clone()),
        ("exp has passed", |token| token.claims["exp"] = json!(now() - 61), Refusal::Expired),
        ("no exp", |token| remove(&mut token.claims, "exp"), missing.clone()),
        ("exp is a text", |token| token.claims["exp"] = json!("4000000000"), missing.clone()),
        ("exp is negative", |token| token.claims["exp"] = json!(-1), missing.clone()),
        ("no iat", |token| remove(&mut token.claims, "iat"), missing.clone()),
        ("iat is in the future", |token| token.claims["iat"] = json!(now() + 90), Refusal::NotYetValid),
        ("nbf is in the future", |token| token.claims["nbf"] = json!(now() + 90), Refusal::NotYetValid),
    ];
    for (case, change, expected) in cases {
        assert_eq!(world.refusal(change).await, expected, "{case}");
    }
    assert_eq!(world.provider.count(Endpoint::Jwks), 0, "found without a key");
    assert_eq!(world.api.remembered(), 0);
}

#[tokio::test]
async fn headers_that_are_wrong_or_missing_are_refused() {
    let world = World::start().await;
    let not_a_jwt = Malformed("not a signed JWT");
    let cases: [(&str, Change, Refusal); 13] = [
        ("an ID token", |token| token.header["typ"] = json!("JWT"), Refusal::Type),
        ("a logout token", |token| token.header["typ"] = json!("logout+jwt"), Refusal::Type),
        ("no typ", |token| remove(&mut token.header, "typ"), Refusal::Type),
        ("typ is a number", |token| token.header["typ"] = json!(1), not_a_jwt.clone()),
        ("no kid", |token| remove(&mut token.header, "kid"), Malformed("its header has no `kid`")),
        ("alg none", |token| token.sign_with(&Key::none("key-1", "none")), Refusal::Algorithm),
        ("alg None", |token| token.sign_with(&Key::none("key-1", "None")), Refusal::Algorithm),
        (
            "alg HS256 with the public key",
            |token| token.sign_with(&Key::hs256("key-1", token.key.clone().public_bytes())),
            Refusal::Algorithm,
        ),
        ("alg of another kind", |token| token.header["alg"] = json!("ES256"), Refusal::UnknownKey),
        ("no alg", |token| remove(&mut token.header, "alg"), not_a_jwt.clone()),
        ("crit", |token| token.header["crit"] = json!(["b64"]), Malformed("its header has a `crit`")),
        ("an empty signature", |token| token.sign_with(&Key::none("key-1", "ES384")), Refusal::Signature),
        ("a key of the same name", |token| token.sign_with(&Key::es384("key-1")), Refusal::Signature),
    ];
    for (case, change, expected) in cases {
        assert_eq!(world.refusal(change).await, expected, "{case}");
    }
    assert_eq!(world.api.remembered(), 0);
}

#[tokio::test]
async fn a_key_that_comes_with_the_token_is_not_used() {
    let world = World::start().await;
    let forged = Key::es384("key-1");
    let refused = world.refusal(|token| {
        token.header["jwk"] = forged.bound_jwk();
        token.header["jku"] = json!("https://evil.example/jwks");
        token.key = forged.clone();
    });
    assert_eq!(refused.await, Refusal::Signature);
    assert_eq!(world.provider.count(Endpoint::Elsewhere), 0);
}

#[tokio::test]
async fn texts_that_are_no_token_are_refused() {
    let world = World::start().await;
    let token = world.token(|_| ());
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let deep = base64url(format!("{}{}", "[".repeat(5000), "]".repeat(5000)));
    for text in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "opaque".to_owned(),
        format!("{header}.{claims}"),
        format!("{header}.{claims}.{signature}."),
        format!("{token}.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}. {signature}"),
        format!("{deep}.{claims}.{signature}"),
        format!("{header}.{deep}.{signature}"),
        format!("{header}.{}.{signature}", base64url("{\"sub\":\"a\",\"sub\":\"b\"}")),
        format!("{header}.{claims}.{}", "A".repeat(17_000)),
        format!("{}.{claims}.{signature}", base64url([0xff, 0xfe])),
    ] {
        let error = refusal(world.api.verify(&text).await);
        assert!(matches!(error, Malformed(_)), "{text:.80}: {error:?}");
        world.provider.assert_no_secret_in(&format!("{error} {error:?}"));
    }
}

#[tokio::test]
async fn deep_json_in_a_claim_of_no_interest_does_no_harm() {
    let world = World::start().await;
    let depth = 100;
    let deep: Value = serde_json::from_str(&format!("{}{}", "[".repeat(depth), "]".repeat(depth))).unwrap();
    let token = world.token(|token| token.claims["deep"] = deep);

    let verified = world.api.verify(&token).await.unwrap();

    assert!(verified.claims::<Value>().unwrap()["deep"].is_array());
}

#[tokio::test]
async fn a_token_that_was_changed_anywhere_is_refused() {
    let world = World::start().await;
    let token = world.token(|_| ());
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let mut other = Jwt::claims_of(&token).unwrap();
    other["scope"] = json!("read write");
    let swapped = format!("{header}.{}.{signature}", base64url(other.to_string()));
    assert_eq!(refusal(world.api.verify(&swapped).await), Refusal::Signature);

    let zeros = format!("{header}.{claims}.{}", base64url([0; 96]));
    assert_eq!(refusal(world.api.verify(&zeros).await), Refusal::Signature);
    assert!(world.api.verify(&token).await.is_ok());
}

#[tokio::test]
async fn tokens_within_an_organization_are_accepted_on_request() {
    let within: Change = |token| token.claims["organization_id"] = json!("acme");
    let strict = World::start().await;
    assert_eq!(strict.refusal(within).await, Refusal::Organization);

    let world = World::start_with(|builder| builder.audience(API).in_organizations()).await;
    let verified = world.api.verify(&world.token(within)).await.unwrap();
    assert_eq!(verified.organization_id(), Some("acme"));
    assert!(world.api.verify(&world.token(|_| ())).await.is_ok());
}

#[tokio::test]
async fn tokens_for_an_organization_are_accepted_on_request() {
    let organization: Change = |token| token.claims["aud"] = json!("urn:logto:organization:acme");
    let strict = World::start().await;
    assert_eq!(strict.refusal(organization).await, Refusal::Audience);

    let world = World::start_with(|builder| builder.audience(API).organization_tokens()).await;
    let verified = world.api.verify(&world.token(organization)).await.unwrap();
    assert_eq!(verified.organization_id(), Some("acme"));

    let unclear = Malformed("it names no organization, or several");
    let cases: [(&str, Change, Refusal); 5] = [
        ("no id", |token| token.claims["aud"] = json!("urn:logto:organization:"), unclear.clone()),
        ("an empty id", |token| token.claims["organization_id"] = json!(""), unclear.clone()),
        (
            "two",
            |token| token.claims["aud"] = json!(["urn:logto:organization:a", "urn:logto:organization:b"]),
            unclear.clone(),
        ),
        (
            "another in the claim",
            |token| {
                token.claims["aud"] = json!("urn:logto:organization:a");
                token.claims["organization_id"] = json!("b");
            },
            unclear.clone(),
        ),
        (
            "an API and an organization at once",
            |token| token.claims["aud"] = json!([API, "urn:logto:organization:a"]),
            Refusal::Organization,
        ),
    ];
    for (case, change, expected) in cases {
        assert_eq!(world.refusal(change).await, expected, "{case}");
    }
}

#[tokio::test]
async fn an_apps_own_token_is_told_from_a_users() {
    let world = World::start().await;
    let token = world.token(|token| {
        token.claims["sub"] = json!(APP_ID);
        remove(&mut token.claims, "scope");
    });

    let verified = world.api.verify(&token).await.unwrap();

    assert!(verified.is_machine());
    assert_eq!(verified.scopes().count(), 0);
}

#[tokio::test]
async fn claims_of_the_apps_own_are_deserialized() {
    #[derive(Deserialize)]
    struct Own {
        plan: String,
    }
    let world = World::start().await;
    let token = world.token(|token| token.claims["plan"] = json!("gold"));

    let verified = world.api.verify(&token).await.unwrap();

    assert_eq!(verified.claims::<Own>().unwrap().plan, "gold");
    assert!(verified.claims::<Vec<String>>().is_err());
}

#[tokio::test]
async fn the_leeway_is_configured() {
    let world = World::start_with(|builder| builder.audience(API).leeway(Duration::ZERO)).await;
    let now = now();
    let token = world.token(|token| token.claims["exp"] = json!(now + 100));
    assert!(world.api.verify_at(&token, now + 99).await.is_ok());
    assert_eq!(refusal(world.api.verify_at(&token, now + 100).await), Refusal::Expired);
}

#[tokio::test]
async fn a_clock_that_is_ahead_by_the_leeway_is_accepted() {
    let world = World::start_with(|builder| builder.audience(API).leeway(Duration::from_secs(5))).await;
    let now = now();
    for claim in ["iat", "nbf"] {
        let token = world.token(|token| token.claims[claim] = json!(now + 100));
        assert!(world.api.verify_at(&token, now + 95).await.is_ok(), "{claim}");

        let token = world.token(|token| token.claims[claim] = json!(now + 100));
        assert_eq!(refusal(world.api.verify_at(&token, now + 94).await), Refusal::NotYetValid, "{claim}");
    }
}
