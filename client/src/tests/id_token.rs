use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE};
use fake_provider::keys::{EDDSA, ES256, ES384, ES512, Key, PS256, RS256, base64url as encode, one_per_algorithm};
use serde_json::{Value, json};

use crate::IdTokenClaims;
use crate::error::{Error, IdTokenError, Result};
use crate::oidc::id_token::{IdTokenVerifier, IssuedFor, UnverifiedIdToken};
use crate::oidc::jwks::JwkSet;

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://tenant.logto.app/oidc";
const ACCESS_TOKEN: &str = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";

fn claims() -> Value {
    json!({ "iss": ISSUER, "sub": "user-1", "aud": "app", "exp": NOW + 3600, "iat": NOW, "nonce": "n" })
}

/// The claims, one of them another. `null` takes it away.
fn claims_with(claim: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(claim);
    } else {
        claims[claim] = value;
    }
    claims
}

fn keys() -> JwkSet {
    JwkSet::new(one_per_algorithm().map(Key::jwk).into())
}

fn verify_by(keys: &JwkSet, token: &str, issued_for: IssuedFor<'_>) -> Result<IdTokenClaims> {
    let unverified = UnverifiedIdToken::parse(token)?;
    let verifier = IdTokenVerifier { issuer: ISSUER, app_id: "app", access_token: ACCESS_TOKEN, now: NOW, issued_for };
    verifier.verify(&unverified, keys)
}

fn verify(token: &str) -> Result<IdTokenClaims> {
    verify_by(&keys(), token, IssuedFor::SignIn { nonce: "n" })
}

fn verify_claims(claims: &Value) -> Result<IdTokenClaims> {
    verify(&ES384.token(claims))
}

#[track_caller]
fn problem(result: Result<IdTokenClaims>) -> IdTokenError {
    match result {
        Err(Error::InvalidIdToken(problem)) => problem,
        other => panic!("{other:?}"),
    }
}

/// What of the problem an app sees as a variant: the words of `Malformed` may change.
#[track_caller]
fn assert_malformed(token: &str) {
    assert!(matches!(problem(verify(token)), IdTokenError::Malformed(_)), "{token}");
}

#[test]
fn each_algorithm_of_the_provider_is_accepted() {
    for signer in one_per_algorithm() {
        let claims = verify(&signer.token(&claims())).unwrap_or_else(|error| panic!("{}: {error}", signer.algorithm));
        assert_eq!(claims.sub, "user-1");
    }
}

#[test]
fn a_token_that_was_changed_anywhere_is_refused() {
    for signer in one_per_algorithm() {
        let token = signer.token(&claims());
        let parts: Vec<_> = token.split('.').collect();

        let mut other = claims();
        other["sub"] = json!("user-2");
        let swapped = format!("{}.{}.{}", parts[0], encode(other.to_string()), parts[2]);
        assert_eq!(problem(verify(&swapped)), IdTokenError::Signature, "{}: the claims", signer.algorithm);

        let header = json!({ "alg": signer.algorithm, "kid": signer.algorithm, "typ": "JWT" });
        let swapped = format!("{}.{}.{}", encode(header.to_string()), parts[1], parts[2]);
        assert_eq!(problem(verify(&swapped)), IdTokenError::Signature, "{}: the header", signer.algorithm);

        let signature = signer.sign(format!("{}.{}", parts[0], parts[1]).as_bytes());
        for at in [0, signature.len() / 2, signature.len() - 1] {
            let mut changed = signature.clone();
            changed[at] ^= 1;
            let swapped = format!("{}.{}.{}", parts[0], parts[1], encode(changed));
            assert_eq!(problem(verify(&swapped)), IdTokenError::Signature, "{}: byte {at}", signer.algorithm);
        }
        for signature in [&[][..], &signature[..1], &signature[..signature.len() - 1], &[&signature[..], &[0]].concat()]
        {
            let swapped = format!("{}.{}.{}", parts[0], parts[1], encode(signature));
            let length = signature.len();
            assert_eq!(problem(verify(&swapped)), IdTokenError::Signature, "{}: {length}", signer.algorithm);
        }
        let zeros = vec![0; signature.len()];
        let swapped = format!("{}.{}.{}", parts[0], parts[1], encode(zeros));
        assert_eq!(problem(verify(&swapped)), IdTokenError::Signature, "{}: zeros", signer.algorithm);
    }
}

