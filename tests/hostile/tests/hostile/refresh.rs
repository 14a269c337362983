//! What becomes of a session whose refresh goes wrong.

use std::time::{Duration, Instant};

use fake_provider::{Endpoint, Gate, MARK, Reply};
use logto_client::{AccessToken, Endpoint as At, Error, IdTokenError, RequestErrorKind, SignInOptions, TokenTarget};
use serde_json::{Value, json};

use crate::site::{API, ID_TOKEN, REDIRECT_URI, REFRESH_TOKEN, Site, TOKEN_MAP, Visitor, soon};

/// A refresh token that no other is called like.
const ROTATED: &str = "rotated-s3cr3t";

async fn access_token(site: &Site, visitor: &Visitor) -> Result<AccessToken, Error> {
    let token = soon(site.request(visitor).access_token(TokenTarget::provider())).await;
    if let Err(error) = &token {
        site.assert_tells_no_secret(error);
    }
    token
}

/// What was stored for the visitor, but for the refresh token.
async fn items_but_refresh_token(visitor: &Visitor) -> Value {
    let mut items = visitor.items().await;
    items.remove(REFRESH_TOKEN).expect("a refresh token");
    json!(items)
}

#[tokio::test]
async fn a_rotated_refresh_token_is_stored_though_the_rest_of_the_answer_is_refused() {
    let bends: [fn(&mut Value); 7] = [
        |body| drop(body.as_object_mut().expect("an object").remove("access_token")),
        |body| body["access_token"] = json!(["a"]),
        |body| body["token_type"] = json!("mac"),
        |body| body["expires_in"] = json!("soon"),
        |body| body["expires_in"] = json!(-3600),
        |body| body["id_token"] = json!("a.b.c"),
        |body| body["id_token"] = json!(5),
    ];
    for bend in bends {
        let site = Site::start().await;
        let visitor = site.with_expired_tokens().await;
        let before = items_but_refresh_token(&visitor).await;
        site.provider.answer_refreshes(move |call| {
            call.changed(|body| {
                body["refresh_token"] = json!(ROTATED);
                bend(body);
            })
        });

        let error = access_token(&site, &visitor).await.expect_err("an answer that is refused");

        assert!(matches!(error, Error::Request(_) | Error::InvalidIdToken(_)), "{error:?}");
        assert!(visitor.stores(REFRESH_TOKEN, ROTATED).await, "{error:?}");
        assert_eq!(items_but_refresh_token(&visitor).await, before, "{error:?}");
        assert!(site.is_authenticated(&visitor).await);
        let _ = access_token(&site, &visitor).await;
        assert_eq!(site.provider.refreshes()[1], ROTATED);
    }
}

#[tokio::test]
async fn a_rotated_refresh_token_is_stored_before_the_keys_are_there() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let site = site.with_a_cold_client();
    let gate = site.provider.hold(Endpoint::Jwks);
    let old = visitor.item(REFRESH_TOKEN).await.expect("a refresh token");
    let logto = site.request(&visitor);
    let refresh = tokio::spawn(async move { logto.access_token(TokenTarget::provider()).await });

    soon(gate.arrival()).await;

    assert_ne!(visitor.item(REFRESH_TOKEN).await.expect("a refresh token"), old);
    gate.open();
    soon(refresh).await.expect("no panic").expect("a token");
}

#[tokio::test]
async fn the_subject_of_another_user_is_refused_and_the_rotated_refresh_token_stored() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let before = items_but_refresh_token(&visitor).await;
    site.provider.change_id_tokens(|token| token.claims["sub"] = json!("user-2"));
    site.provider.answer_refreshes(|call| call.changed(|body| body["refresh_token"] = json!(ROTATED)));

    let error = access_token(&site, &visitor).await.expect_err("a token of another user's");

    assert!(matches!(error, Error::InvalidIdToken(IdTokenError::Subject)), "{error:?}");
    assert!(visitor.stores(REFRESH_TOKEN, ROTATED).await);
    assert_eq!(items_but_refresh_token(&visitor).await, before);
}

