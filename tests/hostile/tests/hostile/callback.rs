//! Callback URLs that no provider sent, or not for this sign-in.

use std::time::Duration;

use fake_provider::{Endpoint, Reply, now};
use logto_client::{Error, LogtoStorage, MemorySession, SignInOptions, TokenTarget};
use serde_json::{Value, json};
use url::Url;

use crate::site::{PENDING, REDIRECT_URI, Site, Visitor, soon};

type Params = Vec<(String, String)>;

/// The callback with its parameters changed.
fn with_params(callback: &Url, change: impl FnOnce(&mut Params)) -> String {
    let mut params = callback.query_pairs().into_owned().collect();
    change(&mut params);
    let mut callback = callback.clone();
    callback.query_pairs_mut().clear().extend_pairs(params);
    callback.into()
}

fn set(name: &'static str, value: &str) -> impl FnOnce(&mut Params) {
    move |params| value.clone_into(&mut params.iter_mut().find(|param| param.0 == name).expect("a parameter").1)
}

fn remove(name: &'static str) -> impl FnOnce(&mut Params) {
    move |params| params.retain(|param| param.0 != name)
}

fn add(name: &'static str, value: &str) -> impl FnOnce(&mut Params) {
    move |params| params.push((name.to_owned(), value.to_owned()))
}

/// Sends a changed callback, which has to be refused before the provider sees its code.
async fn refused(site: &Site, visitor: &Visitor, change: impl FnOnce(&mut Params)) -> Error {
    let callback = site.authorized(visitor).await;
    let error = site.refused_callback(visitor, &with_params(&callback, change)).await;
    assert_eq!(site.provider.count(Endpoint::Token), 0, "a code was sent to the provider");
    error
}

/// The same for a new visitor to a new site.
async fn refused_at_once(change: impl FnOnce(&mut Params)) -> Error {
    let site = Site::start().await;
    refused(&site, &site.visitor(), change).await
}

#[tokio::test]
async fn a_forged_state_is_refused_and_leaves_the_sign_in_under_way() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    let forged = with_params(&callback, set("state", "forged"));

    let error = site.refused_callback(&visitor, &forged).await;

    assert!(matches!(error, Error::UnknownState), "{error:?}");
    site.callback(&visitor, callback.as_str()).await.expect("the sign-in that is under way");
}

#[tokio::test]
async fn a_forged_error_is_refused_and_leaves_the_sign_in_under_way() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;

    let error = site.refused_callback(&visitor, "/callback?error=access_denied&state=forged").await;

    assert!(matches!(error, Error::UnknownState), "{error:?}");
    site.callback(&visitor, callback.as_str()).await.expect("the sign-in that is under way");
}