#[test]
fn a_signature_by_another_key_of_the_same_kind_is_refused() {
    let others = Key::es384("ES384");
    assert_eq!(problem(verify(&others.token(&claims()))), IdTokenError::Signature);
}

#[test]
fn an_ecdsa_signature_is_the_two_numbers_and_not_their_der() {
    let pair =
        aws_lc_rs::signature::EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let point = aws_lc_rs::signature::KeyPair::public_key(&pair).as_ref()[1..].to_vec();
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(&point[..32]), "y": encode(&point[32..]) });
    let message = format!("{}.{}", encode(r#"{"alg":"ES256"}"#), encode(claims().to_string()));
    let der = pair.sign(&aws_lc_rs::rand::SystemRandom::new(), message.as_bytes()).unwrap();
    let token = format!("{message}.{}", encode(der));
    let found = verify_by(&JwkSet::new(vec![jwk]), &token, IssuedFor::SignIn { nonce: "n" });
    assert_eq!(problem(found), IdTokenError::Signature);
}

#[test]
fn the_header_cannot_choose_another_algorithm_than_the_keys() {
    // Signed as one thing by the key of another, and named after either.
    for (alg, kid) in
        [("RS256", "ES256"), ("PS256", "ES384"), ("ES256", "ES384"), ("ES384", "ES256"), ("EdDSA", "RS256")]
    {
        for signer in one_per_algorithm() {
            let token = signer.token_with(&json!({ "alg": alg, "kid": kid }), &claims());
            assert_eq!(problem(verify(&token)), IdTokenError::UnknownKey, "{alg} {kid}");
        }
    }
    // A key of RSA serves both of its algorithms, unless it is bound to one.
    let token = RS256.token_with(&json!({ "alg": "PS256", "kid": "RS256" }), &claims());
    assert_eq!(problem(verify(&token)), IdTokenError::Signature);
}

#[test]
fn no_other_algorithm_is_accepted() {
    let names = [
        "none", "None", "NONE", "nOnE", "", " ", "HS256", "HS384", "HS512", "RS384", "RS512", "PS384", "PS512",
        "rs256", "RS256 ", "ES256K", "Ed25519", "eddsa", "RSA-OAEP", "dir",
    ];
    for name in names {
        let header = encode(json!({ "alg": name, "kid": "RS256" }).to_string());
        for signature in ["", "AAAA"] {
            let token = format!("{header}.{}.{signature}", encode(claims().to_string()));
            assert_eq!(problem(verify(&token)), IdTokenError::Algorithm, "{name:?}");
        }
    }
}

#[test]
fn a_public_key_is_no_secret_of_hs256() {
    for signer in one_per_algorithm() {
        let message = format!(
            "{}.{}",
            encode(json!({ "alg": "HS256", "kid": signer.algorithm }).to_string()),
            encode(claims().to_string())
        );
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, signer.public_bytes()), message.as_bytes());
        let token = format!("{message}.{}", encode(tag));
        assert_eq!(problem(verify(&token)), IdTokenError::Algorithm);
    }
}

#[test]
fn a_header_with_crit_is_refused_whatever_it_names() {
    for crit in [json!(["exp"]), json!([]), json!("b64"), json!(["b64"])] {
        let header = json!({ "alg": "ES384", "kid": "ES384", "crit": crit, "b64": false });
        assert_malformed(&ES384.token_with(&header, &claims()));
    }
}

#[test]
fn a_header_that_brings_its_own_key_changes_nothing() {
    let evil = Key::es384("ES384");
    let header = json!({ "alg": "ES384", "kid": "ES384", "jwk": evil.jwk(), "jku": "https://evil.example/keys" });
    assert_eq!(problem(verify(&evil.token_with(&header, &claims()))), IdTokenError::Signature);
    assert!(verify(&ES384.token_with(&header, &claims())).is_ok());
}