#[tokio::test]
async fn a_refreshed_id_token_that_is_forged_is_refused() {
    type Case = (fn(&mut fake_provider::keys::Jwt), IdTokenError);
    let cases: [Case; 5] = [
        (|token| token.claims["iss"] = json!("https://evil.example/oidc"), IdTokenError::Issuer),
        (|token| token.claims["aud"] = json!("app-2"), IdTokenError::Audience),
        (|token| token.claims["nonce"] = json!("of another sign-in"), IdTokenError::Nonce),
        (|token| token.claims["at_hash"] = json!("AAAA"), IdTokenError::AccessTokenHash),
        (|token| token.sign_with(&fake_provider::keys::Key::none("key-1", "none")), IdTokenError::Algorithm),
    ];
    for (bend, expected) in cases {
        let site = Site::start().await;
        let visitor = site.with_expired_tokens().await;
        site.provider.change_id_tokens(bend);
        let error = site.refused(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await;
        assert!(matches!(&error, Error::InvalidIdToken(problem) if *problem == expected), "{error:?}");
    }
}

#[tokio::test]
async fn an_answer_without_an_id_token_and_a_refresh_token_keeps_those_there_are() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let (id_token, refresh_token) = (visitor.item(ID_TOKEN).await, visitor.item(REFRESH_TOKEN).await);
    site.provider.answer_refreshes(|call| {
        call.changed(|body| {
            body["refresh_token"] = json!(null);
            body.as_object_mut().expect("an object").remove("id_token");
        })
    });

    access_token(&site, &visitor).await.expect("a token");

    assert_eq!((visitor.item(ID_TOKEN).await, visitor.item(REFRESH_TOKEN).await), (id_token, refresh_token));
}

#[tokio::test]
async fn a_refresh_token_that_the_provider_has_ended_clears_the_session() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    site.provider.answer_refreshes(|_| Reply::error(400, "invalid_grant", "grant not found"));

    let error = access_token(&site, &visitor).await.expect_err("the end of the session");

    assert!(matches!(error, Error::SessionEnded), "{error:?}");
    assert!(error.is_sign_in_required());
    assert!(!site.is_authenticated(&visitor).await);
    let items = visitor.items().await;
    for key in [ID_TOKEN, REFRESH_TOKEN, TOKEN_MAP] {
        assert!(!items.contains_key(key), "{key}");
    }
    assert_eq!(visitor.access_token_keys().await, [""; 0]);
    assert_eq!(site.provider.refreshes().len(), 1);
}

#[tokio::test]
async fn a_refresh_token_that_another_request_has_replaced_meanwhile_is_tried_once() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let older = visitor.item(REFRESH_TOKEN).await.expect("a refresh token");
    let gate = Gate::default();
    let held = gate.clone();
    let old = older["token"].as_str().expect("a token").to_owned();
    let tokens = site.provider.refresh(&old).expect("what another process gets");
    let newer = json!({"v": 1, "token": tokens["refresh_token"]});
    site.provider.answer_refreshes(move |call| {
        if call.param("refresh_token") == old {
            Reply::error(400, "invalid_grant", "refresh token already used").behind(&held)
        } else {
            call.honest_reply()
        }
    });
    let refresh = site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.go_on();
    soon(gate.arrival()).await;
    // Another process writes what it got.
    visitor.set_item(REFRESH_TOKEN, &newer).await;
    gate.open();

    refresh.result().await.expect("a token");

    assert_eq!(
        site.provider.refreshes(),
        [older, newer].map(|item| item["token"].as_str().expect("a token").to_owned())
    );
    assert!(site.is_authenticated(&visitor).await);
}

#[tokio::test]
async fn a_refresh_token_that_is_replaced_again_and_again_is_given_up_after_two_requests() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let gate = Gate::default();
    let held = gate.clone();
    site.provider.answer_refreshes(move |_| Reply::error(400, "invalid_grant", "revoked").behind(&held));
    let refresh = site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.go_on();
    let mut refresh = Box::pin(refresh.result());

    let mut replaced = 0;
    let refreshed = soon(async {
        loop {
            tokio::select! {
                () = gate.arrival() => {
                    replaced += 1;
                    visitor.set_item(REFRESH_TOKEN, &json!({"v": 1, "token": format!("{MARK}-{replaced}")})).await;
                    gate.let_one_pass();
                }
                refreshed = &mut refresh => break refreshed,
            }
        }
    });

    let error = refreshed.await.expect_err("the end of the session");
    assert!(matches!(error, Error::SessionEnded), "{error:?}");
    assert_eq!(site.provider.refreshes().len(), 2);
    assert!(site.is_authenticated(&visitor).await, "the newest refresh token may be good");
}

