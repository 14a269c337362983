//! Keys that change, are unknown, or cannot be had.

use std::time::Duration;

use fake_provider::keys::Key;
use fake_provider::{Endpoint, FakeProvider, Reply};
use reqwest::Method;
use serde_json::json;

use crate::frameworks::FRAMEWORKS;
use crate::requests::{api, bearer, send};

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_the_provider_a_few_requests_and_other_users_nothing() {
    for framework in FRAMEWORKS {
        let provider = FakeProvider::start().await;
        let app = framework.start(api(&provider)).await;
        let known = bearer(&provider.access_token(|_| ()));
        assert_eq!(send(&app, Method::GET, "/things", &known).await.status, 200);
        for n in 0..40 {
            let token = provider.access_token(|token| token.header["kid"] = json!(format!("made-up-{n}")));
            let answer = send(&app, Method::GET, "/things", &bearer(&token)).await;
            match answer.status {
                401 => assert_eq!(answer.error(), Some("invalid_token"), "{}", framework.name),
                // Asked too often: a token of a new key must not be called invalid.
                status => assert_eq!((status, answer.challenge), (503, None), "{}", framework.name),
            }
        }
        assert_eq!(provider.count(Endpoint::Jwks), 6, "{}", framework.name);
        let another = bearer(&provider.access_token(|_| ()));
        for token in [known, another] {
            assert_eq!(send(&app, Method::GET, "/things", &token).await.status, 200, "{}", framework.name);
        }
    }
}

#[tokio::test]
async fn a_rotation_in_mid_flight_refuses_nobody() {
    for framework in FRAMEWORKS {
        let provider = FakeProvider::start().await;
        let app = framework.start(api(&provider)).await;
        let old = bearer(&provider.access_token(|_| ()));
        assert_eq!(send(&app, Method::GET, "/things", &old).await.status, 200);

        provider.set_keys(vec![Key::es384("key-2"), provider.key()]);
        let new: Vec<_> = (0..8).map(|_| bearer(&provider.access_token(|_| ()))).collect();
        let gate = provider.hold(Endpoint::Jwks);
        let requests = async {
            let (a, b, c, d, known) = tokio::join!(
                send(&app, Method::GET, "/things", &new[0]),
                send(&app, Method::GET, "/things", &new[1]),
                send(&app, Method::GET, "/things", &new[2]),
                send(&app, Method::GET, "/things", &new[3]),
                async {
                    // The others wait for the keys, but not this one.
                    let answer = send(&app, Method::GET, "/things", &old).await;
                    gate.open();
                    answer
                },
            );
            [a, b, c, d, known]
        };
        for answer in requests.await {
            assert_eq!(answer.status, 200, "{}", framework.name);
        }
        assert_eq!(provider.count(Endpoint::Jwks), 2, "{}", framework.name);
    }
}

#[tokio::test]
async fn a_key_is_accepted_for_as_long_as_it_is_in_the_set() {
    for framework in FRAMEWORKS {
        let provider = FakeProvider::start().await;
        let app = framework.start(api(&provider)).await;
        let (old_key, new_key) = (provider.key(), Key::es384("key-2"));
        let of_old = || bearer(&provider.access_token(|token| token.sign_with(&old_key)));
        let remembered = of_old();
        assert_eq!(send(&app, Method::GET, "/things", &remembered).await.status, 200);

        provider.set_keys(vec![new_key.clone(), old_key.clone()]);
        for token in [bearer(&provider.access_token(|_| ())), of_old(), remembered.clone()] {
            assert_eq!(send(&app, Method::GET, "/things", &token).await.status, 200, "{}", framework.name);
        }

        // The next unknown key makes the app look.
        provider.set_keys(vec![Key::es384("key-3"), new_key]);
        assert_eq!(send(&app, Method::GET, "/things", &bearer(&provider.access_token(|_| ()))).await.status, 200);
        for token in [remembered, of_old()] {
            let answer = send(&app, Method::GET, "/things", &token).await;
            assert_eq!((answer.status, answer.error()), (401, Some("invalid_token")), "{}", framework.name);
        }
    }
}

#[tokio::test]
async fn without_keys_at_the_start_the_answer_is_503_until_they_are_there() {
    let provider = FakeProvider::start().await;
    provider.answer(Endpoint::Jwks, |_| Reply::json(500, &json!({})));
    let token = bearer(&provider.access_token(|_| ()));
    let mut apps = Vec::new();
    for framework in FRAMEWORKS {
        let app = framework.start(api(&provider)).await;
        for _ in 0..5 {
            let answer = send(&app, Method::GET, "/things", &token).await;
            assert_eq!((answer.status, answer.challenge.as_deref()), (503, None), "{}", framework.name);
            assert!(answer.retry_after.is_some_and(|seconds| seconds > 0), "{}", framework.name);
            assert_eq!(answer.problem()["status"], 503);
        }
        apps.push(app);
    }
    provider.answer_honestly();
    for app in apps {
        // Asked again after a pause.
        while send(&app, Method::GET, "/things", &token).await.status != 200 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

#[tokio::test]
async fn while_the_provider_is_down_only_unknown_keys_are_a_problem() {
    for framework in FRAMEWORKS {
        let provider = FakeProvider::start().await;
        let app = framework.start(api(&provider)).await;
        let token = bearer(&provider.access_token(|_| ()));
        assert_eq!(send(&app, Method::GET, "/things", &token).await.status, 200);

        provider.answer(Endpoint::Jwks, |_| Reply::json(503, &json!({})));
        let another = bearer(&provider.access_token(|_| ()));
        let unknown = bearer(&provider.access_token(|token| token.sign_with(&Key::es384("key-2"))));
        for (token, status) in [(token, 200), (another, 200), (unknown, 503)] {
            assert_eq!(send(&app, Method::GET, "/things", &token).await.status, status, "{}", framework.name);
        }
    }
}