#[tokio::test]
async fn a_missing_state_is_refused() {
    let error = refused_at_once(remove("state")).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn an_empty_state_is_refused() {
    let error = refused_at_once(set("state", "")).await;
    assert!(matches!(error, Error::InvalidCallback { .. } | Error::UnknownState), "{error:?}");
}

#[tokio::test]
async fn two_states_are_refused() {
    let error = refused_at_once(add("state", "forged")).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn the_state_of_another_session_is_refused() {
    let site = Site::start().await;
    let (attacker, victim) = (site.visitor(), site.visitor());
    let planted = site.authorized(&attacker).await;
    site.authorized(&victim).await;

    let error = site.refused_callback(&victim, planted.as_str()).await;

    assert!(matches!(error, Error::UnknownState), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn a_callback_to_a_browser_that_began_no_sign_in_is_refused() {
    let site = Site::start().await;
    let planted = site.authorized(&site.visitor()).await;

    let error = site.refused_callback(&site.visitor(), planted.as_str()).await;

    assert!(matches!(error, Error::NoPendingSignIn), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn a_sign_in_that_was_begun_too_long_ago_is_refused() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    let mut pending = visitor.item(PENDING).await.expect("a pending sign-in");
    let moved = move_back(&mut pending, 3601);
    assert!(moved > 0, "no time in {pending}");
    visitor.set_item(PENDING, &pending).await;

    let error = site.refused_callback(&visitor, callback.as_str()).await;

    assert!(error.is_stale_callback(), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Token), 0);
}

/// Lets every time of about now be earlier; says how many there were.
fn move_back(item: &mut Value, seconds: u64) -> usize {
    match item {
        Value::Number(number) => {
            let Some(time) = number.as_u64().filter(|time| time.abs_diff(now()) < 3600) else { return 0 };
            *item = (time - seconds).into();
            1
        }
        Value::Array(items) => items.iter_mut().map(|item| move_back(item, seconds)).sum(),
        Value::Object(fields) => fields.values_mut().map(|item| move_back(item, seconds)).sum(),
        _ => 0,
    }
}

#[tokio::test]
async fn the_ninth_sign_in_pushes_the_first_one_out() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let mut callbacks = Vec::new();
    for _ in 0..9 {
        callbacks.push(site.authorized(&visitor).await);
    }

    let error = site.refused_callback(&visitor, callbacks[0].as_str()).await;

    assert!(matches!(error, Error::UnknownState), "{error:?}");
    site.callback(&visitor, callbacks[1].as_str()).await.expect("the second sign-in");
}

#[tokio::test]
async fn a_used_callback_is_refused_and_its_user_stays_signed_in() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    site.callback(&visitor, callback.as_str()).await.expect("a sign-in");

    let error = site.refused_callback(&visitor, callback.as_str()).await;

    assert!(error.is_stale_callback(), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Token), 1);
    assert!(site.is_authenticated(&visitor).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_callback_twice_at_once_is_one_exchange_and_both_sign_the_user_in() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    // Both requests have read the pending sign-in before either is done with it.
    let open = || {
        let url = callback.to_string();
        site.open(&visitor, async move |logto| logto.handle_sign_in_callback(&url).await)
    };
    let (first, second) = (open().await, open().await);

    let (first, second) = tokio::join!(first.result(), second.result());

    assert_eq!(site.provider.count(Endpoint::Token), 1, "{first:?} {second:?}");
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
    assert!(site.is_authenticated(&visitor).await);
    site.provider.set_expires_in(1);
    soon(site.request(&visitor).clear_access_tokens()).await.expect("a session");
    soon(site.request(&visitor).access_token(TokenTarget::provider())).await.expect("a token of a live sign-in");
}

#[tokio::test]
async fn a_callback_that_is_reloaded_signs_the_user_in_by_the_same_exchange() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = abandoned_callback(&site, &visitor).await;

    site.callback(&visitor, callback.as_str()).await.expect("the sign-in of the first request");

    assert_eq!(site.provider.count(Endpoint::Token), 1);
    assert!(site.is_authenticated(&visitor).await);
}

/// A callback whose browser goes away while the provider is asked.
async fn abandoned_callback(site: &Site, visitor: &Visitor) -> Url {
    let callback = site.authorized(visitor).await;
    let gate = site.provider.hold(Endpoint::Token);
    let logto = site.request(visitor);
    let url = callback.to_string();
    let sign_in = tokio::spawn(async move { logto.handle_sign_in_callback(&url).await });
    soon(gate.arrival()).await;
    sign_in.abort();
    assert!(sign_in.await.expect_err("an end").is_cancelled());
    gate.open();
    site.provider.answer_honestly();
    callback
}

/// Lets more than a minute pass, in steps that leave requests their time.
async fn let_a_minute_pass(is_over: impl Fn() -> bool) {
    for _ in 0..100 {
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(2)).await;
        tokio::time::resume();
        tokio::time::sleep(Duration::from_millis(5)).await;
        if is_over() {
            break;
        }
    }
}