#[tokio::test]
async fn a_provider_that_is_busy_or_broken_ends_nothing() {
    let replies: [fn() -> Reply; 8] = [
        || Reply::html(429).with_header(axum::http::header::RETRY_AFTER, "3"),
        || Reply::html(500),
        || Reply::html(400),
        || Reply::error(503, "temporarily_unavailable", "later"),
        || Reply::error(401, "invalid_client", "the secret was changed"),
        || Reply::redirect(302, "/elsewhere"),
        || Reply::text_json(200, ""),
        || Reply::truncated("{"),
    ];
    for reply in replies {
        let site = Site::start().await;
        let visitor = site.with_expired_tokens().await;
        site.provider.answer_refreshes(move |_| reply());

        let error = site.refused(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await;

        assert!(!error.is_sign_in_required(), "{error:?}");
        assert!(site.is_authenticated(&visitor).await);
        assert_eq!(site.provider.count(Endpoint::Elsewhere), 0);
        site.provider.answer_honestly();
        access_token(&site, &visitor).await.expect("a token");
    }
}

#[tokio::test]
async fn a_provider_that_never_answers_ends_nothing() {
    for reply in [Reply::never, Reply::silent_body, Reply::dripping] {
        let site = Site::impatient().await;
        let visitor = site.with_expired_tokens().await;
        site.provider.answer_refreshes(move |_| reply());
        let begun = Instant::now();

        let error = site.refused(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await;

        assert!(error.is_retryable(), "{error:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert!(site.is_authenticated(&visitor).await);
    }
}

#[tokio::test]
async fn an_error_that_quotes_the_refresh_token_is_told_without_it() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    site.provider.answer_refreshes(|call| {
        let told = format!("{} {:?}", call.param("refresh_token"), call.headers);
        Reply::error(400, "invalid_target", &told)
    });
    let error = site.refused(&visitor, async |logto| logto.access_token(TokenTarget::resource(API)).await).await;
    assert!(matches!(&error, Error::TokenEndpoint { error, .. } if error == "invalid_target"), "{error:?}");
}

#[tokio::test]
async fn a_refresh_whose_caller_went_away_is_not_lost() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let gate = site.provider.hold_refreshes();
    let logto = site.request(&visitor);
    let refresh = tokio::spawn(async move { logto.access_token(TokenTarget::provider()).await });
    soon(gate.arrival()).await;
    refresh.abort();
    assert!(refresh.await.expect_err("an end").is_cancelled());
    gate.open();

    access_token(&site, &visitor).await.expect("a token");

    let first = site.provider.refreshes();
    assert!(first.len() == 1 || first[0] != first[1], "the old refresh token was sent twice");
    // And so it goes on.
    soon(site.request(&visitor).access_token(TokenTarget::resource(API))).await.expect("a token");
    let mut all = site.provider.refreshes();
    let sent = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), sent, "a rotated refresh token was sent again");
}

#[tokio::test]
async fn a_refreshed_id_token_may_have_the_nonce_of_the_sign_in_or_none() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let nonce = site.request(&visitor).id_token_claims().await.expect("claims").nonce.expect("a nonce");
    site.request(&visitor)
        .access_token(TokenTarget::resource(API))
        .await
        .expect("a token, and an ID token without a nonce");

    site.provider.change_id_tokens(move |token| token.claims["nonce"] = json!(nonce));

    site.request(&visitor)
        .access_token(TokenTarget::organization("org-1"))
        .await
        .expect("a token, and an ID token with the nonce");
}

#[tokio::test]
async fn a_new_sign_in_that_cannot_be_saved_leaves_the_one_before_it_usable() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let callback = site.authorized(&visitor).await;
    site.store.break_down(true);
    let error = site.callback(&visitor, callback.as_str()).await.expect_err("a store that is down");
    assert!(matches!(error, Error::Storage(_)), "{error:?}");
    site.store.break_down(false);

    assert!(site.is_authenticated(&visitor).await);
    access_token(&site, &visitor).await.expect("a token");
}

#[tokio::test]
async fn a_new_sign_in_whose_browser_goes_away_before_it_is_saved_leaves_the_one_before_it_usable() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let callback = site.authorized(&visitor).await;
    let gate = Gate::default();
    site.store.hold(Some(&gate));
    let logto = site.request(&visitor);
    let sign_in = tokio::spawn(async move { logto.handle_sign_in_callback(callback.as_str()).await });
    soon(gate.arrival()).await;
    sign_in.abort();
    assert!(sign_in.await.expect_err("an end").is_cancelled());
    site.store.hold(None);

    assert!(site.is_authenticated(&visitor).await);
    access_token(&site, &visitor).await.expect("a token");
}

