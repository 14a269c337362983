//! Two processes of one app, with one store between them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use servers::{Browser, Redis, Rotation};
use tokio::task::JoinSet;

use crate::app_process::{AppProcess, Instructions};
use crate::provider::{On, Provider, Setup};

pub(crate) async fn two_processes_refresh_at_once_and_the_user_stays_signed_in(on: On) {
    let (redis, browser) = (Redis::start(&[]), Browser::new());
    let (provider, apps) = two_processes(on, &redis, |setup| {
        setup.provider.rotation = Rotation::Always;
        setup.provider.access_token_seconds = 5;
    })
    .await;
    apps[0].sign_in(&provider, &browser, "ann").await;

    // Twice the grace period of three seconds and more: a refresh token that one of them kept to itself would be found out.
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(7) {
        // Both have the same refresh token, and each needs a new access token.
        let mut tasks = JoinSet::new();
        for app in &apps {
            let (browser, url) = (browser.clone(), format!("{}/token?resource=https://api.example.com", app.url));
            tasks.spawn(async move { browser.json(&url).await });
        }
        for (status, answer) in tasks.join_all().await {
            assert_eq!(status, 200, "{answer}");
        }
    }

    for app in &apps {
        let (_, home) = browser.json(&app.url).await;
        assert_eq!(home["claims"]["username"], "ann", "{home}");
    }
    if let Provider::OidcProvider(provider) = provider {
        assert_eq!(provider.refresh_tokens_used_too_late(), Vec::<String>::new());
    }
}

pub(crate) async fn a_process_sees_what_the_other_has_done(on: On) {
    let (redis, browser) = (Redis::start(&[]), Browser::new());
    let (provider, apps) = two_processes(on, &redis, |setup| {
        setup.provider.rotation = Rotation::Always;
        setup.provider.grace_seconds = 0;
    })
    .await;
    apps[0].sign_in(&provider, &browser, "ann").await;

    // A token that one was given is there for the other, and so is the refresh token: nothing else would work here.
    let mut tokens = BTreeSet::new();
    for number in 1..=6 {
        let path = format!("token?organization=org-{number}");
        let mut seen = Vec::new();
        for app in [&apps[number % 2], &apps[(number + 1) % 2]] {
            let (status, token) = browser.json(&format!("{}/{path}", app.url)).await;
            assert_eq!(status, 200, "{token}");
            seen.push(token.as_str().unwrap().to_owned());
        }
        assert_eq!(seen[0], seen[1]);
        tokens.extend(seen);
    }
    assert_eq!(tokens.len(), 6);

    // Signed out at one, signed out at the other.
    browser.get(&format!("{}/sign-out", apps[1].url)).await;
    for app in &apps {
        let (_, home) = browser.json(&app.url).await;
        assert_eq!(home["signedIn"], false, "{home}");
    }
}

async fn two_processes(on: On, redis: &Redis, change: impl FnOnce(&mut Setup)) -> (Provider, Vec<AppProcess>) {
    let mut setup = Setup::default();
    change(&mut setup);
    let mut apps = [AppProcess::start().await, AppProcess::start().await];
    let app_url = apps[0].url.clone();
    let provider = Provider::start(on, &setup, &app_url).await;
    let endpoint = provider.endpoint().to_owned();
    let instructions = Instructions { endpoint, redis: redis.url(), vault: None, keys: Vec::new(), app_url };
    for app in &mut apps {
        app.instruct(&instructions).await;
    }
    (provider, apps.into())
}
