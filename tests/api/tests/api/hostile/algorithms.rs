//! Algorithms that are not accepted, and keys of another algorithm than the header's (RFC 8725, sections 2.1, 3.1 and 3.2).

use fake_provider::FakeProvider;
use fake_provider::keys::{EDDSA, ES256, ES384, ES512, Jwt, Key, PS256, RS256, base64url};
use serde_json::json;

use super::Case;
use super::flaws::{ALGORITHM, BOUND, NO_KEY, SIGNATURE, SYMMETRIC, key, posing_as, renamed};

type Change = fn(&mut Jwt);

pub(super) fn cases(provider: &FakeProvider) -> Vec<Case> {
    [unsigned(provider), with_public_keys(provider), mixed_up(provider), with_keys_in_the_token(provider)].concat()
}

fn changed(provider: &FakeProvider, changes: &[(&'static str, Change, &'static str)]) -> Vec<Case> {
    let case = |&(name, change, flaw): &(_, Change, _)| Case::of_token(name, &provider.access_token(change), flaw);
    changes.iter().map(case).collect()
}

fn unsigned(provider: &FakeProvider) -> Vec<Case> {
    let mut cases: Vec<_> = ["none", "None", "NONE", "nOnE", " none", "none\0"]
        .map(|none| {
            let key = Key::none("ES384", none);
            Case::of_token(none, &provider.access_token(|token| token.sign_with(&key)), ALGORITHM)
        })
        .into();
    cases.extend(changed(
        provider,
        &[
            ("none over a valid signature", |token| token.header["alg"] = json!("none"), ALGORITHM),
            ("ES384 over no signature", |token| token.key = Key::none("ES384", "ES384"), SIGNATURE),
            ("RS256 over no signature", |token| token.sign_with(&Key::none("RS256", "RS256")), SIGNATURE),
            ("EdDSA over no signature", |token| token.sign_with(&Key::none("EdDSA", "EdDSA")), SIGNATURE),
            ("HS384", |token| token.header["alg"] = json!("HS384"), ALGORITHM),
            ("HS512", |token| token.header["alg"] = json!("HS512"), ALGORITHM),
            ("RS384", |token| token.header["alg"] = json!("RS384"), ALGORITHM),
            ("RS512", |token| token.header["alg"] = json!("RS512"), ALGORITHM),
            ("PS512", |token| token.header["alg"] = json!("PS512"), ALGORITHM),
            ("ES256K", |token| token.header["alg"] = json!("ES256K"), ALGORITHM),
            ("an algorithm of encryption", |token| token.header["alg"] = json!("RSA-OAEP"), ALGORITHM),
            ("direct encryption", |token| token.header["alg"] = json!("dir"), ALGORITHM),
        ],
    ));
    cases
}

/// Whoever has the public key can compute an HMAC with it.
fn with_public_keys(provider: &FakeProvider) -> Vec<Case> {
    let ec = &[&EC_P384[..], ES384.public_bytes()].concat();
    let rsa = &spki_of_rsa(RS256.public_bytes());
    let secrets: [(&str, &Key, Vec<u8>); 12] = [
        ("HS256 with the point", &ES384, ES384.public_bytes().to_vec()),
        ("HS256 with the coordinate x", &ES384, ES384.public_bytes()[1..49].to_vec()),
        ("HS256 with the DER", &ES384, ec.clone()),
        ("HS256 with the PEM", &ES384, pem(ec).into_bytes()),
        ("HS256 with the PEM, trimmed", &ES384, pem(ec).trim_end().into()),
        ("HS256 with the JWK", &ES384, ES384.jwk().to_string().into_bytes()),
        ("HS256 with the bound JWK", &ES384, ES384.bound_jwk().to_string().into_bytes()),
        ("HS256 with the modulus and exponent", &RS256, RS256.public_bytes().to_vec()),
        ("HS256 with the RSA key's DER", &RS256, rsa.clone()),
        ("HS256 with the RSA key's PEM", &RS256, pem(rsa).into_bytes()),
        ("HS256 with the RSA key's JWK", &RS256, RS256.jwk().to_string().into_bytes()),
        ("HS256 without a secret", &ES384, Vec::new()),
    ];
    let mut cases: Vec<_> = secrets
        .map(|(name, of, secret)| {
            let key = Key::hs256(&of.kid, &secret);
            Case::of_token(name, &provider.access_token(|token| token.sign_with(&key)), ALGORITHM)
        })
        .into();
    let published = Key::hs256("symmetric", SYMMETRIC);
    let token = provider.access_token(|token| token.sign_with(&published));
    cases.push(Case::of_token("HS256 with a secret in the set", &token, ALGORITHM));
    cases.extend(changed(
        provider,
        &[
            ("an HMAC called ES384", |token| hmac_as(token, "ES384"), SIGNATURE),
            ("an HMAC called RS256", |token| hmac_as(token, "RS256"), SIGNATURE),
            ("an HMAC called EdDSA", |token| hmac_as(token, "EdDSA"), SIGNATURE),
        ],
    ));
    cases
}