#[tokio::test]
async fn a_sign_in_that_was_to_clear_the_tokens_and_cannot_be_saved_leaves_them_usable() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    site.store.break_down(true);
    let options = SignInOptions::new(REDIRECT_URI).clear_tokens(true);
    let error = soon(site.request(&visitor).sign_in(options)).await.expect_err("a store that is down");
    assert!(matches!(error, Error::Storage(_)), "{error:?}");
    site.store.break_down(false);

    assert!(site.is_authenticated(&visitor).await);
    access_token(&site, &visitor).await.expect("a token");
}

#[tokio::test]
async fn a_refresh_of_the_sign_in_before_writes_nothing_over_the_new_one() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let callback = site.authorized(&visitor).await;
    let gate = site.provider.hold_refreshes();
    let old_id = visitor.id().expect("a session");
    let refresh = site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.go_on();
    soon(gate.arrival()).await;

    site.callback(&visitor, callback.as_str()).await.expect("a sign-in");
    let signed_in = visitor.items().await;
    gate.open();

    refresh.result().await.expect_err("no token of a sign-in that is over");
    assert_eq!(visitor.items().await, signed_in);
    assert!(!site.store.has(&old_id).await, "the session is back under its old id");
}

#[tokio::test]
async fn a_refresh_under_way_writes_nothing_over_a_sign_in_that_cleared_the_tokens() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    let gate = site.provider.hold_refreshes();
    let refresh = site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.go_on();
    soon(gate.arrival()).await;
    let options = SignInOptions::new(REDIRECT_URI).clear_tokens(true);
    site.visit(&visitor, async |logto| logto.sign_in(options).await).await.expect("a URL");
    gate.open();

    refresh.result().await.expect_err("no token of a sign-in that is over");

    assert!(visitor.items_but_pending().await.is_empty());
    assert!(!site.is_authenticated(&visitor).await);
}

#[tokio::test]
async fn a_resource_that_is_not_configured_is_refused_without_a_request() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let error = site
        .refused(&visitor, async |logto| logto.access_token(TokenTarget::resource("https://evil.example")).await)
        .await;
    assert!(matches!(error, Error::UnlistedResource { .. }), "{error:?}");
    assert_eq!(site.provider.refreshes().len(), 0);
}

#[tokio::test]
async fn a_visitor_who_is_not_signed_in_gets_no_token_and_makes_no_request() {
    let site = Site::start().await;
    let visitor = site.visitor();
    let error = site.refused(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await;
    assert!(matches!(error, Error::NotAuthenticated), "{error:?}");
    assert_eq!(site.provider.count_all(), 0);
}

#[tokio::test]
async fn items_that_somebody_else_has_written_sign_nobody_in_and_break_nothing() {
    for item in [json!(null), json!("token"), json!({}), json!({"v": 2, "token": "a"}), json!({"v": 1}), json!([1])] {
        let site = Site::start().await;
        let visitor = site.signed_in().await;
        visitor.set_item(ID_TOKEN, &item).await;
        assert!(!site.is_authenticated(&visitor).await, "{item}");
        let visitor = site.signed_in().await;
        visitor.set_item(TOKEN_MAP, &item).await;
        access_token(&site, &visitor).await.expect("a token");
        for key in visitor.access_token_keys().await {
            visitor.set_item(&key, &item).await;
        }
        access_token(&site, &visitor).await.expect("a token");
        let visitor = site.signed_in().await;
        visitor.set_item(REFRESH_TOKEN, &item).await;
        let error =
            soon(site.request(&visitor).access_token(TokenTarget::resource(API))).await.expect_err("no refresh token");
        assert!(matches!(error, Error::MissingRefreshToken), "{item}: {error:?}");
        visitor.set_item(crate::site::PENDING, &item).await;
        site.authorized(&visitor).await;
    }
}

#[tokio::test]
async fn the_claims_of_an_access_token_that_is_no_jwt_are_refused() {
    for token in ["opaque", "a.b.c", "..", "e30.W10."] {
        let site = Site::start().await;
        let visitor = site.signed_in().await;
        let told = format!("{token}{}", if token == "opaque" { MARK } else { "" });
        site.provider.answer_refreshes(move |call| call.changed(|body| body["access_token"] = json!(told)));
        let error =
            soon(site.request(&visitor).access_token_claims(TokenTarget::resource(API))).await.expect_err("no claims");
        site.assert_tells_no_secret(&error);
    }
}

#[tokio::test]
async fn what_failed_is_told_with_its_endpoint() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    site.provider.answer_refreshes(|_| Reply::html(500));
    let error = access_token(&site, &visitor).await.expect_err("a failure");
    let Error::Request(error) = error else { panic!("{error:?}") };
    assert_eq!(error.endpoint(), At::Token);
    assert!(matches!(error.kind(), RequestErrorKind::Status(500)));
}
