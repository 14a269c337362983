//! What `Debug` prints. Without secrets, but not nothing: a log line has to show what it is about.

use super::storage::Items;
use crate::tokens::{AccessToken, IdToken, RefreshToken};
use crate::{AppSecret, LogtoClient, LogtoConfig, LogtoConfigBuilder, SignInOptions};

const ENDPOINT: &str = "https://tenant.logto.app";

fn builder() -> LogtoConfigBuilder {
    LogtoConfig::builder(ENDPOINT, "app-1").app_secret("hunter2").resources(["https://api.example.com"])
}

fn client() -> LogtoClient {
    LogtoClient::with_http_client(builder().build().unwrap(), reqwest::Client::new())
}

#[track_caller]
fn assert_has(printed: &str, parts: &[&str]) {
    for part in parts {
        assert!(printed.contains(part), "{part} is not in {printed}");
    }
    assert!(!printed.contains("hunter2") && !printed.contains("s3cr3t"), "{printed}");
}

#[test]
fn a_configuration_shows_everything_but_the_secret() {
    let parts = [ENDPOINT, "app-1", "https://api.example.com", "AppSecret(…)", "Consent"];
    assert_has(&format!("{:?}", builder()), &parts);
    assert_has(&format!("{:?}", builder().build().unwrap()), &parts);
    assert_eq!(format!("{:?}", AppSecret::from("hunter2")), "AppSecret(…)");
}

#[test]
fn a_client_and_a_session_show_the_configuration() {
    let client = client();
    assert_has(&format!("{client:?}"), &["LogtoClient { config: LogtoConfig {", ENDPOINT, "app-1"]);
    let session = client.session(Items::default());
    assert_has(&format!("{session:?}"), &["LogtoSession { config: LogtoConfig {", ENDPOINT, "app-1"]);
}

#[test]
fn tokens_show_what_they_are_and_what_they_are_good_for() {
    let token = AccessToken { token: "s3cr3t".to_owned(), scope: "read write".to_owned(), expires_at: 7 };
    assert_eq!(format!("{token:?}"), r#"AccessToken { scope: "read write", expires_at: 7, .. }"#);
    assert_eq!(format!("{:?}", IdToken("s3cr3t".to_owned())), "IdToken(…)");
    assert_eq!(format!("{:?}", RefreshToken("s3cr3t".to_owned())), "RefreshToken(…)");
}

#[test]
fn sign_in_options_show_everything_but_the_one_time_token() {
    let options = SignInOptions::new("https://app.example.com/callback").post_redirect_uri("/orders");
    let options = options.login_hint("ada@example.com").one_time_token("s3cr3t");
    assert_has(
        &format!("{options:?}"),
        &["https://app.example.com/callback", "/orders", "ada@example.com", "OneTimeToken(…)"],
    );
}
