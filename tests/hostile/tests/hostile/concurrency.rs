//! Many requests of one user's at once. Each has read its session before any of them refreshes, and saves it as a whole.

use fake_provider::{Gate, Reply};
use logto_client::TokenTarget;
use serde_json::json;
use tokio::task::JoinSet;

use crate::app::{Loading, Tab};
use crate::site::{API, REFRESH_TOKEN, Site, Storage, TOKEN_MAP, soon};

type Logto = logto_client::LogtoSession<Storage>;

/// Lets all handlers go on at once, and waits for the end of all responses.
async fn results<T>(requests: Vec<Tab<T>>) -> Vec<T> {
    let requests: Vec<_> = requests.into_iter().map(Tab::go_on).collect();
    futures_util::future::join_all(requests.into_iter().map(Loading::result)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_requests_for_one_expired_token_make_one_request() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let old = visitor.item(REFRESH_TOKEN).await;
    let mut requests = Vec::new();
    for _ in 0..50 {
        requests.push(
            site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await.expect("a token"))
                .await,
        );
    }

    let tokens = soon(results(requests)).await;

    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(site.provider.refreshes().len(), 1);
    // Whoever saved last has saved the new refresh token, and the token.
    assert_ne!(visitor.item(REFRESH_TOKEN).await, old);
    assert!(visitor.stores_access_token(tokens[0].as_str()).await);
    site.request(&visitor).access_token(TokenTarget::resource(API)).await.expect("a token by the new refresh token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_organizations_at_once_make_six_requests_one_after_the_other_and_all_tokens_are_kept() {
    for rotates in [false, true] {
        let site = if rotates { Site::start_rotating().await } else { Site::start().await };
        let visitor = site.signed_in().await;
        let mut requests = Vec::new();
        for n in 0..6 {
            let token = async move |logto: Logto| {
                logto.access_token(TokenTarget::organization(format!("org-{n}"))).await.expect("a token")
            };
            requests.push(site.open(&visitor, token).await);
        }

        let tokens = soon(results(requests)).await;

        assert_eq!(site.provider.refreshes().len(), 6);
        assert_eq!(site.provider.most_token_requests_at_once(), 1);
        for token in &tokens {
            assert!(visitor.stores_access_token(token.as_str()).await, "a token was lost");
        }
        let stored = visitor.item(TOKEN_MAP).await.expect("tokens");
        assert_eq!(stored["expiresAt"].as_object().expect("an object").len(), 7, "{stored}");
        assert_eq!(visitor.access_token_keys().await.len(), 7);
        for n in 0..6 {
            let logto = site.request(&visitor);
            assert!(
                tokens.contains(
                    &logto.access_token(TokenTarget::organization(format!("org-{n}"))).await.expect("a token")
                )
            );
        }
        assert_eq!(site.provider.refreshes().len(), 6);
    }
}

#[tokio::test]
async fn a_request_whose_record_is_older_than_the_rotation_writes_the_new_refresh_token_too() {
    let site = Site::start_rotating().await;
    let visitor = site.with_expired_tokens().await;
    let client = site.client.clone();
    let late = site.open_with_session(&visitor, async move |storage| {
        // It changes something else as well, so that its whole record is written.
        storage.set_the_apps_own("cart", "a book").await;
        client.session(storage).access_token(TokenTarget::provider()).await
    });
    let late = late.await;
    let token =
        site.visit(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await.expect("a token");
    let rotated = visitor.item(REFRESH_TOKEN).await;

    assert_eq!(late.result().await.expect("a token"), token);
    assert_eq!(visitor.item(REFRESH_TOKEN).await, rotated);
    assert!(visitor.stores_access_token(token.as_str()).await);
    assert_eq!(visitor.items().await["cart"], json!("a book"));
    assert_eq!(site.provider.refreshes().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_visitors_refresh_side_by_side() {
    let site = Site::start().await;
    let gate = Gate::default();
    let mut visitors = Vec::new();
    for _ in 0..10 {
        visitors.push(site.with_expired_tokens().await);
    }
    let held = gate.clone();
    site.provider.answer_refreshes(move |call| call.honest_reply().behind(&held));
    let mut requests = JoinSet::new();
    for visitor in &visitors {
        let logto = site.request(visitor);
        requests.spawn(async move { logto.access_token(TokenTarget::provider()).await.expect("a token") });
    }
    // All of them are under way before the first is answered.
    for _ in &visitors {
        soon(gate.arrival()).await;
    }
    gate.open();
    assert_eq!(soon(requests.join_all()).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_requests_do_not_wait_one_after_the_other_for_a_provider_that_hangs() {
    let site = Site::impatient().await;
    let visitor = site.with_expired_tokens().await;
    site.provider.answer_refreshes(|_| Reply::never());
    let mut requests = Vec::new();
    for _ in 0..10 {
        requests.push(site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await);
    }

    let results = soon(results(requests)).await;

    assert!(results.iter().all(Result::is_err));
    // One, but for those who came too late for it.
    let requests = site.provider.refreshes().len();
    assert!(requests <= 3, "{requests} requests, one after the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_requests_learn_at_once_that_the_provider_has_ended_the_sign_in() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    site.provider.answer_refreshes(|_| Reply::error(400, "invalid_grant", "revoked"));
    let mut requests = Vec::new();
    for _ in 0..20 {
        requests.push(site.open(&visitor, async |logto| logto.access_token(TokenTarget::provider()).await).await);
    }

    for result in soon(results(requests)).await {
        assert!(result.expect_err("the end of the session").is_sign_in_required());
    }

    assert_eq!(site.provider.refreshes().len(), 1);
    assert!(!site.is_authenticated(&visitor).await);
}
