//! User info that is of somebody else, or none.

use std::time::{Duration, Instant};

use fake_provider::{Call, Endpoint, Reply, SUBJECT, Sent};
use logto_client::{Endpoint as At, Error, RequestErrorKind, TokenTarget};
use serde_json::json;

use crate::site::{API, Site, soon};

async fn refused_by(site: Site, bend: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Error {
    site.provider.answer(Endpoint::UserInfo, bend);
    let visitor = site.signed_in().await;
    let error = site.refused(&visitor, async |logto| logto.fetch_user_info().await).await;
    assert!(site.is_authenticated(&visitor).await);
    assert_eq!(site.provider.count(Endpoint::Elsewhere), 0);
    error
}

async fn problem(bend: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> RequestErrorKind {
    kind(refused_by(Site::start().await, bend).await)
}

fn kind(error: Error) -> RequestErrorKind {
    match error {
        Error::Request(error) if error.endpoint() == At::UserInfo => error.kind().clone(),
        error => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn the_info_of_the_user_is_given() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let info = site.request(&visitor).fetch_user_info().await.expect("user info");
    assert_eq!((info.sub.as_str(), info.user.name.as_deref()), (SUBJECT, Some("Ada")));
}

#[tokio::test]
async fn the_info_of_another_user_is_refused() {
    for subject in ["user-2", "", "USER-1", "user-1 "] {
        let bend = move |call: &Call| call.changed(|body| body["sub"] = json!(subject));
        let error = refused_by(Site::start().await, bend).await;
        assert!(matches!(error, Error::WrongSubject), "{subject:?}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_no_user_info_is_refused() {
    for body in ["", "null", "[]", "{}", "{\"sub\":1}", "{\"sub\":\"user-1\",\"name\":7}", "<html>"] {
        let problem = problem(move |_| Reply::text_json(200, body)).await;
        assert!(matches!(problem, RequestErrorKind::Invalid(_)), "{body}: {problem:?}");
    }
}

#[tokio::test]
async fn an_access_token_that_fits_in_no_header_is_not_sent() {
    for token in ["s3cr3t\r\nx-evil: 1", "s3cr3t\u{0}", "s3cr3t\n"] {
        let site = Site::start().await;
        site.provider.change_id_tokens(|token| {
            token.claims.as_object_mut().expect("an object").remove("at_hash").expect("a hash");
        });
        site.provider.answer(Endpoint::Token, move |call| call.changed(|body| body["access_token"] = json!(token)));
        let visitor = site.visitor();
        let callback = site.authorized(&visitor).await;
        // Whether it is refused here or where it is used.
        if let Err(error) = site.callback(&visitor, callback.as_str()).await {
            site.assert_tells_no_secret(&error);
        } else {
            site.refused(&visitor, async |logto| logto.fetch_user_info().await).await;
        }
        assert_eq!(site.provider.count(Endpoint::UserInfo), 0);
    }
}

#[tokio::test]
async fn a_server_error_ends_nothing() {
    assert!(matches!(problem(|_| Reply::html(500)).await, RequestErrorKind::Status(500)));
}

#[tokio::test]
async fn a_token_that_the_endpoint_refuses_is_exchanged_for_another_once() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let first = soon(site.request(&visitor).access_token(TokenTarget::provider())).await.expect("a token");
    let refused = format!("Bearer {}", first.as_str());
    site.provider.answer(Endpoint::UserInfo, move |call| {
        if call.headers["authorization"] == *refused { Reply::html(401) } else { call.honest_reply() }
    });

    soon(site.request(&visitor).fetch_user_info()).await.expect("user info");

    assert_eq!((site.provider.count(Endpoint::UserInfo), site.provider.refreshes().len()), (2, 1));
    let second = soon(site.request(&visitor).access_token(TokenTarget::provider())).await.expect("a token");
    assert_ne!(first, second);
    assert_eq!(site.provider.refreshes().len(), 1, "the new one is kept");
}

#[tokio::test]
async fn the_other_access_tokens_outlive_one_that_the_endpoint_refuses() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let of_the_api = soon(site.request(&visitor).access_token(TokenTarget::resource(API))).await.expect("a token");
    let first = soon(site.request(&visitor).access_token(TokenTarget::provider())).await.expect("a token");
    let refused = format!("Bearer {}", first.as_str());
    site.provider.answer(Endpoint::UserInfo, move |call| {
        if call.headers["authorization"] == *refused { Reply::html(401) } else { call.honest_reply() }
    });
    let refreshes = site.provider.refreshes().len();

    soon(site.request(&visitor).fetch_user_info()).await.expect("user info");

    assert!(visitor.stores_access_token(of_the_api.as_str()).await);
    assert!(!visitor.stores_access_token(first.as_str()).await);
    let again = soon(site.request(&visitor).access_token(TokenTarget::resource(API))).await.expect("a token");
    assert_eq!(again, of_the_api);
    assert_eq!(site.provider.refreshes().len(), refreshes + 1, "for user info only");
}

/// The request has read its session, and the provider answers 401 because the visitor signs out in another tab meanwhile.
#[tokio::test]
async fn a_token_that_is_refused_since_the_visitor_has_signed_out_brings_nothing_back() {
    for same_process in [true, false] {
        let site = Site::start().await;
        let visitor = site.signed_in().await;
        let old_id = visitor.id().expect("a session");
        let gate = site.provider.hold_answer(Endpoint::UserInfo, |_| Reply::html(401));
        let info = site.open(&visitor, async |logto| logto.fetch_user_info().await).await.go_on();
        soon(gate.arrival()).await;
        let site = if same_process { site } else { site.with_a_cold_client() };
        site.visit(&visitor, async |logto| logto.sign_out(None).await).await.expect("a URL");
        gate.open();

        let (info, _, saved) = site.store.count(info.result()).await;
        let error = info.expect_err("no info for who has signed out");

        assert!(error.is_sign_in_required(), "{error:?}");
        assert_eq!(saved, 0, "there is a new session for nobody");
        assert!(!site.store.has(&old_id).await, "the session is back under its old id");
        assert_eq!(site.provider.refreshes().len(), 0);
    }
}

#[tokio::test]
async fn clearing_the_access_tokens_brings_no_session_back() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let old_id = visitor.id().expect("a session");
    let late = site.open(&visitor, async |logto| logto.clear_access_tokens().await).await;
    site.visit(&visitor, async |logto| logto.sign_out(None).await).await.expect("a URL");

    late.result().await.expect("nothing to clear");

    assert!(!site.store.has(&old_id).await, "the session is back under its old id");
}

/// A session that was changed before is not read again.
#[tokio::test]
async fn clearing_the_access_tokens_in_a_changed_session_brings_none_back_either() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    let old_id = visitor.id().expect("a session");
    let (client, store) = (site.client.clone(), site.store.clone());
    let late = site.open_with_session(&visitor, async move |storage| {
        storage.set_the_apps_own("cart", "3 apples").await;
        let cleared = client.session(storage).clear_access_tokens().await;
        (cleared, store.has(&old_id).await)
    });
    let late = late.await;
    site.visit(&visitor, async |logto| logto.sign_out(None).await).await.expect("a URL");

    let (cleared, is_back) = late.result().await;

    let error = cleared.expect_err("a sign-in that is over");
    assert!(matches!(error, Error::NotAuthenticated), "{error:?}");
    assert!(!is_back, "the session is back under its old id");
    // The session library saves the app's own change when the response ends, and so brings the session back. Its sign-in is over.
    assert!(!site.is_authenticated(&visitor).await);
    let token = site.visit(&visitor, async |logto| logto.access_token(TokenTarget::resource(API)).await).await;
    assert!(token.expect_err("a sign-in that is over").is_sign_in_required());
    assert!(!site.is_authenticated(&visitor).await);
}

#[tokio::test]
async fn an_endpoint_that_refuses_every_token_ends_nothing_and_is_asked_twice() {
    let quote = |call: &Call| Reply::error(401, "invalid_token", &format!("{:?}", call.headers));
    for reply in [Box::new(|_: &Call| Reply::html(401)) as Box<dyn Fn(&Call) -> Reply + Send + Sync>, Box::new(quote)] {
        let site = Site::start().await;
        let visitor = site.signed_in().await;
        site.provider.answer(Endpoint::UserInfo, reply);

        let error = soon(site.request(&visitor).fetch_user_info()).await.expect_err("no user info");

        let Error::Request(request) = &error else { panic!("{error:?}") };
        assert!(matches!(request.kind(), RequestErrorKind::Status(401)), "{error:?}");
        site.assert_tells_no_secret(&error);
        assert_eq!((site.provider.count(Endpoint::UserInfo), site.provider.refreshes().len()), (2, 1));
        assert!(site.is_authenticated(&visitor).await);
    }
}

#[tokio::test]
async fn a_refused_token_whose_sign_in_the_provider_has_ended_clears_the_session() {
    let site = Site::start().await;
    let visitor = site.signed_in().await;
    site.provider.answer(Endpoint::UserInfo, |_| Reply::html(401));
    site.provider.answer_refreshes(|_| Reply::error(400, "invalid_grant", "grant not found"));

    let error = soon(site.request(&visitor).fetch_user_info()).await.expect_err("the end of the session");

    assert!(matches!(error, Error::SessionEnded), "{error:?}");
    assert!(!site.is_authenticated(&visitor).await);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [302, 307] {
        let problem = problem(move |_| Reply::redirect(status, "/elsewhere")).await;
        assert!(matches!(problem, RequestErrorKind::Redirected), "{problem:?}");
    }
}

#[tokio::test]
async fn info_without_end_is_not_read_to_the_end() {
    let sent = Sent::default();
    let counted = sent.clone();
    let problem = problem(move |_| Reply::endless(&counted)).await;
    assert!(matches!(problem, RequestErrorKind::TooLarge { .. }), "{problem:?}");
    let sent = sent.bytes_at_end().await;
    assert!(sent < 16 << 20, "{sent}");
}

#[tokio::test]
async fn an_endpoint_that_never_answers_does_not_hold_the_page_up() {
    for reply in [Reply::never, Reply::silent_body, Reply::dripping] {
        let begun = Instant::now();
        let error = refused_by(Site::impatient().await, move |_| reply()).await;
        assert!(matches!(kind(error), RequestErrorKind::Transport(error) if error.is_timeout()));
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}
