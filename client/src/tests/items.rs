use serde_json::{Value, json};

use crate::session::items::{
    ACCESS_TOKEN_MAP, AccessTokenIndex, ID_TOKEN, REFRESH_TOKEN, SIGN_IN_SESSION, StoredAccessToken, StoredIdToken,
    StoredToken, access_token_key, decode, encode,
};
use crate::session::sign_in_sessions::{SignInSession, SignInSessions};
use crate::tokens::{AccessToken, TokenTarget};

const NOW: u64 = 1_700_000_000;

fn token(name: &str, expires_at: u64) -> AccessToken {
    AccessToken { token: name.to_owned(), scope: "read write".to_owned(), expires_at }
}

fn index(expires_at: &[(&str, u64)]) -> AccessTokenIndex {
    let mut index = AccessTokenIndex::default();
    for (target, expires_at) in expires_at {
        index.insert((*target).to_owned(), *expires_at);
    }
    index
}

fn read_access_token(item: &str) -> Option<AccessToken> {
    decode::<StoredAccessToken>(&access_token_key("@"), item)?.of_sign_in("s1")
}

fn read(item: &str) -> Option<String> {
    decode::<StoredToken>(REFRESH_TOKEN, item).map(|stored| stored.token)
}

#[test]
fn the_keys_of_the_session_are_those_of_the_sdk_for_go() {
    assert_eq!(
        [SIGN_IN_SESSION, REFRESH_TOKEN, ID_TOKEN, ACCESS_TOKEN_MAP],
        ["logto_sign_in_session", "logto_refresh_token", "logto_id_token", "logto_access_token_map"],
    );
}

#[test]
fn access_tokens_are_kept_by_resource_and_organization() {
    for (target, key) in [
        (TokenTarget::provider(), "@"),
        (TokenTarget::resource("https://api.example.com"), "@https://api.example.com"),
        (TokenTarget::organization("org-1"), "@#org-1"),
        (TokenTarget::resource("https://api.example.com").in_organization("org-1"), "@https://api.example.com#org-1"),
    ] {
        assert_eq!(target.key(), key);
    }
}