#[tokio::test]
async fn tokens_of_a_callback_that_nobody_takes_are_revoked() {
    let site = Site::start().await;
    let visitor = site.visitor();
    abandoned_callback(&site, &visitor).await;

    let_a_minute_pass(|| site.provider.count(Endpoint::Revocation) == 1).await;

    assert_eq!(site.provider.count(Endpoint::Revocation), 1);
    assert_eq!(site.provider.usable_refresh_tokens(), [""; 0]);
}

#[tokio::test]
async fn tokens_that_the_session_cannot_hold_are_revoked() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    site.store.break_down(true);
    let url = callback.to_string();
    let error = soon(site.request(&visitor).handle_sign_in_callback(&url)).await.expect_err("a store that is down");
    assert!(matches!(error, Error::Storage(_)), "{error:?}");

    let_a_minute_pass(|| site.provider.count(Endpoint::Revocation) == 1).await;

    assert_eq!(site.provider.usable_refresh_tokens(), [""; 0]);
}

#[tokio::test]
async fn tokens_of_a_callback_that_is_reloaded_are_not_revoked() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = abandoned_callback(&site, &visitor).await;
    site.callback(&visitor, callback.as_str()).await.expect("the sign-in of the first request");

    let_a_minute_pass(|| false).await;

    assert_eq!(site.provider.count(Endpoint::Revocation), 0);
}

#[tokio::test]
async fn tokens_that_nobody_takes_are_not_revoked_once_the_same_user_has_signed_in_again() {
    // In one session of Logto's the sign-ins of a user share a grant, which a revocation would end.
    let site = Site::start().await;
    let visitor = site.visitor();
    abandoned_callback(&site, &visitor).await;
    let callback = site.authorized(&visitor).await;
    site.callback(&visitor, callback.as_str()).await.expect("another sign-in");

    let_a_minute_pass(|| false).await;

    assert_eq!(site.provider.count(Endpoint::Revocation), 0);
}

#[tokio::test]
async fn the_result_of_a_callback_is_only_for_a_session_that_held_its_sign_in() {
    let site = Site::start().await;
    let (visitor, other) = (site.visitor(), site.visitor());
    let callback = site.authorized(&visitor).await;
    site.authorized(&other).await;
    // The other session has a pending sign-in with the same state, but does not know the code verifier.
    let mut pending = other.item(PENDING).await.expect("a pending sign-in");
    let state = callback.query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    pending["sign_ins"][0]["state"] = json!(state);
    other.set_item(PENDING, &pending).await;
    site.callback(&visitor, callback.as_str()).await.expect("a sign-in");

    let error = site.refused_callback(&other, callback.as_str()).await;

    assert!(matches!(error, Error::UnknownState), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Token), 1);
}

#[tokio::test]
async fn a_callback_that_fails_undoes_nothing_that_other_tabs_have_done_meanwhile() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let callback = site.authorized(&visitor).await;
    let gate = site.provider.hold_answer(Endpoint::Token, |_| Reply::html(503));
    let url = callback.to_string();
    let failing = site.open(&visitor, async move |logto| logto.handle_sign_in_callback(&url).await).await.go_on();
    soon(gate.arrival()).await;

    site.provider.answer_honestly();
    let token = site.visit(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await;
    token.expect("a token, and a new refresh token");
    let refreshed = visitor.items_but_pending().await;
    let other = site.authorized(&visitor).await;
    gate.open();
    failing.result().await.expect_err("a provider that is down");

    assert_eq!(visitor.items_but_pending().await, refreshed, "the tokens of before are back");
    site.callback(&visitor, other.as_str()).await.expect("the other tab's sign-in");
}

#[derive(LogtoStorage)]
struct Shared {
    session: MemorySession,
}

/// A session that its requests share shows at once what another of them has written.
#[tokio::test]
async fn a_sign_in_that_succeeds_leaves_the_session_and_those_of_other_tabs_stay() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let (first, second) = (site.authorized(&visitor).await, site.authorized(&visitor).await);
    let pending = visitor.item(PENDING).await.expect("pending sign-ins");

    site.callback(&visitor, first.as_str()).await.expect("a sign-in");

    let left = visitor.item(PENDING).await.expect("the other tab's");
    assert_eq!(left["sign_ins"], json!([pending["sign_ins"][1]]));
    site.callback(&visitor, second.as_str()).await.expect("a sign-in");
    assert_eq!(visitor.item(PENDING).await, None);
}

