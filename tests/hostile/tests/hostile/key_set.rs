//! Key sets that change, are broken, or are asked for all the time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use fake_provider::keys::Key;
use fake_provider::{Endpoint, FakeProvider, Reply, Sent};
use logto_client::{Endpoint as At, Error, IdTokenError, RequestErrorKind};
use serde_json::{Value, json};

use crate::site::Site;

/// The key set becomes what `change` makes of the key that signs.
fn bend_keys(provider: &FakeProvider, change: impl FnOnce(Value) -> Vec<Value>) {
    let keys = json!({"keys": change(provider.key().bound_jwk())});
    provider.answer(Endpoint::Jwks, move |_| Reply::json(200, &keys));
}

/// What a sign-in ends with whose key set is bent so.
async fn problem(change: impl FnOnce(Value) -> Vec<Value>) -> IdTokenError {
    let site = Site::start().await;
    bend_keys(&site.provider, change);
    match site.refused_sign_in().await {
        Error::InvalidIdToken(problem) => problem,
        error => panic!("{error:?}"),
    }
}

async fn accepted(change: impl FnOnce(Value) -> Vec<Value>) {
    let site = Site::start().await;
    bend_keys(&site.provider, change);
    site.signed_in().await;
}

fn with(jwk: &Value, field: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[field] = value;
    jwk
}

#[tokio::test]
async fn a_new_key_is_fetched_when_a_token_names_it() {
    let site = Site::start().await;
    site.signed_in().await;
    site.provider.set_keys(vec![Key::es384("key-2"), site.provider.key()]);

    site.signed_in().await;
    site.signed_in().await;

    assert_eq!(site.provider.count(Endpoint::Jwks), 2);
}

#[tokio::test]
async fn a_new_key_is_fetched_once_for_all_who_miss_it() {
    let site = Site::start().await;
    site.signed_in().await;
    site.provider.set_keys(vec![Key::es384("key-2")]);
    let gate = site.provider.hold(Endpoint::Jwks);
    let sign_ins = futures_util::future::join_all((0..20).map(|_| site.signed_in()));
    tokio::join!(sign_ins, async {
        gate.arrival().await;
        gate.open();
    });
    assert_eq!(site.provider.count(Endpoint::Jwks), 2);
}

#[tokio::test]
async fn a_thousand_tokens_of_unknown_keys_make_few_requests() {
    let site = Site::start().await;
    site.signed_in().await;
    let count = AtomicUsize::new(0);
    site.provider.change_id_tokens(move |token| {
        token.header["kid"] = json!(format!("unknown-{}", count.fetch_add(1, Ordering::SeqCst)));
    });
    let visitor = site.visitor();

    for _ in 0..1000 {
        let callback = site.authorized(&visitor).await;
        let error = site.callback(&visitor, callback.as_str()).await.expect_err("a callback that is refused");
        assert!(matches!(error, Error::InvalidIdToken(IdTokenError::UnknownKey)), "{error:?}");
    }

    let fetches = site.provider.count(Endpoint::Jwks);
    assert!((2..=6).contains(&fetches), "{fetches}");
    site.provider.answer_honestly();
    site.signed_in().await;
    assert_eq!(site.provider.count(Endpoint::Jwks), fetches);
}

#[tokio::test]
async fn the_last_good_key_set_stays_in_use_when_another_cannot_be_had() {
    let site = Site::start().await;
    site.signed_in().await;
    site.provider.answer(Endpoint::Jwks, |_| Reply::html(500));
    site.provider.change_id_tokens(|token| token.header["kid"] = json!("unknown"));
    let error = site.refused_sign_in().await;
    assert!(matches!(error, Error::InvalidIdToken(IdTokenError::UnknownKey)), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Jwks), 2, "nobody has tried to fetch another key set");

    site.provider.change_id_tokens(|_| {});

    site.signed_in().await;
}

#[tokio::test]
async fn a_key_set_that_cannot_be_had_refuses_the_sign_in() {
    let replies: [fn() -> Reply; 6] = [
        || Reply::html(500),
        || Reply::html(200),
        || Reply::redirect(302, "/elsewhere"),
        || Reply::text_json(200, ""),
        || Reply::json(200, &json!({"keys": {}})),
        || Reply::json(200, &json!([])),
    ];
    for reply in replies {
        let site = Site::start().await;
        site.provider.answer(Endpoint::Jwks, move |_| reply());
        let error = site.refused_sign_in().await;
        assert!(matches!(&error, Error::Request(error) if error.endpoint() == At::Jwks), "{error:?}");
        assert_eq!(site.provider.count(Endpoint::Elsewhere), 0);
        site.provider.answer_honestly();
        site.signed_in().await;
    }
}

