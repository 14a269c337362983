//! The provider itself, as a client meets it.

use fake_provider::keys::{Jwt, Key};
use fake_provider::{APP_ID, APP_SECRET, Endpoint, FakeProvider, MARK, REDIRECT_URI, Reply, SUBJECT};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use url::Url;

const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters";

fn authorization_url(provider: &FakeProvider) -> Url {
    let mut url: Url = format!("{}/auth", provider.issuer()).parse().unwrap();
    url.query_pairs_mut().extend_pairs([
        ("client_id", APP_ID),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "openid offline_access profile"),
        ("prompt", "consent"),
        ("state", "a-state"),
        ("nonce", "a-nonce"),
        // The SHA-256 hash of the verifier.
        ("code_challenge", "mg3QoZgnRJxQy_jYdfW7D8wJkoziCuM8Yhos7PwVvsI"),
        ("code_challenge_method", "S256"),
    ]);
    url
}

async fn token(provider: &FakeProvider, form: &[(&str, &str)]) -> Response {
    let secret: String = url::form_urlencoded::byte_serialize(APP_SECRET.as_bytes()).collect();
    let request =
        Client::new().post(format!("{}/token", provider.issuer())).basic_auth(APP_ID, Some(secret)).form(form);
    request.send().await.unwrap()
}

async fn json(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

async fn signed_in(provider: &FakeProvider) -> Value {
    let callback = provider.authorize(&authorization_url(provider)).await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let response = token(provider, &form).await;
    assert_eq!(response.status(), 200);
    json(response).await
}

#[tokio::test]
async fn an_honest_answer_is_the_development_providers_signed_by_a_key_of_the_key_set() {
    let provider = FakeProvider::start().await;
    provider.set_keys(vec![Key::es256("first"), Key::es384("second")]);

    let tokens = signed_in(&provider).await;

    let id_token = tokens["id_token"].as_str().unwrap();
    let claims = Jwt::claims_of(id_token).unwrap();
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(provider.issuer()), &json!(SUBJECT)));
    assert_eq!(claims["picture"], json!(null), "Logto has unset claims, too");
    let key_set = json(reqwest::get(format!("{}/jwks", provider.issuer())).await.unwrap()).await;
    assert_eq!(key_set["keys"][0], provider.key().bound_jwk());
    assert_eq!((&key_set["keys"][0]["kid"], &key_set["keys"][1]["kid"]), (&json!("first"), &json!("second")));
}

#[tokio::test]
async fn it_is_as_strict_as_the_development_provider() {
    let provider = FakeProvider::start().await;
    let response = token(&provider, &[("grant_type", "refresh_token"), ("refresh_token", "unknown")]).await;
    assert_eq!(response.status(), 400);
    assert_eq!(json(response).await["error"], "invalid_grant");
}

#[tokio::test]
async fn an_answer_is_the_tests_until_it_is_honest_again() {
    let provider = FakeProvider::start().await;
    let discovery = format!("{}/.well-known/openid-configuration", provider.issuer());
    provider.answer(Endpoint::Discovery, |call| call.changed(|document| document["issuer"] = json!("another")));
    assert_eq!(json(reqwest::get(&discovery).await.unwrap()).await["issuer"], "another");
    provider.answer(Endpoint::Discovery, |_| Reply::html(503));
    assert_eq!(reqwest::get(&discovery).await.unwrap().status(), 503);

    provider.answer_honestly();

    assert_eq!(json(reqwest::get(&discovery).await.unwrap()).await["issuer"], provider.issuer());
    assert_eq!(provider.count(Endpoint::Discovery), 3);
}

#[tokio::test]
async fn a_rotating_provider_ends_the_grant_when_a_replaced_refresh_token_is_used() {
    let provider = FakeProvider::start_rotating().await;
    let tokens = signed_in(&provider).await;
    let first = tokens["refresh_token"].as_str().unwrap();
    let second = provider.refresh(first).unwrap()["refresh_token"].as_str().unwrap().to_owned();

    assert_ne!(first, second);
    assert_eq!(provider.refresh(first), None);
    assert_eq!(provider.refresh(&second), None);
    assert!(provider.usable_refresh_tokens().is_empty());
}

#[tokio::test]
async fn eight_bytes_of_any_secret_give_it_away() {
    let provider = FakeProvider::start().await;
    let tokens = signed_in(&provider).await;
    let callback = provider.authorize(&authorization_url(&provider)).await;
    let code = callback.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let kinds = ["access_token", "id_token", "refresh_token"].map(|kind| tokens[kind].as_str().unwrap());

    for secret in [&code, VERIFIER, APP_SECRET].into_iter().chain(kinds) {
        for fragment in [&secret[..8], &secret[secret.len() - 8..]] {
            let text = format!("a problem with {fragment}");
            assert!(provider.secret_in(&text).is_some(), "{fragment}");
        }
    }
    assert!(provider.secret_in(&format!("it is {MARK}")).is_some());
    assert_eq!(provider.secret_in("invalid response: missing `access_token`"), None);
}

#[tokio::test]
async fn a_prepared_answer_is_given_as_it_is() {
    let provider = FakeProvider::start().await;
    provider.prepare(Endpoint::Token, r#"{"a":1}"#);
    assert_eq!(json(token(&provider, &[]).await).await, json!({"a": 1}));
}