#[tokio::test]
async fn a_callback_keeps_a_sign_in_that_was_begun_in_another_tab_meanwhile() {
    let site = Site::start().await;
    let shared = MemorySession::default();
    let request = || site.client.session(Shared { session: shared.clone() });
    let options = || SignInOptions::new(REDIRECT_URI);
    let callback = site.provider.authorize(&soon(request().sign_in(options())).await.expect("a URL")).await.to_string();
    let gate = site.provider.hold(Endpoint::Token);
    let signing_in = request();
    let signing_in = tokio::spawn(async move { signing_in.handle_sign_in_callback(&callback).await });
    soon(gate.arrival()).await;
    let other = site.provider.authorize(&soon(request().sign_in(options())).await.expect("a URL")).await;
    gate.open();
    soon(signing_in).await.expect("no panic").expect("a sign-in");

    soon(request().handle_sign_in_callback(other.as_str())).await.expect("the other tab's sign-in");
}

#[tokio::test]
async fn a_callback_that_fails_after_newer_sign_ins_have_displaced_it_saves_nothing() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    site.provider.change_id_tokens(|token| token.claims["nonce"] = "another".into());
    let gate = site.provider.hold(Endpoint::Token);
    let url = callback.to_string();
    let failing = site.open(&visitor, async move |logto| logto.handle_sign_in_callback(&url).await).await.go_on();
    soon(gate.arrival()).await;
    for _ in 0..8 {
        site.sign_in(&visitor).await.expect("a URL");
    }
    gate.open();

    let (failed, _, saved) = site.store.count(failing.result()).await;

    failed.expect_err("another nonce");
    assert_eq!(saved, 0);
}

#[tokio::test]
async fn a_callback_that_fails_brings_no_session_back() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let old_id = visitor.id().expect("a session");
    let callback = site.authorized(&visitor).await;
    site.provider.change_id_tokens(|token| token.claims["nonce"] = "another".into());
    let gate = site.provider.hold(Endpoint::Token);
    let url = callback.to_string();
    let failing = site.open(&visitor, async move |logto| logto.handle_sign_in_callback(&url).await).await.go_on();
    soon(gate.arrival()).await;

    site.visit(&visitor, async |logto| logto.sign_out(None).await).await.expect("a URL");
    gate.open();
    failing.result().await.expect_err("another nonce");

    assert!(!site.store.has(&old_id).await, "the session is back under its old id");
}

#[tokio::test]
async fn a_missing_issuer_is_refused_where_the_provider_promises_one() {
    let error = refused_at_once(remove("iss")).await;
    assert!(matches!(error, Error::WrongIssuer { missing: true, .. }), "{error:?}");
}

#[tokio::test]
async fn a_missing_issuer_is_accepted_where_the_provider_promises_none() {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Discovery, |call| {
        call.changed(|document| document["authorization_response_iss_parameter_supported"] = false.into())
    });
    let visitor = site.visitor();
    let callback = with_params(&site.authorized(&visitor).await, remove("iss"));
    site.callback(&visitor, &callback).await.expect("a sign-in");
}

#[tokio::test]
async fn another_issuer_is_refused_even_where_the_provider_promises_none() {
    let site = Site::start().await;
    site.provider.answer(Endpoint::Discovery, |call| {
        call.changed(|document| document["authorization_response_iss_parameter_supported"] = false.into())
    });
    let error = refused(&site, &site.visitor(), set("iss", "https://evil.example/oidc")).await;
    assert!(matches!(error, Error::WrongIssuer { missing: false, .. }), "{error:?}");
}

