//! Tokens that are cut, put together anew or encoded otherwise.

use fake_provider::FakeProvider;
use fake_provider::keys::{ES256, ES384, RS256, base64url};

use super::Case;
use super::flaws::{CLAIM, NOT_A_JWT, SIGNATURE, TYPE, good_parts, sign_parts, sign_texts};

/// The order of P-384's base point.
const ORDER: [u8; 48] = [
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0,
    0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
];

pub(super) fn cases(provider: &FakeProvider) -> Vec<Case> {
    let good = provider.access_token(|_| ());
    let other = provider.access_token(|token| token.claims["sub"] = "user-2".into());
    let [header, claims, signature] = parts(&good);
    let [_, other_claims, other_signature] = parts(&other);
    let (header_json, claims_json) = good_parts(provider);
    let message = format!("{header}.{claims}");
    let raw = ES384.sign(message.as_bytes());
    let signed = |bytes: &[u8]| format!("{message}.{}", base64url(bytes));
    let (r, s) = raw.split_at(48);
    let rs256 = provider.access_token(|token| token.sign_with(&RS256));
    let es256 = provider.access_token(|token| token.sign_with(&ES256));
    // A length whose last character has bits that say nothing.
    let with_spare_bits = |json: &serde_json::Value| {
        let text = json.to_string();
        format!("{text}{}", " ".repeat((4 - text.len() % 3) % 3))
    };
    let spare = |json| changed_at_the_end(&base64url(with_spare_bits(json)));
    let plain = |json: &serde_json::Value| base64url(json.to_string());

    let tokens: &[(&'static str, &str, &'static str)] = &[
        ("no dot", "opaque", NOT_A_JWT),
        ("a refresh token", "kCGoLT7FWzYcCBs4NMjdNSUHiDsF2qM9gNyhXIYwi1b", NOT_A_JWT),
        ("dots", "..", NOT_A_JWT),
        ("a dot", ".", NOT_A_JWT),
        ("three dots", "...", NOT_A_JWT),
        ("letters", "a.b.c", NOT_A_JWT),
        ("two parts", &message, NOT_A_JWT),
        ("a signature alone", &format!("..{signature}"), NOT_A_JWT),
        ("a header of no characters", &format!(".{claims}.{signature}"), NOT_A_JWT),
        ("no claims", &format!("{header}..{signature}"), CLAIM),
        ("four parts", &format!("{good}.{signature}"), NOT_A_JWT),
        ("a dot at the end", &format!("{good}."), NOT_A_JWT),
        ("a dot at the start", &format!(".{good}"), NOT_A_JWT),
        ("a JWE of five parts", &jwe(), NOT_A_JWT),
        ("five parts under a valid header", &format!("{header}.{claims}.{claims}.{claims}.{signature}"), NOT_A_JWT),
        ("a nested JWT as the claims", &sign_texts(header_json.to_string(), &good), CLAIM),
        ("a nested JWT as the claims' part", &sign_parts(header, &good), NOT_A_JWT),
        ("header and claims swapped", &sign_parts(claims, header), NOT_A_JWT),
        ("claims in the header's place", &format!("{claims}.{header}.{signature}"), NOT_A_JWT),
        ("the header twice", &sign_parts(header, header), CLAIM),
        ("the claims of another token", &format!("{header}.{other_claims}.{signature}"), SIGNATURE),
        ("the signature of another token", &format!("{message}.{other_signature}"), SIGNATURE),
        ("an empty signature", &format!("{message}."), SIGNATURE),
        // A length that base64url never has. With one or two fewer, the bits that are left decide.
        ("a signature cut by three characters", &good[..good.len() - 3], NOT_A_JWT),
        ("a signature cut by three bytes", &good[..good.len() - 4], SIGNATURE),
        ("half a signature", &signed(r), SIGNATURE),
        ("a signature with a byte more", &signed(&[&raw[..], &[0]].concat()), SIGNATURE),
        ("a signature with a byte before it", &signed(&[&[0], &raw[..]].concat()), SIGNATURE),
        ("a signature twice", &signed(&[&raw[..], &raw].concat()), SIGNATURE),
        ("a signature of zeros", &signed(&[0; 96]), SIGNATURE),
        ("r is zero", &signed(&[&[0; 48], s].concat()), SIGNATURE),
        ("s is zero", &signed(&[r, &[0; 48]].concat()), SIGNATURE),
        ("r and s are the order", &signed(&[ORDER, ORDER].concat()), SIGNATURE),
        ("a signature of ones", &signed(&[0xff; 96]), SIGNATURE),
        ("r and s swapped", &signed(&[s, r].concat()), SIGNATURE),
        ("a signature in DER", &signed(&der(r, s)), SIGNATURE),
        ("an empty sequence in DER", &signed(&[0x30, 0]), SIGNATURE),
        ("a bit of the signature flipped", &signed(&flipped(&raw)), SIGNATURE),
        ("padding at the end", &format!("{good}="), NOT_A_JWT),
        ("padding that would be right", &format!("{es256}=="), NOT_A_JWT),
        ("the other alphabet in the signature", &in_other_alphabet(&good), NOT_A_JWT),
        ("spare bits in an RSA signature", &changed_at_the_end(&rs256), NOT_A_JWT),
        ("spare bits in a signature", &changed_at_the_end(&es256), NOT_A_JWT),
        ("spare bits in the claims", &sign_parts(&plain(&header_json), &spare(&claims_json)), NOT_A_JWT),
        ("spare bits in the header", &sign_parts(&spare(&header_json), &plain(&claims_json)), NOT_A_JWT),
        ("the other alphabet in the claims", &sign_parts(header, &format!("{claims}+/+/")), NOT_A_JWT),
        ("a character that is not base64", &sign_parts(header, &format!("{claims}~")), NOT_A_JWT),
        ("one character too many", &sign_parts(header, &one_more(claims)), NOT_A_JWT),
        ("claims without base64", &sign_parts(header, "iss-exp-aud"), NOT_A_JWT),
        ("the type of another's header", &format!("{}.{claims}.{signature}", plain(&as_id_token(&header_json))), TYPE),
        ("a header of the size of a page", &forged_header(claims, signature), NOT_A_JWT),
    ];
    tokens.iter().map(|(name, token, flaw)| Case::of_token(name, token, flaw)).collect()
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().expect("three parts")
}

