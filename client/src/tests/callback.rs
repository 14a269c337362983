use std::sync::Arc;
use std::time::Duration;

use fake_provider::Endpoint;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::provider::Provider;
use super::storage::Items;
use crate::{Error, LogtoStorage as _, SignInOptions};

const REDIRECT_URI: &str = "https://app.example.com/callback";

/// The provider refuses every code, so that of a callback which is believed the code is seen there.
async fn provider(discovered: Value) -> Provider {
    Provider::start(discovered, |_| (400, json!({ "error": "invalid_grant" }).to_string())).await
}

/// What becomes of a callback to a sign-in that has just begun: `{state}` and `{iss}` stand for its own. The code that
/// the provider was asked about, or the error.
async fn callback_to(provider: &Provider, redirect_uri: &str, callback: &str) -> Result<String, Error> {
    let client = provider.client();
    let items = Items::default();
    let session = client.session(&items);
    let url = session.sign_in(SignInOptions::new(redirect_uri)).await.unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let callback = callback.replace("{state}", &state).replace("{iss}", &format!("{}/oidc", provider.endpoint));

    let seen = provider.requests().len();
    let error = session.handle_sign_in_callback(&callback).await.unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(!printed.contains(&state), "{printed}");
    match provider.requests().get(seen) {
        Some(request) => {
            assert!(matches!(error, Error::TokenEndpoint { .. }), "{error:?}");
            let form = request.form.clone();
            assert!(form.contains(&("redirect_uri".to_owned(), redirect_uri.to_owned())), "{form:?}");
            Ok(form.into_iter().find(|(name, _)| name == "code").unwrap().1)
        }
        None => Err(error),
    }
}

async fn callback(callback: &str) -> Result<String, Error> {
    callback_to(&provider(json!({})).await, REDIRECT_URI, callback).await
}

