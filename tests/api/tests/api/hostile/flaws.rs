//! Keys and tokens to be misused, and why a token is refused.

use fake_provider::keys::{EDDSA, ES256, ES384, ES512, Jwt, Key, PS256, RS256, base64url, one_per_algorithm};
use fake_provider::{Endpoint, FakeProvider, Reply};
use serde_json::{Value, json};

pub(super) const NOT_A_JWT: &str = "not a signed JWT";
pub(super) const CRIT: &str = "its header has a `crit`";
pub(super) const NO_KID: &str = "its header has no `kid`";
pub(super) const TYPE: &str = "`typ` is not `at+jwt`";
pub(super) const ALGORITHM: &str = "`alg` is not one of RS256, PS256, ES256, ES384, ES512 and EdDSA";
pub(super) const NO_KEY: &str = "the issuer has no key that could have signed it";
pub(super) const SIGNATURE: &str = "wrong signature";
pub(super) const CLAIM: &str = "a claim is missing or has the wrong type";
pub(super) const EMPTY: &str = "its `sub` or `client_id` is empty";
pub(super) const ORGANIZATIONS: &str = "it names no organization, or several";
pub(super) const ISSUER: &str = "`iss` is another issuer";
pub(super) const AUDIENCE: &str = "`aud` is another API";
pub(super) const ORGANIZATION: &str = "it is valid within an organization only";
pub(super) const EXPIRED: &str = "it has expired";
pub(super) const NOT_YET: &str = "it is not valid yet";

/// A key of an HMAC that a careless issuer has published, and one for encryption.
pub(super) const SYMMETRIC: &[u8] = b"a key of thirty-two bytes or so..";
pub(super) const ENCRYPTION: &str = "for-encryption";
/// The key of RS256 under another name, which is bound to RS256.
pub(super) const BOUND: &str = "bound-to-RS256";

/// A provider whose ES384 key signs, and whose set has a key of each kind. No `alg` binds them, so their types have to.
pub(super) async fn provider() -> FakeProvider {
    let provider = FakeProvider::start().await;
    provider.set_keys(vec![ES384.clone()]);
    let mut keys: Vec<_> = one_per_algorithm().map(Key::jwk).into();
    keys.push(renamed(&RS256, BOUND).bound_jwk());
    keys.push(Key::hs256("symmetric", SYMMETRIC).jwk());
    let mut of_encryption = renamed(&ES384, ENCRYPTION).jwk();
    of_encryption["use"] = json!("enc");
    keys.push(of_encryption);
    provider.answer(Endpoint::Jwks, move |_| Reply::json(200, &json!({ "keys": keys })));
    provider
}

/// The key under another `kid`.
pub(super) fn renamed(key: &Key, kid: &str) -> Key {
    let mut key = key.clone();
    kid.clone_into(&mut key.kid);
    key
}

/// The key's signatures under the name of another algorithm.
pub(super) fn posing_as(key: &Key, algorithm: &'static str) -> Key {
    let mut key = key.clone();
    key.algorithm = algorithm;
    key
}

/// The key of each algorithm, by its name.
pub(super) fn key(algorithm: &str) -> &'static Key {
    match algorithm {
        "RS256" => &RS256,
        "PS256" => &PS256,
        "ES256" => &ES256,
        "ES384" => &ES384,
        "ES512" => &ES512,
        "EdDSA" => &EDDSA,
        _ => panic!("{algorithm}"),
    }
}

/// The header and the claims of a valid token, as JSON.
pub(super) fn good_parts(provider: &FakeProvider) -> (Value, Value) {
    let mut parts = None;
    provider.access_token(|token: &mut Jwt| parts = Some((token.header.clone(), token.claims.clone())));
    parts.expect("a token")
}

/// Signs texts that need not be JSON, with the key that signs valid tokens.
pub(super) fn sign_texts(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
    sign_parts(&base64url(header), &base64url(claims))
}

/// Signs parts that need not be base64url.
pub(super) fn sign_parts(header: &str, claims: &str) -> String {
    let message = format!("{header}.{claims}");
    let signature = base64url(ES384.sign(message.as_bytes()));
    format!("{message}.{signature}")
}

pub(super) fn remove(part: &mut Value, name: &str) {
    part.as_object_mut().expect("an object").remove(name).expect("it was there");
}

/// The JSON of an object with a member written before its others, which may have the same name.
pub(super) fn with_first(object: &Value, member: &str) -> String {
    let object = object.to_string();
    format!("{{{member},{}", &object[1..])
}