#[tokio::test]
async fn two_issuers_are_refused() {
    let error = refused_at_once(add("iss", "https://evil.example/oidc")).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn a_code_and_an_error_together_are_refused() {
    let error = refused_at_once(add("error", "access_denied")).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn two_codes_are_refused() {
    let error = refused_at_once(add("code", "another")).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn two_errors_are_refused() {
    let error = refused_at_once(|params| {
        remove("code")(params);
        add("error", "access_denied")(params);
        add("error", "server_error")(params);
    })
    .await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn neither_a_code_nor_an_error_is_refused() {
    let error = refused_at_once(remove("code")).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn an_empty_code_is_refused() {
    let error = refused_at_once(set("code", "")).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn what_the_provider_says_of_an_error_is_told_without_control_characters_and_cut() {
    let error = refused_at_once(|params| {
        remove("code")(params);
        add("error", "server_error")(params);
        add("error_description", &format!("a\r\nb\u{1b}[31m{}", "x".repeat(10_000)))(params);
    })
    .await;
    let Error::AuthorizationFailed { error, description, .. } = error else { panic!("{error:?}") };
    let description = description.expect("a description");
    assert_eq!(error, "server_error");
    assert!(!description.contains(char::is_control), "{description:?}");
    assert!(description.len() < 1000, "{}", description.len());
}

#[tokio::test]
async fn a_callback_at_another_place_than_the_redirect_uri_is_refused() {
    let places = [
        "http://app.example/elsewhere",
        "http://app.example/callback/",
        "http://app.example/Callback",
        "http://evil.example/callback",
        "http://app.example:8080/callback",
        "/elsewhere",
    ];
    let site = Site::start().await;
    for place in places {
        let visitor = site.visitor();
        let callback = site.authorized(&visitor).await;
        let moved = format!("{place}?{}", callback.query().expect("a query"));

        let error = site.refused_callback(&visitor, &moved).await;

        assert!(matches!(error, Error::WrongRedirectUri { .. } | Error::InvalidCallback { .. }), "{place}: {error:?}");
    }
    assert_eq!(site.provider.count(Endpoint::Token), 0);
}

#[tokio::test]
async fn nothing_is_read_from_a_fragment() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let callback = site.authorized(&visitor).await;
    let moved = with_params(&callback, remove("code")) + "#code=another";

    let error = site.refused_callback(&visitor, &moved).await;

    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
    assert_eq!(site.provider.count(Endpoint::Token), 0);
    let callback = site.authorized(&visitor).await;
    site.callback(&visitor, &format!("{callback}#state=another")).await.expect("a sign-in");
}

#[tokio::test]
async fn a_gigantic_callback_is_refused() {
    let error = refused_at_once(add("padding", &"x".repeat(10 << 20))).await;
    assert!(matches!(error, Error::InvalidCallback { .. }), "{error:?}");
}

#[tokio::test]
async fn garbage_in_place_of_a_callback_is_refused() {
    let site = Site::start().await;
    let garbage = [
        "",
        "?",
        "callback",
        "http://",
        "//",
        "/callback",
        "/callback?",
        "/callback?%",
        "/callback?%ZZ=%&code=%FF%FE&state=%C3%28",
        "/callback?code=a&state=%00",
        "/callback?code&state",
        "/callback?&&&==&=code",
        "http://[::1/callback?code=a&state=b",
        "javascript:alert(1)?code=a&state=b",
        "data:text/html,?code=a&state=b",
        "\u{0}\u{1}\u{2}",
        "http://app.example/callback?code=\u{202e}&state=\u{1f600}",
    ];
    for url in garbage {
        let visitor = site.visitor();
        site.authorized(&visitor).await;
        let error = site.refused_callback(&visitor, url).await;
        assert!(
            matches!(
                error,
                Error::InvalidCallback { .. }
                    | Error::UnknownState
                    | Error::WrongRedirectUri { .. }
                    // The bare redirect URI is Logto's "Cancel".
                    | Error::SignInCancelled
            ),
            "{url:?}: {error:?}"
        );
    }
    assert_eq!(site.provider.count(Endpoint::Token), 0);
}
