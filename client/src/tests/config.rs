use crate::{Error, LogtoConfig, LogtoConfigBuilder, Prompt, scope};

const ENDPOINT: &str = "https://tenant.logto.app";

fn builder() -> LogtoConfigBuilder {
    LogtoConfig::builder(ENDPOINT, "app")
}

/// The field and the problem.
fn refused(builder: LogtoConfigBuilder) -> (&'static str, String) {
    match builder.build() {
        Err(Error::Config { field, problem }) => (field, problem),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_endpoint_that_cannot_be_used_is_refused_and_says_why() {
    for (endpoint, problem) in [
        ("", "is not an absolute URL, such as"),
        ("tenant.logto.app", "is not an absolute URL, such as"),
        ("/logto", "is not an absolute URL, such as"),
        ("https://", "is not an absolute URL, such as"),
        ("ftp://tenant.logto.app", "does not start with https:// or http://"),
        ("localhost:3001", "does not start with https:// or http://"),
        ("data:text/plain,logto", "does not start with https:// or http://"),
        ("https://user@tenant.logto.app", "contains a user name or password"),
        ("https://:pass@tenant.logto.app", "contains a user name or password"),
        ("https://tenant.logto.app?x=1", "contains a query or a fragment"),
        ("https://tenant.logto.app/?", "contains a query or a fragment"),
        ("https://tenant.logto.app#x", "contains a query or a fragment"),
        ("https://tenant.logto.app/oidc", "ends with /oidc"),
        ("https://tenant.logto.app/oidc/", "ends with /oidc"),
        ("https://example.com/logto/oidc//", "ends with /oidc"),
    ] {
        let (field, found) = refused(LogtoConfig::builder(endpoint, "app"));
        assert_eq!(field, "endpoint", "{endpoint}");
        assert!(found.starts_with(problem), "{endpoint}: {found}");
    }
}

#[test]
fn a_password_in_the_endpoint_is_not_repeated() {
    let error = LogtoConfig::builder("https://user:hunter2@tenant.logto.app", "app").build().unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn the_endpoint_keeps_its_path_and_loses_slashes_at_its_end() {
    for (endpoint, kept) in [
        ("https://tenant.logto.app", "https://tenant.logto.app"),
        ("https://tenant.logto.app/", "https://tenant.logto.app"),
        ("HTTPS://Tenant.Logto.App:443//", "https://tenant.logto.app"),
        ("https://example.com/logto", "https://example.com/logto"),
        ("https://example.com/logto/", "https://example.com/logto"),
        ("http://127.0.0.1:3001/a/b/", "http://127.0.0.1:3001/a/b"),
        ("https://example.com/oidc/logto", "https://example.com/oidc/logto"),
        ("https://example.com/my-oidc", "https://example.com/my-oidc"),
        ("http://oidc.localhost", "http://oidc.localhost"),
    ] {
        let config = LogtoConfig::builder(endpoint, "app").build().unwrap();
        assert_eq!(config.endpoint(), kept);
        assert_eq!(config.issuer(), format!("{kept}/oidc"));
    }
}

#[test]
fn plain_http_is_for_loopback_unless_the_configuration_says_otherwise() {
    for loopback in
        ["http://localhost:3001", "http://logto.localhost", "http://127.0.0.1:3001", "http://127.1.2.3", "http://[::1]"]
    {
        assert!(LogtoConfig::builder(loopback, "app").build().is_ok(), "{loopback}");
    }
    for other in [
        "http://tenant.logto.app",
        "http://192.168.0.7:3001",
        "http://localhost.example",
        "http://[::2]",
        "http://logto",
    ] {
        let (field, problem) = refused(LogtoConfig::builder(other, "app"));
        assert_eq!(field, "endpoint", "{other}");
        assert!(problem.contains("dangerously_allow_http"), "{problem}");
        assert!(LogtoConfig::builder(other, "app").dangerously_allow_http().build().is_ok(), "{other}");
    }
}

#[test]
fn what_is_blank_or_malformed_is_refused_by_the_name_of_its_field() {
    for (builder, field, problem) in [
        (LogtoConfig::builder(ENDPOINT, ""), "app_id", "is empty"),
        (LogtoConfig::builder(ENDPOINT, " \t"), "app_id", "is empty"),
        (builder().app_secret(""), "app_secret", "is empty"),
        (builder().app_secret("\n"), "app_secret", "is empty"),
        (builder().scopes(["email", ""]), "scopes", "has an empty scope"),
        (builder().scopes(["email phone"]), "scopes", "has \"email phone\", which contains a space"),
        (builder().scopes(["email\u{a0}phone"]), "scopes", "has "),
        (builder().resources([""]), "resources", "has \"\""),
        (
            builder().resources(["https://api.example.com", "/orders"]),
            "resources",
            "has \"/orders\", which is not an absolute URI",
        ),
        (
            builder().resources(["https://api.example.com#x"]),
            "resources",
            "has \"https://api.example.com#x\", which contains a fragment",
        ),
        (builder().prompt([Prompt::None, Prompt::Consent]), "prompt", "has `None` next to other prompts"),
        (builder().prompt([Prompt::Login, Prompt::None]), "prompt", "has `None` next to other prompts"),
    ] {
        let (found, why) = refused(builder);
        assert_eq!(found, field);
        assert!(why.starts_with(problem), "{field}: {why}");
    }
}

#[test]
fn an_error_reads_as_a_sentence_that_names_the_field() {
    let error = builder().app_secret("").build().unwrap_err();
    assert_eq!(error.to_string(), "the configuration's `app_secret` is empty");
}

#[test]
fn the_reserved_scopes_come_first_and_each_scope_once() {
    let config = builder().scopes(["email", "profile", "email", "openid", "read:orders"]).build().unwrap();
    assert_eq!(config.scopes(), ["openid", "offline_access", "profile", "email", "read:orders"]);
    assert_eq!(builder().build().unwrap().scopes(), ["openid", "offline_access", "profile"]);
}

#[test]
fn without_the_reserved_scopes_there_are_those_that_were_given() {
    let config = builder().include_reserved_scopes(false).scopes(["email", "openid", "email"]).build().unwrap();
    assert_eq!(config.scopes(), ["email", "openid"]);
    assert!(builder().include_reserved_scopes(false).build().unwrap().scopes().is_empty());
}

#[test]
fn the_scope_of_organizations_brings_its_resource_once() {
    let organizations = "urn:logto:resource:organizations";
    let config = builder().scopes([scope::ORGANIZATIONS]).resources(["https://api.example.com"]).build().unwrap();
    assert_eq!(config.resources(), ["https://api.example.com", organizations]);
    assert!(config.has_organizations());

    let named = builder().scopes([scope::ORGANIZATIONS]).resources([organizations, organizations]).build().unwrap();
    assert_eq!(named.resources(), [organizations]);

    // Their roles alone are no reason for tokens.
    let roles = builder().scopes([scope::ORGANIZATION_ROLES]).build().unwrap();
    assert!(roles.resources().is_empty());
    assert!(!roles.has_organizations());
}

#[test]
fn resources_may_be_any_absolute_uri_and_are_kept_as_they_are() {
    let resources = ["https://API.example.com", "https://api.example.com/?v=2", "urn:example:orders"];
    let config = builder().resources(resources.into_iter().chain(resources)).build().unwrap();
    assert_eq!(config.resources(), resources);
}

#[test]
fn the_default_prompt_is_consent_and_none_may_stand_alone() {
    assert_eq!(builder().build().unwrap().prompts(), [Prompt::Consent]);
    assert_eq!(builder().prompt([Prompt::None]).build().unwrap().prompts(), [Prompt::None]);
    assert!(builder().prompt([]).build().unwrap().prompts().is_empty());
}

#[test]
fn renewal_of_the_session_is_required_by_default() {
    assert!(!builder().build().unwrap().keeps_session_id());
    assert!(builder().dangerously_keep_session_id().build().unwrap().keeps_session_id());
}

#[test]
fn debug_output_hides_the_secret() {
    let builder = builder().app_secret("hunter2".to_owned());
    let config = builder.clone().build().unwrap();
    assert_eq!(config.app_secret(), Some("hunter2"));
    let client = crate::LogtoClient::with_http_client(config.clone(), reqwest::Client::new());
    for printed in [format!("{builder:?}"), format!("{config:#?}"), format!("{client:?}")] {
        assert!(!printed.contains("hunter2"), "{printed}");
        assert!(printed.contains("AppSecret(…)"), "{printed}");
    }
}