#[test]
fn a_token_is_stored_as_this_json() {
    assert_eq!(encode(StoredToken { token: "a\"b".to_owned() }), r#"{"v":1,"token":"a\"b"}"#);
}

#[test]
fn an_id_token_is_stored_as_this_json() {
    let stored = |sign_in: Option<&str>| StoredIdToken { token: "t".to_owned(), sign_in: sign_in.map(str::to_owned) };
    for (json, sign_in) in [(r#"{"v":1,"token":"t","signIn":"s1"}"#, Some("s1")), (r#"{"v":1,"token":"t"}"#, None)] {
        assert_eq!(encode(stored(sign_in)), json);
        assert!(decode::<StoredIdToken>(ID_TOKEN, json).unwrap() == stored(sign_in), "{json}");
    }
}

#[test]
fn an_access_token_is_stored_as_this_json() {
    let stored = encode(StoredAccessToken::new(token("t", 2), "s1".to_owned()));
    assert_eq!(stored, r#"{"v":1,"token":"t","scope":"read write","expiresAt":2,"signIn":"s1"}"#);
    assert!(read_access_token(&stored).unwrap() == token("t", 2));
}

#[test]
fn the_index_of_access_tokens_is_stored_as_this_json() {
    let index = index(&[("@https://api.example.com#org", 2), ("@", 1)]);
    assert_eq!(encode(&index), r#"{"v":1,"expiresAt":{"@":1,"@https://api.example.com#org":2}}"#);
    assert!(decode::<AccessTokenIndex>(ACCESS_TOKEN_MAP, &encode(&index)).unwrap() == index);
    assert_eq!(index.keys(), ["logto_access_token:@", "logto_access_token:@https://api.example.com#org"]);
}

#[test]
fn sign_ins_under_way_are_stored_as_this_json() {
    let mut sign_ins = SignInSessions::default();
    let mut sign_in = SignInSession {
        state: "s".to_owned(),
        nonce: "n".to_owned(),
        code_verifier: "v".to_owned(),
        redirect_uri: "https://app.example.com/callback".to_owned(),
        post_redirect_uri: None,
        began_at: NOW,
    };
    sign_ins.add(sign_in.clone(), NOW);
    sign_in.post_redirect_uri = Some("/orders".to_owned());
    sign_ins.add(sign_in, NOW);
    let stored: Value = serde_json::from_str(&encode(&sign_ins)).unwrap();
    let one = json!({
        "state": "s", "nonce": "n", "verifier": "v",
        "redirect_uri": "https://app.example.com/callback", "began_at": NOW,
    });
    let mut other = one.clone();
    other["post_redirect_uri"] = json!("/orders");
    assert_eq!(stored, json!({ "v": 1, "sign_ins": [one, other] }));
}

#[test]
fn what_this_version_has_not_written_counts_as_missing() {
    assert_eq!(read(r#"{"v":1,"token":"t"}"#).as_deref(), Some("t"));
    assert_eq!(read(r#" { "token" : "t", "later": [1], "v" : 1 } "#).as_deref(), Some("t"), "more is no matter");
    for item in [
        "",
        "t",
        "null",
        "[]",
        "{}",
        "\"t\"",
        r#"{"token":"t"}"#,
        r#"{"v":0,"token":"t"}"#,
        r#"{"v":2,"token":"t"}"#,
        r#"{"v":257,"token":"t"}"#,
        r#"{"v":-1,"token":"t"}"#,
        r#"{"v":"1","token":"t"}"#,
        r#"{"v":null,"token":"t"}"#,
        r#"{"v":1}"#,
        r#"{"v":1,"token":null}"#,
        r#"{"v":1,"token":7}"#,
        r#"{"v":1,"token":"t""#,
        r#"{"v":1,"token":"t"} {}"#,
    ] {
        assert_eq!(read(item), None, "{item}");
    }
    for index in [
        r#"{"v":1,"expiresAt":[]}"#,
        r#"{"v":1,"expiresAt":{"@":-1}}"#,
        r#"{"v":1,"expiresAt":{"@":"1"}}"#,
        // An earlier version's, with the tokens themselves.
        r#"{"v":1,"tokens":{"@":{"token":"t","scope":"","expiresAt":1}}}"#,
    ] {
        assert!(decode::<AccessTokenIndex>(ACCESS_TOKEN_MAP, index).is_none(), "{index}");
    }
    assert!(read_access_token(r#"{"v":1,"token":"t","expiresAt":1,"signIn":"s1"}"#).is_some());
    for access_token in [
        r#"{"v":1,"token":"t","expiresAt":1}"#,
        r#"{"v":1,"token":"t","expiresAt":1,"signIn":null}"#,
        r#"{"v":1,"token":"t","expiresAt":1,"signIn":"s2"}"#,
        r#"{"v":1,"token":"t","signIn":"s1"}"#,
        r#"{"v":1,"token":"t","expiresAt":-1,"signIn":"s1"}"#,
        r#"{"v":1,"token":"t","expiresAt":"1","signIn":"s1"}"#,
        r#"{"v":2,"token":"t","expiresAt":1,"signIn":"s1"}"#,
    ] {
        assert!(read_access_token(access_token).is_none(), "{access_token}");
    }
}

#[test]
fn a_token_counts_as_expired_ten_seconds_before_its_end() {
    for (at, fresh) in [(0, true), (NOW - 11, true), (NOW - 10, false), (NOW, false), (NOW + 1, false)] {
        assert_eq!(token("t", NOW).is_fresh(at), fresh, "{at}");
    }
    assert!(!token("t", u64::MAX).is_fresh(u64::MAX - 5), "no overflow");
}

#[test]
fn a_pruned_index_has_dropped_what_has_expired() {
    let mut pruned = index(&[("@old", NOW + 10), ("@new", NOW + 11), ("@gone", NOW - 1), ("@given-up", u64::MAX)]);
    pruned.expire("@given-up".to_owned());
    let expired = ["logto_access_token:@given-up", "logto_access_token:@gone", "logto_access_token:@old"];
    assert_eq!(pruned.prune(NOW), expired);
    assert!(pruned == index(&[("@new", NOW + 11)]));
}
