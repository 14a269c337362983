//! The items of a signed-in user, as the client stores them.

use std::collections::BTreeMap;

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

pub const ID_TOKEN: &str = "logto_id_token";
pub const REFRESH_TOKEN: &str = "logto_refresh_token";
pub const ACCESS_TOKEN_INDEX: &str = "logto_access_token_map";
pub const SIGN_IN_SESSION: &str = "logto_sign_in_session";

/// Later than any test runs.
const EXPIRES_AT: u64 = u32::MAX as u64;

/// The target of an API's access token.
pub fn target(number: usize) -> String {
    if number == 0 { "@https://api.example.com".to_owned() } else { format!("@https://api-{number}.example.com") }
}

pub fn access_token_key(target: &str) -> String {
    format!("logto_access_token:{target}")
}

pub fn stored(token: &str) -> String {
    json!({ "v": 1, "token": token }).to_string()
}

/// An API's access token: a JWT of 700 bytes.
pub fn access_token(sign_in: &Value) -> String {
    let item = json!({ "v": 1, "token": text(700), "scope": "read write", "expiresAt": EXPIRES_AT, "signIn": sign_in });
    item.to_string()
}

pub fn access_token_index(targets: impl IntoIterator<Item = String>) -> String {
    let expires_at: BTreeMap<_, _> = targets.into_iter().map(|target| (target, EXPIRES_AT)).collect();
    json!({ "v": 1, "expiresAt": expires_at }).to_string()
}

/// An ID token of 1000 bytes, a refresh token, and the access tokens of so many APIs.
pub fn of_a_user(access_tokens: usize) -> Vec<(String, String)> {
    let sign_in = json!(text(22));
    let id_token = json!({ "v": 1, "token": text(1000), "signIn": sign_in }).to_string();
    let targets: Vec<_> = (0..access_tokens).map(target).collect();
    let mut items: Vec<_> = targets.iter().map(|target| (access_token_key(target), access_token(&sign_in))).collect();
    items.extend([
        (ID_TOKEN.to_owned(), id_token),
        (REFRESH_TOKEN.to_owned(), stored(&text(43))),
        (ACCESS_TOKEN_INDEX.to_owned(), access_token_index(targets)),
    ]);
    items
}

/// Text that a database cannot compress.
fn text(len: usize) -> String {
    let mut bytes = vec![0; len];
    rand::fill(&mut bytes).unwrap();
    let mut text = URL_SAFE_NO_PAD.encode(bytes);
    text.truncate(len);
    text
}