#[track_caller]
fn assert_invalid(found: &Result<String, Error>, expected: &str) {
    match found {
        Err(Error::InvalidCallback { problem }) => assert_eq!(*problem, expected),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_callback_may_be_absolute_or_a_path_and_query() {
    for url in [
        "https://app.example.com/callback?code=c&state={state}",
        "/callback?code=c&state={state}",
        "/callback?state={state}&code=c&session_state=x",
        "https://APP.example.com:443/callback?code=c&state={state}",
        "https://app.example.com/a/../callback?code=c&state={state}",
        "/callback?code=c&state={state}#",
        "/callback?code=c&state={state}#code=d&state=e&error=f",
        "/callback?&&code=c&&state={state}&",
    ] {
        assert_eq!(callback(url).await.unwrap(), "c", "{url}");
    }
}

#[tokio::test]
async fn the_code_is_decoded_as_a_form_is() {
    for (encoded, code) in [
        ("a%2Bb%20c+d", "a+b c d"),
        ("%C3%A9%26%3D", "é&="),
        ("100%", "100%"),
        ("%zz%4", "%zz%4"),
        ("%ff", "\u{fffd}"),
        ("a%00b", "a\0b"),
        ("a=b", "a=b"),
    ] {
        assert_eq!(callback(&format!("/callback?code={encoded}&state={{state}}")).await.unwrap(), code);
    }
}

#[tokio::test]
async fn parameters_that_come_twice_are_refused() {
    for url in [
        "/callback?code=c&state={state}&state={state}",
        "/callback?code=c&state={state}&state=",
        "/callback?code=c&state=x&state={state}",
        "/callback?code=c&code=c&state={state}",
        "/callback?code=&code=c&state={state}",
        "/callback?code=c&%63ode=d&state={state}",
        "/callback?error=a&error=b&state={state}",
        "/callback?error=a&error_description=b&error_description=c&state={state}",
        "/callback?code=c&state={state}&iss={iss}&iss={iss}",
    ] {
        assert_invalid(&callback(url).await, "has a parameter twice");
    }
    // Of a parameter that means nothing here it does not matter.
    assert!(callback("/callback?code=c&state={state}&x=1&x=2").await.is_ok());
}

#[tokio::test]
async fn a_callback_without_a_state_is_refused() {
    for url in [
        "/callback?code=c",
        "/callback?code=c&state=",
        "/callback?code=c#state={state}",
        "/callback?error=access_denied",
        "/callback?iss={iss}",
        "/callback?state=",
    ] {
        assert_invalid(&callback(url).await, "has no `state`");
    }
}

#[tokio::test]
async fn a_callback_without_any_parameter_is_a_cancelled_sign_in_and_uses_nothing_up() {
    let provider = provider(json!({})).await;
    let (client, items) = (provider.client(), Items::default());
    let session = client.session(&items);
    for destination in ["/first", "/newest"] {
        session.sign_in(SignInOptions::new(REDIRECT_URI).post_redirect_uri(destination)).await.unwrap();
    }
    let before = items.get_item(crate::session::items::SIGN_IN_SESSION).await.unwrap();
    for url in
        ["", "/callback", "/callback?", "https://app.example.com/callback", "/callback?tenant=a", "/callback#code=c"]
    {
        let return_to = session.pending_post_redirect_uri(url).await.unwrap();
        assert_eq!(return_to.as_deref(), Some("/newest"), "{url}");
        let error = session.handle_sign_in_callback(url).await.unwrap_err();
        assert!(matches!(error, Error::SignInCancelled), "{url}: {error:?}");
        assert!(error.is_access_denied() && !error.is_retryable() && !error.is_stale_callback());
    }
    assert_eq!(items.get_item(crate::session::items::SIGN_IN_SESSION).await.unwrap(), before);
    assert!(provider.requests().is_empty());
}

#[tokio::test]
async fn the_destination_of_a_callback_is_that_of_its_own_sign_in() {
    let provider = provider(json!({})).await;
    let (client, items) = (provider.client(), Items::default());
    let session = client.session(&items);
    let mut states = Vec::new();
    for destination in ["/first", "/newest"] {
        let url = session.sign_in(SignInOptions::new(REDIRECT_URI).post_redirect_uri(destination)).await.unwrap();
        states.push(url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned());
    }
    let found = async |url: String| session.pending_post_redirect_uri(&url).await.unwrap();
    assert_eq!(found(format!("/callback?error=x&state={}", states[0])).await.as_deref(), Some("/first"));
    assert_eq!(found(format!("/callback?code=c&state={}", states[1])).await.as_deref(), Some("/newest"));
    assert_eq!(found("/callback?code=c&state=x".to_owned()).await, None);
    assert_eq!(found("/callback?code=c".to_owned()).await, None, "no answer of the provider's, and no cancellation");
}

#[tokio::test]
async fn what_the_browser_brought_is_evaluated_before_any_request() {
    let provider = provider(json!({})).await;
    let config = || crate::LogtoConfig::builder(&provider.endpoint, "app").build().unwrap();
    let items = Items::default();
    let url =
        crate::LogtoClient::new(config()).unwrap().session(&items).sign_in(SignInOptions::new(REDIRECT_URI)).await;
    let state = url.unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let begun = items.get_item(crate::session::items::SIGN_IN_SESSION).await.unwrap().unwrap();
    // Another process, which knows nothing of a provider that is down.
    let (endpoint, nothing) = {
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        (format!("http://{}", closed.local_addr().unwrap()), closed)
    };
    drop(nothing);
    for (callback, is_expected) in [
        ("/callback".to_owned(), (|error| matches!(error, Error::SignInCancelled)) as fn(&Error) -> bool),
        (format!("/callback?error=access_denied&state={state}"), |error| matches!(error, Error::AccessDenied { .. })),
        (format!("/callback?error=login_required&state={state}"), Error::is_sign_in_required),
        (format!("/elsewhere?code=c&state={state}"), |error| matches!(error, Error::WrongRedirectUri { .. })),
        (format!("/callback?code=c&iss=x&state={state}"), |error| matches!(error, Error::WrongIssuer { .. })),
        (format!("/callback?code=c&state={state}"), |error| matches!(error, Error::Request(_))),
    ] {
        items.set_item(crate::session::items::SIGN_IN_SESSION, &begun).await.unwrap();
        let config = crate::LogtoConfig::builder(&endpoint, "app").build().unwrap();
        let session = crate::LogtoClient::new(config).unwrap().session(&items);
        let error = session.handle_sign_in_callback(&callback).await.unwrap_err();
        assert!(is_expected(&error), "{callback}: {error:?}");
    }
}

#[tokio::test]
async fn a_callback_has_a_code_or_an_error() {
    for url in ["/callback?state={state}", "/callback?code=&state={state}", "/callback?code&error=&state={state}"] {
        assert_invalid(&callback(url).await, "has neither a `code` nor an `error`");
    }
    assert_invalid(&callback("/callback?code=c&error=e&state={state}").await, "has both a `code` and an `error`");
    assert_eq!(callback("/callback?code=c&error=&state={state}").await.unwrap(), "c", "an empty one is none");
}

#[tokio::test]
async fn a_callback_longer_than_16_kib_is_refused() {
    let fit = "/callback?code=c&state=x&pad=";
    let exact = format!("{fit}{}", "a".repeat(16 * 1024 - fit.len()));
    assert!(matches!(callback(&exact).await, Err(Error::UnknownState)));
    assert_invalid(&callback(&format!("{exact}a")).await, "is longer than 16 KiB");
}

#[tokio::test]
async fn a_state_of_no_sign_in_here_is_stale() {
    for state in ["x", "{state}x", "%00", "{state}%20"] {
        let error = callback(&format!("/callback?code=c&state={state}")).await.unwrap_err();
        assert!(matches!(error, Error::UnknownState), "{error:?}");
        assert!(error.is_stale_callback());
    }
    let provider = provider(json!({})).await;
    let (client, items) = (provider.client(), Items::default());
    let error = client.session(&items).handle_sign_in_callback("/callback?code=c&state=x").await.unwrap_err();
    assert!(matches!(error, Error::NoPendingSignIn));
    assert!(error.is_stale_callback());
}

#[tokio::test]
async fn a_callback_to_another_place_is_refused_and_both_are_named() {
    for (url, place) in [
        ("http://app.example.com/callback?code=c&state={state}", "http://app.example.com/callback"),
        ("https://evil.example/callback?code=c&state={state}", "https://evil.example/callback"),
        ("https://app.example.com:8443/callback?code=c&state={state}", "https://app.example.com:8443/callback"),
        ("https://app.example.com/other?code=c&state={state}#f", "https://app.example.com/other"),
        ("/callback/?code=c&state={state}", "https://app.example.com/callback/"),
        ("/Callback?code=c&state={state}", "https://app.example.com/Callback"),
        ("/callback%2F?code=c&state={state}", "https://app.example.com/callback%2F"),
        ("//evil.example/callback?code=c&state={state}", "https://evil.example/callback"),
        ("\\\\evil.example/callback?code=c&state={state}", "https://evil.example/callback"),
        ("data:text/plain,callback?code=c&state={state}", "data:text/plain,callback"),
    ] {
        match callback(url).await {
            Err(Error::WrongRedirectUri { expected, found }) => {
                assert_eq!((&*expected, &*found), (REDIRECT_URI, place));
            }
            other => panic!("{url}: {other:?}"),
        }
    }
    assert_invalid(&callback("https://?code=c&state={state}").await, "is not a URL");
    assert_invalid(&callback("http://[::1/callback?code=c&state={state}").await, "is not a URL");
}

#[tokio::test]
async fn a_redirect_uri_may_have_a_port_and_a_query() {
    let provider = provider(json!({})).await;
    for (redirect_uri, url) in [
        ("http://localhost:3000/callback", "/callback?code=c&state={state}"),
        ("http://localhost:3000/callback", "http://localhost:3000/callback?code=c&state={state}"),
        ("https://app.example.com/callback?tenant=a", "/callback?tenant=a&code=c&state={state}"),
        ("https://app.example.com", "/?code=c&state={state}"),
        ("https://app.example.com", "https://app.example.com?code=c&state={state}"),
    ] {
        assert_eq!(callback_to(&provider, redirect_uri, url).await.unwrap(), "c", "{url}");
    }
    let elsewhere =
        callback_to(&provider, "http://localhost:3000/callback", "http://localhost/callback?code=c&state={state}");
    assert!(matches!(elsewhere.await, Err(Error::WrongRedirectUri { .. })));
}

#[tokio::test]
async fn iss_has_to_be_this_provider_and_may_be_missing_only_where_it_is_not_promised() {
    let silent = provider(json!({})).await;
    let promised = provider(json!({ "authorization_response_iss_parameter_supported": true })).await;
    for (provider, iss, missing) in [
        (&silent, "", None),
        (&silent, "&iss=", None),
        (&silent, "&iss={iss}", None),
        (&silent, "&iss={iss}/", Some(false)),
        (&silent, "&iss=https://evil.example/oidc", Some(false)),
        (&promised, "&iss={iss}", None),
        (&promised, "", Some(true)),
        (&promised, "&iss=", Some(true)),
        (&promised, "&iss=https://evil.example/oidc", Some(false)),
    ] {
        for answer in ["code=c", "error=access_denied"] {
            let found = callback_to(provider, REDIRECT_URI, &format!("/callback?{answer}&state={{state}}{iss}")).await;
            match (missing, found) {
                (None, Ok(code)) => assert_eq!(code, "c"),
                (None, Err(Error::AccessDenied { .. })) => assert_eq!(answer, "error=access_denied"),
                (Some(missing), Err(Error::WrongIssuer { missing: found })) => assert_eq!(found, missing, "{iss}"),
                (_, found) => panic!("{iss}: {found:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_denial_is_told_apart_from_other_errors() {
    let denied = callback("/callback?error=access_denied&error_description=no+thanks&state={state}").await.unwrap_err();
    assert!(denied.is_access_denied() && !denied.is_retryable());
    assert!(matches!(denied, Error::AccessDenied { description: Some(text) } if text == "no thanks"));
    let bare = callback("/callback?error=access_denied&state={state}").await.unwrap_err();
    assert!(matches!(bare, Error::AccessDenied { description: None }));

    let failed = callback("/callback?error=invalid_scope&error_description=%C3%A9&state={state}").await.unwrap_err();
    assert!(!failed.is_access_denied() && !failed.is_retryable());
    match failed {
        Error::AuthorizationFailed { error, description } => {
            assert_eq!((&*error, description.as_deref()), ("invalid_scope", Some("é")));
        }
        other => panic!("{other:?}"),
    }
    for busy in ["temporarily_unavailable", "server_error"] {
        assert!(callback(&format!("/callback?error={busy}&state={{state}}")).await.unwrap_err().is_retryable());
    }
    let shouted = callback("/callback?error=ACCESS_DENIED&state={state}").await.unwrap_err();
    assert!(!shouted.is_access_denied(), "codes are taken as they are");
}

#[tokio::test]
async fn the_words_of_an_error_are_cleaned_of_control_characters_and_cut() {
    let long = "é".repeat(300);
    let url = format!("/callback?error=a%0D%0A%1B%5B31m%00b&error_description=x%07%C2%85y{long}&state={{state}}");
    match callback(&url).await.unwrap_err() {
        Error::AuthorizationFailed { error, description } => {
            assert_eq!(error, "a[31mb");
            assert_eq!(description.unwrap(), format!("xy{}", "é".repeat(198)));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_sign_in_is_used_up_by_its_first_callback_and_the_others_stay() {
    let provider = provider(json!({})).await;
    let (client, items) = (provider.client(), Items::default());
    let session = client.session(&items);
    let mut states = Vec::new();
    for _ in 0..2 {
        let url = session.sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
        states.push(url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned());
    }
    let first = format!("/callback?error=access_denied&state={}", states[0]);
    assert!(session.handle_sign_in_callback(&first).await.unwrap_err().is_access_denied());
    assert!(matches!(session.handle_sign_in_callback(&first).await, Err(Error::UnknownState)));

    let second = format!("/callback?code=c&state={}", states[1]);
    assert!(matches!(session.handle_sign_in_callback(&second).await, Err(Error::TokenEndpoint { .. })));
    assert!(matches!(session.handle_sign_in_callback(&second).await, Err(Error::NoPendingSignIn)));
    assert_eq!(provider.requests().len(), 1, "one code, one request");
}

#[tokio::test]
async fn a_second_callback_of_the_same_sign_in_gets_the_result_of_the_first() {
    let provider = provider(json!({})).await;
    let client = provider.client();
    let items = Items::default();
    let session = client.session(&items);
    let url = session.sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let older = Items::default();
    let begun = crate::LogtoStorage::get_item(&items, crate::session::items::SIGN_IN_SESSION).await.unwrap().unwrap();
    crate::LogtoStorage::set_item(&older, crate::session::items::SIGN_IN_SESSION, &begun).await.unwrap();

    let callback = format!("/callback?code=c&state={state}");
    assert!(matches!(session.handle_sign_in_callback(&callback).await, Err(Error::TokenEndpoint { .. })));
    let again = client.session(&older).handle_sign_in_callback(&callback).await;
    assert!(matches!(again, Err(Error::TokenEndpoint { .. })));
    assert_eq!(provider.requests().len(), 1, "one code, one request");
}

#[tokio::test]
async fn the_verifier_that_is_sent_with_the_code_is_that_of_the_challenge() {
    let provider = provider(json!({})).await;
    let (client, items) = (provider.client(), Items::default());
    let session = client.session(&items);
    let url = session.sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
    let param = |name| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
    let callback = format!("/callback?code=c&state={}", param("state"));
    session.handle_sign_in_callback(&callback).await.unwrap_err();
    let form = provider.requests()[0].form.clone();
    let verifier = &form.iter().find(|(name, _)| name == "code_verifier").unwrap().1;
    assert_eq!(crate::oidc::pkce::challenge(verifier), param("code_challenge"));
    let names: Vec<_> = form.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["grant_type", "client_id", "code", "redirect_uri", "code_verifier"]);
}

#[tokio::test]
async fn a_callback_whose_runtime_has_ended_keeps_no_later_one_waiting() {
    let provider = provider(json!({})).await;
    let gate = provider.hold(Endpoint::Token);
    let (client, items) = (provider.client(), Arc::new(Items::default()));
    let session = client.session(Arc::clone(&items));
    let url = session.sign_in(SignInOptions::new(REDIRECT_URI)).await.unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let callback = format!("/callback?code=c&state={state}");
    {
        let (first, callback) = (client.session(items), callback.clone());
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move { first.handle_sign_in_callback(&callback).await.map(drop) });
        gate.arrival().await;
        runtime.shutdown_background();
    }

    let second = timeout(Duration::from_secs(10), session.handle_sign_in_callback(&callback)).await;

    let second = second.expect("a result");
    assert!(matches!(second, Err(Error::Interrupted)), "{second:?}");
}
