//! Many requests of both processes that need a new token at once.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::provider::On;
use crate::vault::world::{World, loaded, rotated_without_grace};

/// An access token with less than ten seconds left counts as expired.
const FRESH: Duration = Duration::from_secs(3);

pub(crate) async fn many_requests_of_two_processes_exchange_a_refresh_token_once(on: On) {
    let world = World::signed_in(on, |setup| {
        rotated_without_grace(setup);
        setup.provider.access_token_seconds = 13;
    })
    .await;
    let (mut rounds, mut requests, mut slowest) = (0, 0, Duration::ZERO);

    for cycle in 0..4 {
        if cycle > 0 {
            // All tokens expire.
            sleep(FRESH).await;
        }
        for target in targets() {
            let before = world.provider.refreshes();
            let begun = Instant::now();
            let pages: Vec<_> =
                (0..40).map(|number| world.load(world.apps()[number % 2], &format!("/token?{target}"))).collect();
            let mut tokens = BTreeSet::new();
            for page in pages {
                let (status, token) = loaded(page).await;
                assert_eq!(status, 200, "round {rounds}: {token}");
                tokens.insert(token.to_string());
                requests += 1;
            }
            assert_eq!((tokens.len(), world.provider.refreshes() - before), (1, 1), "round {rounds}");
            slowest = slowest.max(begun.elapsed());
            rounds += 1;
        }
    }

    let used = world.provider.used_refresh_tokens();
    assert_eq!(used.iter().collect::<BTreeSet<_>>().len(), used.len(), "a refresh token was used twice");
    world.assert_user(Some("ann")).await;
    println!("{rounds} rounds, {requests} requests, {} exchanges; slowest round {slowest:?}", used.len());
}

fn targets() -> Vec<String> {
    let apis = ["api", "other"].map(|name| format!("resource=https://{name}.example.com"));
    let organizations = (1..=6).map(|number| format!("organization=org-{number}"));
    apis.into_iter().chain(organizations).collect()
}