#[test]
fn what_is_no_signed_jwt_is_refused() {
    let good = ES384.token(&claims());
    let parts: Vec<_> = good.split('.').collect();
    let (header, body, signature) = (parts[0], parts[1], parts[2]);
    let padded = |part: &str| URL_SAFE.encode(part);
    for token in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "....".to_owned(),
        "opaque".to_owned(),
        format!("{header}.{body}"),
        format!("{header}.{body}.{signature}."),
        format!(".{header}.{body}.{signature}"),
        format!("{header}.{body}.{signature}.{signature}.{signature}"),
        format!("{header}.{body}.{signature} "),
        format!(" {header}.{body}.{signature}"),
        format!("{header}.{body}.{signature}="),
        format!("{header}=.{body}.{signature}"),
        format!("{header}.{body}.!"),
        format!("{header}.{body}.\u{e9}"),
        format!("!.{body}.{signature}"),
        format!("{}.{body}.{signature}", encode("no JSON")),
        format!("{}.{body}.{signature}", encode(r#""ES384""#)),
        format!("{}.{body}.{signature}", encode(r#"{"kid":"ES384"}"#)),
        format!("{}.{body}.{signature}", encode(r#"{"alg":null}"#)),
        format!("{}.{body}.{signature}", encode(r#"{"alg":["ES384"]}"#)),
        format!("{}.{body}.{signature}", encode(r#"{"alg":"ES384","kid":7}"#)),
        format!("{}.{body}.{signature}", encode(r#"{"alg":"ES384","alg":"none"}"#)),
        format!("{}.{body}.{signature}", encode([0xff, 0xfe])),
        format!("{}.{body}.{signature}", padded(r#"{"alg":"ES384"} "#)),
    ] {
        assert_malformed(&token);
    }
    assert!(verify(&good).is_ok());
}

#[test]
fn claims_that_are_signed_and_yet_no_claims_are_refused() {
    let sign = |body: &str| {
        let message = format!("{}.{body}", encode(r#"{"alg":"ES384","kid":"ES384"}"#));
        format!("{message}.{}", encode(ES384.sign(message.as_bytes())))
    };
    assert!(verify(&sign(&encode(claims().to_string()))).is_ok());
    let padded = URL_SAFE.encode(format!("{:<301}", claims().to_string()));
    let other_alphabet = STANDARD_NO_PAD.encode(claims_with("name", json!("\u{fb}\u{ff}???>>>")).to_string());
    assert!(padded.ends_with('=') && other_alphabet.contains(['+', '/']));
    for body in ["", "!", &encode("no JSON"), &encode("[]"), &encode([0xff]), &padded, &other_alphabet] {
        assert_malformed(&sign(body));
    }
}

#[test]
fn each_claim_that_has_to_be_there_is_asked_for() {
    for claim in ["iss", "sub", "aud", "exp", "iat"] {
        assert_malformed(&ES384.token(&claims_with(claim, Value::Null)));
    }
    for (claim, value) in [
        ("exp", json!("1700003600")),
        ("exp", json!(-1)),
        ("iat", json!(true)),
        ("sub", json!(7)),
        ("sub", json!("")),
        ("iss", json!([ISSUER])),
        ("nonce", json!(7)),
    ] {
        assert_malformed(&ES384.token(&claims_with(claim, value)));
    }
}

#[test]
fn times_may_have_a_fraction() {
    // RFC 7519, section 2.
    let mut fractional = claims_with("exp", json!(1_700_003_600.75));
    fractional["iat"] = json!(1_700_000_000.25);
    let claims = verify_claims(&fractional).unwrap();
    assert_eq!((claims.exp, claims.iat), (NOW + 3600, NOW));
    for time in [json!(-0.5), json!(1e300), json!("1700000000.5")] {
        assert_malformed(&ES384.token(&claims_with("iat", time)));
    }
}

#[test]
fn unset_claims_may_be_null() {
    let mut claims = claims();
    for unset in [
        "azp",
        "at_hash",
        "name",
        "username",
        "picture",
        "email",
        "email_verified",
        "roles",
        "organizations",
        "organization_roles",
        "organization_data",
        "custom_data",
        "identities",
    ] {
        claims[unset] = Value::Null;
    }
    assert!(verify_claims(&claims).is_ok());
}

#[test]
fn an_audience_that_is_null_is_another_app() {
    let mut claims = claims();
    claims["aud"] = Value::Null;
    assert_eq!(problem(verify_claims(&claims)), IdTokenError::Audience);
}

#[test]
fn the_issuer_has_to_be_the_provider_to_the_last_byte() {
    for issuer in [
        "",
        "https://evil.example/oidc",
        "https://tenant.logto.app/oidc/",
        "https://tenant.logto.app",
        "HTTPS://tenant.logto.app/oidc",
    ] {
        assert_eq!(problem(verify_claims(&claims_with("iss", json!(issuer)))), IdTokenError::Issuer, "{issuer}");
    }
}

#[test]
fn the_audience_has_to_be_this_app_and_of_several_azp_says_which() {
    use IdTokenError::{Audience, AuthorizedParty};
    for (aud, azp, refused) in [
        (json!("app"), None, None),
        (json!(["app"]), None, None),
        (json!("app"), Some("app"), None),
        (json!(["app", "other"]), Some("app"), None),
        (json!(["other", "app"]), Some("app"), None),
        (json!("other"), None, Some(Audience)),
        (json!("App"), None, Some(Audience)),
        (json!("app "), None, Some(Audience)),
        (json!(""), None, Some(Audience)),
        (json!([]), None, Some(Audience)),
        (json!(["other"]), Some("app"), Some(Audience)),
        (json!("app"), Some("other"), Some(AuthorizedParty)),
        (json!("app"), Some(""), Some(AuthorizedParty)),
        (json!(["app", "other"]), None, Some(AuthorizedParty)),
        (json!(["app", "app"]), None, Some(AuthorizedParty)),
        (json!(["app", "other"]), Some("other"), Some(AuthorizedParty)),
    ] {
        let mut claims = claims_with("aud", aud.clone());
        if let Some(azp) = azp {
            claims["azp"] = json!(azp);
        }
        let found = match verify_claims(&claims) {
            Ok(_) => None,
            Err(Error::InvalidIdToken(problem)) => Some(problem),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, refused, "{aud} {azp:?}");
    }
}

#[test]
fn the_clocks_may_differ_by_five_minutes_and_no_more() {
    for (claim, at, off) in [
        ("iat", NOW - 300, None),
        ("iat", NOW + 300, None),
        ("iat", NOW - 301, Some(301)),
        ("iat", NOW + 301, Some(301)),
        ("iat", 0, Some(NOW)),
        ("iat", u64::MAX, Some(u64::MAX - NOW)),
        ("exp", u64::MAX, None),
        ("exp", NOW, None),
        ("exp", NOW - 300, None),
        ("exp", NOW - 301, Some(301)),
        ("exp", 0, Some(NOW)),
    ] {
        let found = match verify_claims(&claims_with(claim, json!(at))) {
            Ok(_) => None,
            Err(Error::ClockSkew { claim: found, seconds }) => {
                assert_eq!(found, claim);
                Some(seconds)
            }
            Err(other) => panic!("{other}"),
        };
        assert_eq!(found, off, "{claim} {at}");
    }
}

#[test]
fn the_nonce_has_to_be_that_of_the_sign_in() {
    for nonce in [Value::Null, json!(""), json!("N"), json!("n "), json!("other")] {
        assert_eq!(problem(verify_claims(&claims_with("nonce", nonce.clone()))), IdTokenError::Nonce, "{nonce}");
    }
}

/// The left half of the access token's digest.
fn at_hash(algorithm: &'static digest::Algorithm, access_token: &str) -> String {
    let digest = digest::digest(algorithm, access_token.as_bytes());
    encode(&digest.as_ref()[..digest.as_ref().len() / 2])
}

#[test]
fn at_hash_is_that_of_the_access_token_by_the_digest_of_the_algorithm() {
    let signers: [(&Key, _); 6] = [
        (&RS256, &SHA256),
        (&PS256, &SHA256),
        (&ES256, &SHA256),
        (&ES384, &SHA384),
        (&ES512, &SHA512),
        (&EDDSA, &SHA512),
    ];
    for (signer, right) in signers {
        let name = signer.algorithm;
        for digest in [&SHA256, &SHA384, &SHA512] {
            let hash = at_hash(digest, ACCESS_TOKEN);
            let found = verify(&signer.token(&claims_with("at_hash", json!(hash))));
            assert_eq!(found.is_ok(), digest == right, "{name} {digest:?}");
        }
        let right = at_hash(right, ACCESS_TOKEN);
        for wrong in ["", &right[1..], &format!("{right}="), &at_hash(&SHA256, "another")] {
            let found = verify(&signer.token(&claims_with("at_hash", json!(wrong))));
            assert_eq!(problem(found), IdTokenError::AccessTokenHash, "{name} {wrong:?}");
        }
        assert!(verify(&signer.token(&claims())).is_ok(), "{name}: it need not be there");
    }
}

#[test]
fn at_hash_of_a_known_access_token() {
    // That of OpenID Connect Core 1.0, appendix A.3.
    assert_eq!(at_hash(&SHA256, ACCESS_TOKEN), "77QmUPtjPfzWtF2AnpK9RQ");
    assert!(verify(&RS256.token(&claims_with("at_hash", json!("77QmUPtjPfzWtF2AnpK9RQ")))).is_ok());
}

#[test]
fn a_refreshed_token_has_to_be_of_the_same_user_and_sign_in() {
    let before: IdTokenClaims = serde_json::from_value(claims()).unwrap();
    let without_nonce: IdTokenClaims = serde_json::from_value(claims_with("nonce", Value::Null)).unwrap();
    let refreshed =
        |before, claims: &Value| verify_by(&keys(), &ES384.token(claims), IssuedFor::Refresh { previous: before });

    assert!(refreshed(&before, &claims()).is_ok());
    assert!(refreshed(&before, &claims_with("nonce", Value::Null)).is_ok(), "a nonce need not be there");
    assert!(refreshed(&without_nonce, &claims_with("nonce", Value::Null)).is_ok());
    assert!(refreshed(&without_nonce, &claims()).is_ok(), "the one before may be a refreshed one, too");
    for (before, claims, expected) in [
        (&before, claims_with("sub", json!("user-2")), IdTokenError::Subject),
        (&before, claims_with("nonce", json!("other")), IdTokenError::Nonce),
        (&before, claims_with("iss", json!("https://evil.example/oidc")), IdTokenError::Issuer),
        (&before, claims_with("aud", json!("other")), IdTokenError::Audience),
        (&before, claims_with("at_hash", json!("wrong")), IdTokenError::AccessTokenHash),
    ] {
        assert_eq!(problem(refreshed(before, &claims)), expected, "{claims}");
    }
    assert!(matches!(refreshed(&before, &claims_with("sub", json!(""))), Err(Error::InvalidIdToken(_))));
}

#[test]
fn a_token_is_not_checked_before_its_signature() {
    // Otherwise what the error says would be a forger's to choose.
    let mut token = ES384.token(&claims_with("iss", json!("https://evil.example/oidc")));
    token.truncate(token.len() - 8);
    assert_eq!(problem(verify(&token)), IdTokenError::Signature);
}

#[test]
fn an_rsa_key_of_1024_bits_is_refused() {
    // Both were made by openssl, and differ in nothing but their length.
    const MESSAGE: &str = concat!(
        "eyJhbGciOiJSUzI1NiJ9.",
        "eyJpc3MiOiJodHRwczovL3RlbmFudC5sb2d0by5hcHAvb2lkYyIsInN1YiI6InVzZXItMSIsImF1ZCI6ImFwcCIsImV4cCI6MTcwMDAwMzYwMC",
        "wiaWF0IjoxNzAwMDAwMDAwLCJub25jZSI6Im4ifQ",
    );
    let verify = |modulus: &str, signature: &str| {
        let keys = JwkSet::new(vec![json!({ "kty": "RSA", "n": modulus, "e": "AQAB" })]);
        verify_by(&keys, &format!("{MESSAGE}.{signature}"), IssuedFor::SignIn { nonce: "n" })
    };
    assert_eq!(
        problem(verify(
            concat!(
                "321_S-0f5DZdzpJV_AbDTb376BRPRw65f8fFXJb_86tjKVgOXBzh8y88mKmIGzGI0fcxBQlpFncZkMz2Qe1NW45yiaxhSwNoyHoH",
                "Dtvc0KmSZRipu8iAKd1iGbYGRkAz3UFQQfZu68n_eSQoTBY85cYkX1E3B6G-zPZ9URjzfaU"
            ),
            concat!(
                "eSx68NPHxQL2XUtZfQWI8RoLI3PqRRaqcFpHFlIZ01tMNJbCDeOQ6dJJwDEh4Rcx-WW7WAHyfvFan3OGQGFJMDWAdnHIIXkscSYH",
                "eOYABgmpCeLw4CS7s5NyDZTNjjH5EKCMh4__NregQ7rDBW2MT1mXjZ4qpeW4GaCAs5-zfTQ"
            )
        )),
        IdTokenError::Signature
    );
    assert!(
        verify(
            concat!(
                "p9bePqFwmgLqZTj8ndx2abNuwpna9ZGvfgPNH0YYg5ZGoSISL6AigY4HRTyXozeoI1saSF6wAzsO4bjCPsyTRg2XKVMWzBEK3kfM",
                "TABx76y2QHBS194kBlUlwSaRFtYc704jhZPYKtMeM4PonackypgGS9CJrNkjDnr9tNEQiB7dOYqJCoM-IQaHKUPfuydFOmMnl0Zk",
                "ywTcgz8eUeKasdxPguE02oG7kHAgJ-MRz-Q3BYAP4AGGJQry5YDxeBw4KazLhM_9Q1rD8cr_Nm0RXJjFkZsjUfvQO9EvsfAWT4RQ",
                "HdpI4ezta94TLe4l6KPWi-xx3OpiyFutL8t0J-IlEQ"
            ),
            concat!(
                "K-L4ZyVNHeIoL7JpeWiAk5m3WkPRch0e1Yoko9W7Bifbx1PjvvmoUmd1r1aiCSYW43ne4oTUNb1c10_zHrGJ9lCpEFEUUIx4FZx1",
                "vFVNZB9lbjfYkQlNKlELbezXyEZasvf4yniEU5PQ6jixdvtMsZIWfQ2EFkgS-CcbEx51Xthdgn_ACkeCDFrC4nl4eB4MXxxZ0Hdh",
                "KOyDlTwL7bQlud1fjBwJ0gZtiF-2ZmRcYPYMUC-NzUFcQWsAXTwV2U66rGZT6WJZWTufHURStZqfO65Wg3BAnN18vBkvWFFHPe4m",
                "-yHlyRceRLjmMgbuZd8FTvmVa6H6KgCwAk3UULpKbg"
            )
        )
        .is_ok()
    );
}

#[test]
fn no_error_quotes_the_token() {
    for (claim, value) in [("iss", json!("https://evil.example")), ("nonce", json!("n-secret")), ("sub", json!(""))] {
        let token = ES384.token(&claims_with(claim, value));
        let error = verify(&token).unwrap_err();
        let printed = format!("{error} {error:?}");
        assert!(
            !printed.contains("evil") && !printed.contains("n-secret") && !printed.contains(&token[..20]),
            "{printed}"
        );
    }
}

#[test]
fn without_a_kid_whichever_key_of_the_kind_signed_it_will_do() {
    let other = Key::es384("ES384");
    let mut others = other.jwk();
    others["kid"] = json!("other");
    let token = ES384.token_with(&json!({ "alg": "ES384" }), &claims());
    let sign_in = || IssuedFor::SignIn { nonce: "n" };
    assert!(verify_by(&JwkSet::new(vec![others.clone(), ES384.jwk()]), &token, sign_in()).is_ok());
    assert_eq!(problem(verify_by(&JwkSet::new(vec![others]), &token, sign_in())), IdTokenError::Signature);
    assert_eq!(problem(verify_by(&JwkSet::new(vec![ES256.jwk()]), &token, sign_in())), IdTokenError::UnknownKey);
}

#[test]
fn a_kid_that_the_provider_does_not_have_is_an_unknown_key() {
    let token = ES384.token_with(&json!({ "alg": "ES384", "kid": "other" }), &claims());
    assert_eq!(problem(verify(&token)), IdTokenError::UnknownKey);
}
