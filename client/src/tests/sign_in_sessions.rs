use std::fmt::{Debug, Display};
use std::marker::PhantomData;

use crate::session::sign_in_sessions::{SIGN_IN_LIFETIME, SignInSession, SignInSessions};

const NOW: u64 = 1_700_000_000;

fn sign_in(state: &str, began_at: u64) -> SignInSession {
    SignInSession {
        state: state.to_owned(),
        nonce: format!("{state}-nonce"),
        code_verifier: format!("{state}-verifier"),
        redirect_uri: "https://app.example.com/callback".to_owned(),
        post_redirect_uri: None,
        began_at,
    }
}

fn sign_ins(all: &[(&str, u64)]) -> SignInSessions {
    let mut sign_ins = SignInSessions::default();
    for (state, began_at) in all {
        sign_ins.add(sign_in(state, *began_at), *began_at);
    }
    sign_ins
}

fn states(sign_ins: &SignInSessions) -> Vec<String> {
    let json = serde_json::to_value(sign_ins).unwrap();
    let sign_ins = json["sign_ins"].as_array().unwrap();
    sign_ins.iter().map(|sign_in| sign_in["state"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_ninth_pushes_out_the_oldest() {
    let mut all = sign_ins(&[("1", NOW), ("2", NOW), ("3", NOW), ("4", NOW), ("5", NOW), ("6", NOW), ("7", NOW)]);
    all.add(sign_in("8", NOW), NOW);
    assert_eq!(states(&all), ["1", "2", "3", "4", "5", "6", "7", "8"]);
    all.add(sign_in("9", NOW), NOW);
    assert_eq!(states(&all), ["2", "3", "4", "5", "6", "7", "8", "9"]);
    assert!(all.take("1", NOW).is_none());
    assert!(all.take("2", NOW).is_some());
}

#[test]
fn one_is_taken_whole_and_once_and_the_others_stay() {
    let mut all = sign_ins(&[("a", NOW), ("b", NOW + 1), ("c", NOW + 2)]);
    let taken = all.take("b", NOW + 3).unwrap();
    assert_eq!((&*taken.state, &*taken.nonce, &*taken.code_verifier), ("b", "b-nonce", "b-verifier"));
    assert_eq!(states(&all), ["a", "c"]);
    assert!(all.take("b", NOW + 3).is_none());
    assert!(all.take("a", NOW + 3).is_some());
    assert!(all.take("c", NOW + 3).is_some());
    assert!(all.is_empty());
}

#[test]
fn a_state_has_to_be_the_same_to_the_last_byte() {
    let mut all = sign_ins(&[("state", NOW)]);
    for other in ["", "stat", "state ", "State", "statf", "states"] {
        assert!(all.take(other, NOW).is_none(), "{other:?}");
    }
    assert!(all.take("state", NOW).is_some());
}

#[test]
fn one_lives_for_an_hour_as_logtos_form_does() {
    assert_eq!(SIGN_IN_LIFETIME, 3600);
    assert!(sign_ins(&[("a", NOW)]).take("a", NOW + 3599).is_some());
    assert!(sign_ins(&[("a", NOW)]).take("a", NOW + 3600).is_none());

    let mut all = sign_ins(&[("old", NOW), ("young", NOW + 1800)]);
    all.add(sign_in("new", NOW + 3600), NOW + 3600);
    assert_eq!(states(&all), ["young", "new"], "the old one makes room at the next sign-in");
}

#[test]
fn one_is_found_by_its_state_or_without_one_the_newest() {
    let all = sign_ins(&[("a", NOW), ("b", NOW + 1), ("c", NOW + 2)]);
    let found = |state, now| all.find(state, now).map(|sign_in| sign_in.state.clone());
    assert_eq!(found(Some("a"), NOW + 3).as_deref(), Some("a"));
    assert_eq!(found(None, NOW + 3).as_deref(), Some("c"));
    assert_eq!(found(Some("d"), NOW + 3), None);
    assert_eq!(found(Some("a"), NOW + 3600), None, "too old");
    assert_eq!(found(None, NOW + 3602), None, "all are too old");
}

#[test]
fn a_clock_that_was_set_back_makes_none_immortal() {
    assert!(sign_ins(&[("a", NOW)]).take("a", NOW - 3599).is_some(), "a little back does no harm");
    assert!(sign_ins(&[("a", NOW)]).take("a", NOW - 3600).is_none());
    assert!(sign_ins(&[("a", u64::MAX)]).take("a", 0).is_none());
}

#[test]
fn what_was_stored_is_read_again() {
    let mut sign_in = sign_in("a", NOW);
    sign_in.post_redirect_uri = Some("/orders?id=7".to_owned());
    let mut all = SignInSessions::default();
    all.add(sign_in, NOW);
    let json = serde_json::to_string(&all).unwrap();
    let taken = serde_json::from_str::<SignInSessions>(&json).unwrap().take("a", NOW).unwrap();
    assert_eq!(taken.redirect_uri, "https://app.example.com/callback");
    assert_eq!(taken.post_redirect_uri.as_deref(), Some("/orders?id=7"));
    assert_eq!(taken.began_at, NOW);
}

/// Whether a type can be printed: of two constants of one name the inherent one wins, where its bound holds.
struct Printable<T>(PhantomData<T>);

trait Not {
    const DEBUG: bool = false;
    const DISPLAY: bool = false;
}

impl<T> Not for Printable<T> {}

impl<T: Debug> Printable<T> {
    const DEBUG: bool = true;
}

impl<T: Display> Printable<T> {
    const DISPLAY: bool = true;
}

#[test]
fn nothing_that_holds_a_secret_can_be_printed() {
    macro_rules! not_printable {
        ($($secret:ty),* $(,)?) => {$(
            assert!(!Printable::<$secret>::DEBUG, "{}", stringify!($secret));
            assert!(!Printable::<$secret>::DISPLAY, "{}", stringify!($secret));
        )*};
    }
    not_printable!(
        SignInSession,
        SignInSessions,
        crate::session::items::StoredToken,
        crate::session::items::StoredIdToken,
        crate::session::items::StoredAccessToken,
        crate::session::items::AccessTokenIndex,
        crate::oidc::token::TokenResponse,
        crate::oidc::token::Tokens,
        crate::session::grants::Grant,
        crate::util::http::Answer,
    );
    const { assert!(Printable::<String>::DEBUG && Printable::<String>::DISPLAY, "the check itself works") };
}
