//! ID tokens that must not sign anybody in.

use fake_provider::keys::{Jwt, Key, at_hash, base64url};
use fake_provider::{APP_ID, Endpoint, Reply, SUBJECT, now};
use logto_client::{Error, IdTokenError};
use serde_json::{Value, json};

use crate::site::Site;

/// What a sign-in ends with whose ID token is bent.
async fn refused(bend: impl Fn(&mut Jwt) + Send + Sync + 'static) -> Error {
    let site = Site::start().await;
    site.provider.change_id_tokens(bend);
    site.refused_sign_in().await
}

async fn problem(bend: impl Fn(&mut Jwt) + Send + Sync + 'static) -> IdTokenError {
    match refused(bend).await {
        Error::InvalidIdToken(problem) => problem,
        error => panic!("{error:?}"),
    }
}

async fn accepted(bend: impl Fn(&mut Jwt) + Send + Sync + 'static) {
    let site = Site::start().await;
    site.provider.change_id_tokens(bend);
    let visitor = site.signed_in().await;
    assert!(site.is_authenticated(&visitor).await);
}

fn set(claim: &'static str, value: Value) -> impl Fn(&mut Jwt) + Send + Sync + 'static {
    move |token| token.claims[claim] = value.clone()
}

fn remove(claim: &'static str) -> impl Fn(&mut Jwt) + Send + Sync + 'static {
    move |token| {
        token.claims.as_object_mut().expect("an object").remove(claim).expect("a claim");
    }
}

#[tokio::test]
async fn another_nonce_is_refused() {
    assert_eq!(problem(set("nonce", json!("of another sign-in"))).await, IdTokenError::Nonce);
}

#[tokio::test]
async fn a_missing_nonce_is_refused() {
    assert_eq!(problem(remove("nonce")).await, IdTokenError::Nonce);
}

#[tokio::test]
async fn another_issuer_is_refused() {
    assert_eq!(problem(set("iss", json!("https://evil.example/oidc"))).await, IdTokenError::Issuer);
}

#[tokio::test]
async fn the_issuer_with_a_slash_is_refused() {
    let bend = |token: &mut Jwt| token.claims["iss"] = json!(format!("{}/", token.claims["iss"].as_str().unwrap()));
    assert_eq!(problem(bend).await, IdTokenError::Issuer);
}

#[tokio::test]
async fn another_audience_is_refused() {
    assert_eq!(problem(set("aud", json!("app-2"))).await, IdTokenError::Audience);
}

#[tokio::test]
async fn no_audience_at_all_is_refused() {
    assert_eq!(problem(set("aud", json!([]))).await, IdTokenError::Audience);
}

#[tokio::test]
async fn a_list_of_this_one_audience_is_accepted() {
    accepted(set("aud", json!([APP_ID]))).await;
}

#[tokio::test]
async fn several_audiences_without_an_authorized_party_are_refused() {
    assert_eq!(problem(set("aud", json!([APP_ID, "app-2"]))).await, IdTokenError::AuthorizedParty);
}

#[tokio::test]
async fn another_authorized_party_is_refused() {
    assert_eq!(problem(set("azp", json!("app-2"))).await, IdTokenError::AuthorizedParty);
}

#[tokio::test]
async fn a_missing_or_empty_subject_is_refused() {
    assert!(matches!(problem(remove("sub")).await, IdTokenError::Malformed(_)));
    assert!(matches!(problem(set("sub", json!(""))).await, IdTokenError::Malformed(_)));
}

#[tokio::test]
async fn claims_of_the_wrong_type_are_refused() {
    for (claim, value) in [
        ("sub", json!(1)),
        ("iss", json!([])),
        ("aud", json!({"app-1": true})),
        ("exp", json!("tomorrow")),
        ("iat", json!(null)),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("nonce", json!(["a"])),
    ] {
        let problem = problem(set(claim, value.clone())).await;
        assert!(matches!(problem, IdTokenError::Malformed(_)), "{claim} {value}: {problem:?}");
    }
}

#[tokio::test]
async fn claims_deeper_than_a_stack_are_refused() {
    let problem = problem(|token| {
        let mut deep = json!([]);
        for _ in 0..1000 {
            deep = json!([deep]);
        }
        token.claims["deep"] = deep;
    })
    .await;
    assert!(matches!(problem, IdTokenError::Malformed(_)), "{problem:?}");
}

#[tokio::test]
async fn an_expired_token_is_told_as_clocks_that_differ() {
    let error = refused(|token| token.claims["exp"] = json!(now() - 400)).await;
    assert!(matches!(error, Error::ClockSkew { claim: "exp", seconds: 399..=430, .. }), "{error:?}");
    assert!(error.is_clock_skew());
}

#[tokio::test]
async fn a_token_that_was_made_long_ago_or_in_the_future_is_told_as_clocks_that_differ() {
    for time in [now() - 400, now() + 430, 0, u64::MAX] {
        let error = refused(move |token| token.claims["iat"] = json!(time)).await;
        assert!(matches!(error, Error::ClockSkew { claim: "iat", .. }), "{time}: {error:?}");
    }
}

#[tokio::test]
async fn clocks_that_differ_by_four_minutes_are_accepted() {
    accepted(|token| {
        token.claims["iat"] = json!(now() - 240);
        token.claims["exp"] = json!(now() - 240);
    })
    .await;
    accepted(|token| token.claims["iat"] = json!(now() + 240)).await;
}

#[tokio::test]
async fn the_hash_of_another_access_token_is_refused() {
    assert_eq!(problem(set("at_hash", json!(at_hash("another", "ES384")))).await, IdTokenError::AccessTokenHash);
    assert_eq!(problem(set("at_hash", json!(""))).await, IdTokenError::AccessTokenHash);
}

#[tokio::test]
async fn a_missing_hash_of_the_access_token_is_accepted() {
    accepted(remove("at_hash")).await;
}

#[tokio::test]
async fn no_algorithm_is_refused_however_it_is_spelled() {
    for none in ["none", "None", "NONE", "nOnE", "none ", ""] {
        let problem = problem(move |token| {
            token.sign_with(&Key::none("key-1", "none"));
            token.header["alg"] = json!(none);
        })
        .await;
        assert_eq!(problem, IdTokenError::Algorithm, "{none:?}");
    }
}

#[tokio::test]
async fn an_algorithm_that_is_missing_or_no_string_is_refused() {
    for algorithm in [json!(null), json!(["ES384"]), json!(384)] {
        let problem = problem(move |token| token.header["alg"] = algorithm.clone()).await;
        assert!(matches!(problem, IdTokenError::Malformed(_)), "{problem:?}");
    }
}

#[tokio::test]
async fn an_empty_signature_is_refused() {
    assert_eq!(problem(|token| token.sign_with(&Key::none("key-1", "ES384"))).await, IdTokenError::Signature);
}

#[tokio::test]
async fn the_signature_of_another_key_is_refused() {
    assert_eq!(problem(|token| token.sign_with(&Key::es384("key-1"))).await, IdTokenError::Signature);
}

#[tokio::test]
async fn claims_that_were_changed_after_signing_are_refused() {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Token, |call| {
        call.changed(|body| {
            let token = body["id_token"].as_str().unwrap();
            let mut parts: Vec<_> = token.split('.').collect();
            let claims = base64url(json!({"iss": "x", "sub": "admin"}).to_string());
            parts[1] = &claims;
            body["id_token"] = json!(parts.join("."));
        })
    });
    let error = site.refused_sign_in().await;
    assert!(matches!(error, Error::InvalidIdToken(IdTokenError::Signature)), "{error:?}");
}

#[tokio::test]
async fn a_signature_by_the_public_key_as_a_shared_secret_is_refused() {
    let site = Site::start().await;
    let key = site.provider.key();
    let public = key.public_bytes();
    for secret in [public.to_vec(), site.provider.key().bound_jwk().to_string().into_bytes(), b"app:s3cr3t/%".to_vec()]
    {
        site.provider.change_id_tokens(move |token| token.sign_with(&Key::hs256("key-1", &secret)));
        let error = site.refused_sign_in().await;
        assert!(matches!(error, Error::InvalidIdToken(IdTokenError::Algorithm)), "{error:?}");
    }
}

#[tokio::test]
async fn a_shared_secret_in_the_key_set_is_no_key() {
    let site = Site::start().await;
    let shared = Key::hs256("shared", b"known to all");
    site.provider.set_keys(vec![shared, site.provider.key()]);
    let error = site.refused_sign_in().await;
    assert!(matches!(error, Error::InvalidIdToken(IdTokenError::Algorithm)), "{error:?}");
}

#[tokio::test]
async fn a_provider_may_sign_with_es512() {
    let site = Site::start().await;
    site.provider.set_keys(vec![Key::es512("key-1")]);
    let visitor = site.signed_in().await;
    assert!(site.is_authenticated(&visitor).await);
}

#[tokio::test]
async fn a_header_that_has_to_be_understood_is_refused() {
    let problem = problem(|token| {
        token.header["crit"] = json!(["exp"]);
        token.header["exp"] = json!(0);
    })
    .await;
    assert!(matches!(problem, IdTokenError::Malformed(_)), "{problem:?}");
}

#[tokio::test]
async fn keys_that_the_token_brings_along_are_not_used_nor_fetched() {
    let site = Site::start().await;
    let evil = Key::es384("key-1");
    let jwk = evil.bound_jwk();
    let place = format!("{}/evil", site.provider.origin());
    site.provider.answer(Endpoint::Elsewhere, {
        let keys = json!({"keys": [jwk]});
        move |_| Reply::json(200, &keys)
    });
    site.provider.change_id_tokens(move |token| {
        token.sign_with(&evil);
        token.header["jwk"] = jwk.clone();
        token.header["jku"] = json!(place);
        token.header["x5u"] = json!(place);
        token.header["x5c"] = json!(["MIIB"]);
    });

    let error = site.refused_sign_in().await;

    assert!(matches!(error, Error::InvalidIdToken(IdTokenError::Signature)), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Elsewhere), 0);
}

