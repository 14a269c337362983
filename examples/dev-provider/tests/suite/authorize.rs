use dev_provider::{Config, DevProvider};
use reqwest::StatusCode;
use reqwest::header::LOCATION;

use crate::app::{
    API, Answer, BILLING, Callback, Fields, REDIRECT_URI, STATE, Visitor, config, exchange, start, tokens,
};

#[tokio::test]
async fn the_answer_has_the_code_the_state_and_the_issuer() {
    let provider = start().await;

    let callback = Visitor::new().sign_in(&provider, "Alice", &[]).await;

    assert!(callback.0.as_str().starts_with("http://localhost:3000/callback?code="), "{}", callback.0);
    assert_eq!(callback.get("state").as_deref(), Some(STATE));
    assert_eq!(callback.get("iss").as_deref(), Some(provider.issuer()));
}

#[tokio::test]
async fn no_state_is_made_up() {
    let provider = start().await;
    let callback = Visitor::new().sign_in(&provider, "Alice", &[("state", "")]).await;
    assert_eq!(callback.get("state"), None);
}

#[tokio::test]
async fn a_redirect_uri_keeps_a_query_of_its_own() {
    let uri = "http://localhost:3000/callback?tenant=a".to_owned();
    let provider = DevProvider::start(Config { redirect_uris: vec![uri.clone()], ..config() }).await.unwrap();

    let callback = Visitor::new().sign_in(&provider, "Alice", &[("redirect_uri", &uri)]).await;

    assert_eq!(callback.get("tenant").as_deref(), Some("a"));
    callback.code();
}

#[tokio::test]
async fn a_wrong_client_or_redirect_uri_is_told_to_the_user_and_sent_nowhere() {
    let provider = start().await;
    for fields in [
        &[("client_id", "another")][..],
        &[("client_id", "")],
        &[("redirect_uri", "")],
        &[("redirect_uri", "http://localhost:3000/callback/")],
        &[("redirect_uri", "http://localhost:3000/CALLBACK")],
        &[("redirect_uri", "http://localhost:3000/callback?a=b")],
        &[("redirect_uri", "http://localhost:3000/")],
        &[("redirect_uri", "http://localhost:3001/callback")],
        &[("redirect_uri", "https://evil.example/?http://localhost:3000/callback")],
        &[("redirect_uri", REDIRECT_URI), ("redirect_uri", REDIRECT_URI)],
        &[("redirect_uri", "https://evil.example/"), ("prompt", "none")],
    ] {
        let response = Visitor::new().authorize(&provider, fields).await;
        assert_eq!(
            (response.status(), response.headers().get(LOCATION)),
            (StatusCode::BAD_REQUEST, None),
            "{fields:?}"
        );
        assert!(!response.text().await.unwrap().contains("name=\"interaction\""), "{fields:?}");
    }
}

#[tokio::test]
async fn a_mistake_that_is_not_told_to_the_app_is_raw_json() {
    let provider = start().await;
    for (fields, error) in [
        (("client_id", "another"), "invalid_client"),
        (("redirect_uri", "http://localhost:3000/<b>"), "invalid_redirect_uri"),
        (("redirect_uri", ""), "invalid_request"),
    ] {
        let answer = Answer::of(Visitor::new().authorize(&provider, &[fields]).await).await;
        answer.assert_error(StatusCode::BAD_REQUEST, error);
        assert_eq!(answer.response_headers["content-type"], "application/json");
        assert_eq!(answer.get("code"), format!("oidc.{error}"));
        assert!(!answer.get("message").is_empty() && !answer.get("error_description").is_empty());
    }
}

#[tokio::test]
async fn parameters_of_logtos_own_are_accepted() {
    let provider = start().await;
    for field in [
        ("first_screen", "sign_in"),
        ("first_screen", "identifier:sign_in"),
        ("first_screen", "reset_password"),
        ("identifier", "email phone"),
        ("direct_sign_in", "social:github"),
        ("login_hint", "somebody@example.com"),
        ("one_time_token", "abc"),
        ("interaction_mode", "signIn"),
        ("ui_locales", "fr-CA fr en"),
    ] {
        Visitor::new().sign_in(&provider, "Alice", &[field]).await.code();
    }
    let resources = [("resource", API), ("resource", BILLING)];
    Visitor::new().sign_in(&provider, "Alice", &resources).await.code();
}