/// `header.key.iv.ciphertext.tag`
fn jwe() -> String {
    let header = base64url(r#"{"alg":"RSA-OAEP","enc":"A256GCM","typ":"at+jwt","kid":"RS256"}"#);
    format!("{header}.{}.{}.{}.{}", base64url([1; 256]), base64url([2; 12]), base64url([3; 64]), base64url([4; 16]))
}

fn as_id_token(header: &serde_json::Value) -> serde_json::Value {
    let mut header = header.clone();
    header["typ"] = "JWT".into();
    header
}

fn forged_header(claims: &str, signature: &str) -> String {
    format!("{}.{claims}.{signature}", base64url("[".repeat(4096)))
}

/// Two integers in a sequence (RFC 3279, section 2.2.3).
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let bytes: Vec<u8> = [0].into_iter().chain(bytes.iter().copied().skip_while(|byte| *byte == 0)).collect();
        let bytes = if bytes[1] < 0x80 { &bytes[1..] } else { &bytes[..] };
        [&[2, u8::try_from(bytes.len()).expect("a short integer")], bytes].concat()
    };
    let integers = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(integers.len()).expect("a short sequence")], &integers[..]].concat()
}

fn flipped(signature: &[u8]) -> Vec<u8> {
    let mut signature = signature.to_vec();
    signature[50] ^= 1;
    signature
}

/// Changes the bits of the last character that no byte depends on.
fn changed_at_the_end(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (rest, last) = text.split_at(text.len() - 1);
    let at = ALPHABET.iter().position(|char| *char == last.as_bytes()[0]).expect("base64url");
    assert_eq!(at % 4, 0, "the last character has spare bits: {text}");
    format!("{rest}{}", char::from(ALPHABET[at + 1]))
}

/// Signs until there is a character by which the two alphabets differ.
fn in_other_alphabet(good: &str) -> String {
    let message = good.rsplit_once('.').expect("a token").0;
    let mut signatures = std::iter::repeat_with(|| base64url(ES384.sign(message.as_bytes())));
    let signature = signatures.find(|signature| signature.contains(['-', '_'])).expect("one of many");
    format!("{message}.{}", signature.replace('-', "+").replace('_', "/"))
}

/// Base64url whose length no bytes can have.
fn one_more(part: &str) -> String {
    format!("{part}{}", "A".repeat((5 - part.len() % 4) % 4))
}