#[tokio::test]
async fn a_key_set_that_never_comes_does_not_hold_the_sign_in_up() {
    for reply in [Reply::never, Reply::silent_body, Reply::dripping] {
        let site = Site::impatient().await;
        site.provider.answer(Endpoint::Jwks, move |_| reply());
        let begun = Instant::now();
        let error = site.refused_sign_in().await;
        assert!(matches!(&error, Error::Request(error) if error.endpoint() == At::Jwks), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_key_set_without_end_is_not_read_to_the_end() {
    let site = Site::start().await;
    let sent = Sent::default();
    let counted = sent.clone();
    site.provider.answer(Endpoint::Jwks, move |_| Reply::endless(&counted));

    let error = site.refused_sign_in().await;

    assert!(
        matches!(&error, Error::Request(error) if matches!(error.kind(), RequestErrorKind::TooLarge { .. })),
        "{error:?}"
    );
    let sent = sent.bytes_at_end().await;
    assert!(sent < 16 << 20, "{sent}");
}

#[tokio::test]
async fn an_empty_key_set_verifies_nothing() {
    assert_eq!(problem(|_| Vec::new()).await, IdTokenError::UnknownKey);
}

#[tokio::test]
async fn a_key_for_encryption_verifies_nothing() {
    assert_eq!(problem(|jwk| vec![with(&jwk, "use", json!("enc"))]).await, IdTokenError::UnknownKey);
}

#[tokio::test]
async fn a_key_that_is_bound_to_another_algorithm_verifies_nothing() {
    for algorithm in ["ES256", "ES512", "RS256", "HS256", "none", "RSA-OAEP"] {
        let problem = problem(|jwk| vec![with(&jwk, "alg", json!(algorithm))]).await;
        assert_eq!(problem, IdTokenError::UnknownKey, "{algorithm}");
    }
}

#[tokio::test]
async fn an_rsa_key_that_is_bound_to_ps256_does_not_verify_rs256() {
    let site = Site::start().await;
    site.provider.set_keys(vec![Key::rs256("key-1")]);
    bend_keys(&site.provider, |jwk| vec![with(&jwk, "alg", json!("PS256"))]);
    let error = site.refused_sign_in().await;
    assert!(matches!(error, Error::InvalidIdToken(IdTokenError::UnknownKey)), "{error:?}");
}

#[tokio::test]
async fn keys_of_another_kind_or_curve_verify_nothing() {
    for key in [Key::rs256("key-1"), Key::es256("key-1"), Key::es512("key-1"), Key::hs256("key-1", b"a")] {
        assert_eq!(problem(|_| vec![key.bound_jwk()]).await, IdTokenError::UnknownKey, "{}", key.algorithm);
    }
}

#[tokio::test]
async fn a_curve_that_does_not_fit_its_point_verifies_nothing() {
    for curve in ["P-256", "P-521", "secp256k1", "p-384", ""] {
        let problem = problem(|jwk| vec![with(&jwk, "crv", json!(curve))]).await;
        assert!(matches!(problem, IdTokenError::UnknownKey | IdTokenError::Signature), "{curve}: {problem:?}");
    }
}

#[tokio::test]
async fn keys_that_cannot_be_used_do_not_get_in_the_way_of_one_that_can() {
    accepted(|jwk| {
        vec![
            json!(null),
            json!(5),
            json!([]),
            json!({}),
            json!({"kty": "EC"}),
            json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "pub": "AAAA"}),
            json!({"kty": "EC", "crv": "P-384", "x": "!", "y": "?", "kid": "bad"}),
            json!({"kty": "EC", "crv": "P-384", "x": "AAAA", "y": "AAAA", "kid": "key-1"}),
            json!({"kty": "RSA", "n": "AA", "e": "AA", "kid": "key-1"}),
            json!({"kty": "RSA", "n": "A".repeat(100_000), "e": "AQAB", "kid": "key-1"}),
            Key::es512("p-521").bound_jwk(),
            Key::hs256("shared", b"a").bound_jwk(),
            jwk,
        ]
    })
    .await;
}

#[tokio::test]
async fn of_several_keys_of_one_name_the_right_one_is_found() {
    let others = [Key::es384("key-1"), Key::rs256("key-1")];
    accepted(|jwk| vec![others[0].bound_jwk(), others[1].bound_jwk(), jwk]).await;
}

#[tokio::test]
async fn a_token_without_a_key_id_is_verified_by_the_keys_of_its_algorithm() {
    let site = Site::start().await;
    site.provider.change_id_tokens(|token| {
        token.header.as_object_mut().expect("an object").remove("kid").expect("a key id");
    });
    site.signed_in().await;

    let site = Site::start().await;
    site.provider.set_keys(vec![site.provider.key(), Key::es384("key-2")]);
    site.provider.change_id_tokens(|token| {
        token.header.as_object_mut().expect("an object").remove("kid").expect("a key id");
    });
    site.signed_in().await;
}

#[tokio::test]
async fn a_key_without_an_id_does_not_verify_a_token_that_names_one() {
    let problem = problem(|mut jwk| {
        jwk.as_object_mut().expect("an object").remove("kid").expect("a key id");
        vec![jwk]
    })
    .await;
    assert_eq!(problem, IdTokenError::UnknownKey);
}

#[tokio::test]
async fn a_key_id_of_any_kind_is_just_a_name() {
    for kid in ["../../etc/passwd", "' OR 1=1", "\u{0}", &"k".repeat(100_000)] {
        let site = Site::start().await;
        let kid = kid.to_owned();
        site.provider.change_id_tokens(move |token| token.header["kid"] = json!(kid));
        let error = site.refused_sign_in().await;
        assert!(matches!(error, Error::InvalidIdToken(IdTokenError::UnknownKey)), "{error:?}");
    }
}

#[tokio::test]
async fn other_algorithms_of_the_list_are_accepted() {
    for key in [Key::rs256("key-1"), Key::es256("key-1"), Key::es384("key-1")] {
        let site = Site::start().await;
        site.provider.set_keys(vec![key]);
        site.signed_in().await;
    }
}

#[tokio::test]
async fn of_some_thousand_keys_of_one_name_the_right_one_is_found_in_time() {
    let site = Site::start().await;
    // Just below 1 MiB, and all of them may have signed the token.
    let other = Key::es384("key-1").bound_jwk();
    bend_keys(&site.provider, |jwk| {
        let mut keys = vec![other; 1_000_000 / jwk.to_string().len()];
        keys.push(jwk);
        keys
    });
    // The right one is the last.
    site.signed_in().await;
}