#[tokio::test]
async fn what_is_no_signed_jwt_is_refused() {
    let header = base64url(r#"{"alg":"ES384","kid":"key-1"}"#);
    let deep = base64url("[".repeat(100_000));
    let tokens = [
        ".".into(),
        "..".into(),
        "....".into(),
        "a.b.c".into(),
        format!("{header}.e30"),
        // The five parts of an encrypted one.
        format!("{header}.a.b.c.d"),
        format!("{}.a.b.c.d", base64url(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)),
        format!("{header}=.e30.AAAA"),
        format!("{header}.e30.+/+/"),
        format!("{deep}.e30.AAAA"),
        format!("{header}.{deep}.AAAA"),
        format!("{}.e30.AAAA", base64url("\u{feff}{}")),
        "é.é.é".into(),
        ".".repeat(100_000),
    ];
    let site = Site::start().await;
    for token in tokens {
        let told: String = token.chars().take(50).collect();
        site.provider.answer(Endpoint::Token, move |call| call.changed(|body| body["id_token"] = json!(token)));
        let error = site.refused_sign_in().await;
        assert!(matches!(error, Error::InvalidIdToken(_)), "{told}: {error:?}");
    }
}

#[tokio::test]
async fn the_claims_of_an_accepted_token_are_the_users() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let claims = site.request(&visitor).id_token_claims().await.expect("claims");
    assert_eq!(claims.sub, SUBJECT);
}