fn hmac_as(token: &mut Jwt, algorithm: &'static str) {
    let key = key(algorithm);
    token.sign_with(key);
    token.key = Key::hs256(&key.kid, key.public_bytes());
}

/// The header names a key of the issuer, and an algorithm that the key is not for.
fn mixed_up(provider: &FakeProvider) -> Vec<Case> {
    changed(
        provider,
        &[
            ("RS256 of an EC key", |token| token.header["alg"] = json!("RS256"), NO_KEY),
            ("PS256 of an EC key", |token| token.header["alg"] = json!("PS256"), NO_KEY),
            ("EdDSA of an EC key", |token| token.header["alg"] = json!("EdDSA"), NO_KEY),
            ("ES256 of a key on P-384", |token| token.header["alg"] = json!("ES256"), NO_KEY),
            ("ES512 of a key on P-384", |token| token.header["alg"] = json!("ES512"), NO_KEY),
            ("ES384 of a key on P-256", |token| named(token, &ES256, "ES384"), NO_KEY),
            ("ES384 of a key on P-521", |token| named(token, &ES512, "ES384"), NO_KEY),
            ("ES256 of a key on P-521", |token| named(token, &ES512, "ES256"), NO_KEY),
            ("ES256 of an RSA key", |token| named(token, &RS256, "ES256"), NO_KEY),
            ("ES384 of an Ed25519 key", |token| named(token, &EDDSA, "ES384"), NO_KEY),
            ("RS256 of an Ed25519 key", |token| named(token, &EDDSA, "RS256"), NO_KEY),
            ("EdDSA of an RSA key", |token| named(token, &RS256, "EdDSA"), NO_KEY),
            ("PS256 of a key that is bound to RS256", as_bound, NO_KEY),
            ("a key id of another kind of key", |token| token.header["kid"] = json!("RS256"), NO_KEY),
            ("RS256 over a signature by an EC key", |token| signed_by(token, &RS256, &ES384), SIGNATURE),
            ("ES384 over a signature by an RSA key", |token| signed_by(token, &ES384, &RS256), SIGNATURE),
            ("ES384 over a signature on P-256", |token| signed_by(token, &ES384, &ES256), SIGNATURE),
            ("ES256 over a signature on P-384", |token| signed_by(token, &ES256, &ES384), SIGNATURE),
            ("ES512 over a signature on P-384", |token| signed_by(token, &ES512, &ES384), SIGNATURE),
            ("EdDSA over a signature on P-256", |token| signed_by(token, &EDDSA, &ES256), SIGNATURE),
            ("ES256 over a signature by an Ed25519 key", |token| signed_by(token, &ES256, &EDDSA), SIGNATURE),
            ("RS256 over PSS padding", |token| signed_by(token, &RS256, &posing_as(&RS256, "PS256")), SIGNATURE),
            ("PS256 over PKCS #1 padding", |token| signed_by(token, &PS256, &posing_as(&PS256, "RS256")), SIGNATURE),
            ("another RSA key of the set", |token| signed_by(token, &RS256, &posing_as(&PS256, "RS256")), SIGNATURE),
            ("a forged EC key", |token| signed_by(token, &ES384, &Key::es384("ES384")), SIGNATURE),
            ("a forged RSA key", |token| signed_by(token, &RS256, &Key::rs256("RS256")), SIGNATURE),
            ("a forged Ed25519 key", |token| signed_by(token, &EDDSA, &Key::ed25519("EdDSA")), SIGNATURE),
            ("a key of the issuer's that is not published", |token| token.sign_with(&Key::es384("key-2")), NO_KEY),
        ],
    )
}

