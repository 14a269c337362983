use serde_json::{Value, json};

use crate::session::items::{
    ACCESS_TOKEN_MAP, AccessTokens, ID_TOKEN, REFRESH_TOKEN, SIGN_IN_SESSION, StoredToken, decode, encode,
};
use crate::session::sign_in_sessions::{SignInSession, SignInSessions};
use crate::tokens::{AccessToken, TokenTarget};

const NOW: u64 = 1_700_000_000;

fn token(name: &str, expires_at: u64) -> AccessToken {
    AccessToken { token: name.to_owned(), scope: "read write".to_owned(), expires_at }
}

fn map(tokens: &[(&str, &str, u64)]) -> AccessTokens {
    let mut map = AccessTokens::default();
    for (key, name, expires_at) in tokens {
        map.insert((*key).to_owned(), token(name, *expires_at));
    }
    map
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
fn access_tokens_are_stored_as_this_json() {
    let tokens = map(&[("@https://api.example.com#org", "t2", 2), ("@", "t1", 1)]);
    assert_eq!(
        encode(&tokens),
        concat!(
            r#"{"v":1,"tokens":{"@":{"token":"t1","scope":"read write","expiresAt":1},"#,
            r#""@https://api.example.com#org":{"token":"t2","scope":"read write","expiresAt":2}}}"#,
        ),
    );
    assert!(decode::<AccessTokens>(ACCESS_TOKEN_MAP, &encode(&tokens)).unwrap() == tokens);
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
    for map in [
        r#"{"v":1,"tokens":[]}"#,
        r#"{"v":1,"tokens":{"@":{"token":"t","scope":""}}}"#,
        r#"{"v":1,"tokens":{"@":{"token":"t","expiresAt":-1}}}"#,
        r#"{"v":1,"tokens":{"@":{"token":"t","expiresAt":"1"}}}"#,
    ] {
        assert!(decode::<AccessTokens>(ACCESS_TOKEN_MAP, map).is_none(), "{map}");
    }
}

#[test]
fn a_token_counts_as_expired_ten_seconds_before_its_end() {
    let tokens = map(&[("@", "t", NOW)]);
    for (at, fresh) in [(0, true), (NOW - 11, true), (NOW - 10, false), (NOW, false), (NOW + 1, false)] {
        assert_eq!(tokens.fresh("@", at).is_some(), fresh, "{at}");
    }
    assert!(tokens.get("@").is_some());
    assert!(tokens.fresh("@other", 0).is_none());
    assert!(map(&[("@", "t", u64::MAX)]).fresh("@", u64::MAX - 5).is_none(), "no overflow");
}

#[test]
fn of_two_tokens_for_one_thing_the_merged_map_has_the_one_that_lives_longer() {
    let mine = map(&[("@", "mine", NOW + 100), ("@a", "mine", NOW + 300), ("@b", "mine", NOW + 50)]);
    let theirs = map(&[("@", "theirs", NOW + 200), ("@a", "theirs", NOW + 200), ("@c", "theirs", NOW + 60)]);
    let merged = map(&[
        ("@", "theirs", NOW + 200),
        ("@a", "mine", NOW + 300),
        ("@b", "mine", NOW + 50),
        ("@c", "theirs", NOW + 60),
    ]);
    assert!(mine.merged_with(&theirs, NOW) == merged);
    assert!(theirs.merged_with(&mine, NOW) == merged);
    assert!(merged.merged_with(&AccessTokens::default(), NOW) == merged);
}

#[test]
fn a_merge_drops_what_has_expired_on_either_side() {
    let mine = map(&[("@old", "mine", NOW + 10), ("@new", "mine", NOW + 11)]);
    let theirs = map(&[("@gone", "theirs", NOW - 1), ("@alive", "theirs", NOW + 11)]);
    let merged = map(&[("@new", "mine", NOW + 11), ("@alive", "theirs", NOW + 11)]);
    assert!(mine.merged_with(&theirs, NOW) == merged);
}
