//! Many requests of one user's at once. Each has its own session object, which it has read before any of them refreshes, and saves
//! as a whole.

use serde_json::json;
use tokio::task::JoinSet;

use crate::reply::{Gate, Reply};
use crate::site::{API, REFRESH_TOKEN, Site, TOKEN_MAP, soon};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_requests_for_one_expired_token_make_one_request() {
    let site = Site::start().await;
    site.provider.rotate_refresh_tokens();
    let visitor = site.with_expired_tokens().await;
    let old = visitor.item(REFRESH_TOKEN).await;
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let logto = site.client.session(visitor.loaded_storage().await);
        requests.spawn(async move { logto.access_token(None).await.expect("a token") });
    }

    let tokens = soon(requests.join_all()).await;

    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(site.provider.refreshes().len(), 1);
    // Whoever saved last has saved the new refresh token, and the token.
    assert_ne!(visitor.item(REFRESH_TOKEN).await, old);
    assert!(visitor.stores(TOKEN_MAP, &tokens[0]).await);
    site.request(&visitor).access_token(Some(API)).await.expect("a token by the new refresh token");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn six_organizations_at_once_make_six_requests_one_after_the_other_and_all_tokens_are_kept() {
    for rotates in [false, true] {
        let site = Site::start().await;
        if rotates {
            site.provider.rotate_refresh_tokens();
        }
        let visitor = site.signed_in().await;
        let mut requests = JoinSet::new();
        for n in 0..6 {
            let logto = site.client.session(visitor.loaded_storage().await);
            requests.spawn(async move { logto.organization_token(&format!("org-{n}")).await.expect("a token") });
        }

        let tokens = soon(requests.join_all()).await;

        assert_eq!(site.provider.refreshes().len(), 6);
        assert_eq!(site.provider.most_token_requests_at_once(), 1);
        for token in &tokens {
            assert!(visitor.stores(TOKEN_MAP, token).await, "a token was lost");
        }
        let stored = visitor.item(TOKEN_MAP).await.expect("tokens");
        assert_eq!(stored["tokens"].as_object().expect("an object").len(), 7, "{stored}");
        for n in 0..6 {
            let logto = site.request(&visitor);
            assert!(tokens.contains(&logto.organization_token(&format!("org-{n}")).await.expect("a token")));
        }
        assert_eq!(site.provider.refreshes().len(), 6);
    }
}

#[tokio::test]
async fn a_request_whose_record_is_older_than_the_rotation_writes_the_new_refresh_token_too() {
    let site = Site::start().await;
    site.provider.rotate_refresh_tokens();
    let visitor = site.with_expired_tokens().await;
    let late = visitor.loaded_storage().await;
    let token = site.request(&visitor).access_token(None).await.expect("a token");
    let rotated = visitor.item(REFRESH_TOKEN).await;

    // It changes something else as well, so that its whole record is written.
    late.set_the_apps_own("cart", "a book").await;
    let logto = site.client.session(&late);

    assert_eq!(soon(logto.access_token(None)).await.expect("a token"), token);
    assert_eq!(visitor.item(REFRESH_TOKEN).await, rotated);
    assert!(visitor.stores(TOKEN_MAP, &token).await);
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
    site.provider.bend_refresh(move |call| call.honest_reply().behind(&held));
    let mut requests = JoinSet::new();
    for visitor in &visitors {
        let logto = site.request(visitor);
        requests.spawn(async move { logto.access_token(None).await.expect("a token") });
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
    site.provider.bend_refresh(|_| Reply::never());
    let mut requests = JoinSet::new();
    for _ in 0..10 {
        let logto = site.client.session(visitor.loaded_storage().await);
        requests.spawn(async move { logto.access_token(None).await });
    }

    let results = soon(requests.join_all()).await;

    assert!(results.iter().all(Result::is_err));
    // One, but for those who came too late for it.
    let requests = site.provider.refreshes().len();
    assert!(requests <= 3, "{requests} requests, one after the other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_requests_learn_at_once_that_the_provider_has_ended_the_sign_in() {
    let site = Site::start().await;
    let visitor = site.with_expired_tokens().await;
    site.provider.bend_refresh(|_| Reply::error(400, "invalid_grant", "revoked"));
    let mut requests = JoinSet::new();
    for _ in 0..20 {
        let logto = site.client.session(visitor.loaded_storage().await);
        requests.spawn(async move { logto.access_token(None).await });
    }

    for result in soon(requests.join_all()).await {
        assert!(result.expect_err("the end of the session").is_sign_in_required());
    }

    assert_eq!(site.provider.refreshes().len(), 1);
    assert!(!site.is_authenticated(&visitor).await);
}