#[tokio::test]
async fn every_other_mistake_is_told_to_the_app() {
    let provider = start().await;
    let cases: [(Fields<'_>, &str); 21] = [
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code id_token")], "unsupported_response_type"),
        (&[("response_mode", "form_post")], "unsupported_response_mode"),
        (&[("code_challenge", "")], "invalid_request"),
        (&[("code_challenge", "too_short_and_so_no_hash")], "invalid_request"),
        (&[("code_challenge", "a challenge of 43 characters, but no base64")], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "profile email")], "invalid_scope"),
        (&[("resource", "https://unknown.example.com")], "invalid_target"),
        (&[("resource", "https://api.example.com"), ("resource", "https://api.example.com/")], "invalid_target"),
        (&[("prompt", "sometimes")], "invalid_request"),
        (&[("prompt", "select_account")], "invalid_request"),
        (&[("prompt", "none consent")], "invalid_request"),
        (&[("prompt", "none")], "login_required"),
        (&[("nonce", "a"), ("nonce", "b")], "invalid_request"),
        (&[("request", "a.b.c")], "request_not_supported"),
        (&[("request_uri", "urn:a")], "request_uri_not_supported"),
        (&[("max_age", "1")], "invalid_request"),
    ];
    for (fields, error) in cases {
        let callback = Callback::of(&Visitor::new().authorize(&provider, fields).await);
        assert!(callback.0.as_str().starts_with(REDIRECT_URI), "{fields:?}");
        assert_eq!(callback.get("error").as_deref(), Some(error), "{fields:?}");
        assert_eq!(callback.get("state").as_deref(), Some(STATE), "{fields:?}");
        assert_eq!(callback.get("iss").as_deref(), Some(provider.issuer()), "{fields:?}");
        assert!(callback.get("error_description").is_some() && callback.get("code").is_none(), "{fields:?}");
    }
}

#[tokio::test]
async fn of_two_states_none_is_sent_back() {
    let provider = start().await;
    let response = Visitor::new().authorize(&provider, &[("state", "a"), ("state", "b")]).await;
    let callback = Callback::of(&response);
    assert_eq!((callback.get("error").as_deref(), callback.get("state")), (Some("invalid_request"), None));
}

#[tokio::test]
async fn without_consent_there_is_no_refresh_token() {
    let provider = start().await;
    for prompt in ["", "login"] {
        let tokens = tokens(&provider, "Alice", &[("prompt", prompt)]).await;
        assert!(tokens.body.get("refresh_token").is_none(), "{}", tokens.body);
        assert_eq!(tokens.get("scope"), "openid profile");
    }
    let tokens = tokens(&provider, "Alice", &[("prompt", "login consent")]).await;
    assert_eq!(tokens.get("scope"), "openid offline_access profile");
    assert!(!tokens.get("refresh_token").is_empty());
}

#[tokio::test]
async fn unknown_scopes_are_left_out() {
    let provider = start().await;
    let scope = "openid   profile fly read:items profile";
    let tokens = tokens(&provider, "Alice", &[("scope", scope)]).await;
    assert_eq!(tokens.get("scope"), "openid profile");
}

#[tokio::test]
async fn who_is_signed_in_gets_no_page_unless_the_app_asks_for_one() {
    let provider = start().await;
    let visitor = Visitor::new();
    visitor.sign_in(&provider, "Bob", &[]).await;

    for prompt in ["", "none"] {
        let callback = Callback::of(&visitor.authorize(&provider, &[("prompt", prompt)]).await);
        let tokens = exchange(&provider, &callback.code()).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    }
    for prompt in ["login", "consent"] {
        let response = visitor.authorize(&provider, &[("prompt", prompt)]).await;
        assert_eq!(response.status(), StatusCode::OK);
        let page = response.text().await.unwrap();
        let first_button = page.split("<button").nth(1).unwrap();
        assert!(first_button.contains("Bob <small>signed in here"), "{page}");
    }
    let callback = visitor.sign_in(&provider, "Carol", &[]).await;
    callback.code();
    let page = visitor.authorize(&provider, &[]).await.text().await.unwrap();
    assert!(page.contains("Carol <small>signed in here"), "{page}");
}