/// Signs with a key, under the name of another algorithm.
fn named(token: &mut Jwt, key: &Key, algorithm: &'static str) {
    token.sign_with(key);
    token.header["alg"] = json!(algorithm);
}

fn as_bound(token: &mut Jwt) {
    token.sign_with(&posing_as(&renamed(&RS256, BOUND), "PS256"));
}

/// Names one key, and signs with another.
fn signed_by(token: &mut Jwt, named: &Key, signer: &Key) {
    token.sign_with(named);
    token.key = signer.clone();
}

/// RFC 7515, section 4.1: parameters that hold the key, or say where it is.
fn with_keys_in_the_token(provider: &FakeProvider) -> Vec<Case> {
    changed(
        provider,
        &[
            ("a JWK in the token", |token| forged_with(token, "jwk"), SIGNATURE),
            ("the URL of a JWK set in the token", |token| forged_with(token, "jku"), SIGNATURE),
            ("the URL of a certificate in the token", |token| forged_with(token, "x5u"), SIGNATURE),
            ("a certificate in the token", |token| forged_with(token, "x5c"), SIGNATURE),
            ("the digest of a certificate", |token| forged_with(token, "x5t#S256"), SIGNATURE),
            ("a JWK of a new name in the token", |token| forged_as(token, "jwk", "mine"), NO_KEY),
            ("the URL of a set with a new key", |token| forged_as(token, "jku", "mine"), NO_KEY),
            ("a symmetric JWK in the token", as_symmetric_jwk, ALGORITHM),
        ],
    )
}

fn forged_with(token: &mut Jwt, parameter: &str) {
    forged_as(token, parameter, "ES384");
}

fn forged_as(token: &mut Jwt, parameter: &str, kid: &str) {
    let forged = Key::es384(kid);
    let issuer = token.claims["iss"].as_str().expect("an issuer");
    let elsewhere = format!("{}/keys.json", issuer.trim_end_matches("/oidc"));
    token.header[parameter] = match parameter {
        "jwk" => forged.bound_jwk(),
        "x5c" => json!([base64url(forged.public_bytes())]),
        "x5t#S256" => json!(base64url([7; 32])),
        _ => json!(elsewhere),
    };
    token.sign_with(&forged);
}

fn as_symmetric_jwk(token: &mut Jwt) {
    let key = Key::hs256("ES384", b"mine");
    token.header["jwk"] = key.jwk();
    token.sign_with(&key);
}

/// What comes before the point in the DER of a key on P-384 (RFC 5480).
const EC_P384: [u8; 23] = [
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x22, 0x03, 0x62, 0x00,
];

/// RFC 3279, section 2.3.1.
fn spki_of_rsa(key: &[u8]) -> Vec<u8> {
    const ALGORITHM: [u8; 15] =
        [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
    let long = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).expect("a short key").to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    };
    let bits = long(0x03, &[&[0], key].concat());
    long(0x30, &[&ALGORITHM[..], &bits].concat())
}

fn pem(der: &[u8]) -> String {
    let text = base64url(der).replace('-', "+").replace('_', "/");
    let padding = "=".repeat((4 - text.len() % 4) % 4);
    let text = format!("{text}{padding}");
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", lines.join("\n"))
}
